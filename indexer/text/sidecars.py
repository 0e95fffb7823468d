"""Files beside videos that hold words: finding them, by the names of all files of a folder."""

from __future__ import annotations

import os
import stat
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from pathlib import Path

from db.timed_text import TextSource
from files.links import is_link
from indexer.media.containers import VIDEO_EXTENSIONS
from indexer.text.name_parts import NameParts, belongs, folded, read_name

CUE_EXTENSIONS = frozenset(("srt", "vtt", "ass", "ssa", "sbv", "sub", "ttml", "dfxp", "json", "txt", "tsv", "lrc"))
PICTURE_EXTENSIONS = frozenset(("sup", "idx"))
"""Of subtitles that are pictures: they are named as such."""
XMP_EXTENSION = "xmp"
_EXTENSIONS = CUE_EXTENSIONS | PICTURE_EXTENSIONS | {XMP_EXTENSION}
_SUBTITLE_FOLDERS = frozenset(("subs", "subtitles", "sub", "captions"))
_MOST_ENTRIES = 100_000  # of a folder that are looked at
_MOST_SIDECARS = 100  # of one video
OUTSIDE = "it is a link that leads out of its folder, and is not read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """A file beside a video."""

    path: str  # absolute; of the file itself, if it is a link to one in the same folder
    name: str  # below the video's folder, with slashes
    extension: str  # lower case, without the dot
    size_bytes: int
    modified_ns: int
    parts: NameParts
    outside: bool = False  # it is a link that leads out of the folder


@dataclass(slots=True)
class _Entry:
    name: str
    path: str
    stem: str  # as compared, without the ending
    extension: str


@dataclass(frozen=True, slots=True)
class _Listing:
    files: list[_Entry]  # by stem
    folders: list[_Entry]


@dataclass(slots=True)
class SidecarFolder:
    """The files of one folder and of those for subtitles in it, each listed once for all videos of the folder.

    Raises:
        OSError: The folder cannot be read.
    """

    folder: str
    _here: _Listing = field(init=False)
    _below: dict[str, _Listing] = field(init=False, default_factory=dict)  # by path
    _stems: frozenset[str] = field(init=False)  # of the videos

    def __post_init__(self) -> None:
        self._here = _listed(self.folder)
        self._stems = frozenset(entry.stem for entry in self._here.files if entry.extension in VIDEO_EXTENSIONS)

    def of(self, path: str) -> list[Sidecar]:
        """Return the files that belong to a video of this folder, by name. A file with the name of several is of each.

        Args:
            path: The video.
        """
        whole = folded(os.path.basename(path))
        stem = folded(os.path.splitext(os.path.basename(path))[0])
        found = list(_sidecars(self._beside(self._here, stem, whole), ""))
        for each in self._here.folders:
            if each.stem in _SUBTITLE_FOLDERS:
                found += self._in_subtitle_folder(each, stem, whole)
        by_name = {sidecar.name: sidecar for sidecar in found}
        return [by_name[name] for name in sorted(by_name)][:_MOST_SIDECARS]

    def _in_subtitle_folder(self, folder: _Entry, stem: str, whole: str) -> Iterator[Sidecar]:
        """Yield what releases keep: `Subs/NAME.en.srt`, `Subs/NAME/2_English.srt`; beside one video all of it."""
        listing = self._listing(folder.path, self.folder)
        own = list(self._beside(listing, stem, whole))
        if len(self._stems) == 1:
            taken = {entry.path for entry, _ in own}
            own += [(entry, entry.stem) for entry in listing.files if entry.path not in taken]
        yield from _sidecars(own, f"{folder.name}/")
        for each in listing.folders:
            if each.stem in (stem, whole):
                inner = self._listing(each.path, folder.path)
                yield from _sidecars(((entry, entry.stem) for entry in inner.files), f"{folder.name}/{each.name}/")

    def _listing(self, path: str, folder: str) -> _Listing:
        """Return the files of a folder; none of one that cannot be read, or is a link that leads out of `folder`."""
        if path not in self._below:
            real = _within(path, folder)
            try:
                self._below[path] = _Listing([], []) if real is None else _listed(real)
            except OSError:
                self._below[path] = _Listing([], [])
        return self._below[path]

    def _beside(self, listing: _Listing, stem: str, whole: str) -> Iterator[tuple[_Entry, str]]:
        """Yield the files whose names begin with that of a video and belong to it, with what follows in the name."""
        at = bisect_left(listing.files, stem, key=attrgetter("stem"))
        while at < len(listing.files) and listing.files[at].stem.startswith(stem):
            entry = listing.files[at]
            rest = entry.stem[len(whole if entry.stem.startswith(whole) else stem) :]
            if belongs(rest) and not self._of_another(entry.stem, stem):
                yield entry, rest
            at += 1

    def _of_another(self, name: str, stem: str) -> bool:
        """Return whether a name begins with that of another video, which is longer: `clip.part2.srt`."""
        ends = [at for at, mark in enumerate(name) if mark in "._- ([" and at > len(stem)]
        return any(name[:end] in self._stems for end in (*ends, len(name)) if end > len(stem))


def find_sidecars(path: str) -> list[Sidecar]:
    """Return the files beside a video that may hold words. Raise OSError if its folder cannot be read."""
    return SidecarFolder(os.path.dirname(path)).of(path)


def is_current(sidecars: Iterable[Sidecar], sources: Iterable[TextSource]) -> bool:
    """Return whether sources were read from these files as they are now, and from no others.

    Args:
        sidecars: What is beside the video.
        sources: All sources of the video that the library has.
    """
    read = {(source.file, source.size_bytes, source.modified_ns) for source in sources if source.file}
    return read == {(each.name, each.size_bytes, each.modified_ns) for each in sidecars}


def _listed(folder: str) -> _Listing:
    """Return the videos of a folder, the files that may hold words, and the folders."""
    files, folders = [], []
    with os.scandir(folder) as found:
        for each in islice(found, _MOST_ENTRIES):
            stem, dot_extension = os.path.splitext(each.name)
            extension = dot_extension[1:].strip().lower()
            if extension in _EXTENSIONS or extension in VIDEO_EXTENSIONS:
                files.append(_Entry(each.name, each.path, folded(stem), extension))
            else:
                folders.append(_Entry(each.name, each.path, folded(each.name), ""))  # or another file
    return _Listing(sorted(files, key=attrgetter("stem")), folders)


def _sidecars(entries: Iterable[tuple[_Entry, str]], prefix: str) -> Iterator[Sidecar]:
    for entry, rest in entries:
        if entry.extension not in _EXTENSIONS:
            continue
        real = _within(entry.path, os.path.dirname(entry.path))
        try:
            status = os.lstat(entry.path) if real is None else os.stat(real)
        except OSError:
            continue
        if real is not None and not stat.S_ISREG(status.st_mode):
            continue
        yield Sidecar(
            path=real or entry.path,
            name=prefix + unicodedata.normalize("NFC", entry.name),
            extension=entry.extension,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            parts=read_name(rest),
            outside=real is None,
        )


def _within(path: str, folder: str) -> str | None:
    """Return the path itself if it is no link, what a link leads to in the same folder, or None."""
    if not is_link(Path(path)):
        return path
    real = os.path.realpath(path)
    return real if os.path.dirname(real) == os.path.realpath(folder) else None
