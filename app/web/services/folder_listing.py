"""The folders in a folder, for the folder chooser: names only, within limits."""

from __future__ import annotations

import os
import stat
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from files.filesystems import mounts
from indexer.media.containers import VIDEO_EXTENSIONS, extension_of
from indexer.scan import SKIPPED_NAMES

T = TypeVar("T")

MAX_FOLDERS = 10_000
MAX_ENTRIES = 200_000  # files and folders that are looked at
LINK_SECONDS = 0.5
COUNT_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """A folder in the list."""

    name: str
    videos: int | None = None  # files in it, not below, with the ending of a video; None if they were not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderListing:
    """The folders in a folder, by name."""

    folders: tuple[ListedFolder, ...]
    hidden: int = 0  # folders left out because they are hidden
    complete: bool = True  # False: there are more


def list_folder(
    path: str, *, hidden: bool = False, max_folders: int = MAX_FOLDERS, count_seconds: float = COUNT_SECONDS
) -> FolderListing:
    """List the folders in a folder.

    Links to folders are listed if their target responds, and videos are counted while there is time. A drive mounted in
    this folder that does not respond delays neither. The folder's own drive may: call this by `DriveCalls`.

    Args:
        path: An absolute path.
        hidden: List hidden folders, too.
        max_folders: The most folders listed.
        count_seconds: Time for counting videos.

    Raises:
        OSError: The folder cannot be read.
    """
    names: list[str] = []
    links: list[str] = []
    unlisted, complete = 0, True
    with os.scandir(path) as listing:
        for number, entry in enumerate(listing):
            if number >= MAX_ENTRIES or len(names) >= max_folders:
                complete = False
                break
            link = entry.is_symlink()
            if not link and not _is_folder(entry):
                continue
            if entry.name.lower() in SKIPPED_NAMES:
                continue
            if _is_hidden(entry):
                unlisted += not hidden
                if not hidden:
                    continue
            (links if link else names).append(entry.name)
    names += [name for name, _ in _while_time(links, lambda name: os.path.isdir(os.path.join(path, name)) or None,
                                              LINK_SECONDS)]  # fmt: skip
    names.sort(key=lambda name: (unicodedata.normalize("NFC", name).casefold(), name))
    points = {mount.point for mount in mounts()}
    to_count = [name for name in names if os.path.join(path, name) not in points]
    videos = dict(_while_time(to_count, lambda name: _videos_in(os.path.join(path, name)), count_seconds))
    folders = tuple(ListedFolder(name, videos.get(name)) for name in names[:max_folders])
    return FolderListing(folders=folders, hidden=unlisted, complete=complete and len(names) <= max_folders)


def _while_time(names: Iterable[str], ask: Callable[[str], T | None], seconds: float) -> list[tuple[str, T]]:
    """Return (name, answer) of those names that `ask` had an answer for in time. One that hangs is abandoned."""
    found: list[tuple[str, T]] = []
    until = time.monotonic() + seconds

    def work() -> None:
        for name in names:
            if time.monotonic() > until:
                return
            answer = ask(name)
            if answer is not None:
                found.append((name, answer))

    thread = threading.Thread(target=work, name="folders", daemon=True)
    thread.start()
    thread.join(seconds)
    return found.copy()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return True
    if os.name != "nt":
        return False
    try:
        attributes: int = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    except OSError:
        return False
    return bool(attributes & (stat.FILE_ATTRIBUTE_HIDDEN | stat.FILE_ATTRIBUTE_SYSTEM))


def _videos_in(path: str) -> int | None:
    """Return the number of videos in a folder, by their names; None if it cannot be read."""
    try:
        with os.scandir(path) as listing:
            return sum(
                extension_of(each.name) in VIDEO_EXTENSIONS and not each.name.startswith(".") for each in listing
            )
    except OSError:
        return None
