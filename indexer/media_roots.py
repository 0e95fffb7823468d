"""Roots of media that cannot be reached from this machine: whatever is missing below them is not gone.

A root is reachable if this machine knows its folder, and the folder is there, can be read and is not empty: an empty
one is what a mount point looks like before anything is mounted there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Literal

from db.media_roots import MediaRoots, unset_text

RootState = Literal["reachable", "empty", "missing", "unreadable", "not set"]


def root_state(roots: MediaRoots, name: str) -> RootState:
    """Return whether the files of a root can be reached from this machine, and else why not."""
    folder = roots.folder(name)
    if folder is None:
        return "not set"
    try:
        with os.scandir(folder) as entries:
            return "empty" if next(entries, None) is None else "reachable"
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError:
        return "unreadable"


def why_unreachable(roots: MediaRoots, path: str) -> str | None:
    """Return why nothing below the root of a path can be reached, as a clause; None if it can, or there is no root."""
    name = roots.root_of(path)
    return None if name is None else state_text(roots, name, root_state(roots, name))


def state_text(roots: MediaRoots, name: str, state: RootState) -> str | None:
    """Return what to say of a root that is not reachable, as a clause; None of one that is."""
    where = f"the folder of root {name!r}, {roots.folder(name)},"
    texts: dict[RootState, str] = {
        "not set": unset_text(name),
        "missing": f"{where} is not there; is its drive connected?",
        "empty": f"{where} is empty; is its drive mounted?",
        "unreadable": f"{where} cannot be read; check its drive and its permissions",
    }
    return texts.get(state)


class Proof:
    """Which roots are surely there: at least one known video of theirs is. A mount point may have something else in it.

    Args:
        roots: The roots of media.
        known: The library's files.
        seen: Files that are there; others are looked for only if need be.
    """

    def __init__(self, roots: MediaRoots, known: Iterable[str], seen: Collection[str]) -> None:
        self._roots, self._known, self._seen = roots, known, seen
        self._proved: dict[str, bool] = {}

    def has(self, path: str) -> bool:
        """Return whether the root of a path is surely there; True of a path without one."""
        name = self._roots.root_of(path)
        if name is None:
            return True
        if name not in self._proved:
            own = (each for each in self._known if self._roots.root_of(each) == name)
            self._proved[name] = any(each in self._seen or os.path.exists(each) for each in own)
        return self._proved[name]

    def allows_move(self, old: str, new: str) -> bool:
        """Return whether a file may have been moved: from a root that is surely there, or within one."""
        return self.has(old) or self._roots.root_of(old) == self._roots.root_of(new)


class Reach:
    """Which roots can be reached; each is looked at once. For one run."""

    def __init__(self, roots: MediaRoots) -> None:
        self._roots = roots
        self._known: dict[str, bool] = {}

    def has(self, path: str) -> bool:
        """Return whether the root of a path can be reached; True of a path without one."""
        name = self._roots.root_of(path)
        if name is None:
            return True
        if name not in self._known:
            self._known[name] = root_state(self._roots, name) == "reachable"
        return self._known[name]
