"""Folder suggestions: similar names for a missing path, and folders indexed before."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.jobs.command_line import paths_of
from indexer.media.containers import VIDEO_EXTENSIONS, extension_of

if TYPE_CHECKING:
    from app.jobs.jobs import JobState

_MAX_SUGGESTIONS = 4
_MAX_SIBLINGS = 3_000
_DRIVES = ("/media", "/mnt", "/run/media", "/Volumes", "/net")


def nearest_folder(path: str) -> str:
    """Return the nearest folder above that exists; empty if not even the root does (an absent drive letter)."""
    while True:
        above = os.path.dirname(path)
        if above == path:
            return ""
        if os.path.isdir(above):
            return above
        path = above


def is_missing_drive(path: str, existing: str) -> bool:
    """Return whether the missing part of `path` would be a drive, judging by where systems mount those.

    Args:
        path: Path that does not exist.
        existing: The nearest folder above it that does.
    """
    if not existing:
        return True
    if path.startswith(("\\\\", "//")):
        return True
    below = [mount for mount in _DRIVES if path.startswith(mount + "/")]
    # /media/me/usb: the user's folder may not exist either, and the drive below it comes and goes.
    return bool(below) and existing.rstrip("/").count("/") <= max(mount.count("/") for mount in below) + 1


def similar_paths(path: str, parent: str) -> tuple[str, ...]:
    """Return paths of folders and videos in `parent` that are named like the missing one.

    The rest of the missing path is appended if the result exists.
    """
    if not parent:
        return ()
    wanted, *rest = os.path.relpath(path, parent).split(os.sep)
    names: dict[str, str] = {}
    try:
        with os.scandir(parent) as listing:
            for position, entry in enumerate(listing):
                if position >= _MAX_SIBLINGS:
                    break
                if entry.name.startswith(".") and not wanted.startswith("."):
                    continue
                if extension_of(entry.name) in VIDEO_EXTENSIONS or entry.is_dir():
                    names.setdefault(_normalized(entry.name), entry.name)
    except OSError:
        return ()
    key = _normalized(wanted)
    begin = sorted(name for name in names if key and (name.startswith(key) or key.startswith(name)))
    near = difflib.get_close_matches(key, names, n=_MAX_SUGGESTIONS, cutoff=0.6)
    found = []
    for name in dict.fromkeys([*near, *begin]):
        place = os.path.join(parent, names[name])
        whole = os.path.join(place, *rest)
        found.append(whole if os.path.exists(whole) else place)
    return tuple(found[:_MAX_SUGGESTIONS])


def recent_folders(states: Iterable[JobState], limit: int = 6) -> list[str]:
    """Return folders and files that were indexed, the latest first. They may be missing by now."""
    found: dict[str, None] = {}
    for state in states:
        if state.arguments[:1] == ("index",):
            found.update(dict.fromkeys(paths_of(state)))
    return list(found)[:limit]


def _normalized(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
