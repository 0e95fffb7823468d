"""Fades found by the contrast of frames alone: where each begins, has its middle and ends, number by number."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from indexer.shots.fades import Fade, FadeDetector


def ramp(old: float, new: float, frames: int) -> list[float]:
    """Contrasts of the frames from after `old` to `new`, by even steps."""
    return [old + (new - old) * k / frames for k in range(1, frames + 1)]


def fades_of(contrasts: Sequence[float], rate: float = 25.0) -> list[tuple[int, Fade]]:
    """Fades, each with the number of the frame that it was reported with."""
    detector = FadeDetector()
    fed = [(number, detector.feed(number, number / rate, contrast)) for number, contrast in enumerate(contrasts)]
    return [(number, fade) for number, fade in fed if fade is not None]


def through(floor: float, held: int, full: float = 50.0, frames: int = 10) -> list[float]:
    """Full contrast up to frame 29, a fall and a rise by `frames` steps, and `held` more frames at the floor."""
    return [*[full] * 30, *ramp(full, floor, frames), *[floor] * held, *ramp(floor, full, frames), *[full] * 20]


@pytest.mark.parametrize(
    ("held", "middle", "end"),
    [(0, 39, 46), (3, 41, 50), (5, 42, 52), (6, 42, 52), (7, 43, 53), (12, 45, 59), (40, 70, 87)],
)
def test_a_fade_reaches_from_the_last_full_contrast_to_the_frame_that_proves_the_next_picture(
    held: int, middle: int, end: int
) -> None:
    """The middle is that of the dark, or 0.4 s before the picture is back where the dark is long."""
    assert fades_of(through(0.0, held)) == [(end, Fade(30, middle, end))]


@pytest.mark.parametrize(("floor", "is_one_colour"), [(3.9, True), (4.0, True), (4.5, False), (5.0, False)])
@pytest.mark.parametrize(("held", "middle", "end"), [(0, 39, 46), (7, 43, 53), (40, 70, 87)])
def test_one_colour_has_no_more_than_four_levels_of_contrast(
    floor: float, is_one_colour: bool, held: int, middle: int, end: int
) -> None:
    assert fades_of(through(floor, held)) == ([(end, Fade(30, middle, end))] if is_one_colour else [])


@pytest.mark.parametrize(("rate", "middle", "end"), [(12.5, 41, 48), (25.0, 41, 51), (50.0, 41, 55)])
def test_a_rise_is_watched_for_a_fifth_of_a_second(rate: float, middle: int, end: int) -> None:
    assert fades_of(through(0.0, 4), rate) == [(end, Fade(30, middle, end))]


@pytest.mark.parametrize(("steps", "found"), [(2, [(80, Fade(60, 64, 80))]), (3, [])])
def test_little_contrast_counts_as_one_colour_for_a_quarter_of_a_second(
    steps: int, found: list[tuple[int, Fade]]
) -> None:
    """At 64 frames a second: 16 frames after the lowest one are exactly a quarter, 17 are more."""
    contrasts = [*[50.0] * 61, 40.0, 30.0, 20.0, 10.0, *[20.0, 22.0, 24.0][:steps], *ramp(20.0, 50.0, 3), *[50.0] * 30]
    assert fades_of(contrasts, 64.0) == found


LIT = [50.0] * 30
FALL = ramp(50.0, 0.0, 10)
RISE = [*ramp(0.0, 50.0, 10), *[50.0] * 20]


@pytest.mark.parametrize(
    ("contrasts", "found"),
    [
        pytest.param([*LIT, *FALL, *[0.0] * 6, *[50.0] * 20], [Fade(30, 46, 52)], id="a hard cut ends it"),
        pytest.param([*LIT, *[0.0] * 2, *RISE], [Fade(29, 30, 39)], id="a hard cut begins it"),
        pytest.param([*LIT, *[0.0] * 21, *RISE], [Fade(29, 30, 58)], id="a hard cut begins it, dark for 0.8 s"),
        pytest.param([*LIT, *[0.0] * 22, *RISE], [], id="a hard cut to a longer dark ended the shot"),
        pytest.param([*LIT, *[0.0] * 6, *[50.0] * 20], [], id="hard cuts on both sides"),
        pytest.param([*LIT, *FALL, *[0.0] * 60], [], id="no picture comes back"),
        pytest.param(through(0.0, 3, 8.0), [Fade(30, 42, 58)], id="eight levels are a picture"),
        pytest.param(through(0.0, 3, 7.9), [], id="less is none"),
        pytest.param([*LIT, 20.0, *[0.0] * 6, *[50.0] * 20], [Fade(29, 37, 43)], id="0.6 of a fall in one step"),
        pytest.param([*LIT, 19.0, *[0.0] * 6, *[50.0] * 20], [], id="more in one step is a hard cut"),
        pytest.param([*LIT, *FALL, *[2.0, 0.0] * 5, *RISE], [Fade(30, 44, 56)], id="two levels are equally flat"),
        pytest.param([*LIT, *FALL, *[2.5, 0.0] * 5, *RISE], [Fade(30, 43, 56)], id="more is a rise, but not for long"),
        pytest.param(
            [*LIT, *ramp(50.0, 4.0, 10), *[4.0] * 5, *[1.9] * 3, *ramp(1.9, 50.0, 10), *[50.0] * 20],
            [Fade(30, 46, 54)],
            id="a second fall in the dark",
        ),
        pytest.param(
            [*LIT, *ramp(50.0, 4.0, 10), *[4.0] * 2, *[40.0] * 2, *[1.9] * 8, *ramp(1.9, 50.0, 10), *[50.0] * 20],
            [Fade(30, 44, 59)],
            id="a flash in the dark is part of the fall, which is none then",
        ),
        pytest.param(
            [*through(0.0, 3), *through(0.0, 6)], [Fade(30, 41, 50), Fade(103, 115, 125)], id="one after the other"
        ),
        pytest.param(
            [*LIT, *ramp(50.0, 0.0, 60), *[0.0] * 5, *ramp(0.0, 50.0, 60), *[50.0] * 20],
            [Fade(59, 92, 108)],
            id="of a slow one the last second before the dark",
        ),
        pytest.param(
            [*[50.0] * 20, *[43.0] * 10, *ramp(43.0, 0.0, 10), *[0.0] * 4, *RISE],
            [Fade(29, 41, 51)],
            id="0.85 of the highest contrast is full",
        ),
        pytest.param(
            [*[50.0] * 20, *[42.0] * 10, *ramp(42.0, 0.0, 10), *[0.0] * 4, *RISE],
            [Fade(19, 41, 51)],
            id="less is part of the fall",
        ),
    ],
)
def test_fades_are_told_from_hard_cuts_and_dull_pictures(contrasts: list[float], found: list[Fade]) -> None:
    assert [fade for _, fade in fades_of(contrasts)] == found


@pytest.mark.parametrize(("floor", "certain"), [(4.0, True), (4.1, False)])
def test_a_fade_in_progress_is_certain_once_it_has_reached_one_colour(floor: float, certain: bool) -> None:
    detector = FadeDetector()
    states: list[tuple[int | None, bool]] = []
    for number, contrast in enumerate([*LIT, *ramp(50.0, floor, 10)]):
        detector.feed(number, number / 25, contrast)
        states.append((detector.since, detector.certain))
    assert set(states[:37]) == {(None, False)}
    assert states[38:] == [(30, False), (30, certain)]


@pytest.mark.parametrize(("contrast", "since"), [(15.0, 29), (15.1, None)])
def test_a_fall_has_lost_seven_tenths_of_the_contrast(contrast: float, since: int | None) -> None:
    detector = FadeDetector()
    for number, each in enumerate([*LIT, 35.0, 25.0, contrast]):
        detector.feed(number, number / 25, each)
    assert detector.since == since


@pytest.mark.parametrize(
    ("dark", "back", "is_fade"),
    [
        ([4.0] * 5, 12.0, False),  # a third of the contrast that came back: no blank
        ([3.0] * 5, 12.0, True),
        ([2.0] * 5, 8.0, True),  # six levels more than the flattest frame
        ([2.0] * 5, 7.9, False),
        ([4.0, *[2.0] * 5], 9.0, False),  # as flat as the one before, which asks for twelve levels
        ([4.0, *[1.9] * 5], 9.0, True),
    ],
)
def test_a_dull_picture_ends_a_fade_where_it_stands_out_from_the_dark(
    dark: list[float], back: float, is_fade: bool
) -> None:
    found = fades_of([*LIT, *ramp(50.0, dark[0], 10), *dark, *ramp(dark[-1], back, 5), *[back] * 20])
    assert [fade.start for _, fade in found] == ([30] if is_fade else [])


def test_the_frame_that_ends_a_fade_may_begin_the_next() -> None:
    first = [*LIT, *FALL, *[0.0] * 3, *RISE][:51]
    found = [fade for _, fade in fades_of([*first, 20.0, *[0.0] * 5, *RISE])]
    assert [(fade.start, fade.end) for fade in found] == [(30, 50), (50, 63)]
