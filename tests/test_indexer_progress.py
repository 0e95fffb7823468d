"""Progress and reports: shares, estimates and sums that people read while they wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.progress import Progress, ProgressMeter
from indexer.report import STAGES, IndexReport


def meter_at(seconds: list[float]) -> tuple[ProgressMeter, list[Progress]]:
    """A meter whose clock is the last of `seconds`, and its reports."""
    seen: list[Progress] = []
    return ProgressMeter(seen.append, clock=lambda: seconds[-1]), seen


def test_where_bytes_are_unknown_files_tell_how_far_it_is() -> None:
    clock = [0.0]
    meter, seen = meter_at(clock)
    meter.start("fingerprint", files_total=8)
    assert (seen[-1].phase, seen[-1].fraction, seen[-1].eta_seconds, seen[-1].speed) == ("fingerprint", 0.0, None, None)
    clock.append(30.0)
    meter.files_done = 2
    meter.report()
    assert (seen[-1].fraction, seen[-1].eta_seconds) == (0.25, 90.0)
    assert (seen[-1].speed, seen[-1].seconds_total) == (None, None), "no video is decoded yet"


def test_nothing_is_known_of_a_phase_without_a_total() -> None:
    clock = [0.0]
    meter, seen = meter_at(clock)
    meter.start("scan")
    clock.append(30.0)
    meter.files_done = 5
    meter.report()
    assert (seen[-1].fraction, seen[-1].eta_seconds, seen[-1].files_done) == (None, None, 5)


def test_a_share_is_never_more_than_the_whole_nor_a_wait_less_than_none() -> None:
    clock = [0.0]
    meter, seen = meter_at(clock)
    meter.start("index", files_total=1, bytes_total=100)
    clock.append(10.0)
    meter.report(bytes_in_flight=500.0, seconds_in_flight=0.5)
    assert (seen[-1].bytes_done, seen[-1].fraction, seen[-1].eta_seconds) == (100, 1.0, 0.0)
    assert (seen[-1].seconds_total, seen[-1].speed) == (0.5, 0.05)
    assert replace(seen[-1], bytes_total=0, files_done=3, files_total=2).fraction == 1.0


def test_a_phase_begins_from_nothing_but_failures_stay() -> None:
    clock = [0.0]
    meter, seen = meter_at(clock)
    meter.start("index", files_total=3, bytes_total=100)
    meter.files_done, meter.bytes_done, meter.clips_done, meter.seconds_done, meter.failures = 1, 50, 7, 9.0, 2
    meter.report(now=True)
    assert (seen[-1].clips_done, seen[-1].seconds_done) == (7, 9.0)
    clock.append(5.0)
    meter.start("index", files_total=2, bytes_total=80)
    now = seen[-1]
    assert (now.files_done, now.bytes_done, now.clips_done, now.seconds_done, now.failures) == (0, 0, 0, 0.0, 2)
    assert (now.files_total, now.bytes_total, now.elapsed_seconds) == (2, 80, 0.0)


def test_a_report_adds_up() -> None:
    report = IndexReport(added=1, updated=2, unchanged=4, touched=8, moved=16, duplicates=32, aliases=64, removed=128)
    assert report.in_library == 63
    wall = dict.fromkeys(STAGES, 0.0) | {"wall": 4.0}
    assert replace(report, video_seconds=0.5, seconds=wall).speed == pytest.approx(0.125)
    assert replace(report, video_seconds=0.0, seconds=wall).speed is None
    assert replace(report, video_seconds=10.0).speed is None
