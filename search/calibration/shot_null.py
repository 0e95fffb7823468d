"""Null of examples: what the other shots of the library get from each other.

Nearly every shot has kin: other takes of its setup. If a hit were compared with the best hits of other shots, kin
would be called weak wherever every shot has some. So the nearest hundredth of the library is set aside as the kin of
each null shot, and its best hit is the next one: a strong hit of an example is nearer to it than that, for 99 of 100
other shots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.calibration.tail import Tail

KIN_SHARE = 0.01
_FEWEST_SHOTS = 20
"""With fewer shots, too little is known about their scores with each other, and hits of examples have no strength."""


@dataclass(frozen=True, slots=True, eq=False)
class ShotNull:
    """What shots of the library get from each other.

    Attributes:
        level: Mean of the best corrected cosines of null shots, kin set aside.
        spread: Their standard deviation.
        tail: The strengths of null shots.
    """

    level: float
    spread: float
    tail: Tail

    @classmethod
    def fitted(cls, best: NDArray[np.floating]) -> ShotNull | None:
        """Return the null for the best corrected cosine of each null shot; None for too few of them."""
        best = best[np.isfinite(best)]
        if len(best) < _FEWEST_SHOTS:
            return None
        level, spread = float(best.mean()), max(float(best.std(ddof=1)), 1e-6)
        return cls(level, spread, Tail((best - level) / spread))

    def strengths(self, corrected: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the strength of hits with these corrected cosines."""
        return np.asarray((corrected - self.level) / self.spread, dtype=np.float64)


def best_beyond_kin(corrected: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the best corrected cosine of each null shot after its kin, float32 (null shots,); NaN without any.

    Args:
        corrected: (shots, null shots), NaN where a shot is compared with itself.
    """
    ordered = -np.sort(-corrected, axis=0)  # best first, NaN last
    kin = int(np.ceil(KIN_SHARE * len(corrected)))
    return ordered[kin] if len(ordered) > kin else np.full(corrected.shape[1], np.nan, dtype=np.float32)
