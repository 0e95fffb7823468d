"""The last thumbnails of a stream of frames, and what is measured on them: changes, likeness, motion.

Thumbnails are kept by time, not by frame, so that whatever looks at them works at any frame rate, even a variable one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

THUMBNAIL = 32
"""Long side of a thumbnail. At this size, grain and small motion vanish, and only changes of the picture remain."""

_STEP = 0.03  # seconds; frames closer than this are ignored, to save time
_ROWS = 192  # size of the buffer. When full, the newer half is kept: 96 * _STEP is more than anything looks back
_LEVELS_BITS = 3  # 8 levels a colour channel, 512 colours
_ALIKE = 0.9  # minimum correlation and maximum mean change in levels of frames that show the same
_ALIKE_CHANGE = 12.0
_FOUND_AGAIN = 0.85  # correlation of the middle of a picture with the most similar part of another
_ELSEWHERE = 0.15  # less than that at the same position
_FLOW_STEPS = 8  # pairs of thumbnails between which motion is followed
_FLOW = (0.5, 3, 5, 2, 5, 1.1, 0)  # scale and number of the pyramid's levels, window, iterations, polynomial; no flags


class Thumbnails:
    """A buffer of `_ROWS` thumbnails. Rows are numbered from the oldest one in memory, so they move when it is full.

    Attributes:
        count: Rows in use.
        numbers, seconds: Frame number and time of each row.
        change: Mean change in levels from the row before.
        way: Sum of the changes up to the row.
        content: Largest score that was given with the frames since the row before.
        content_frame: The number of the frame with that score.
        recolour: Share of the pixels that have another colour than in the row before, wherever they are.
        contrast: Standard deviation in levels, over the channels.
    """

    def __init__(self) -> None:
        self.count = 0
        self.numbers = np.zeros(_ROWS, np.int64)
        self.seconds = np.zeros(_ROWS)
        self.change = np.zeros(_ROWS)
        self.way = np.zeros(_ROWS)
        self.content = np.zeros(_ROWS)
        self.content_frame = np.zeros(_ROWS, np.int64)
        self.recolour = np.zeros(_ROWS)
        self.contrast = np.zeros(_ROWS)
        self._pixels: Pixels = np.empty((0, 0, 0, 0), np.uint8)
        self._shapes: NDArray[np.float32] = np.empty((0, 0), np.float32)  # mean 0 and length 1: for correlation
        self._colours: NDArray[np.intp] | None = None  # of the last row
        self._skipped = (-math.inf, 0)  # the largest score since the last row, and its frame

    def append(self, number: int, seconds: float, thumbnail: Pixels, content: float = 0.0) -> int | None:
        """Add a frame; return its row, or None if it is too close to the last one to be kept.

        Args:
            number: Number of the frame.
            seconds: Its time.
            thumbnail: uint8 (h, w, 3), of the same size for all frames.
            content: Score of its change from the frame before.
        """
        score = max(self._skipped, (content, number), key=lambda each: each[0])
        if not self.count:
            self._pixels = np.empty((_ROWS, *thumbnail.shape), np.uint8)
            self._shapes = np.empty((_ROWS, thumbnail.size), np.float32)
        elif seconds - self.seconds[self.count - 1] < _STEP:
            self._skipped = score
            return None
        self._skipped = (-math.inf, 0)
        if self.count == _ROWS:
            self._keep_newer_half()
        at, self.count = self.count, self.count + 1
        self._pixels[at] = thumbnail
        mean, deviation = cv2.meanStdDev(self.row(at))
        self._shapes[at] = self.row(at)
        self._shapes[at] -= mean[0, 0]
        self._shapes[at] /= max(deviation[0, 0], 0.1) * math.sqrt(thumbnail.size)
        self.numbers[at], self.seconds[at] = number, seconds
        self.content[at], self.content_frame[at] = score
        self.change[at] = self.difference(at, at - 1) if at else 0.0
        self.way[at] = (self.way[at - 1] if at else 0.0) + self.change[at]
        self.contrast[at] = float(np.linalg.norm(cv2.meanStdDev(thumbnail)[1])) / math.sqrt(3)
        before, self._colours = self._colours, colours(thumbnail)
        self.recolour[at] = 0.0 if before is None else recoloured(before, self._colours)
        return at

    def _keep_newer_half(self) -> None:
        half = _ROWS // 2
        for kept in (self._pixels, self._shapes, self.numbers, self.seconds, self.change, self.way):
            kept[:half] = kept[half:]
        for kept in (self.content, self.content_frame, self.recolour, self.contrast):
            kept[:half] = kept[half:]
        self.count = half

    def row(self, at: int) -> Pixels:
        """Return all values of a thumbnail, uint8 (n)."""
        return np.asarray(self._pixels[at].reshape(-1), np.uint8)

    def row_of(self, number: int) -> int:
        """Return the first row that does not come before the frame `number`; the last one if there is none."""
        return min(int(np.searchsorted(self.numbers[: self.count], number)), self.count - 1)

    def difference(self, one: int, other: int) -> float:
        """Return the mean difference in levels."""
        return float(cv2.norm(self.row(one), self.row(other), cv2.NORM_L1)) / self.row(one).size

    def correlation(self, one: int, other: int) -> float:
        """Return the Pearson correlation of all values of two thumbnails; 0 if one is flat."""
        return float(self._shapes[one] @ self._shapes[other])

    def are_alike(self, one: int, other: int) -> bool:
        """Return whether two rows show the same, at most displaced."""
        if self.difference(one, other) <= _ALIKE_CHANGE and self.correlation(one, other) > _ALIKE:
            return True
        best, here, there = self._find(one, other)
        return best > _FOUND_AGAIN and best - here > _ELSEWHERE and there <= _ALIKE_CHANGE

    def _find(self, one: int, other: int) -> tuple[float, float, float]:
        """Look for the middle of a picture in another.

        Returns:
            Correlation where it is most similar; at the same position; and the mean change in levels where it is most
            similar.
        """
        picture, other_picture = self._pixels[one], self._pixels[other]
        height, width = picture.shape[:2]
        top, left = height // 4, width // 4
        patch = np.ascontiguousarray(picture[top : height - top, left : width - left])
        found = cv2.matchTemplate(other_picture, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(found)
        again = np.ascontiguousarray(other_picture[y : y + patch.shape[0], x : x + patch.shape[1]])
        return float(best), float(found[top, left]), float(cv2.norm(patch, again, cv2.NORM_L1)) / patch.size

    def unmoved(self, first: int, last: int) -> float:
        """Return the share of the changes between two rows that motion does not explain (dense optical flow)."""
        rows = range(first, last + 1, max(1, round((last - first) / _FLOW_STEPS)))
        pictures = [self._pixels[at] for at in rows]
        greys = [np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8) for picture in pictures]
        height, width = greys[0].shape
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        left = whole = 0.0
        for k in range(1, len(rows)):
            start = np.zeros((height, width, 2), np.float32)
            flow = np.asarray(cv2.calcOpticalFlowFarneback(greys[k], greys[k - 1], start, *_FLOW), np.float32)
            moved = cv2.remap(
                pictures[k - 1], x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            left += cv2.norm(np.asarray(moved), pictures[k], cv2.NORM_L1)
            whole += cv2.norm(pictures[k - 1], pictures[k], cv2.NORM_L1)
        return left / max(whole, 1.0)


def recoloured(one: NDArray[np.intp], other: NDArray[np.intp]) -> float:
    """Return the share of the pixels of a thumbnail that have another colour in another one, wherever they are."""
    return 1.0 - float(np.minimum(one, other).sum()) / float(other.sum())


def colours(thumbnail: Pixels) -> NDArray[np.intp]:
    """Count the pixels of each colour."""
    levels = (thumbnail >> (8 - _LEVELS_BITS)).reshape(-1, 3).astype(np.intp)
    mixed = (levels[:, 0] << 2 * _LEVELS_BITS) + (levels[:, 1] << _LEVELS_BITS) + levels[:, 2]
    return np.bincount(mixed, minlength=1 << 3 * _LEVELS_BITS)
