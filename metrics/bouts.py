"""Measures of events, as ethologists count them: bouts of one behaviour, found or not, and how late or early.

A bout is an unbroken run of frames of a behaviour. Frame by frame, one long bout outweighs many short ones; here each
counts once. Bouts are those of one recording: `pooled` adds up several, as counts, not as means of means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.ranges import intersection_over_union

_ROUNDING = 1e-9  # times in seconds: an overlap of exactly a half may come out slightly below


@dataclass(frozen=True, eq=False)
class BoutMatch:
    """Bouts that were matched one to one.

    Args:
        true: Number of true bouts.
        predicted: Number of predicted ones.
        onsets: float64 (matched,), start of each matched prediction minus the true start: above 0 it came late.
        offsets: float64 (matched,), the same of the ends.
    """

    true: int
    predicted: int
    onsets: NDArray[np.float64]
    offsets: NDArray[np.float64]

    @property
    def matched(self) -> int:
        return len(self.onsets)

    @property
    def recall(self) -> float | None:
        """Share of true bouts that were found; None if there are none."""
        return self.matched / self.true if self.true else None

    @property
    def precision(self) -> float | None:
        """Share of predicted bouts that are true; None if there are none."""
        return self.matched / self.predicted if self.predicted else None

    @property
    def f1(self) -> float | None:
        """2 matched / (true + predicted); None if there are neither."""
        total = self.true + self.predicted
        return 2 * self.matched / total if total else None


def bouts_of(frames: ArrayLike) -> NDArray[np.int64]:
    """Return the unbroken runs of true frames of one recording, int64 (bouts, 2): first frame, and one after the last.

    Args:
        frames: bool (n,), whether each frame shows the behaviour; `labels == behaviour` makes it of labels.

    Raises:
        ValueError: The frames are not a row of true and false.
    """
    shown = np.asarray(frames)
    if shown.ndim != 1 or (shown.size and shown.dtype != np.bool_):  # labels would pass for one behaviour
        raise ValueError(f"a row of true and false is needed, got {shown.dtype} of shape {shown.shape}")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shown.astype(np.int8), [0]])))
    return edges.reshape(-1, 2).astype(np.int64)


def match_bouts(truth: ArrayLike, predicted: ArrayLike, threshold: float = 0.5) -> BoutMatch:
    """Match as many bouts of one behaviour in one recording as possible, each with one of the other kind at most.

    As bouts of one behaviour do not overlap, going through them in the order of time finds the most pairs: a bout
    that is passed over could have been matched with nothing that comes later. From a threshold of 0.5 on the pairs are
    the only ones, but for two predictions of exactly a half in one true bout, or the reverse.

    Args:
        truth: (n, 2), start and end of each true bout, in frames or seconds, in the order of time.
        predicted: (m, 2), the same of predicted ones.
        threshold: Least intersection over union of a pair, above 0, 1 at most.

    Raises:
        ValueError: A bout is not a finite range with a length, they overlap or are out of order, or the threshold is
            out of range.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"the threshold must be above 0, and 1 at most, got {threshold}")
    overlaps = intersection_over_union(truth, predicted)
    true, said = (np.asarray(each, dtype=np.float64).reshape(-1, 2) for each in (truth, predicted))
    for bouts in (true, said):
        if (bouts[:, 1] <= bouts[:, 0]).any() or (bouts[1:, 0] < bouts[:-1, 1]).any():
            raise ValueError("bouts of one behaviour have a length, follow each other and do not overlap")
    pairs: list[tuple[int, int]] = []
    for at, with_which in np.argwhere(overlaps >= threshold - _ROUNDING):
        if not pairs or (at > pairs[-1][0] and with_which > pairs[-1][1]):
            pairs.append((at, with_which))
    latencies = np.array([said[b] - true[a] for a, b in pairs]).reshape(-1, 2)
    return BoutMatch(len(true), len(said), latencies[:, 0], latencies[:, 1])


def pooled(matches: Iterable[BoutMatch]) -> BoutMatch:
    """Return the matches of several recordings as one: counts are added, latencies joined."""
    each = [BoutMatch(0, 0, np.zeros(0), np.zeros(0)), *matches]
    return BoutMatch(
        sum(match.true for match in each),
        sum(match.predicted for match in each),
        np.concatenate([match.onsets for match in each]),
        np.concatenate([match.offsets for match in each]),
    )
