"""Set-ups of one space as they are stored, read again whenever a run has found more."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from search.takes.pair_file import PairFile
from search.takes.set_ups import SetUp, set_ups_of

SetUps = Mapping[int, SetUp]
"""The set-up of each segment that has one."""


class StoredSetUps:
    """The set-ups of one space. Thread-safe; the constructor does not access the disk."""

    def __init__(self, library_directory: Path, encoder_id: str) -> None:
        self._file = PairFile(library_directory, encoder_id)
        self._lock = threading.Lock()
        self._found: SetUps = {}

    def current(self) -> SetUps:
        """Return the set-ups by segment. Costs one small read as long as nothing has changed."""
        with self._lock:
            if self._file.has_changed():
                self._found = set_ups_of(self._file.load().related)
            return self._found
