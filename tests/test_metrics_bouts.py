"""Bouts: runs of frames, matched one to one against every possible matching, with latencies."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from metrics.bootstrap import bootstrap_interval
from metrics.bouts import BoutMatch, bouts_of, match_bouts, pooled
from metrics.ranges import intersection_over_union


def test_bouts_are_unbroken_runs() -> None:
    frames = np.array([1, 1, 0, 0, 1, 0, 1, 1, 1], dtype=bool)
    assert bouts_of(frames).tolist() == [[0, 2], [4, 5], [6, 9]]
    assert bouts_of(~frames).tolist() == [[2, 4], [5, 6]]
    assert bouts_of(np.array([3, 3, 1, 3]) == 3).tolist() == [[0, 2], [3, 4]]
    assert bouts_of([True] * 4).tolist() == [[0, 4]]
    assert bouts_of([]).shape == bouts_of([False]).shape == (0, 2)
    assert bouts_of([]).dtype == np.int64


def test_each_bout_counts_once_however_long() -> None:
    truth = [(0, 100), (200, 210), (300, 310)]
    predicted = [(0, 60), (60, 100), (203, 209), (250, 260), (304, 314)]  # the last one: 6 of 14, below a half
    match = match_bouts(truth, predicted)
    assert (match.true, match.predicted, match.matched) == (3, 5, 2)
    assert (match.recall, match.precision, match.f1) == (2 / 3, 2 / 5, 4 / 8)
    assert match.onsets.tolist() == [0, 3]
    assert match.offsets.tolist() == [-40, -1]
    assert match_bouts(truth, predicted, 6 / 14).matched == 3
    assert match_bouts(truth, predicted, 0.61).matched == 0
    assert match_bouts(truth, truth, 1).f1 == 1


def test_a_half_is_enough_and_one_bout_is_matched_once() -> None:
    assert match_bouts([(0, 10)], [(0, 5)]).matched == 1
    assert match_bouts([(0, 10)], [(0, 5), (5, 10)]).matched == 1
    assert match_bouts([(0, 5), (5, 10)], [(0, 10)]).matched == 1
    assert match_bouts([(0.1, 0.4)], [(0.1, 0.25)]).matched == 1, "0.15 of 0.3 seconds, as floats slightly less"
    assert match_bouts([(0, 10)], [(0, 4.999)]).matched == 0


@pytest.mark.parametrize("threshold", [0.05, 0.2, 1 / 3, 0.5, 0.7])
def test_as_many_pairs_as_any_matching_has(threshold: float) -> None:
    for seed in range(60):
        chance = np.random.default_rng(seed)
        truth, predicted = (bouts_of(np.repeat(chance.random(14) < 0.6, chance.integers(1, 5, 14))) for _ in range(2))
        fits = intersection_over_union(truth, predicted) >= threshold
        few, many = sorted(fits.shape)
        if fits.shape[0] > fits.shape[1]:
            fits = fits.T
        most = max(sum(fits[range(few), order]) for order in itertools.permutations(range(many), few))
        assert match_bouts(truth, predicted, threshold).matched == most


def test_without_bouts_nothing_is_defined() -> None:
    nothing = match_bouts([], [])
    assert nothing.f1 is nothing.recall is nothing.precision is None
    missed, invented = match_bouts([(0, 1)], []), match_bouts([], [(0, 1)])
    assert (missed.recall, missed.precision, missed.f1) == (0, None, 0)
    assert (invented.recall, invented.precision, invented.f1) == (None, 0, 0)
    assert missed.onsets.shape == missed.offsets.shape == (0,)


def test_recordings_are_pooled_as_counts_and_drawn_together() -> None:
    good = match_bouts([(0, 10), (20, 30)], [(1, 10), (20, 32)])
    bad = match_bouts([(0, 10)], [(50, 60), (70, 80)])
    both = pooled([good, bad])
    assert (both.true, both.predicted, both.matched) == (3, 4, 2)
    assert both.f1 == pytest.approx(4 / 7)
    assert (both.onsets.tolist(), both.offsets.tolist()) == ([1, 0], [0, 2])
    assert (pooled([]).f1, pooled([]).matched) == (None, 0)
    assert pooled(iter([good])).matched == 2
    videos: list[BoutMatch] = [good, bad]
    interval = bootstrap_interval(lambda at: pooled(videos[each] for each in at).f1, "ab", np.random.default_rng(0))
    assert interval == (0, 1)


def test_wrong_input_is_refused() -> None:
    for frames in ([0, 1], [2, 2, 1], [[True]], ["a"]):
        with pytest.raises(ValueError, match="true and false"):
            bouts_of(frames)
    for wrong in ([(5, 5)], [(0, 10), (5, 12)], [(5, 8), (0, 2)]):
        with pytest.raises(ValueError, match="do not overlap"):
            match_bouts(wrong, [(0, 1)])
        with pytest.raises(ValueError, match="do not overlap"):
            match_bouts([(0, 1)], wrong)
    with pytest.raises(ValueError, match="range"):
        match_bouts([(0, math.nan)], [])
    for threshold in (0, -0.5, 1.01, math.nan):
        with pytest.raises(ValueError, match="threshold"):
            match_bouts([], [], threshold)
