"""Places to begin to look for videos: the usual folders of a person, and the drives of the machine."""

from __future__ import annotations

import os
import string
import sys
from dataclasses import dataclass
from typing import Literal

from app.shell.terminal import printable
from files.filesystems import is_network_kind, mounts

_DRIVES = ("/media/", "/mnt/", "/run/media/", "/Volumes/", "/net/")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to begin in."""

    path: str
    name: str
    kind: Literal["home", "folder", "drive"]


def path_json(path: str) -> dict[str, str]:
    """Return a path as it is, and as text that can be shown and typed."""
    return {"path": path, "shown": printable(path)}


def usual_folders() -> list[str]:
    """Return the folders where people keep videos, if they exist: as the system names them, or in English."""
    home = os.path.expanduser("~")
    names = [_own_folder("videos"), *(os.path.join(home, name) for name in ("Videos", "Movies"))]
    return _there(names)


def home_folders() -> list[Place]:
    """Return the home folder and those folders in it that may have videos, if they exist."""
    home = os.path.expanduser("~")
    others = [_own_folder(kind) for kind in ("pictures", "desktop", "documents", "downloads")]
    folders = [path for path in _there([*usual_folders(), *others]) if path != home]
    return [
        Place(home, "Home", "home"),
        *(Place(path, os.path.basename(path), "folder") for path in folders),
    ]


def drives() -> list[Place]:
    """Return the drives and volumes of this machine. Asks none of them, as one may not respond."""
    if sys.platform == "win32":
        letters = _windows_drives()
        return [Place(f"{letter}:\\", f"{letter}:", "drive") for letter in letters]
    points = [mount.point for mount in mounts() if mount.point.startswith(_DRIVES) or is_network_kind(mount.kind)]
    places = [Place(path, os.path.basename(path) or path, "drive") for path in dict.fromkeys(points)]
    return [*places, Place("/", "Computer", "drive")]


def _own_folder(kind: str) -> str:
    """Return the person's folder for a kind of files, under the name that it has in their language."""
    from platformdirs import PlatformDirs

    path: str = getattr(PlatformDirs(), f"user_{kind}_dir")
    return path


def _there(paths: list[str]) -> list[str]:
    return [path for path in dict.fromkeys(map(os.path.normpath, paths)) if os.path.isdir(path)]


def _windows_drives() -> str:
    import ctypes

    mask: int = ctypes.windll.kernel32.GetLogicalDrives()  # type: ignore[attr-defined, unused-ignore]
    return "".join(letter for at, letter in enumerate(string.ascii_uppercase) if mask >> at & 1)
