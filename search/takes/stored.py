"""Set-ups as they are stored, of one space or of several that answer together; read again when a run has found more."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from search.takes.pair_file import Found, PairFile
from search.takes.relations import Relation
from search.takes.set_ups import Pair, SetUp, set_ups_of

SetUps = Mapping[int, SetUp]
"""The set-up of each segment that has one."""


class StoredSetUps:
    """The set-ups of some spaces. Thread-safe; the constructor does not access the disk."""

    def __init__(self, library_directory: Path, encoder_ids: Sequence[str]) -> None:
        """Create the reader.

        Args:
            library_directory: The folder of the library.
            encoder_ids: Of the spaces, best first: what two shots are to each other is told by the first in which both
                have a row. They are compared in no other, nor from one to another.
        """
        self._files = [PairFile(library_directory, each) for each in encoder_ids]
        self._lock = threading.Lock()
        self._found: SetUps = {}

    def current(self) -> SetUps:
        """Return the set-ups by segment. Costs one small read for each space as long as nothing has changed."""
        with self._lock:
            if any(file.has_changed() for file in self._files):
                self._found = set_ups_of(_together([file.load() for file in self._files]))
            return self._found


def _together(found: Sequence[Found]) -> dict[Pair, tuple[Relation, float]]:
    """Return the relations of pairs, each as the first space tells it that has both."""
    related: dict[Pair, tuple[Relation, float]] = {}
    for number, here in enumerate(found):
        pairs = np.array(list(here.related), np.int64).reshape(-1, 2)
        known = np.zeros(len(pairs), np.bool_)
        for better in found[:number]:
            known |= np.isin(pairs, better.looked_at).all(axis=1)
        related |= {pair: what for (pair, what), told in zip(here.related.items(), known, strict=True) if not told}
    return related
