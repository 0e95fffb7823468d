"""Which frames to read, and what they show as lines with a beginning and an end."""

from __future__ import annotations

import itertools
import random

import pytest

from recognition.protocol import FoundText, RecognizedLine
from recognition.screen.frame_times import MOST_FRAMES, FrameReading, frame_times, more_times, shown_ranges
from recognition.screen.merging import Shown, merge_shown
from recognition.screen.same_text import is_same, joined, likeness, plain


def found(text: str, top: float = 0.8, left: float = 0.1, confidence: float = 0.9) -> FoundText:
    return FoundText(text, confidence, (left, top, 0.3, 0.05))


def frames(*shown: list[FoundText], every: int = 1_000) -> list[Shown]:
    """Return frames that stand for equal times, one after the other."""
    return [Shown(i * every, (i + 1) * every, tuple(texts)) for i, texts in enumerate(shown)]


def lines(*shown: list[FoundText], **options: float) -> list[tuple[int, int, str]]:
    merged: list[RecognizedLine] = list(merge_shown(frames(*shown), **options))  # type: ignore[arg-type]
    return [(line.start_ms, line.end_ms, line.text) for line in merged]


# Which frames


@pytest.mark.parametrize(
    ("length", "times"),
    [(1, (0,)), (40, (20,)), (1_999, (999,)), (2_000, (500, 1_500)), (6_000, (1_000, 3_000, 5_000))],
)
def test_one_to_three_frames_of_a_shot_are_read(length: int, times: tuple[int, ...]) -> None:
    assert frame_times(0, length) == times
    assert frame_times(70, 70 + length) == tuple(70 + time for time in times)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (5, 4)])
def test_a_shot_without_length_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="must end after"):
        frame_times(start, end)


def reading(time: int, *texts: str) -> FrameReading:
    return FrameReading(time, tuple(found(text) for text in texts))


def test_more_frames_are_read_where_text_changes() -> None:
    known = [reading(1_000, "one"), reading(3_000, "one"), reading(5_000, "two", "one")]
    assert more_times(known) == (4_000,)
    assert more_times(reversed(known)) == (4_000,)
    assert more_times([reading(1_000), reading(3_000)]) == ()
    assert more_times([]) == ()


def test_a_misread_letter_is_no_change() -> None:
    assert more_times([reading(0, "Port of Rotterdam"), reading(4_000, "Port of Rotterdarn")]) == ()


def test_noise_is_no_change() -> None:
    noisy = FrameReading(4_000, (found("x", confidence=0.5),))
    assert more_times([reading(0), noisy]) == ()
    assert more_times([reading(0), noisy], least_confidence=0.5) == (2_000,)


def test_a_change_is_found_within_a_second() -> None:
    """The caller's loop, over a text that appears at 3.3 s of a shot of 9 s."""
    shown = {time: reading(time, *(["hello"] if time >= 3_300 else [])) for time in range(9_000)}
    times = frame_times(0, 9_000)
    known: list[FrameReading] = []
    while times:
        known += [shown[time] for time in times]
        times = more_times(known)
    ordered = sorted(each.time_ms for each in known)
    after = next(time for time in ordered if time >= 3_300)
    before = ordered[ordered.index(after) - 1]
    assert after - before < 1_000
    assert len(known) <= 6


def test_a_text_that_always_changes_does_not_cost_more_than_the_limit() -> None:
    times = frame_times(0, 600_000)
    known: list[FrameReading] = []
    while times:
        known += [reading(time, f"{time:x} {time * 7919 % 9973}") for time in times]
        times = more_times(known)
    assert len(known) == MOST_FRAMES


def test_each_frame_stands_for_the_time_around_it() -> None:
    assert shown_ranges((1_000, 3_000, 4_000), 500, 6_000) == [(500, 2_000), (2_000, 3_500), (3_500, 6_000)]
    assert shown_ranges((700,), 0, 1_000) == [(0, 1_000)]
    assert shown_ranges((), 0, 1_000) == []


# Lines


def test_the_same_text_in_successive_frames_is_one_line() -> None:
    hello, other = [found("Hello there")], [found("Goodbye now")]
    assert lines(hello, hello, hello, other) == [(0, 3_000, "Hello there"), (3_000, 4_000, "Goodbye now")]


def test_the_best_reading_is_kept() -> None:
    shown = [found("Port of Rotterdam", confidence=0.7)], [found("Port of Rotterdarn", confidence=0.65)]
    best = list(merge_shown(frames(*shown, [found("Port of  Rotterdam", top=0.5, confidence=0.99)])))
    assert [(line.text, line.confidence, line.box) for line in best] == [
        ("Port of  Rotterdam", 0.99, (0.1, 0.5, 0.3, 0.05))
    ]


def test_doubtful_readings_are_left_out() -> None:
    doubtful = [found("Hello there", confidence=0.59)]
    assert lines(doubtful) == []
    assert lines(doubtful, least_confidence=0.5) == [(0, 1_000, "Hello there")]
    assert lines([found("  ")]) == []


