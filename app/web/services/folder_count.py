"""How many videos are below a folder, as far as a little time allows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from indexer.media.containers import may_be_video
from indexer.scan import LIBRARY_FILE, SKIPPED_NAMES


class VideoCount:
    """How many videos are below a folder, as far as time and patience go; by the rules of `indexer.scan`."""

    def __init__(self, most_seconds: float, most_entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.videos = self.size_bytes = self.entries = self.closed = 0
        self.complete = True
        self._until = clock() + most_seconds
        self._most_entries = most_entries
        self._clock = clock

    def of(self, path: str) -> VideoCount:
        waiting, entered = [path], set[object]()
        while waiting and self.complete:
            folder = waiting.pop()
            try:
                status = os.stat(folder)
                if (status.st_dev, status.st_ino) in entered:
                    continue
                entered.add((status.st_dev, status.st_ino) if status.st_ino else folder)
                with os.scandir(folder) as listing:
                    below = self._one(listing)
            except OSError:
                self.closed += 1
                continue
            waiting += below
        return self

    def _one(self, listing: Iterable[os.DirEntry[str]]) -> list[str]:
        """Count the files of one folder; gives the folders in it, none where it turns out to be a library."""
        folders, videos, size_bytes = [], 0, 0
        for entry in listing:
            if entry.name == LIBRARY_FILE:
                return []
            self.entries += 1
            if self.entries >= self._most_entries or self._clock() > self._until:
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
