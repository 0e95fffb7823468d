"""Paths as the library spells them: a file indexed through a link is found by its real name, and vice versa."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.library import Library


def as_indexed(library: Library, path: str) -> str:
    """Return the absolute path under which the library knows a file, or the files below a folder.

    Links are followed only where nothing is known under the plain path, since that looks at every path of the library.
    A path that the library does not know comes back as an absolute path.
    """
    plain = os.path.abspath(path)
    if library.videos(plain) or not os.path.lexists(plain):
        return plain
    failed = [failure.path for failure in library.failures()]
    if any(is_below(each, plain) for each in failed):
        return plain
    wanted = os.path.realpath(plain)
    spelled: dict[str, str] = {}  # a folder as the library spells it -> its real path
    for known in [*(video.path for video in library.videos()), *failed]:
        folder, name = os.path.split(known)
        if folder not in spelled:
            spelled[folder] = os.path.realpath(folder)
        if os.path.join(spelled[folder], name) == wanted or os.path.realpath(known) == wanted:
            return known
        if is_below(spelled[folder], wanted):
            # As many folders up from the real one as lie between it and what is wanted.
            return _up(folder, wanted) or plain
    return plain


def _up(folder: str, wanted: str) -> str | None:
    """Return `folder` or its ancestor that really is `wanted`; None where none of them is."""
    while os.path.realpath(folder) != wanted:
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def is_below(path: str, folder: str) -> bool:
    """Tell whether `path` is `folder` or lies below it. Both are absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