def test_a_text_that_is_missed_for_a_moment_goes_on() -> None:
    hello = [found("Hello there")]
    assert lines(hello, [], hello) == [(0, 3_000, "Hello there")]
    assert lines(hello, [], [], [], hello) == [(0, 1_000, "Hello there"), (4_000, 5_000, "Hello there")]


def test_equal_texts_at_two_places_are_two_lines() -> None:
    pair = [found("Director", top=0.2), found("Director", top=0.6)]
    assert lines(pair, pair, [found("Director", top=0.6)]) == [(0, 2_000, "Director"), (0, 3_000, "Director")]
    both = list(merge_shown(frames(pair, pair[::-1])))
    assert sorted(line.box[1] for line in both if line.box) == [0.2, 0.6]


def test_credits_that_scroll_are_lines_that_last_while_they_are_seen() -> None:
    names = ["Camera: Ann Lee", "Sound: Bo Persson", "Music: Carla Diaz", "Catering: Dov Katz"]
    shown = [
        [found(name, top=0.9 - 0.3 * (step - i)) for i, name in enumerate(names) if 0 <= step - i < 3]
        for step in range(7)
    ]
    assert lines(*shown) == [(i * 1_000, (i + 3) * 1_000, name) for i, name in enumerate(names)]


def test_a_ticker_is_put_together() -> None:
    text = "MARKETS FALL SHARPLY AS OIL PRICES RISE AGAIN   SNOW EXPECTED IN THE NORTH TONIGHT"
    shown = [[found(text[first : first + 32], top=0.95)] for first in range(0, len(text) - 31, 8)]
    ((start, end, whole),) = lines(*shown)
    assert (start, end) == (0, len(shown) * 1_000)
    assert whole == text[: (len(shown) - 1) * 8 + 32].strip()


def test_a_long_ticker_becomes_several_lines() -> None:
    rng = random.Random(3)
    text = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(2_000))
    shown = [[found(text[first : first + 40], top=0.95)] for first in range(0, 1_960, 10)]
    merged = lines(*shown)
    assert 4 <= len(merged) <= 8
    assert max(len(line[2]) for line in merged) <= 400
    assert all(line[2] in text for line in merged)


def test_texts_in_other_rows_are_no_ticker() -> None:
    assert len(lines([found("BREAKING NEWS FROM OSLO", top=0.1)], [found("NEWS FROM OSLO TONIGHT", top=0.8)])) == 2


@pytest.mark.parametrize(
    ("a", "b"), [("Lap 12 of 44", "Lap 13 of 44"), ("12:59:01", "12:59:02"), ("Temperature 12", "Temperature 13")]
)
def test_numbers_that_differ_are_other_texts(a: str, b: str) -> None:
    assert [text for *_, text in lines([found(a)], [found(b)])] == [a, b]


def test_a_slow_ticker_is_put_together_too() -> None:
    text = "MARKETS FALL SHARPLY AS OIL PRICES RISE AGAIN"
    shown = [[found(text[first : first + 30], top=0.95)] for first in range(len(text) - 29)]
    assert lines(*shown) == [(0, len(shown) * 1_000, text)]


def test_a_text_that_is_typed_out_is_one_line() -> None:
    shown = [[found("Berlin, 1987"[:length])] for length in (7, 10, 12)]
    assert lines(*shown) == [(0, 3_000, "Berlin, 1987")]


def test_nothing_is_no_line_and_memory_holds_only_what_is_on_screen() -> None:
    assert lines() == []
    assert lines([], []) == []
    endless = (Shown(i * 5_000, i * 5_000 + 1_000, (found(f"{i} text {i}"),)) for i in itertools.count())
    assert len(list(itertools.islice(merge_shown(endless), 500))) == 500


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("ΑΘΗΝΑ", "αθηνα", True),
        ("Café de la Gare", "CAFE DE LA GARE", True),
        ("Quiet please", "Quietplease", True),
        ("北京欢迎你", "北京欢迎您", True),  # four of five
        ("日出", "日落", False),
        ("ON", "OFF", False),
        ("", "", True),
        ("12:59", "13:00", False),
    ],
)
def test_whether_texts_are_the_same(a: str, b: str, same: bool) -> None:
    assert is_same(a, b) is is_same(b, a) is same


def test_parts_are_joined_only_where_they_overlap() -> None:
    assert joined("MARKETS FALL SHAR", "KETS FALL SHARPLY TODAY") == "MARKETS FALL SHARPLY TODAY"
    assert joined("short", "short text") is None  # too little to tell
    assert joined("BREAKING NEWS", "SPORTS TONIGHT") is None
    assert joined("a whole sentence here", "whole sentence") == "a whole sentence here"
    assert joined("the news from OslQ", "ws from Oslo tonight") == "the news from Oslo tonight"


def test_plain_texts_have_no_spaces_accents_or_case() -> None:
    assert plain("É lo-D\tie") == "elo-die"
    assert likeness(plain("Lap 12"), plain("Lap 13")) < 0.8
