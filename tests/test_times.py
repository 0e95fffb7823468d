"""Times, ranges and dates as people type them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

import pytest

from app.times import FileRange, format_duration, format_timestamp, parse_date, parse_file_range, parse_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", Fraction(5)),
        ("12.5", Fraction(25, 2)),
        (".5", Fraction(1, 2)),
        ("5s", Fraction(5)),
        ("1m30s", Fraction(90)),
        ("2h", Fraction(7200)),
        ("1.5m", Fraction(90)),
        ("0:12.5", Fraction(25, 2)),
        ("1:20", Fraction(80)),
        ("00:00:12.500", Fraction(25, 2)),
        ("01:02:05.050", Fraction(3725050, 1000)),
        ("90:00", Fraction(5400)),
        (" 7S ", Fraction(7)),
    ],
)
def test_times_are_read_exactly(text: str, seconds: Fraction) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "s", "abc", "-5", "1:75", "1:75:00", "5x", "1s30m", "nan", "inf", "1e3", "1:2:3:4"]
)
def test_what_is_no_time_is_refused_with_what_can_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="1m30s"):
        parse_seconds(text)


@pytest.mark.parametrize("milliseconds", [0, 1, 999, 1000, 59_999, 60_000, 3_599_999, 3_600_000, 360_000_000])
def test_what_is_printed_can_be_typed(milliseconds: int) -> None:
    assert parse_seconds(format_timestamp(Fraction(milliseconds, 1000))) == Fraction(milliseconds, 1000)


def test_a_time_is_cut_to_milliseconds() -> None:
    assert format_timestamp(3725.0509) == "01:02:05.050"
    assert format_timestamp(Fraction(59_9996, 10_000)) == "00:00:59.999"
    assert format_timestamp(14.879999999999999) == "00:00:14.880", "a floating-point number just below it"
    assert format_timestamp(-0.25) == "-00:00:00.250"


def test_clock_is_short() -> None:
    assert [format_duration(each) for each in (0.44, 9.94, 9.96, 59.4, 59.6, 245, 3725)] == [
        "0.4s",
        "9.9s",
        "10s",
        "59s",
        "1:00",
        "4:05",
        "1:02:05",
    ]


def parse(text: str, *files: str) -> FileRange:
    return parse_file_range(text, file_exists=set(files).__contains__)


def test_a_range_of_a_file() -> None:
    assert parse("a.mp4@1:20-1:25", "a.mp4") == FileRange("a.mp4", Fraction(80), Fraction(85))
    assert parse("a.mp4@80", "a.mp4") == FileRange("a.mp4", Fraction(80))
    assert parse("a.mp4", "a.mp4") == FileRange("a.mp4")


def test_the_longest_existing_name_wins() -> None:
    assert parse("me@home.mp4", "me@home.mp4") == FileRange("me@home.mp4")
    assert parse("me@home.mp4@3-5", "me@home.mp4") == FileRange("me@home.mp4", Fraction(3), Fraction(5))
    assert parse("a@1", "a", "a@1") == FileRange("a@1")
    assert parse("a@1@2", "a", "a@1") == FileRange("a@1", Fraction(2))


def test_no_such_file_and_no_such_range_are_told_apart() -> None:
    with pytest.raises(FileNotFoundError):
        parse("b.mp4@3-5", "a.mp4")
    with pytest.raises(ValueError, match="'x' is not a time"):
        parse("a.mp4@x", "a.mp4")
    with pytest.raises(ValueError, match="before it starts"):
        parse("a.mp4@5-3", "a.mp4")
    with pytest.raises(ValueError, match="before it starts"):
        parse("a.mp4@5-5", "a.mp4")


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_dates_are_local_days_and_until_keeps_the_day_in() -> None:
    now = datetime(2025, 7, 10, 12, 30).astimezone()
    second = 1_000_000_000
    midnight = int(datetime.fromisoformat("2025-03-30T00:00:00+01:00").timestamp()) * second
    assert parse_date("2025-03-30", now=now) == midnight
    # The clocks go forward on that day: it has 23 hours.
    assert parse_date("2025-03-30", now=now, end=True) == midnight + 23 * 3600 * second - 1
    assert parse_date("2025-03-30 01:30", now=now) == midnight + 5400 * second
    assert parse_date("2025-03-30 01:30", now=now, end=True) == midnight + 5400 * second
    assert parse_date("today", now=now) == int(datetime.fromisoformat("2025-07-10T00:00:00+02:00").timestamp()) * second
    assert parse_date("yesterday", now=now, end=True) == parse_date("today", now=now) - 1


@pytest.mark.usefixtures("in_berlin")
def test_ages_count_back_from_now() -> None:
    now = datetime(2025, 7, 10, 12, 30, 0, 250_000).astimezone()
    at = int(now.replace(microsecond=0).timestamp()) * 10**9 + 250_000_000
    assert parse_date("12h", now=now) == at - 12 * 3600 * 10**9
    assert parse_date("7d", now=now) == at - 7 * 86400 * 10**9
    assert parse_date("2w", now=now, end=True) == at - 14 * 86400 * 10**9


@pytest.mark.parametrize("text", ["", "tomorrowish", "2025-13-01", "7", "99999999999y", "d"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|too long ago"):
        parse_date(text, now=datetime(2025, 7, 10).astimezone())


@pytest.mark.parametrize("text", ["9" * 400, "1" * 12, "0." + "1" * 80, "99999999h", "9" * 5000 + "h"])
def test_times_beyond_any_video_are_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(ValueError, match="seconds") as found:
        parse_seconds(text)
    assert len(str(found.value)) < 200
