"""Cosine from which two segments of one encoder count as near-duplicates: measured from copies, stored in the library.

Re-encoded copies of a few shots tell how far a copy may be from its original. Where the shots of a library are that
near each other anyway, as with networks whose rows lie close together, only what is nearer than usual is a duplicate.

Measured with the demo encoder on 240 takes of its world, four seeds: 24 copies give 0.988 to 0.993. Of all copies 0.87
to 0.97 reach that, of other takes with the same thing, motion and background 0.01 to 0.08 (at 0.98: 0.19 to 0.30), of
different shots none. Copies of four videos at 60 % of the size (x264, CRF 33) have 0.9929 or more.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.calibration.folder import DUPLICATES_PREFIX
from search.calibration.measured import MeasuredCosine
from search.even import even_places
from search.near_duplicates import NEAR_DUPLICATE
from search.vectors.vector_index import RowsOf

if TYPE_CHECKING:
    from db.library import Library

LEAST, MOST = 0.95, 0.9999
"""Range of the threshold. Below, other takes of a scene would count as copies; above, rounding decides."""

SAMPLE = 64
"""Segments whose pairs tell how near each other the shots of a library are. All their pairs take a millisecond."""

_OUTLYING = 3.0  # standard deviations above the usual pair
_TO_DEVIATION = 1.4826  # of the median absolute deviation to the standard deviation of a normal distribution
_ALLOWED_TO_MISS = 0.05  # share of copies that may count as something new: one of 24, so that a bad file does nothing


def threshold_of(copies: NDArray[np.float32]) -> float:
    """Return the cosine that nearly all copies reach.

    Args:
        copies: float32 (n,), cosines of shots with re-encoded copies of themselves; at least one.
    """
    return float(np.clip(np.quantile(copies, _ALLOWED_TO_MISS, method="lower"), LEAST, MOST))


def least_distinct(rows: NDArray[np.float32]) -> float:
    """Return the cosine that two different shots of a library hardly reach, at most MOST; -1 for fewer than 3 rows.

    The median of all pairs and their median deviation decide, which copies among the rows hardly move.

    Args:
        rows: float32 (n, D), rows of a sample of the library, not all zero.
    """
    if len(rows) < 3:
        return -1.0
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = (unit @ unit.T)[np.triu_indices(len(rows), 1)]
    middle = float(np.median(pairs))
    deviation = _TO_DEVIATION * float(np.median(np.abs(pairs - middle)))
    return min(MOST, middle + _OUTLYING * deviation)


class DuplicateThreshold(MeasuredCosine):
    """The measured threshold of one encoder in one library. The constructor does not access the disk."""

    def __init__(self, library_directory: Path, encoder_id: str) -> None:
        super().__init__(library_directory, encoder_id, DUPLICATES_PREFIX, (LEAST, MOST))

    def save(self, copies: NDArray[np.float32]) -> float:
        """Derive the threshold from these cosines of copies, store it, and return it.

        Raises:
            OSError: It could not be stored.
        """
        return self.keep(threshold_of(copies), len(copies))


def near_duplicate(library: Library, encoder_id: str, rows_of: RowsOf) -> float:
    """Return the threshold to search with: the stored one, else NEAR_DUPLICATE, or more if shots lie close together.

    Args:
        library: The library.
        encoder_id: The encoder.
        rows_of: Returns (ids, float32 (n, D)) in order, without ids that have no row.

    Raises:
        LibraryError: The library cannot be read.
    """
    spread = 1 + even_places(library.stamp(encoder_id).last_id, 4 * SAMPLE)  # ids begin at 1
    there = list(library.video_ids(spread.tolist()))
    _, rows = rows_of(there[:: max(1, len(there) // SAMPLE)])
    stored = DuplicateThreshold(library.directory, encoder_id).load()
    return max(NEAR_DUPLICATE if stored is None else stored, least_distinct(rows[~np.isnan(rows).any(axis=1)]))
