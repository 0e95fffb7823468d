"""Detection of gradual transitions in a stream of thumbnails: dissolves, wipes and fades.

Windows are measured in seconds, not frames, so that any frame rate works, even a variable one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from indexer.shots.fades import FadeDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

THUMBNAIL = 32
"""Long side of a thumbnail. At this size, grain and small motion vanish, and only changes of the picture remain."""

MAX_SECONDS = 1.2
"""Length of the longest window in seconds. A longer dissolve is found by the part that fits into it."""

AROUND = 0.25
"""Seconds on either side of a hard cut that are examined."""

_WINDOWS = (0.25, 0.4, 0.6, 0.85, MAX_SECONDS)  # seconds
_PATIENCE = 0.25  # seconds without a better window until the best one is accepted
_STEP = 0.03  # seconds; frames closer than this are ignored, to save time
_ROWS = 192  # size of the buffer. When full, the newer half is kept: 96 * _STEP is far more than the longest window
_MIN_CHANGE = 10.0  # levels, mean: smaller changes are ignored
_MAX_STEP_SHARE = 0.5  # fraction of the whole change; otherwise it is a hard cut
_NO_PICTURE = 3.0  # levels of contrast
_LOST_PICTURE = 0.3  # fraction of the contrast at the ends
_MIN_STRAIGHTNESS = 0.4  # of the path between the ends; otherwise the camera moves
_ALIKE = 0.9  # minimum correlation and maximum mean change in levels of frames that show the same
_ALIKE_CHANGE = 12.0
_FOUND_AGAIN = 0.85  # correlation of the middle of a picture with the most similar part of another
_ELSEWHERE = 0.15  # less than that at the same position
_MAX_ALIKE = 0.75  # correlation of the two ends; otherwise the light changes, not the picture


@dataclass(frozen=True, slots=True)
class Transition:
    """A gradual transition, by frame numbers. The new shot is taken to begin at `middle`."""

    start: int  # the last frame that shows only the old shot, or nearly so
    middle: int
    end: int  # the first frame that shows only the new shot, or nearly so
    score: float


@dataclass(frozen=True, slots=True)
class Step:
    """The change from one frame to the next, compared to the changes around it."""

    is_change: bool  # another picture follows and stays, unlike with a jerk or a flash
    stands_out: float  # ratio to the next largest change within AROUND seconds before and after


class TransitionDetector:
    """Finds transitions in thumbnails fed in order of time; each is reported about a quarter of a second after its end.

    In a dissolve or a wipe every pixel goes from its old value straight to its new one. So for each frame, windows of
    several lengths that end there are examined. Most pixels must have changed much (the median, which an object
    crossing the picture does not move). The two ends must not be the same picture in another light (correlation). The
    way between them must be straight (the mean change between the ends divided by the sum of the changes from frame to
    frame: 1 is a straight line, camera motion wanders) and not made in one step. The evidence is the log odds of a
    logistic regression on these four, fitted on assembled videos (benchmarks/detection.py).

    Memory is `_ROWS` thumbnails.
    """

    def __init__(self, min_score: float = 0.5) -> None:
        """Create a detector; `min_score` is the log odds from which a window counts."""
        self._min_score = min_score
        self._fades = FadeDetector()
        self._size: tuple[int, ...] = ()  # shape of a thumbnail
        self._count = 0  # rows in use
        self._rows: Pixels | None = None  # (_ROWS, values of a thumbnail)
        self._shape: NDArray[np.float32] = np.empty(
            (0, 0), np.float32
        )  # the same, mean 0 and length 1: for correlation
        self._seconds = np.zeros(_ROWS)
        self._number = np.zeros(_ROWS, np.int64)
        self._way = np.zeros(_ROWS)  # sum of the mean changes from frame to frame
        self._change = np.zeros(_ROWS)  # mean change from the frame before
        self._contrast = np.zeros(_ROWS)
        self._best: Transition | None = None
        self._improved = 0.0
        self._free_from = -math.inf  # seconds from which a window may begin

    @property
    def fading_since(self) -> int | None:
        """The first frame of a fade that has reached one colour and not ended yet; else None."""
        return self._fades.since if self._fades.certain else None

    def feed(self, number: int, seconds: float, thumbnail: Pixels) -> list[Transition]:
        """Process the next frame and return newly found transitions.

        Args:
            number: Number of the frame.
            seconds: Its time.
            thumbnail: uint8 (h, w, 3), of the same size for all frames.
        """
        at = self._append(number, seconds, thumbnail)
        if at is None:
            return []
        found = []
        fade = self._fades.feed(number, seconds, float(self._contrast[at]))
        if fade is not None:
            self._best = None
            self._free_from = seconds
            found.append(Transition(fade.start, fade.middle, fade.end, math.inf))
        elif self.fading_since is not None:
            if self._best is not None and self._best.end >= self.fading_since:
                self._best = None  # the first half of the fade
            self._free_from = seconds
        else:
            self._look(at)
        if self._fades.since is None and self._best is not None and seconds - self._improved >= _PATIENCE:
            found += self.finish()
        return found

    def finish(self) -> list[Transition]:
        """Return the transition that was waiting for a better window, if any."""
        best, self._best = self._best, None
        if best is None:
            return []
        held = int(np.searchsorted(self._number[: self._count], best.end))
        self._free_from = float(self._seconds[min(held, self._count - 1)])
        return [best]

    @property
    def last_change(self) -> tuple[int, float]:
        """The number of the last frame examined, and its mean change in levels from the one before."""
        return int(self._number[self._count - 1]), float(self._change[self._count - 1])

    def step_at(self, number: int) -> Step:
        """Return the change from the frame before `number` to that frame; best called AROUND seconds later."""
        assert self._rows is not None
        last = self._count - 1
        after = min(int(np.searchsorted(self._number[: self._count], number)), last)
        before = max(after - 1, 0)
        seconds = self._seconds[: self._count]
        first = int(np.searchsorted(seconds, seconds[before] - AROUND))
        end = min(int(np.searchsorted(seconds, seconds[after] + AROUND)), last)
        sooner = max(first, before - max(1, (before - first) // 2))
        later = min(end, after + max(1, (end - after) // 2))
        others = max(
            self._change[first + 1 : after].max(initial=0.0), self._change[after + 1 : end + 1].max(initial=0.0)
        )
        return Step(
            is_change=not (self._are_alike(before, later) or self._are_alike(sooner, after)),
            stands_out=float(self._change[after] / max(others, 0.1)),
        )

    def _are_alike(self, one: int, other: int) -> bool:
        assert self._rows is not None
        old, new = self._rows[one], self._rows[other]
        if cv2.norm(old, new, cv2.NORM_L1) <= _ALIKE_CHANGE * old.size and self._correlation(one, other) > _ALIKE:
            return True
        return self._is_displaced(one, other)

    def _append(self, number: int, seconds: float, thumbnail: Pixels) -> int | None:
        values = thumbnail.reshape(-1)
        if self._rows is None:
            self._size = thumbnail.shape
            self._rows = np.empty((_ROWS, values.size), np.uint8)
            self._shape = np.empty((_ROWS, values.size), np.float32)
        elif seconds - self._seconds[self._count - 1] < _STEP:
            return None
        if self._count == _ROWS:
            half = _ROWS // 2
            for kept in (self._rows, self._shape, self._seconds, self._number, self._way, self._change, self._contrast):
                kept[:half] = kept[half:]
            self._count = half
        at, self._count = self._count, self._count + 1
        self._rows[at] = values
        mean, deviation = cv2.meanStdDev(self._rows[at])
        self._shape[at] = self._rows[at]
        self._shape[at] -= mean[0, 0]
        self._shape[at] /= max(deviation[0, 0], 0.1) * math.sqrt(values.size)
        change = cv2.norm(self._rows[at], self._rows[at - 1], cv2.NORM_L1) / values.size if at else 0.0
        self._seconds[at], self._number[at], self._change[at] = seconds, number, change
        self._way[at] = (self._way[at - 1] if at else 0.0) + change
        self._contrast[at] = float(np.linalg.norm(cv2.meanStdDev(thumbnail)[1])) / math.sqrt(3)
        return at

    def _look(self, at: int) -> None:
        assert self._rows is not None
        seconds = self._seconds[: at + 1]
        for first in np.searchsorted(seconds, seconds[at] - np.array(_WINDOWS) + 1e-6, side="right") - 1:
            if first < 0 or seconds[first] < self._free_from:
                return
            way = self._way[at] - self._way[first]
            if way < _MIN_CHANGE:
                continue
            score = self._score(int(first), at, float(way))
            if score < self._min_score:
                continue
            if (self._best is None or score > self._best.score) and not self._moves(int(first), at):
                middle = self._middle(int(first), at)
                self._best = Transition(
                    int(self._number[first]), int(self._number[middle]), int(self._number[at]), score
                )
                self._improved = float(seconds[at])

    def _score(self, first: int, at: int, way: float) -> float:
        """Return the log odds that the two frames are the ends of a dissolve or a wipe; cheapest criteria first."""
        assert self._rows is not None
        old, new = self._rows[first], self._rows[at]
        mean = float(cv2.norm(old, new, cv2.NORM_L1)) / old.size
        if mean < max(_MIN_CHANGE, _MIN_STRAIGHTNESS * way):
            return -math.inf
        largest = float(self._change[first + 1 : at + 1].max())
        alike = self._correlation(first, at)
        if largest > _MAX_STEP_SHARE * mean or alike > _MAX_ALIKE:
            return -math.inf
        ends, steps = min(float(self._contrast[first]), float(self._contrast[at])), self._contrast[first : at + 1]
        if ends < _NO_PICTURE or steps.min() < _LOST_PICTURE * ends:
            return -math.inf  # not between two pictures, or through a blank one: left to the fade detector
        known = -12.8 - 6.7 * max(alike, 0.0) + 4.5 * mean / way - 7.6 * largest / mean
        if known + 4.6 * math.log(2 * mean) < self._min_score:
            return -math.inf  # since neither median can exceed twice the mean
        signed = new.astype(np.int16) - old
        median = float(_median(np.abs(signed)))
        spread = float(_median(np.abs(signed - _median(signed))))
        return float(known + 2.3 * math.log(max(median, 2.0)) + 2.3 * math.log(max(spread, 2.0)))

    def _moves(self, first: int, at: int) -> bool:
        """Return whether the middle frame is a displaced copy of both ends: a pan fast enough to look like a wipe."""
        half = (first + at) // 2
        return self._is_displaced(half, first) and self._is_displaced(half, at)

    def _is_displaced(self, one: int, other: int) -> bool:
        """Return whether the middle of one picture is found in the other, but at another position."""
        assert self._rows is not None
        picture, there = self._rows[one].reshape(self._size), self._rows[other].reshape(self._size)
        top, left = self._size[0] // 4, self._size[1] // 4
        patch = picture[top : self._size[0] - top, left : self._size[1] - left]
        found = cv2.matchTemplate(there, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(found)
        if best <= _FOUND_AGAIN or best - float(found[top, left]) <= _ELSEWHERE:
            return False
        again = np.ascontiguousarray(there[y : y + patch.shape[0], x : x + patch.shape[1]])
        return bool(cv2.norm(np.ascontiguousarray(patch), again, cv2.NORM_L1) <= _ALIKE_CHANGE * patch.size)

    def _correlation(self, one: int, other: int) -> float:
        """Return the Pearson correlation of all values of two thumbnails; 0 if one is flat."""
        return float(self._shape[one] @ self._shape[other])

    def _middle(self, first: int, at: int) -> int:
        """Return the first frame that is closer to the new picture than to the old one."""
        assert self._rows is not None
        rows = self._rows[first : at + 1].astype(np.int16)
        nearer = np.abs(rows - rows[-1]).sum(1) <= np.abs(rows - rows[0]).sum(1)
        return first + int(np.argmax(nearer))


def _median(values: NDArray[np.int16]) -> np.int16:
    """Return the median (the upper of two); several times faster than NumPy's."""
    middle = values.size // 2
    return cast("np.int16", np.partition(values, middle)[middle])
