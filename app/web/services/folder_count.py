"""Count of the videos below a folder, within a time limit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from indexer.media.containers import may_be_video
from indexer.scan import LIBRARY_FILE, SKIPPED_NAMES


class VideoCount:
    """Counts videos by the rules of `indexer.scan` until a limit is reached; then `complete` is False.

    Args:
        max_seconds: Time after which counting ends.
        max_entries: Number of files and folders after which counting ends.
        clock: Monotonic time in seconds.
    """

    def __init__(self, max_seconds: float, max_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.videos = self.size_bytes = self.entries = self.closed = 0
        self.complete = True
        self._until = clock() + max_seconds
        self._max_entries = max_entries
        self._clock = clock

    def of(self, path: str) -> VideoCount:
        """Count the videos below `path`, and return self."""
        waiting, entered = [path], set[object]()
        while waiting and self.complete:
            folder = waiting.pop()
            try:
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in entered:
                    continue
                entered.add((status.st_dev, status.st_ino) if status.st_ino else folder)
                with os.scandir(folder) as listing:
                    below = self._count_folder(listing)
            except OSError:
                self.closed += 1
                continue
            waiting += below
        return self

    def _count_folder(self, listing: Iterable[os.DirEntry[str]]) -> list[str]:
        """Count the files of one folder and return its subfolders; empty if it is a library."""
        folders, videos, size_bytes = [], 0, 0
        for entry in listing:
            if entry.name == LIBRARY_FILE:
                return []
            self.entries += 1
            if self.entries >= self._max_entries or self._clock() > self._until:
                self.complete = False
                break
            if entry.name.startswith(".") or entry.name.lower() in SKIPPED_NAMES:
                continue
            try:
                if entry.is_dir():
                    folders.append(entry.path)
                elif entry.is_file() and may_be_video(entry.path):
                    videos += 1
                    size_bytes += entry.stat().st_size
            except OSError:
                continue
        self.videos += videos
        self.size_bytes += size_bytes
        return folders
