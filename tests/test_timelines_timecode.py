"""Labels of frames: against counting them one by one, and against OpenTimelineIO."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from timeline_samples import NTSC24, NTSC30, NTSC60, RATES

from app.timelines.model import frame_range
from app.timelines.timecode import (
    format_timecode,
    frames_per_day,
    is_standard_rate,
    nominal_rate,
    parse_timecode,
    supports_drop_frame,
    timebase,
)

opentime = pytest.importorskip("opentimelineio.opentime", reason="OpenTimelineIO has no wheel for this system")

COUNTS = [(rate, False) for rate in (*RATES, Fraction(120))] + [(NTSC30, True), (NTSC60, True)]


@pytest.mark.parametrize(("rate", "left_out"), [(NTSC30, 2), (NTSC60, 4), (Fraction(30), 2), (Fraction(60), 4)])
def test_drop_frame_is_counting_without_the_first_labels_of_nine_minutes_in_ten(rate: Fraction, left_out: int) -> None:
    """Eleven minutes from 00:00 and from 23:54, over the end of the day: labels at both ends of each minute."""
    base = timebase(rate)
    for start in (0, 23 * 60 + 54):
        frame, drop = parse_timecode(f"{start // 60:02}:{start % 60:02}:00;00", rate)
        assert drop
        if start:
            assert frame == frames_per_day(rate, True) - (6 * 60 * base - 5 * left_out) + left_out
            frame -= left_out  # minute 54 begins with a label that is left out
        for minute in range(start, start + 11):
            for second in range(60):
                if second not in (0, 1, 30, 59):
                    frame += base
                    continue
                for number in range(left_out if minute % 10 and second == 0 else 0, base):
                    if start and minute == start and second == 0:
                        frame = parse_timecode(f"23:54:00;{number:02}", rate)[0]
                    label = f"{minute // 60 % 24:02}:{minute % 60:02}:{second:02};{number:02}"
                    assert format_timecode(frame, rate, drop=True) == label
                    assert parse_timecode(label, rate) == (frame % frames_per_day(rate, True), True)
                    frame += 1


@pytest.mark.parametrize(("rate", "drop"), COUNTS)
def test_labels_are_those_of_opentimelineio_and_read_back(rate: Fraction, drop: bool) -> None:
    chance = random.Random(f"{rate} {drop}")
    day = frames_per_day(rate, drop)
    minute = 60 * timebase(rate)
    frames = {0, 1, day - 1, *(chance.randrange(day) for _ in range(1500))}
    frames |= {max(0, k * minute + d) % day for k in chance.sample(range(1440), 200) for d in (-3, -2, -1, 0, 1, 2, 3)}
    for frame in frames:
        label = format_timecode(frame, rate, drop)
        assert parse_timecode(label, rate) == (frame, drop)
        assert format_timecode(frame + day, rate, drop) == label
        assert format_timecode(frame - day, rate, drop) == label
        if rate <= 60 and (drop or frame < 86_400 * rate):  # OTIO begins anew after 24 hours of the clock
            assert label == opentime.to_timecode(opentime.RationalTime(frame, float(rate)), float(rate), drop)
            assert opentime.from_timecode(label, float(rate)).value == frame


def test_labels_left_out_mean_the_next_one() -> None:
    for text in ("00:01:00;00", "00:01:00;01", "00:01:00;02"):
        assert parse_timecode(text, NTSC30) == (1800, True)
    assert parse_timecode("00:10:00;00", NTSC30) == (17982, True)
    assert parse_timecode("00:01:00;03", NTSC60) == parse_timecode("00:01:00;04", NTSC60) == (3600, True)


def test_a_semicolon_means_nothing_where_nothing_can_be_dropped() -> None:
    assert parse_timecode("00:01:00;00", Fraction(25)) == (1500, False)
    assert parse_timecode(" 00:01:00.01 ", NTSC24) == (1441, False)
    with pytest.raises(ValueError, match="no drop-frame"):
        format_timecode(0, Fraction(24), drop=True)


def test_the_mark_counts_at_whole_30_and_60_where_recorders_write_it() -> None:
    frames, drop = parse_timecode("16:37:10;02", Fraction(30))
    assert drop
    assert Fraction(frames, 30) == Fraction(298851, 5)  # seconds, as Final Cut Pro counts them
    assert parse_timecode("16:37:10;04", Fraction(60)) == (2 * 1793106, True)


@pytest.mark.parametrize("text", ["", "1:2:3", "24:00:00:00", "00:60:00:00", "00:00:60:00", "00:00:00:25", "a:b:c:d"])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_timecode(text, Fraction(25))


@pytest.mark.parametrize(
    ("rate", "wanted", "usual"),
    [
        (Fraction(25), Fraction(25), True),
        (NTSC24, NTSC24, True),
        (Fraction(2398, 100), NTSC24, True),
        (Fraction(23976, 1000), NTSC24, True),
        (Fraction(2997, 100), NTSC30, True),
        (Fraction(5994, 100), NTSC60, True),
        (Fraction(30), Fraction(30), True),
        (Fraction(25, 2), Fraction(25), True),  # every frame twice
        (Fraction(15, 2), Fraction(15), True),
        (Fraction(15000, 1001), Fraction(15000, 1001), True),
        (Fraction(2987, 100), NTSC30, False),
        (Fraction(2999, 100), Fraction(30), True),  # an average cut short by the last frame
        (Fraction(1, 5), Fraction(1), True),
        (Fraction(247, 10), Fraction(25), False),
        (Fraction(75, 2), Fraction(38), False),  # twice that is beyond 60
        (Fraction(120), Fraction(120), True),
    ],
)
def test_rates_become_those_that_programs_count_at(rate: Fraction, wanted: Fraction, usual: bool) -> None:
    assert nominal_rate(rate) == wanted
    assert nominal_rate(wanted) == wanted
    assert is_standard_rate(rate) is usual


def test_nominal_rates_are_near_and_can_be_written_as_whole_or_ntsc() -> None:
    chance = random.Random(3)
    for _ in range(3000):
        rate = Fraction(chance.randrange(1, 250_000), chance.randrange(1, 1002))
        found = nominal_rate(rate)
        assert found in (timebase(found), timebase(found) * Fraction(1000, 1001))
        assert supports_drop_frame(found) == (timebase(found) % 30 == 0)
        if rate >= 1:
            assert abs(found / rate - round(found / rate)) <= Fraction(1, 2)


def test_a_range_has_at_least_one_frame_and_counts_as_the_page_does() -> None:
    assert frame_range(Fraction(1), Fraction(2), Fraction(25)) == (25, 50)
    assert frame_range(Fraction(1), Fraction(1001, 1000), Fraction(25)) == (25, 26)
    assert frame_range(Fraction(1001, 24000) * 7, Fraction(1001, 24000) * 9, NTSC24) == (7, 9)


def test_halfway_between_two_frames_a_range_has_those_that_its_clip_has() -> None:
    """Parts of long shots begin there: a clip has the frames from the start on, and those before the end."""
    for first, last in ((285, 601), (287, 603), (1, 3)):
        start, end = Fraction(first, 60), Fraction(last, 60)
        frames = [frame for frame in range(400) if start <= Fraction(frame, 30) < end]
        assert frame_range(start, end, Fraction(30)) == (frames[0], frames[-1] + 1)
