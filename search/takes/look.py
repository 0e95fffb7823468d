"""Look of a shot: what its small pictures show, cell by cell, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.even import evenly

HEIGHT, WIDTH = 36, 64
"""Size of the pictures that looks are made of. The proportions of the video's own do not matter: pictures are only
compared with those of videos of the same."""

CELL = 4
"""Pixels of a cell's side."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of red, green and blue in brightness."""

_KEPT_WHOLE = 12  # pictures, of some 30 in a preview


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a shot looks.

    Attributes:
        colours: uint8 (n, cells, 3), the mean colours of the cells of n pictures.
        brightness: uint8 (n, cells, pixels), that of the pixels of each cell.
        step: Seconds from one picture to the next.
        pictures: uint8 (k, HEIGHT, WIDTH, 3), a few of the n, evenly spread.
    """

    colours: NDArray[np.uint8]
    brightness: NDArray[np.uint8]
    step: float
    pictures: NDArray[np.uint8]

    @classmethod
    def of(cls, pictures: NDArray[np.uint8], seconds: float) -> Look:
        """Return the look of a shot.

        Args:
            pictures: uint8 (n, HEIGHT, WIDTH, 3), RGB, evenly spaced in time; n is at least 1.
            seconds: Length of the shot.
        """
        count = len(pictures)
        down, across = HEIGHT // CELL, WIDTH // CELL
        parts = pictures.reshape(count, down, CELL, across, CELL, 3)
        colours = parts.mean(axis=(2, 4), dtype=np.float32).reshape(count, down * across, 3)
        luma = (parts.astype(np.float32) @ LUMA).transpose(0, 1, 3, 2, 4)
        brightness = luma.reshape(count, down * across, CELL * CELL)
        return cls(
            np.round(colours).astype(np.uint8),
            np.round(brightness).astype(np.uint8),
            seconds / count,
            evenly(pictures, _KEPT_WHOLE),
        )

    @property
    def cells(self) -> NDArray[np.float32]:
        """The colours, float32."""
        return self.colours.astype(np.float32)

    @property
    def usual(self) -> NDArray[np.float32]:
        """The colour that each cell has most of the time, float32 (cells, 3)."""
        return np.asarray(np.median(self.cells, axis=0), np.float32)

    @property
    def detail(self) -> NDArray[np.float32]:
        """The brightness of pixels less the mean of their cell, float32 (n, cells, pixels)."""
        brightness = self.brightness.astype(np.float32)
        return np.asarray(brightness - brightness.mean(axis=-1, keepdims=True), np.float32)
