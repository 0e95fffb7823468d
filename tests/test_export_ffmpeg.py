"""Running ffmpeg: its command lines, its listings, and the line of its errors that people are told."""

from __future__ import annotations

import os
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import pytest

from app.exporting.ffmpeg_binary import ExportError, OutsideError, run_ffmpeg
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


def failing(*lines: str, code: int = 1) -> tuple[str, type[ExportError]]:
    script = "".join(f"echo '{line}' >&2; " for line in lines)
    with pytest.raises(ExportError) as caught:
        run_ffmpeg(["/bin/sh", "-c", f"{script} exit {code}"])
    return str(caught.value), type(caught.value)


POINTERS = [
    '[aac @ 0x5620ee9ca000] Unsupported channel layout "hexadecagonal"',
    "[aost#0:1/aac @ 0x5620ee9c97c0] [enc:aac @ 0x5620ee9c9f40] Error while opening encoder - maybe incorrect",
    "[af#0:1 @ 0x5620ee9ca640] Task finished with error code: -22 (Invalid argument)",
    "[out#0/mp4 @ 0x5620ee8fc640] Nothing was written into output file, because at least one of its streams",
]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["first", "  last  ", ""], "ffmpeg failed (last)"),
        (["[libx264 @ 0x55d0c8ab1c] odd thing at 0x7fdf54001bc0.", "Conversion failed!"],
         "ffmpeg failed (odd thing at)"),
        (POINTERS, "the format does not support its channel layout"),
        (["[Parsed_crop_0 @ 0x7fdf54001bc0] Invalid too big or non positive size for width \"2\"", *POINTERS[2:]],
         "its picture has a size that cannot be encoded"),
        (["[mpeg @ 0x55] Can not write packet with unknown timestamp", "Conversion failed!"],
         "its packets have no timestamps"),
        (["[matroska @ 0x55] No wav codec tag found for codec pcm_dvd", "Conversion failed!"],
         "the container cannot hold this format"),
        (["[aist#0:2/aac @ 0x55] Decode error rate 0.978799 exceeds maximum 0.666667", "Conversion failed!"],
         "the file is damaged there"),
        (["Decoding requested, but no decoder found for: none"], "there is no decoder for none"),
        (["Conversion failed!"], "ffmpeg failed (Conversion failed!)"),
        ([], "ffmpeg failed (code 1)"),
        (["", "   "], "ffmpeg failed (code 1)"),
    ],
)  # fmt: skip
def test_a_failure_is_told_in_words_without_pointers(lines: list[str], told: str) -> None:
    assert failing(*lines) == (told, ExportError)


def test_a_failure_without_words_tells_its_code_and_of_many_words_the_last_count() -> None:
    assert failing(code=7) == ("ffmpeg failed (code 7)", ExportError)
    assert failing("x: No space left on device", *["y" * 100] * 100)[0] == f"ffmpeg failed ({'y' * 100})"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a.mp4: No space left on device", "Conversion failed!"], "disk is full"),
        (["a.mp4: Permission denied"], "change its permissions"),
        (["a: Permission denied", "[x @ 0x55aa55] No space left on device", "d"], "disk is full"),
        (["c", "b: No such file or directory", "d"], "no longer there"),
        (["av_interleaved_write_frame(): Input/output error"], "drive"),
        (["av_interleaved_write_frame(): File too large"], "file of this size"),
        (["Error: Cannot allocate memory"], "memory"),
    ],
)
def test_a_cause_outside_the_file_is_told_apart_and_what_to_do(lines: list[str], words: str) -> None:
    told, kind = failing(*lines)
    assert kind is OutsideError
    assert words in told


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("kill -9 $$", "memory"),
        ("kill -2 $$", "SIGINT"),
        ("kill -15 $$", "SIGTERM"),
        ("kill -11 $$", "crashed"),
        ("exit 255", "code 255"),
        ("exit 143", "code 143"),
    ],
)
def test_an_ffmpeg_that_was_stopped_is_no_fact_about_the_file(how: str, words: str) -> None:
    with pytest.raises(OutsideError, match=words):
        run_ffmpeg(["/bin/sh", "-c", f"echo 'Invalid data found when processing input' >&2; {how}"])


def test_ffmpeg_has_a_session_of_its_own_that_ends_whole_with_the_caller() -> None:
    pids: list[int] = []

    def stop() -> None:
        if len(pids) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_ffmpeg(
            ["/bin/sh", "-c", "sleep 60 & echo $$; echo $!; wait"], lambda line: pids.append(int(line)), check=stop
        )
    assert pids[0] != os.getpgrp()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    deadline = time.monotonic() + 20
    while _running(pids[1]):  # whoever adopts it has to collect it
        assert time.monotonic() < deadline
        time.sleep(0.01)
    own = run_ffmpeg([sys.executable, "-c", "import os; print(os.getpid(), os.getpgrp(), os.getsid(0))"]).split()
    assert len(set(own)) == 1


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


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
    assert words[:4] == ["ffmpeg", "-v", "error", "-protocol_whitelist"]
    assert words[words.index("-i") + 1] == "file:-a:b%d.ts"
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
