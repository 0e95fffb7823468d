"""Terminal output: printable paths, aligned tables, a live line on a terminal and plain lines elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from app.shell.index_report import print_report, report_record
from app.shell.live_line import LiveLine
from app.shell.progress_line import detail_text, progress_text, shown_progress
from app.shell.terminal import (
    count_text,
    display_path,
    display_width,
    printable,
    shorten_middle,
    size_text,
    table,
)
from db.records import Failure
from indexer.progress import Progress
from indexer.report import IndexReport, Problem

ROOT = Path(__file__).resolve().parent.parent


def test_nothing_that_is_printed_can_drive_a_terminal() -> None:
    assert printable("a\x1b[2Jb\nc\td\x9b\u2028") == r"a\x1b[2Jb\nc\td\x9b\u2028"
    assert printable(os.fsdecode(b"caf\xe9.mp4")) == r"caf\xe9.mp4"
    assert printable("a\u202egpj.exe") == r"a\u202egpj.exe", "a character that shows what follows backwards"
    assert printable("naïve 日本 🎬.mp4") == "naïve 日本 🎬.mp4"
    for code in range(0x3000):
        assert unicodedata.category(printable(chr(code))[0]) not in ("Cc", "Cs")


def test_paths_are_relative_only_below_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "a"
    here.mkdir()
    monkeypatch.chdir(here)
    assert display_path(str(here / "b" / "c.mp4")) == os.path.join("b", "c.mp4")
    assert display_path(str(tmp_path / "ab" / "c.mp4")) == str(tmp_path / "ab" / "c.mp4")
    here.rmdir()
    assert display_path("/x/c.mp4") == "/x/c.mp4"


def test_wide_and_combining_characters_keep_columns_aligned() -> None:
    assert [display_width(text) for text in ("abc", "日本", "e\u0301", "🎬", "")] == [3, 4, 1, 2, 0]
    lines = table([("日本", "1"), ("abc", "22"), ("e\u0301", "3")], "<>")
    assert [display_width(line) for line in lines] == [8, 8, 8]
    assert table([], "<>") == []


def test_shortening_keeps_both_ends_and_fits() -> None:
    path = "holiday/日本/a very long name of a video.mp4"
    for columns in range(display_width(path) + 3):
        short = shorten_middle(path, columns)
        assert display_width(short) <= columns
        if columns >= 12:
            assert short.startswith("hol")
            assert short.endswith("4")
    assert shorten_middle(path, 100) == path


def test_numbers_read_well() -> None:
    assert [count_text(n, "shot") for n in (0, 1, 1234)] == ["0 shots", "1 shot", "1,234 shots"]
    assert [size_text(n) for n in (0, 812, 999, 1000, 4_520_000, 99_960_000, 2_320_000_000)] == [
        "0 B", "812 B", "999 B", "1.00 kB", "4.52 MB", "100 MB", "2.32 GB",
    ]  # fmt: skip


PROGRESS = Progress(
    phase="index", files_done=12, files_total=240, bytes_done=31, bytes_total=100, failures=2, speed=8.44,
    eta_seconds=151.0, elapsed_seconds=60.0, current=("/v/one.mp4", "/v/two.mp4"),
)  # fmt: skip


def test_progress_says_only_what_is_known() -> None:
    assert progress_text(PROGRESS) == "indexing   12/240 videos   31%  8.4x real time  2:31 left  2 failed"
    assert detail_text(PROGRESS) == "one.mp4, two.mp4"
    assert progress_text(Progress(phase="index", files_total=3)) == "indexing  0/3 videos    0%"
    assert progress_text(Progress(phase="scan", files_done=1200)) == "looking for videos  1,200 files"
    assert progress_text(Progress(phase="fingerprint", files_done=1, files_total=9)) == "comparing contents  1/9"


def test_without_a_terminal_lines_are_few_and_plain(capfd: pytest.CaptureFixture[str]) -> None:
    with LiveLine(every_seconds=3600) as line:
        every = [
            *(Progress(phase="scan", files_done=done) for done in range(50)),
            *(Progress(phase="index", files_done=done, files_total=50) for done in range(50)),
        ]
        for shown in filter(None, map(shown_progress, every)):
            line.show(shown)
        line.log("a line that stays")
    assert shown_progress(Progress(phase="done")) is None, "a run without work goes straight to its report"
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == ["looking for videos", "indexing   0/50 videos    0%", "a line that stays"]


def on_a_terminal(code: str, *, columns: int = 40) -> str:
    """What a program writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns), "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    chunks: list[bytes] = []

    def read() -> None:
        try:
            while chunk := os.read(ours, 4096):
                chunks.append(chunk)
        except OSError:  # how Linux says that the other end was closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    assert process.wait(timeout=60) == 0
    reader.join(timeout=60)
    os.close(ours)
    return b"".join(chunks).decode()


