"""Running ffmpeg: its command lines, its listings, and the line of its errors that people are told."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ffmpeg
import pytest

from app.exporting.ffmpeg_binary import ExportError, run_ffmpeg
from app.exporting.graph import (
    SOURCE,
    TARGET,
    audio_filters,
    compile_graph,
    framecrc_packets,
    microseconds,
    ratio,
    seek_options,
)
from app.exporting.survey import Survey

SURVEY = Survey(
    path="a.ts",
    format_name="mpegts",
    codec="h264",
    video_index=0,
    audio_index=1,
    time_base=Fraction(1, 90_000),
    frame_rate=Fraction(25),
    first_pts=900_000,
    pts=(1_800_000,),
    end_pts=1_803_600,
    first_frame_number=None,
    container_start_seconds=Fraction(10),
    high_bit_depth=False,
    is_rgb=False,
)


def failing(*lines: str, code: int = 1) -> str:
    script = "".join(f"echo '{line}' >&2; " for line in lines)
    with pytest.raises(ExportError) as caught:
        run_ffmpeg(["/bin/sh", "-c", f"{script} exit {code}"])
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["first", "  last  ", ""], "ffmpeg: last"),
        (["a.mp4: No space left on device", "Conversion failed!"], "ffmpeg: a.mp4: No space left on device"),
        (["a.mp4: Permission denied"], "ffmpeg: a.mp4: Permission denied"),
        (["a: Permission denied", "b: No such file or directory", "c", "d"], "ffmpeg: b: No such file or directory"),
        (["c", "b: No such file or directory"], "ffmpeg: b: No such file or directory"),
        ([], "ffmpeg: ended with code 1"),
        (["", "   "], "ffmpeg: ended with code 1"),
    ],
)
def test_the_cause_of_a_failure_is_told_or_else_the_last_line(lines: list[str], told: str) -> None:
    assert failing(*lines) == told


def test_a_failure_without_words_tells_its_code_and_of_many_words_the_last_count() -> None:
    assert failing(code=7) == "ffmpeg: ended with code 7"
    assert failing("x: No space left on device", *["y" * 100] * 100) == "ffmpeg: " + "y" * 100


def test_output_is_returned_and_told_line_by_line() -> None:
    command = ["/bin/sh", "-c", "echo one; echo; printf 'two\\377  '"]
    assert run_ffmpeg(command) == "one\n\ntwo\ufffd  "
    lines: list[str] = []
    assert run_ffmpeg(command, lines.append) == "one\n\ntwo\ufffd  "
    assert lines == ["one", "", "two\ufffd"]
    with pytest.raises(ExportError, match="/nowhere/ffmpeg cannot be started: No such file"):
        run_ffmpeg(["/nowhere/ffmpeg"])


LISTING = """#software: Lavf62
#tb 0: 1/12800
#media_type 0: video
0,       -512,          0,      512,     1021, 0x4b5e
0,          0,       2048,      512,       88, 0x1b5e, F=0x0
1,          0,       1024,     1024,        9, 0x0b5e
0,        512,       1024,      256,       40, 0x2b5e
"""


def test_packets_of_a_listing_are_those_of_its_first_stream_in_the_units_asked_for() -> None:
    assert framecrc_packets(LISTING, Fraction(1, 12800)) == [(0, 512), (2048, 512), (1024, 256)]
    assert framecrc_packets(LISTING, Fraction(1, 25600)) == [(0, 1024), (4096, 1024), (2048, 512)]
    assert framecrc_packets(LISTING, Fraction(1, 25)) == [(0, 1), (4, 1), (2, 0)]


@pytest.mark.parametrize("listing", ["", "#software: Lavf62\n", "#tb 0: 1/12800\n"])
def test_a_listing_of_nothing_has_no_packets(listing: str) -> None:
    assert framecrc_packets(listing, Fraction(1, 25)) == []


@pytest.mark.parametrize(
    ("start", "lead", "seek"),
    [
        (Fraction(20), Fraction(1), "19.000000"),
        (Fraction(61, 3), Fraction(5), "15.333333"),
        (Fraction(15), Fraction(5), None),
        (Fraction(15), Fraction(30), None),
        (Fraction(20), None, None),
    ],
)
def test_reading_begins_before_the_range_but_not_before_the_file(
    start: Fraction, lead: Fraction | None, seek: str | None
) -> None:
    wanted = {} if seek is None else {"noaccurate_seek": None, "seek_timestamp": 1, "ss": seek}
    assert seek_options(SURVEY, start, lead) == wanted


@pytest.mark.parametrize("pad", [True, False])
def test_sound_is_trimmed_moved_to_zero_and_filled_up(pad: bool) -> None:
    stream: Any = ffmpeg.input(SOURCE)["1"]
    output = ffmpeg.output(audio_filters(stream, Fraction(20), Fraction(41, 2), pad=pad), TARGET)
    words = compile_graph(["ffmpeg", "-v", "error"], output, {SOURCE: "-a:b%d.ts", TARGET: "c.mp4"})
    assert words[:5] == ["ffmpeg", "-v", "error", "-i", "file:-a:b%d.ts"]
    assert words[-2:] == ["file:c.mp4", "-y"]
    graph = words[words.index("-filter_complex") + 1]
    for filter_ in ("atrim=end=20.500000:start=20.000000", "asetpts=PTS-(20.000000)/TB", "async=1", "first_pts=0"):
        assert filter_ in graph
    assert ("apad=whole_dur=0.500000" in graph) == pad


def test_numbers_are_written_as_ffmpeg_counts() -> None:
    assert [microseconds(each) for each in (Fraction(1, 3), Fraction(-5, 2), Fraction(100_000))] == [
        "0.333333", "-2.500000", "100000.000000"]  # fmt: skip
    assert (ratio(Fraction(1001, 30000)), ratio(Fraction(2, 4), "/"), ratio(Fraction(3))) == (
        "1001:30000",
        "1/2",
        "3:1",
    )
