"""The parts of finding moments: windows, runs that stand out, edges, what is looked through, words of order."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from fakes import ColourEncoder
from numpy.typing import NDArray

from db.records import Segment
from encoder.frame_features import PixelFeatures
from indexer.media.sampling import sample_indices
from search.moments.contrast import Run, crossing, find_run
from search.moments.edges import edges_of
from search.moments.look_through import MOST_SECONDS, Stretch, stretch_of
from search.moments.order import has_order
from search.moments.windows import MOST_FRAMES, MOST_WINDOWS, Window, WindowRows, even_windows, places

NONE = np.zeros((0, 0))


def nulls(count: int, spread: float, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, spread, (count, 200))


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 9, 31, 64, 95, MOST_FRAMES])
def test_windows_cover_every_frame_and_are_few(frames: int) -> None:
    windows = even_windows(frames)
    assert {n for window in windows for n in range(window.first, window.end)} == set(range(frames))
    assert len({window.end - window.first for window in windows}) == 1
    assert windows == sorted(set(windows))
    assert len(windows) <= MOST_WINDOWS - 8


def test_a_window_takes_the_frames_that_a_segment_would() -> None:
    assert places(Window(10, 18), 4) == [10, 12, 14, 16]
    assert places(Window(3, 5), 4) == [3, 3, 4, 4]
    assert places(Window(7, 8), 2) == [7, 7]


class Counting(PixelFeatures):
    """Halves of a ColourEncoder that count the frames they see."""

    def __init__(self) -> None:
        super().__init__(ColourEncoder(frames=4))
        self.seen = 0

    def frame_features(self, frames: NDArray[np.uint8]) -> Any:
        self.seen += len(frames)
        return super().frame_features(frames)


@pytest.mark.parametrize("length", [1, 2, 5, 8, 40])
@pytest.mark.parametrize("count", [1, 4, 8])
def test_a_window_with_both_ends_takes_the_frames_that_such_a_segment_would(length: int, count: int) -> None:
    found = places(Window(10, 10 + length), count, ends=True)
    assert found == [10 + at for at in sample_indices(length, count, ends=True)]


def test_each_frame_is_computed_once_and_rows_are_those_of_clips() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    encoder, told = Counting(), list[int]()
    rows = WindowRows(encoder, frames, told.append)
    windows = [Window(0, 8), Window(4, 12), Window(0, 20)]
    found = rows.rows(windows)
    clips = np.stack([frames[places(window, 4)] for window in windows])
    assert np.abs(found - ColourEncoder(frames=4).encode_clips(clips)).max() < 1e-6
    needed = {n for window in windows for n in places(window, 4)}
    assert encoder.seen == len(needed)
    rows.rows([Window(0, 8)])
    assert (encoder.seen, rows.encoded) == (len(needed), 4)
    turned = rows.rows([Window(0, 8)], reverse=True)
    assert np.abs(turned - ColourEncoder(frames=4).encode_clips(clips[:1, ::-1])).max() < 1e-6
    assert told
    assert told == sorted(told)


def test_what_the_caller_raises_ends_the_work() -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    encoder = Counting()
    with pytest.raises(KeyboardInterrupt):
        WindowRows(encoder, np.zeros((8, 16, 16, 3), np.uint8), stop).rows([Window(0, 8)])
    assert encoder.seen == 0


def test_a_step_stands_out_however_long_it_is() -> None:
    for first, end in ((3, 5), (4, 12), (0, 6), (9, 17), (1, 16)):
        scores = np.zeros(17)
        scores[first:end] = 1
        run = find_run(scores + np.random.default_rng(2).normal(0, 0.05, 17), nulls(17, 0.05))
        assert run is not None
        assert (run.first, run.end) == (first, end)
        assert run.inside > 0.9 > 0.1 > run.outside


def test_the_highest_single_window_does_not_win_over_a_longer_run() -> None:
    scores = np.array([0.0, 0, 0, 1, 1.1, 1, 1, 0, 0, 0])
    run = find_run(scores, nulls(10, 0.01))
    assert run is not None
    assert (run.first, run.end) == (3, 7)


def test_no_more_contrast_than_unrelated_questions_is_none() -> None:
    rng = np.random.default_rng(3)
    found = [find_run(rng.normal(0, 1, 15), nulls(15, 1, seed)) for seed in range(60)]
    assert sum(run is not None for run in found) <= 42  # 30 are expected
    assert find_run(np.full(15, 0.3), nulls(15, 0.1)) is None


def test_windows_that_every_question_likes_do_not_stand_out() -> None:
    liked = np.zeros(15)
    liked[5:8] = 1
    assert find_run(liked, liked[:, None] + nulls(15, 0.05)) is None
    run = find_run(liked + np.where(np.arange(15) > 10, 0.6, 0), liked[:, None] + nulls(15, 0.05))
    assert run is not None
    assert (run.first, run.end) == (11, 15)


def test_without_unrelated_questions_a_clear_step_is_needed() -> None:
    step = np.repeat([0.0, 1.0, 0.0], 5)
    run = find_run(step, np.zeros((15, 0)))
    assert run is not None
    assert (run.first, run.end) == (5, 10)
    assert find_run(np.random.default_rng(4).normal(0, 1, 40), np.zeros((40, 0))) is None
    assert find_run(np.zeros(2), np.zeros((2, 0))) is None


def test_a_crossing_lies_between_the_places() -> None:
    places_, curve = np.array([0.0, 2, 4]), np.array([0.0, 0.2, 1.0])
    assert crossing(places_, curve, 0.6) == pytest.approx(3)
    assert crossing(places_, curve, 0.0) == 0
    assert crossing(places_, curve, 2.0) == 4
    assert crossing(places_[::-1], np.array([0.0, 1.0, 1.0]), 0.5) == pytest.approx(3)


@pytest.mark.parametrize(("start", "end"), [(30, 55), (0, 40), (61, 96), (40, 52)])
def test_edges_are_where_windows_begin_to_be_inside(start: int, end: int) -> None:
    def score(windows: Any) -> NDArray[np.float64]:
        return np.array([
            max(0, min(window.end, end) - max(window.first, start)) / (window.end - window.first) for window in windows
        ])  # fmt: skip

    windows = even_windows(96)
    curve = score(windows)
    run = find_run(curve, nulls(len(windows), 0.01))
    assert run is not None
    found = edges_of(run, windows, curve, 96, score)
    assert found == pytest.approx((start, end), abs=3)


def test_edges_at_the_ends_are_the_ends() -> None:
    windows = even_windows(64)
    curve = np.ones(len(windows))
    assert edges_of(Run(0, len(windows), 1, 0), windows, curve, 64, lambda _: np.zeros(0)) == (0, 64)


def parts_of(count: int, seconds: int = 8) -> list[Segment]:
    return [
        Segment(number=n, shot_number=0, start_pts=n * seconds * 10, end_pts=(n + 1) * seconds * 10, id=n + 1)
        for n in range(count)
    ]


TENTH = Fraction(1, 10)


def looked(parts: list[Segment], hit: int, scores: list[float]) -> tuple[int, int]:
    found = stretch_of(parts[hit], parts, np.array(scores), nulls(len(parts), 0.02), TENTH)
    assert (found.end_pts - found.start_pts) * TENTH <= MOST_SECONDS
    return found.start_pts // 80, found.end_pts // 80


def test_a_whole_shot_is_looked_through_if_it_is_short_enough() -> None:
    parts = parts_of(1)
    assert stretch_of(parts[0], parts, np.ones(1), np.zeros((1, 0)), TENTH) == Stretch(0, 80)
    assert looked(parts_of(4), 2, [0.3, 0.3, 0.3, 0.3]) == (0, 4)


def test_parts_that_answer_are_looked_through_with_one_more_on_either_side() -> None:
    assert looked(parts_of(40), 20, [0.0] * 20 + [1.0] + [0.0] * 19) == (19, 22)
    assert looked(parts_of(40), 20, [0.0] * 19 + [1.0] * 4 + [0.0] * 17) == (18, 24)
    assert looked(parts_of(40), 0, [1.0] + [0.0] * 39) == (0, 2)
    assert looked(parts_of(40), 39, [0.0] * 39 + [1.0]) == (38, 40)


def test_a_long_shot_is_looked_through_around_the_hit() -> None:
    first, end = looked(parts_of(40), 20, [0.3] * 40)
    assert (first, end) == (19, 22)
    first, end = looked(parts_of(40), 20, [0.0] * 5 + [1.0] * 30 + [0.0] * 5)
    assert first <= 20 < end <= first + 7


def test_a_hit_that_is_no_part_is_looked_through_alone() -> None:
    parts = parts_of(3)
    other = Segment(number=9, shot_number=0, start_pts=5, end_pts=15, id=99)
    assert stretch_of(other, parts, np.zeros(3), np.zeros((3, 0)), TENTH) == Stretch(5, 15)


@pytest.mark.parametrize(
    "text",
    ["a penguin rises", "a dog running to the left", "someone opens a door", "a ball dropped", "it stopped, then left",
     "hurrying upward", "the sun disappears", "the balloon is inflating", "a car approaching", "a cat climbs"],
)  # fmt: skip
def test_questions_with_a_direction_or_an_order(text: str) -> None:
    assert has_order(text)


@pytest.mark.parametrize("text", ["a penguin on a brick wall", "a red car at night", "people dancing", "", "?!", "犬"])
def test_questions_without_one(text: str) -> None:
    assert not has_order(text)
