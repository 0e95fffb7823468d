"""Hard cuts: the evidence of one, cuts amid fast motion, and what is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from test_transitions import HEIGHT, WIDTH, cuts_of, irregular, scenery, steady, view, windows_of

from indexer.shots.detector import CutDetector
from indexer.shots.steps import cut_evidence, is_change
from indexer.shots.thumbnails import Thumbnails

Pixels = NDArray[np.uint8]
RED, BLUE = (40, 40, 200), (200, 40, 40)


def painted(columns: int, colour: tuple[int, int, int] = BLUE) -> Pixels:
    """(18, 32, 3) in red, with columns of another colour at the left."""
    thumbnail = np.full((18, 32, 3), RED, np.uint8)
    thumbnail[:, :columns] = colour
    return thumbnail


def rows_of(contents: dict[int, float], columns: dict[int, int], rate: float = 25.0) -> Thumbnails:
    """100 frames with scores; from each frame of `columns` on, as many columns are blue."""
    rows, shown = Thumbnails(), 0
    for number in range(100):
        shown = columns.get(number, shown)
        rows.append(number, number / rate, painted(shown), contents.get(number, 0.0))
    return rows


@pytest.mark.parametrize(
    ("contents", "columns", "expected"),
    [
        ({50: 40.0}, {50: 16}, 1.3 * math.log(40) + 7.9 * math.log(40 / 3) + 3.4 * math.log(0.5 / 0.1) - 8.6),
        ({50: 40.0, 52: 20.0}, {50: 16}, 1.3 * math.log(40) + 7.9 * math.log(2) + 3.4 * math.log(5) - 8.6),
        ({50: 40.0, 52: 20.0}, {50: 16, 52: 8}, 1.3 * math.log(40) + 7.9 * math.log(2) + 3.4 * math.log(2) - 8.6),
        ({50: 40.0, 48: 80.0}, {48: 16, 50: 8}, 1.3 * math.log(40) - 7.9 * math.log(2) - 3.4 * math.log(2) - 8.6),
        ({50: 9.0}, {}, 1.3 * math.log(9) + 7.9 * math.log(3) + 3.4 * math.log(0.1) - 8.6),
        ({}, {}, 7.9 * math.log(0.1) + 3.4 * math.log(0.1) - 8.6),
    ],
)
def test_a_cut_is_larger_than_what_is_around_it_in_pixels_and_in_colours(
    contents: dict[int, float], columns: dict[int, int], expected: float
) -> None:
    assert cut_evidence(rows_of(contents, columns), 50) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("at", "counts"), [(40, False), (43, False), (44, True), (49, True), (51, True), (56, True), (57, False)]
)
def test_around_is_a_quarter_of_a_second(at: int, counts: bool) -> None:
    alone = cut_evidence(rows_of({50: 40.0}, {50: 16}), 50)
    assert (cut_evidence(rows_of({50: 40.0, at: 30.0}, {50: 16}), 50) < alone) == counts


@pytest.mark.parametrize(
    ("rate", "at", "counts"),
    [
        *[(2, at, 48 <= at <= 52) for at in (47, 48, 49, 51, 52, 53)],
        *[(1, at, 49 <= at <= 51) for at in (48, 49, 51, 52)],
        *[(0.9, at, False) for at in (49, 51)],
    ],
)
def test_around_is_two_frames_at_least_unless_they_are_far(rate: float, at: int, counts: bool) -> None:
    alone = cut_evidence(rows_of({50: 40.0}, {50: 16}, rate), 50)
    assert (cut_evidence(rows_of({50: 40.0, at: 30.0}, {50: 16}, rate), 50) < alone) == counts


def test_evidence_at_the_ends_is_that_of_the_frames_that_there_are() -> None:
    rows = rows_of({1: 40.0, 99: 40.0}, {1: 16, 99: 0})
    assert cut_evidence(rows, 1) == cut_evidence(rows, 99) > 4
    assert cut_evidence(rows, 0) < 0


def test_a_change_between_frames_too_close_to_be_kept_is_one_to_the_next_that_is() -> None:
    rows = Thumbnails()
    for number, score in enumerate((0.0, 3.0, 30.0, 2.0, 1.0)):
        rows.append(number, number / 100, painted(number), score)
    assert rows.count == 2
    assert (rows.numbers[1], rows.content[1], rows.content_frame[1]) == (3, 30.0, 2)


@pytest.mark.parametrize("back", [51, 52, 53])
def test_a_flash_is_no_change(back: int) -> None:
    rows = Thumbnails()
    for number in range(100):
        rows.append(number, number / 25, painted(16, BLUE if number < 50 or number >= back else (250, 250, 250)))
    assert not is_change(rows, 50)
    assert not is_change(rows, back)
    assert is_change(rows_of({}, {50: 16}), 50)


def rush(seed: int, time: float) -> Pixels:
    """What a camera sees that pans by two pictures a second."""
    return view(scenery(seed, 12 * WIDTH), time, 2 * WIDTH)


@pytest.mark.parametrize("rate", [12, 25, 50, 60, 120])
def test_cuts_amid_fast_motion_are_found_to_the_frame(rate: int) -> None:
    """All frames differ so much that the adaptive detector finds nothing that stands out."""
    times = steady(rate, 4.0)
    at = (round(1.3 * rate), round(2.2 * rate))
    frames = [rush(1 + (k >= at[0]) + (k >= at[1]), k / rate) for k in range(len(times))]
    found = cuts_of(iter(frames), times)
    assert [round(cut * rate) for cut in found] == list(at)
    if rate == 25:
        assert len(cuts_of(iter(frames), times, "adaptive")) < 2


def swish(time: float) -> Pixels:
    """A camera that turns quickly to something else, and rests."""
    way = 2 * WIDTH / (1 + math.exp(-(time - 2) * 10))
    return view(scenery(3, 12 * WIDTH), way + WIDTH, 1.0)


def zoom(time: float) -> Pixels:
    import cv2

    wide = scenery(5, 4 * WIDTH, 4 * HEIGHT)
    share = 0.85 / (1 + math.exp(-(time - 2) * 9)) + 0.1
    height, width = round(4 * HEIGHT * share), round(4 * WIDTH * share)
    top, left = (4 * HEIGHT - height) // 2, (4 * WIDTH - width) // 2
    return np.asarray(
        cv2.resize(wide[top : top + height, left : left + width], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    )


@pytest.mark.parametrize("shot", [swish, zoom])
def test_camera_motion_is_no_dissolve(shot: Callable[[float], Pixels], monkeypatch: pytest.MonkeyPatch) -> None:
    times = steady(25, 4.0)
    frames = [shot(time) for time in times]
    assert windows_of(frames, times) == []
    monkeypatch.setattr("indexer.shots.transitions._UNMOVED", 0.0)
    assert windows_of(frames, times) != [], "what else is measured takes it for one"


def test_frames_far_apart() -> None:
    """Slides: pictures of three seconds, each another."""
    times = [3.0 * k for k in range(10)]
    assert cuts_of_slow([scenery(k)[:, :WIDTH] for k in range(10)], times) == times[1:]


def test_slow_pictures_of_one_place_are_no_cuts() -> None:
    """Two frames a second of a camera that turns."""
    times = [k / 2 for k in range(30)]
    assert cuts_of_slow([view(scenery(4, 12 * WIDTH), time, 40.0) for time in times], times) == []


def cuts_of_slow(frames: list[Pixels], times: list[float]) -> list[float]:
    detector = CutDetector("blend", {}, time_base=Fraction(1, 10), frame_rate=Fraction(1), start_pts=0)
    found = []
    for time, frame in zip(times, frames, strict=True):
        found += detector.feed(round(time * 10), np.ascontiguousarray(frame))
    return [cut / 10 for cut in found + detector.finish()]


def test_frames_close_together_before_a_long_gap() -> None:
    """The change is that to a frame which is not kept, since it is too close to the one before."""
    times = [0.0, 0.04, 0.08, 0.09, 60.0, 60.04, 60.08]
    frames = [scenery(1 if k < 3 else 2)[:, :WIDTH] for k in range(len(times))]
    found = cuts_of_slow(frames, times)
    assert len(found) <= 1


def test_cuts_at_irregular_times() -> None:
    times = irregular()
    frames = [rush(1 + (time >= 2.0) + (time >= 3.0), time / 4) for time in times]
    expected = [next(time for time in times if time >= at) for at in (2.0, 3.0)]
    assert cuts_of(iter(frames), times) == pytest.approx(expected, abs=1e-3)
