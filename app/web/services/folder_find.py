"""Search for a folder that was dropped into the page. Browsers tell its name and its files, but not where it is."""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from indexer.scan import LIBRARY_FILE, SKIPPED_NAMES

MAX_SECONDS = 3.0
MAX_DEPTH = 5  # levels below a place
MAX_FOLDERS = 50_000  # per place
_MAX_FOUND = 4


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file of a dropped folder, as the browser tells it."""

    path: tuple[str, ...]  # names below the folder: of folders, then the file
    size_bytes: int


def find_folders(
    name: str, files: Sequence[DroppedFile], places: Iterable[str], *, max_seconds: float = MAX_SECONDS
) -> list[str]:
    """Return the folders of this name that hold these files.

    Each place is searched in a thread of its own, level by level, so that a drive that does not respond delays no
    other. Files are compared by name and size; nothing is opened.

    Args:
        name: The name of the folder.
        files: Some files in it; without any, nothing is found.
        places: Folders to look at and below.
        max_seconds: Time after which what was found so far is returned.
    """
    if not files or not all(map(_is_name, [name, *(part for each in files for part in each.path)])):
        return []
    found: dict[str, None] = {}
    until = time.monotonic() + max_seconds
    threads = [
        threading.Thread(
            target=_search, args=(place, name, files, found, lambda: time.monotonic() > until), daemon=True
        )
        for place in dict.fromkeys(places)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return sorted(found.copy(), key=lambda path: (path.count(os.sep), path))[:_MAX_FOUND]


def _search(
    place: str, name: str, files: Sequence[DroppedFile], found: dict[str, None], is_late: Callable[[], bool]
) -> None:
    wanted, seen = _normalized(name), 0
    level = [place]
    if _normalized(os.path.basename(place)) == wanted and _holds(place, files):
        found[place] = None
    for _ in range(MAX_DEPTH):
        below: list[str] = []
        for folder in level:
            seen += 1
            if is_late() or seen > MAX_FOLDERS:
                return
            for path in _folders_in(folder):
                if _normalized(os.path.basename(path)) == wanted and _holds(path, files):
                    found[path] = None
                below.append(path)
        level = below


def _folders_in(folder: str) -> list[str]:
    """Return the folders in a folder; none if it is a library, or cannot be read. Links are not followed."""
    paths = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.name == LIBRARY_FILE:
                    return []
                if entry.name.startswith(".") or entry.name.lower() in SKIPPED_NAMES:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    paths.append(entry.path)
    except OSError:
        return []
    return paths


def _holds(folder: str, files: Sequence[DroppedFile]) -> bool:
    """Return whether a folder has all of these files, with their sizes."""
    try:
        return all(os.stat(os.path.join(folder, *each.path)).st_size == each.size_bytes for each in files)
    except (OSError, ValueError):
        return False


def _is_name(text: str) -> bool:
    """Return whether a text is the name of one file or folder, and no way to another place."""
    return text not in ("", ".", "..") and os.path.basename(text) == text and not os.path.splitdrive(text)[0]


def _normalized(name: str) -> str:
    """Return a name in one of the two forms that systems give to accented letters."""
    return unicodedata.normalize("NFC", name)
