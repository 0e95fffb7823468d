"""File of the relations that were found in one space of a library: `<library>/takes`. It can always be made again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from files.stamped import DamagedFile, StampedFiles
from search.cache_file import cache_name
from search.takes.relations import Relation
from search.takes.set_ups import Pair

logger = logging.getLogger(__name__)

FOLDER = "takes"
FORMAT = 3
"""Raised whenever the same shots would be related otherwise than before."""

_SUFFIX = ".npz"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found so far.

    Attributes:
        looked_at: int64 (n,), the segments that were compared with all others, ascending.
        related: The pairs that have something in common.
    """

    looked_at: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    related: Mapping[Pair, tuple[Relation, float]] = field(default_factory=dict)


class PairFile:
    """The file of one space. Problems are logged and mean that nothing was found yet."""

    def __init__(self, library_directory: Path, encoder_id: str) -> None:
        """Create the file's reader; nothing is read yet.

        Args:
            library_directory: The folder of the library.
            encoder_id: The encoder of the space.
        """
        self._files = StampedFiles(library_directory / FOLDER, cache_name(encoder_id))
        self._encoder_id = encoder_id

    def has_changed(self) -> bool:
        """Return whether there is another file than was last read or written here. Costs one small read."""
        return self._files.changed_by_others()

    def load(self) -> Found:
        """Return what was found; nothing if there is no file, or it is damaged."""
        try:
            record = self._files.load()
            if record is None or record.get("format") != FORMAT or record.get("encoder") != self._encoder_id:
                return Found()
            return _read(self._files.verified(record))
        except FileNotFoundError:
            return Found()
        except (DamagedFile, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            logger.warning("the file of takes %s cannot be used (%s) and will be made again", self._files.name, error)
            return Found()

    def save(self, found: Found) -> None:
        """Replace the file.

        Raises:
            OSError: It could not be written. The old one stays.
        """

        def write(file: IO[bytes]) -> None:
            pairs = list(found.related)
            np.savez(
                file,
                looked_at=found.looked_at,
                pairs=np.array(pairs, np.int64).reshape(-1, 2),
                kinds=np.array([found.related[pair][0] for pair in pairs], np.uint8),
                alike=np.array([found.related[pair][1] for pair in pairs], np.float32),
            )

        try:
            self._files.save({"format": FORMAT, "encoder": self._encoder_id} | self._files.write(_SUFFIX, write))
        except OSError:
            self._files.discard_unsaved()
            raise


def _read(path: Path) -> Found:
    """Return the content of a file. Raise ValueError or KeyError for any other."""
    with np.load(path, allow_pickle=False) as arrays:
        looked_at, pairs, kinds, alike = (arrays[name] for name in ("looked_at", "pairs", "kinds", "alike"))
    count = len(pairs)
    shapes = (looked_at.ndim, pairs.shape, kinds.shape, alike.shape)
    if shapes != (1, (count, 2), (count,), (count,)) or looked_at.dtype != np.int64 or pairs.dtype != np.int64:
        raise ValueError("the arrays are not those of pairs")
    if not (np.isfinite(alike).all() and (pairs[:, 0] < pairs[:, 1]).all()):
        raise ValueError("the arrays hold what is no pair")
    related = {
        (first, second): (Relation(kind), value)
        for (first, second), kind, value in zip(pairs.tolist(), kinds.tolist(), alike.tolist(), strict=True)
    }
    return Found(np.unique(looked_at), related)
