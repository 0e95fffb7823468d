"""Splits: which videos of a caption file are evaluated, where that is a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.evaluation.datasets.captioned import CaptionedVideo, read_captions
from app.text_files import wrong


def read_split(path: Path) -> list[str]:
    """Return the names in a list of videos: a line each (`test_list.txt`), or JSON, a list or an object by name.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is no such list, or empty.
    """
    content = read_captions(path)
    names = content.split("\n") if isinstance(content, str) else list(content)
    if not all(isinstance(each, str) for each in names):
        raise wrong(path, None, "a list of names of videos is expected")
    names = list(dict.fromkeys(filter(None, map(str.strip, names))))
    if not names:
        raise wrong(path, None, "there is no name of a video in it")
    return names


def of_split(
    videos: Sequence[CaptionedVideo], path: Path, ids_of: Callable[[str], tuple[str, ...]]
) -> tuple[list[CaptionedVideo], list[str]]:
    """Return the videos of a split, in its order, and the names that have no caption.

    Args:
        videos: Those of a caption file.
        path: A list of videos, see `read_split`.
        ids_of: The ids that a name may stand for.

    Raises:
        OSError: The list cannot be read.
        TextFileError: None of its videos has a caption, so that it belongs to another set.
    """
    known = {each.id: each for each in videos}
    found: dict[str, CaptionedVideo] = {}
    without = []
    for name in read_split(path):
        key = next(filter(known.__contains__, ids_of(name)), None)
        if key is None:
            without.append(name)
        else:
            found[key] = known[key]
    if not found:
        raise wrong(path, None, "none of its videos has a caption; is it a list of this data set?")
    return list(found.values()), without
