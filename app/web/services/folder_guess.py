"""What was meant by a path that is not there: the nearest folder that is, and names like the one that is missing."""

from __future__ import annotations

import difflib
import os
import unicodedata

from indexer.media.containers import VIDEO_EXTENSIONS, extension_of

_MOST_SUGGESTIONS = 4
_MOST_SIBLINGS = 3_000
_DRIVES = ("/media", "/mnt", "/run/media", "/Volumes", "/net")


def nearest(path: str) -> str:
    """The nearest folder above that is there; empty where not even the root is (an absent drive letter)."""
    while True:
        above = os.path.dirname(path)
        if above == path:
            return ""
        if os.path.isdir(above):
            return above
        path = above


def is_drive(path: str, there: str) -> bool:
    """Whether what is missing of `path` would be a drive, going by where systems put those."""
    if not there:
        return True
    if path.startswith(("\\\\", "//")):
        return True
    below = [mount for mount in _DRIVES if path.startswith(mount + "/")]
    # /media/me/usb: the folder of the person is there or not, the drive below it comes and goes.
    return bool(below) and there.rstrip("/").count("/") <= max(mount.count("/") for mount in below) + 1


def alike(path: str, parent: str) -> tuple[str, ...]:
    """Folders and videos in `parent` named nearly as what was typed; with the rest of the path where that is there."""
    if not parent:
        return ()
    wanted, *rest = os.path.relpath(path, parent).split(os.sep)
    names: dict[str, str] = {}
    try:
        with os.scandir(parent) as listing:
            for position, entry in enumerate(listing):
                if position >= _MOST_SIBLINGS:
                    break
                if entry.name.startswith(".") and not wanted.startswith("."):
                    continue
                if extension_of(entry.name) in VIDEO_EXTENSIONS or entry.is_dir():
                    names.setdefault(_plain(entry.name), entry.name)
    except OSError:
        return ()
    key = _plain(wanted)
    begin = sorted(name for name in names if key and (name.startswith(key) or key.startswith(name)))
    near = difflib.get_close_matches(key, names, n=_MOST_SUGGESTIONS, cutoff=0.6)
    found = []
    for name in dict.fromkeys([*near, *begin]):
        place = os.path.join(parent, names[name])
        whole = os.path.join(place, *rest)
        found.append(whole if os.path.exists(whole) else place)
    return tuple(found[:_MOST_SUGGESTIONS])


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
