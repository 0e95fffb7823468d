"""Cosine from which two shots of one encoder show the same actor in a set-up: measured from pretended takes, stored.

A pretended take is a shot that begins later, ends sooner and lies a little elsewhere, as another run of it may. How far
that moves a row differs from encoder to encoder. Shots as near as most pretended takes show the same, if they show it
in the same place; shots up to four times as far apart may, and are looked at (`search.takes.evidence`).

Measured with the demo encoder on its world's rushes, eight seeds: a quarter of 24 pretended takes have 0.89 to 0.97 or
less. Of the pairs of real takes 0.95 have 0.894 or more; pairs with another thing in the same place at most 0.914.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.calibration.folder import TAKES_PREFIX
from search.calibration.measured import MeasuredCosine

NEAR_TAKE = 0.94
"""The threshold until it is measured for the encoder, which takes a library of two dozen shots."""

LEAST, MOST = 0.5, 0.9999
"""Range of the threshold."""

_USUAL = 0.25  # of pretended takes, that are further away than the usual one


def threshold_of(pretended: NDArray[np.float32]) -> float:
    """Return the cosine that most pretended takes reach.

    Args:
        pretended: float32 (n,), cosines of shots with pretended takes of themselves; at least one.
    """
    return float(np.clip(np.quantile(pretended, _USUAL, method="lower"), LEAST, MOST))


class TakeThreshold(MeasuredCosine):
    """The measured threshold of one encoder in one library. The constructor does not access the disk."""

    def __init__(self, library_directory: Path, encoder_id: str) -> None:
        super().__init__(library_directory, encoder_id, TAKES_PREFIX, (LEAST, MOST))

    def save(self, pretended: NDArray[np.float32]) -> float:
        """Derive the threshold from these cosines of pretended takes, store it, and return it.

        Raises:
            OSError: It could not be stored.
        """
        return self.keep(threshold_of(pretended), len(pretended))


def near_take(library_directory: Path, encoder_id: str) -> float:
    """Return the measured threshold of an encoder in a library, else NEAR_TAKE."""
    stored = TakeThreshold(library_directory, encoder_id).load()
    return NEAR_TAKE if stored is None else stored
