"""Files beside videos that hold words: finding them, by the names of all files of a folder."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

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


@dataclass(slots=True)
class SidecarFolder:
    """The files of one folder, read once for all videos in it; those below it for subtitles are read when asked for.

    Raises:
        OSError: The folder cannot be read.
    """

    folder: str
    _entries: list[_Entry] = field(init=False)
    _folders: list[_Entry] = field(init=False)
    _stems: frozenset[str] = field(init=False)  # of the videos

    def __post_init__(self) -> None:
        self._entries, self._folders = _listed(self.folder)
        self._stems = frozenset(entry.stem for entry in self._entries if entry.extension in VIDEO_EXTENSIONS)

    def of(self, path: str) -> list[Sidecar]:
        """Return the files that belong to a video of this folder, by name. A file with the name of several is of each.

        Args:
            path: The video.
        """
        whole = folded(os.path.basename(path))
        stem = folded(os.path.splitext(os.path.basename(path))[0])
        found = list(self._beside(self._entries, stem, whole, ""))
        for each in self._folders:
            with_link = _checked_link(each.path, self.folder)
            if with_link is None:
                continue
            found += self._in_subtitle_folder(each.name, with_link, stem, whole)
        by_name = {sidecar.name: sidecar for sidecar in found}
        return [by_name[name] for name in sorted(by_name)][:_MOST_SIDECARS]

    def _in_subtitle_folder(self, name: str, path: str, stem: str, whole: str) -> Iterator[Sidecar]:
        """Yield what releases keep: `Subs/NAME.en.srt`, `Subs/NAME/2_English.srt`; beside one video all of it."""
        try:
            entries, folders = _listed(path, only_subtitles=False)
        except OSError:
            return
        beside = list(self._beside(entries, stem, whole, f"{name}/"))
        yield from beside
        if len(self._stems) == 1:
            taken = {sidecar.path for sidecar in beside}
            alone = ((entry, entry.stem) for entry in entries if entry.path not in taken)
            yield from _sidecars(self.folder, alone, f"{name}/")
        for each in folders:
            if each.stem in (stem, whole) and not is_link_path(each.path):
                try:
                    inner, _ = _listed(each.path)
                except OSError:
                    continue
                yield from _sidecars(self.folder, ((entry, entry.stem) for entry in inner), f"{name}/{each.name}/")

    def _beside(self, entries: Iterable[_Entry], stem: str, whole: str, prefix: str) -> Iterator[Sidecar]:
        def own() -> Iterator[tuple[_Entry, str]]:
            for entry in entries:
                if not entry.stem.startswith(stem):
                    continue
                rest = entry.stem[len(whole if entry.stem.startswith(whole) else stem) :]
                if belongs(rest) and not self._of_another(entry.stem, stem):
                    yield entry, rest

        yield from _sidecars(self.folder, own(), prefix)

    def _of_another(self, name: str, stem: str) -> bool:
        """Return whether a name begins with that of another video, which is longer: `clip.part2.srt`."""
        ends = (at for at, mark in enumerate(name) if mark in "._- ([" and at > len(stem))
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


def is_link_path(path: str) -> bool:
    """Return whether a path is a link."""
    from pathlib import Path

    return is_link(Path(path))


def _listed(folder: str, *, only_subtitles: bool = True) -> tuple[list[_Entry], list[_Entry]]:
    """Return the files of a folder that matter, and its folders: all, or those for subtitles."""
    files, folders = [], []
    with os.scandir(folder) as found:
        for each in islice(found, _MOST_ENTRIES):
            stem, dot_extension = os.path.splitext(each.name)
            extension = dot_extension[1:].strip().lower()
            if extension in _EXTENSIONS or extension in VIDEO_EXTENSIONS:
                files.append(_Entry(each.name, each.path, folded(stem), extension))
            elif not only_subtitles or folded(each.name) in _SUBTITLE_FOLDERS:
                folders.append(_Entry(each.name, each.path, folded(each.name), ""))
    return files, folders


def _sidecars(folder: str, entries: Iterable[tuple[_Entry, str]], prefix: str) -> Iterator[Sidecar]:
    for entry, rest in entries:
        if entry.extension not in _EXTENSIONS:
            continue
        real = _checked_link(entry.path, os.path.dirname(entry.path))
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


def _checked_link(path: str, folder: str) -> str | None:
    """Return the path itself if it is no link, the file that a link leads to in the same folder, or None."""
    if not is_link_path(path):
        return path
    real = os.path.realpath(path)
    return real if os.path.dirname(real) == os.path.realpath(folder) else None
