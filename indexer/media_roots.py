"""Roots of media that cannot be reached from this machine: whatever is missing below them is not gone.

A root is reachable if this machine knows its folder, and the folder is there, can be read and is not empty: an empty
one is what a mount point looks like before anything is mounted there. It is proved to be the right one if a video that
the library has of it is there, too: else another drive may be in its place, or the root is set to another folder.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Literal

from db.media_roots import MediaRoots, unset_text
from indexer.missing_files import exists

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


class Reach:
    """Reach of roots; each is looked at once. For one run.

    Args:
        roots: The roots of media.
        known: The paths of the library's videos, which prove a root.
        seen: Those that were seen a moment ago.
    """

    def __init__(self, roots: MediaRoots, known: Iterable[str] = (), seen: Collection[str] = ()) -> None:
        self._roots, self._known, self._seen = roots, known, seen
        self._states: dict[str, RootState] = {}
        self._proved: dict[str, bool] = {}

    def has(self, path: str) -> bool:
        """Return whether the root of a path can be reached; True of a path without one."""
        name = self._roots.root_of(path)
        return name is None or self._state(name) == "reachable"

    def is_proved(self, path: str) -> bool:
        """Return whether the root of a path can be reached and is proved; True of a path without one."""
        return self.why_not(path) is None

    def why_not(self, path: str) -> str | None:
        """Return why what is missing below the root of a path is not gone, as a clause; None if it is."""
        name = self._roots.root_of(path)
        if name is None:
            return None
        if self._state(name) == "reachable" and not self._has_a_video(name):
            folder = self._roots.folder(name)
            return f"no video of root {name!r} is in its folder, {folder}; is another drive or folder in its place?"
        return state_text(self._roots, name, self._state(name))

    def allows_move(self, old: str, new: str) -> bool:
        """Return whether a file may have been moved: from a root that is proved, or within one."""
        return self._roots.root_of(old) == self._roots.root_of(new) or self.is_proved(old)

    def allows_renamed_folders(self, old: str, new: str) -> bool:
        """Return whether two files are below one root that is proved, which lets its folders be renamed."""
        name = self._roots.root_of(old)
        return name is not None and name == self._roots.root_of(new) and self.is_proved(old)

    def _state(self, name: str) -> RootState:
        if name not in self._states:
            self._states[name] = root_state(self._roots, name)
        return self._states[name]

    def _has_a_video(self, name: str) -> bool:
        """Return whether a known video of a root is there, or none is known."""
        if name not in self._proved:
            own = [path for path in self._known if self._roots.root_of(path) == name]
            self._proved[name] = not own or any(path in self._seen or exists(path) for path in own)
        return self._proved[name]
