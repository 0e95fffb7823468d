"""Annotation files `.annot` of Bento and MARS: bouts of behaviour in one or several channels.

Layout, as the parser in neuroethology/MARS_Developer (behavior_classification/MARS_annotation_parsers.py) reads it and
its function `dump_labels_bento` writes it: a head with `Annotation start frame`, `Annotation stop frame` and
`Annotation framerate`, `List of channels:`, `List of annotations:`, and then for each channel `NAME-----`, for each
behaviour `>NAME`, a line of column names, and lines of start, stop and duration. Whole numbers are frames, counted
from 1, both included; numbers with a point are seconds, and frame = round(seconds x rate). Times of a movie with lost
frames, which that parser can take from its recording, are not known here.
"""

from __future__ import annotations

import math
import os
import re

from app.text_files import read_text, wrong

_HEAD = re.compile(r"Annotation (start frame|stop frame|framerate):\s*([0-9.]+)\s*", re.IGNORECASE)
_CHANNEL = re.compile(r"(.*?)-{3,}\s*")
_DEFAULT_RATE = 30.0
_MOST_FRAMES = 10_000_000


def read_annot(path: str | os.PathLike[str], *, background: str) -> tuple[list[str], tuple[frozenset[str] | None, ...]]:
    """Read an annotation file.

    Args:
        path: The file.
        background: The class of frames in no bout.

    Returns:
        The classes, in the order of the file, then the background; and the labels of each frame, of all channels
        together. None before the start frame.

    Raises:
        OSError: It cannot be read.
        TextFileError: It has another layout, or a bout that is not in the video.
    """
    lines = read_text(path).splitlines()
    if not lines or "annotation" not in lines[0].lower():
        raise wrong(path, 1, "this is no annotation file of Bento or MARS")
    head = {found[1].lower(): float(found[2]) for line in lines if (found := _HEAD.fullmatch(line.strip()))}
    frames, first = int(head.get("stop frame", 0)), int(head.get("start frame", 1))
    rate = head.get("framerate", _DEFAULT_RATE)
    if not 1 <= first <= frames <= _MOST_FRAMES or rate <= 0:
        raise wrong(path, None, "the start frame, stop frame or frame rate is missing or impossible")
    names = _listed(lines, "list of annotations")
    shown: list[set[str]] = [set() for _ in range(frames)]
    behaviour: str | None = None
    in_channels = False
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if _CHANNEL.fullmatch(text):
            in_channels, behaviour = True, None
        elif in_channels and text.startswith(">"):
            behaviour = text[1:].strip()
            if behaviour not in names:
                names.append(behaviour)
        elif in_channels and behaviour is not None and text[:1].isdigit():
            begin, end = _bout(path, number, text, rate)
            if not 1 <= begin <= end:
                raise wrong(path, number, "this bout ends before it begins, or begins before the first frame")
            for at in range(begin - 1, min(end, frames)):
                shown[at].add(behaviour)
    if not in_channels:
        raise wrong(path, None, "it has no channel")
    if background not in names:
        names.append(background)
    known: dict[frozenset[str], frozenset[str]] = {}
    none = frozenset((background,))
    labels = [known.setdefault(each, each) for each in (frozenset(names) or none for names in shown)]
    return names, (*[None] * (first - 1), *labels[first - 1 :])


def _bout(path: str | os.PathLike[str], number: int, text: str, rate: float) -> tuple[int, int]:
    """Return the first and the last frame of a bout, counted from 1."""
    try:
        start, stop = (float(part) for part in text.split()[:2])
    except ValueError:
        raise wrong(path, number, "a start and a stop are expected") from None
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise wrong(path, number, "a start and a stop are expected")
    if "." in text:
        start, stop = start * rate, stop * rate
    return round(start), round(stop)


def _listed(lines: list[str], title: str) -> list[str]:
    """Return the lines below a title, up to the next empty one, each once."""
    begin = next((at for at, line in enumerate(lines) if line.strip().lower().startswith(title)), None)
    found: list[str] = []
    for line in lines[begin + 1 :] if begin is not None else []:
        if not line.strip():
            break
        if line.strip() not in found:
            found.append(line.strip())
    return found
