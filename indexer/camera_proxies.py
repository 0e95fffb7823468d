"""Small copies that cameras record beside their films: paired with the originals by name, length and size of picture.

GoPro               GX010123.MP4            GX010123.LRV or GL010123.LRV
DJI                 DJI_0001.MP4            DJI_0001.LRF
Insta360            VID_DATE_TIME_00_1.insv LRV_DATE_TIME_11_1.insv or .lrv
Sony                CLIP/C0001.MP4          SUB/C0001S03.MP4, or beside it
Panasonic, Canon,   VIDEO/X.MXF, X.MOV      PROXY/X.MP4, Proxy/X.MP4, X_P.MP4, X_Proxy.MP4
Blackmagic
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from files.regular import open_regular
from indexer.media.mp4_boxes import movie_facts

_ORIGINALS = frozenset(("mp4", "mov", "mxf", "mts", "m4v", "360", "insv"))
"""Endings of films that are decoded. A camera's raw files are not: then the small copy is all that can be seen."""
_GOPRO = re.compile(r"gl(?P<number>\d{6})")
_INSTA360 = re.compile(r"vid_(?P<day>\d{8}_\d{6})_\d\d_(?P<number>\d+)")
_INSTA360_COPY = re.compile(r"lrv_(?P<day>\d{8}_\d{6})_\d\d_(?P<number>\d+)")
_SONY = re.compile(r"(?P<stem>.+)s\d\d")
_SUFFIXED = re.compile(r"(?P<stem>.+)_(p|proxy)")
_FOLDERS = frozenset(("sub", "proxy", "proxies"))
_BESIDE = ("clip", "video", "")  # folders beside such a folder that hold the originals; "": the one that holds it
_SAME_SECONDS = 1.0
_SAME_SHARE = 0.02  # of the length, by which a copy may be longer or shorter


class Originals:
    """The films among some files, by which a small copy finds its own.

    Args:
        paths: Files that are or may be in the library.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._films: dict[tuple[str, str], str] = {}  # by folder and name without its ending, in lower case
        for path in paths:
            folder, stem, ending = _parts(path)
            if ending in _ORIGINALS:
                insta360 = _INSTA360.fullmatch(stem)
                self._films[folder, _take(insta360) if insta360 else stem] = path

    def of(self, path: str) -> str | None:
        """Return the film that a file may be the small copy of, by its name; None for any other file."""
        found = (self._films.get(place) for place in _places(path))
        return next((original for original in found if original not in (None, path)), None)


def _take(name: re.Match[str]) -> str:
    """Return what the lenses and the small copy of one take of an Insta360 have in common."""
    return f"{name['day']} {name['number']}"


def _parts(path: str) -> tuple[str, str, str]:
    """Return folder, name and ending of a path, in lower case."""
    folder, name = os.path.split(path.lower())
    stem, ending = os.path.splitext(name)
    return folder, stem, ending[1:]


def _places(path: str) -> Iterator[tuple[str, str]]:
    """Yield where the original of a file may be, by the file's name: folder and name without an ending."""
    folder, stem, ending = _parts(path)
    insta360 = _INSTA360_COPY.fullmatch(stem)
    if insta360:
        yield folder, _take(insta360)
    elif ending in ("lrv", "lrf"):
        gopro = _GOPRO.fullmatch(stem)
        yield folder, stem
        if gopro:
            yield from ((folder, f"g{kind}{gopro['number']}") for kind in "xhs")
    elif ending in ("mp4", "mov"):
        stems = [found["stem"] for found in (_SONY.fullmatch(stem), _SUFFIXED.fullmatch(stem)) if found]
        yield from ((folder, each) for each in stems)
        above, own = os.path.split(folder)
        if own in _FOLDERS:
            for beside in _BESIDE:
                yield from ((os.path.join(above, beside) if beside else above, each) for each in (*stems, stem))


def is_small_copy(path: str, original: str) -> bool:
    """Return whether a file is as long as the film that its name belongs to, and smaller.

    Its picture is compared too if both are MP4 or QuickTime. Only headers are read.
    """
    try:
        if os.path.getsize(path) >= os.path.getsize(original):
            return False
        with open_regular(path) as file, open_regular(original) as other:
            small, large = movie_facts(file), movie_facts(other)
    except OSError:
        return False
    if small is None or large is None:
        return small is not None  # an original in MXF or the like, whose header is not read
    near = max(_SAME_SECONDS, _SAME_SHARE * large.seconds)
    return abs(small.seconds - large.seconds) <= near and small.pixels < large.pixels


def small_copy_of(path: str) -> str | None:
    """Return the small copy that a camera recorded of a film; None if there is none."""
    folder = os.path.dirname(path)
    above = os.path.dirname(folder)
    known = Originals([path])
    for place in dict.fromkeys([folder, *_copy_folders(folder), *_copy_folders(above)]):
        try:
            with os.scandir(place) as entries:
                files = sorted(entry.path for entry in entries if entry.is_file(follow_symlinks=False))
        except OSError:
            continue
        for other in files:
            if known.of(other) == path and is_small_copy(other, path):
                return other
    return None


def _copy_folders(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.name.lower() in _FOLDERS and entry.is_dir()]
    except OSError:
        return []
