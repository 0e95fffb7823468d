"""Paths as stored in the library: a file indexed under one name is found by any other: a link, a mount, a spelling."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from db.names import comparison_key
from indexer.missing_files import is_below
from indexer.same_file import file_keys

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video


def as_indexed(library: Library, path: str) -> str:
    """Return the absolute path under which the library stores a file, or the files below a folder.

    Other names are looked for only if nothing is stored under the plain path, because that examines every folder of the
    library. An unknown path is returned as an absolute path.
    """
    plain = os.path.abspath(path)
    if library.videos(plain) or not os.path.lexists(plain):
        return plain
    failed = [(failure.path, failure.size_bytes) for failure in library.failures()]
    if any(is_below(each, plain) for each, _ in failed):
        return plain
    known = [*((video.path, video.size_bytes) for video in library.videos()), *failed]
    if os.path.isdir(plain):
        return _known_folder(plain, (os.path.dirname(each) for each, _ in known)) or plain
    return _known_file(plain, known) or plain


def videos_below(library: Library, paths: Iterable[str]) -> list[Video]:
    """Return the videos of the library at or below any of the paths, by path; without paths all of them."""
    wanted = [as_indexed(library, path) for path in paths]
    videos = [video for video in library.videos() if not wanted or any(is_below(video.path, each) for each in wanted)]
    return sorted(videos, key=lambda video: video.path)


def files_of_name(library: Library, path: str) -> list[str]:
    """Return the videos of the library whose file has the name of `path`, in any folder."""
    name = comparison_key(os.path.basename(path))
    return [each.path for each in library.videos() if comparison_key(os.path.basename(each.path)) == name]


def _known_folder(wanted: str, folders: Iterable[str]) -> str | None:
    """Return the name of a folder among `folders` and those above them; None if there is none."""
    key, seen = _key(wanted), set[str]()
    for folder in folders:
        while folder not in seen:
            seen.add(folder)
            if key is not None and _key(folder) == key:
                return folder
            folder = os.path.dirname(folder)
    return None


def _known_file(wanted: str, files: Iterable[tuple[str, int]]) -> str | None:
    """Return the name of a file among (path, size) of some; None if there is none."""
    try:
        size = os.stat(wanted).st_size
    except OSError:
        return None
    keys, name = file_keys(wanted), comparison_key(os.path.basename(os.path.realpath(wanted)))
    for path, stored in files:
        may_be = stored == size or comparison_key(os.path.basename(path)) == name  # it may have changed since
        if may_be and file_keys(path) & keys:
            return path
    return None


def _key(path: str) -> object | None:
    """Return a key equal for all names of a folder; None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)