def test_on_a_terminal_one_line_is_rewritten_within_its_width_and_taken_away() -> None:
    written = on_a_terminal(
        "from app.shell.live_line import LiveLine, Shown\n"
        "long = 'a name that is much too long for this terminal.mp4'\n"
        "with LiveLine() as line:\n"
        "    for number in range(20):\n"
        "        line.show(Shown(stage='index', text=f'indexing {number}', detail=long))\n"
        "    line.log('kept')\n"
        "    line.show(Shown(stage='index', text='again'))\n"
        "print('done')\n"
    )
    assert written.count("\n") == 2, "only what stays ends a line"
    assert written.endswith("\r\x1b[Kdone\r\n")
    assert "\r\x1b[Kkept\r\n" in written
    for shown_line in re.findall(r"\r([^\r\n]*)\x1b\[K", written):
        assert display_width(shown_line) < 40


def test_the_report_is_one_clear_line_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure(path="/v/a\n.mp4", size_bytes=1, modified_ns=1, kind="broken", reason="No frame can be decoded.")
    report = IndexReport(
        added=2, moved=1, failed=(failure,), skipped_failed=(failure,), kept_missing=("/usb/x.mp4",),
        problems=(Problem(path="/v/closed", reason="The folder may not be read."),),
        seconds={"scan": 0.1, "fingerprint": 0.0, "decode": 4.0, "encode": 2.0, "store": 0.2, "wall": 5.0},
        video_seconds=100.0, clips=9, frames=2500,
    )  # fmt: skip
    print_report(report)
    assert capsys.readouterr().out.splitlines() == [
        "2 videos added, 1 moved, 1 missing but kept, 1 failed",
        "failed:",
        "  /v/a\\n.mp4  No frame can be decoded.",
        "1 file failed before and have not changed (why: prismsearch list --failed; try again: prismsearch retry)",
        "to check:",
        "  /v/closed  The folder may not be read.",
        "missing, but kept (drive or card not connected? prismsearch remove --missing FOLDER removes them):",
        "  /usb/x.mp4",
        "1:40 of video, 2,500 frames, 9 parts of shots in 5.0s, 20.0x real time",
        "of that: looking for videos 0.1s, decoding (all workers together) 4.0s, encoding 2.0s, storing 0.2s",
    ]
    print_report(replace(report, rows={"one@aa:8f:stretch": 9, "open_clip:Two/x@bb:8f:stretch:ends": 1200}))
    assert "9 parts of shots (one 9, Two 1,200) in 5.0s" in capsys.readouterr().out
    record = report_record(report)
    assert (record["added"], record["speed"], record["failed"][0]["kind"]) == (2, 20.0, "broken")


def test_a_report_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(IndexReport())
    assert capsys.readouterr().out == "no videos found\n"
    print_report(IndexReport(interrupted=True))
    assert capsys.readouterr().out == "nothing was finished\n"


def test_a_mistyped_command_is_answered_with_names_that_are_near() -> None:
    from click.testing import CliRunner

    from app.cli import main

    result = CliRunner().invoke(main, ["serch", "a dog"])
    assert result.exit_code == 2
    assert "No such command 'serch'" in result.stderr
    assert "'search'" in result.stderr
