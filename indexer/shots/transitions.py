"""Detection of gradual transitions in a stream of thumbnails: dissolves, wipes and fades.

Windows are measured in seconds, not frames, so that any frame rate works, even a variable one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from indexer.shots.fades import FadeDetector
from indexer.shots.thumbnails import Thumbnails

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

MAX_SECONDS = 1.2
"""Length of the longest window in seconds. A longer dissolve is found by the part that fits into it."""

_WINDOWS = (0.25, 0.4, 0.6, 0.85, MAX_SECONDS)  # seconds
_PATIENCE = 0.25  # seconds without a better window until the best one is accepted
_MIN_CHANGE = 10.0  # levels, mean: smaller changes are ignored
_MAX_STEP_SHARE = 0.5  # fraction of the whole change; otherwise it is a hard cut
_NO_PICTURE = 3.0  # levels of contrast
_LOST_PICTURE = 0.3  # fraction of the contrast at the ends
_MIN_STRAIGHTNESS = 0.4  # of the path between the ends; otherwise the camera moves
_UNMOVED = 0.75  # share of the changes that motion does not explain
_MAX_ALIKE = 0.75  # correlation of the two ends; otherwise the light changes, not the picture


@dataclass(frozen=True, slots=True)
class Transition:
    """A gradual transition, by frame numbers. The new shot is taken to begin at `middle`."""

    start: int  # the last frame that shows only the old shot, or nearly so
    middle: int
    end: int  # the first frame that shows only the new shot, or nearly so
    score: float


class TransitionDetector:
    """Finds transitions in thumbnails fed in order of time; each is reported about a quarter of a second after its end.

    In a dissolve or a wipe every pixel goes from its old value straight to its new one. So for each frame, windows of
    several lengths that end there are examined. Most pixels must have changed much (the median, which an object
    crossing the picture does not move). The two ends must not be the same picture in another light (correlation). The
    way between them must be straight (the mean change between the ends divided by the sum of the changes from frame to
    frame: 1 is a straight line, camera motion wanders) and not made in one step. The evidence is the log odds of a
    logistic regression on these four, fitted on assembled videos (benchmarks/detection.py). At last, the picture must
    not move from one end to the other: optical flow explains most of the changes of a pan, of a zoom and of passing
    things, and hardly any of those of a dissolve.
    """

    def __init__(self, rows: Thumbnails, min_score: float = 4.0) -> None:
        """Create a detector over the last thumbnails; `min_score` is the log odds from which a window counts."""
        self._rows = rows
        self._min_score = min_score
        self._fades = FadeDetector()
        self._best: Transition | None = None
        self._improved = 0.0
        self._free_from = -math.inf  # seconds from which a window may begin

    @property
    def fading_since(self) -> int | None:
        """The first frame of a fade that has reached one colour and not ended yet; else None."""
        return self._fades.since if self._fades.certain else None

    def feed(self, at: int) -> list[Transition]:
        """Look at the newest row, `at`, and return newly found transitions."""
        rows = self._rows
        number, seconds = int(rows.numbers[at]), float(rows.seconds[at])
        found = []
        fade = self._fades.feed(number, seconds, float(rows.contrast[at]))
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
        self._free_from = float(self._rows.seconds[self._rows.row_of(best.end)])
        return [best]

    def _look(self, at: int) -> None:
        rows = self._rows
        seconds = rows.seconds[: at + 1]
        for first in np.searchsorted(seconds, seconds[at] - np.array(_WINDOWS) + 1e-6, side="right") - 1:
            if first < 0 or seconds[first] < self._free_from:
                return
            score = _score(rows, int(first), at, self._min_score)
            better = score > (self._best.score if self._best else -math.inf)
            if better and rows.unmoved(int(first), at) >= _UNMOVED:
                middle = _middle(rows, int(first), at)
                start, end = int(rows.numbers[first]), int(rows.numbers[at])
                self._best = Transition(start, int(rows.numbers[middle]), end, score)
                self._improved = float(seconds[at])


def _score(rows: Thumbnails, first: int, at: int, least: float) -> float:
    """Return the log odds that the two rows are the ends of a dissolve or a wipe; -inf if they are below `least`."""
    way = float(rows.way[at] - rows.way[first])
    mean = rows.difference(first, at) if way >= _MIN_CHANGE else 0.0
    if mean < max(_MIN_CHANGE, _MIN_STRAIGHTNESS * way):
        return -math.inf
    largest = float(rows.change[first + 1 : at + 1].max())
    alike = rows.correlation(first, at)
    if largest > _MAX_STEP_SHARE * mean or alike > _MAX_ALIKE:
        return -math.inf
    ends, steps = min(float(rows.contrast[first]), float(rows.contrast[at])), rows.contrast[first : at + 1]
    if ends < _NO_PICTURE or steps.min() < _LOST_PICTURE * ends:
        return -math.inf  # not between two pictures, or through a blank one: left to the fade detector
    known = -12.8 - 6.7 * max(alike, 0.0) + 4.5 * mean / way - 7.6 * largest / mean
    if known + 4.6 * math.log(2 * mean) < least:
        return -math.inf  # since neither median can exceed twice the mean
    signed = rows.row(at).astype(np.int16) - rows.row(first)
    median = float(_median(np.abs(signed)))
    spread = float(_median(np.abs(signed - _median(signed))))
    score = float(known + 2.3 * math.log(max(median, 2.0)) + 2.3 * math.log(max(spread, 2.0)))
    return score if score >= least else -math.inf


def _middle(rows: Thumbnails, first: int, at: int) -> int:
    """Return the first row that is closer to the new picture than to the old one."""
    nearer = (rows.difference(k, at) <= rows.difference(k, first) for k in range(first, at))
    return next((first + k for k, near in enumerate(nearer) if near), at)


def _median(values: NDArray[np.int16]) -> np.int16:
    """Return the median (the upper of two); several times faster than NumPy's."""
    middle = values.size // 2
    return cast("np.int16", np.partition(values, middle)[middle])
