"""Paths as stored in the library: a file indexed through a link is found by its real name, and vice versa."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.library import Library


def as_indexed(library: Library, path: str) -> str:
    """Return the absolute path under which the library stores a file, or the files below a folder.

    Links are followed only if nothing is stored under the plain path, because that examines every path of the library.
    An unknown path is returned as an absolute path.
    """
    plain = os.path.abspath(path)
    if library.videos(plain) or not os.path.lexists(plain):
        return plain
    failed = [failure.path for failure in library.failures()]
    if any(is_below(each, plain) for each in failed):
        return plain
    wanted = os.path.realpath(plain)
    spelled: dict[str, str] = {}  # a folder as stored in the library -> its real path
    for known in [*(video.path for video in library.videos()), *failed]:
        folder, name = os.path.split(known)
        if folder not in spelled:
            spelled[folder] = os.path.realpath(folder)
        if os.path.join(spelled[folder], name) == wanted or os.path.realpath(known) == wanted:
            return known
        if is_below(spelled[folder], wanted):
            # Go up from the real folder by the number of folders between it and the wanted one.
            return _up(folder, wanted) or plain
    return plain


def _up(folder: str, wanted: str) -> str | None:
    """Return `folder` or its ancestor whose real path is `wanted`; None if there is no such folder."""
    while os.path.realpath(folder) != wanted:
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def is_below(path: str, folder: str) -> bool:
    """Return whether `path` is `folder` or is below it. Both are absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
