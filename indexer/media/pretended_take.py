"""A clip as another take of its shot may look: it begins later, ends sooner, and lies a little elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATE, EARLY = 0.15, 0.15  # shares of the time before it begins, and after it has ended
ASIDE = 0.05  # of the picture's side, right and down
LIGHT = 1.03


def pretended_take(clip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a clip in which everything happens later and faster, a little further right and down, in more light.

    Args:
        clip: uint8 (T, S, S, 3), RGB.
    """
    count, side = clip.shape[:2]
    shares = (np.arange(count) / max(1, count - 1) - LATE) / (1 - LATE - EARLY)
    frames = np.round(np.clip(shares, 0, 1) * (count - 1)).astype(int)
    places = np.clip(np.arange(side) - max(1, round(ASIDE * side)), 0, side - 1)
    moved = clip[frames][:, places][:, :, places]
    return np.asarray(np.clip(np.round(moved * LIGHT), 0, 255), dtype=np.uint8)
