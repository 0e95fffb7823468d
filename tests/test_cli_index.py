"""`index`, `retry` and what follows from them, on small true videos."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two videos and one broken file; the library beside it; an encoder that sees colours."""
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "first.mp4", [("red", 25), ("blue", 25)])
    make_video(folder / "second.mp4", [("green", 25)])
    (folder / "broken.mp4").write_bytes(b"no video at all" * 100)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def indexed(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = run("index", *arguments, "--json")
    assert result.exit_code == code, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_a_folder_becomes_searchable_and_the_broken_file_is_one_line(films: Path) -> None:
    result = run("index", "films")
    assert result.exit_code == 1, "a file failed"
    lines = result.stdout.splitlines()
    assert lines[0] == "2 videos added, 1 failed"
    assert lines[1] == "failed:"
    assert lines[2].startswith("  films/broken.mp4  ")
    assert "3 parts of shots" in lines[3]
    assert "\x1b" not in result.output
    assert "\r" not in result.output
    assert "indexing  0/3 videos" in result.stderr

    found = run("search", "blue", "-k", "1")
    assert found.exit_code == 0
    assert found.stdout.split()[2:] == ["00:00:01.000-00:00:02.000", "films/first.mp4"]


def test_what_was_not_looked_at_is_one_line(films: Path) -> None:
    for name in ("a.txt", "b.txt", "c.jpg", "notes", ".d.mp4"):
        (films / name).write_text("something")
    lines = run("index", "films").stdout.splitlines()
    assert "skipped: 1 hidden file, 4 other files (txt 2, jpg 1, no extension 1)" in lines or (
        "skipped: 1 hidden file, 4 other files (txt 2, no extension 1, jpg 1)" in lines
    )
    (films / ".d.mp4").unlink()
    for number in range(6):
        (films / f"x.e{number}").write_text("something")
    assert any(line.endswith(", ...)") for line in run("index", "films").stdout.splitlines())


def test_json_is_the_only_thing_on_standard_output(films: Path) -> None:
    report = indexed("films", code=1)
    assert (report["added"], report["clips"], report["frames"]) == (2, 3, 75)
    assert [os.path.basename(each["path"]) for each in report["failed"]] == ["broken.mp4"]
    assert report["failed"][0]["reason"]
    assert report["seconds"]["wall"] > 0


def test_a_second_run_skips_and_what_failed_is_not_failing_again(films: Path) -> None:
    indexed("films", code=1)
    report = indexed("films")
    assert (report["added"], report["unchanged"], len(report["failed"]), len(report["skipped_failed"])) == (0, 2, 0, 1)
    assert "1 file failed before" in run("index", "films").stdout
    assert len(indexed("films", "--retry-failed", code=1)["failed"]) == 1
    assert indexed("films", "--redo", code=1)["updated"] == 2


def test_moved_and_removed_are_reported(films: Path) -> None:
    indexed("films", code=1)
    (films / "first.mp4").rename(films / "renamed.mp4")
    (films / "second.mp4").unlink()
    report = indexed("films")
    assert (report["moved"], report["removed"], report["clips"]) == (1, 1, 0)
    assert run("search", "blue", "-k", "1").stdout.endswith("films/renamed.mp4\n")


def test_retry_takes_failed_files_that_were_put_right(films: Path) -> None:
    indexed("films", code=1)
    assert run("retry").exit_code == 1
    make_video(films / "broken.mp4", [("yellow", 20)])
    result = run("retry")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("1 video added")
    assert "no failed files" in run("retry").stderr
    assert len(json.loads(run("list", "--json").stdout)) == 3, "what else was indexed stays"


def test_retry_forgets_failed_files_that_are_gone(films: Path) -> None:
    indexed("films", code=1)
    (films / "broken.mp4").unlink()
    assert run("retry").exit_code == 0
    assert run("list", "--failed", "--paths").stdout == ""


def test_settings_reach_the_indexer(films: Path) -> None:
    indexed("films", "--segment-seconds", "0.5s", "--overlap-seconds", "0", code=1)
    record = json.loads(run("info", "films/second.mp4", "--json").stdout)
    assert len(record["segments"]) == 2
    assert [each["shot"] for each in record["segments"]] == [0, 0]
    assert indexed("films", "--detector", "content", "-o", "threshold=250", "--yes")["updated"] == 2
    assert json.loads(run("info", "films/first.mp4", "--json").stdout)["shots"][0]["end_seconds"] == 2.0
    assert indexed("films", "--exclude", "second*", "--exclude", "broken*", "--redo")["updated"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["films", "--detector", "magic"], "magic"),
        (["films", "-o", "threshold=5"], "adaptive_threshold"),
        (["films", "-o", "adaptive_threshold=high"], "3.0"),
        (["films", "-o", "luma_only=perhaps"], "false"),
        (["films", "-o", "weights=1,2"], "1,1,1,0"),
        (["films", "--segment-seconds", "0"], "0.1"),
        (["films", "--overlap-seconds", "7s"], "half of segment-seconds"),
        (["films", "--workers", "0"], "workers"),
        (["films", "--frames", "none"], "frames"),
        ([], "FOLDER"),
    ],
)
def test_usage_errors_say_what_could_be_written(films: Path, arguments: list[str], said: str) -> None:
    result = run("index", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not Path("library").exists()


def test_a_folder_that_is_not_there_is_said_before_anything_is_loaded(films: Path) -> None:
    result = run("index", "films", "nowhere")
    assert result.exit_code == 3
    assert "nowhere" in result.stderr
    assert not Path("library").exists()


def test_a_file_outside_the_library_is_an_example(films: Path) -> None:
    indexed("films", code=1)
    outside = make_video(films.parent / "like.mp4", [("green", 30), ("blue", 30)])
    assert run("similar", f"{outside}@1.2-2.4", "-k", "1").stdout.endswith("films/first.mp4\n")
    assert run("similar", f"{outside}@0:00", "-k", "3", "--json").exit_code == 0
    assert run("similar", f"{outside}@0-1", "-k", "1").stdout.endswith("films/second.mp4\n")
    late = run("similar", f"{outside}@90-95")
    assert late.exit_code == 2
    assert late.stderr.count("\n") == 1


def test_a_range_that_is_no_segment_is_read_from_the_file_and_left_out(films: Path) -> None:
    indexed("films", code=1)
    found = json.loads(run("similar", "films/first.mp4@0.2-0.6", "--json").stdout)["hits"]
    assert {(os.path.basename(each["path"]), each["start_seconds"]) for each in found} == {
        ("second.mp4", 0.0),
        ("first.mp4", 1.0),
    }


def test_a_picture_is_an_example(films: Path) -> None:
    from PIL import Image

    indexed("films", code=1)
    Image.new("RGB", (40, 30), (20, 30, 220)).save("blue.png")
    result = run("similar", "--image", "blue.png", "-k", "1")
    assert result.stdout.split()[2:] == ["00:00:01.000-00:00:02.000", "films/first.mp4"]


SLOW_RUN = """
import sys, time
from app import compose
from fakes import ColourEncoder

class Slow(ColourEncoder):
    def encode_clips(self, clips):
        time.sleep(0.05)
        return super().encode_clips(clips)

compose.open_encoder = lambda settings, sources=None: Slow()
from app.cli import main
main(prog_name="prismsearch")
"""


def test_ctrl_c_keeps_what_was_finished_and_the_next_run_goes_on(films: Path) -> None:
    for number in range(40):
        make_video(films / f"more {number:02}.mp4", [("purple", 3 + number)], size=(32, 24))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            SLOW_RUN,
            "index",
            "films",
            "--json",
            "--batch-size",
            "1",
            "--workers",
            "1",
            "--detector",
            "blend",
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    database = Path("library/library.sqlite3")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (database.exists() and _videos() >= 3):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["interrupted"]
    assert "what was finished is kept" in err
    assert "Traceback" not in err
    finished = _videos()
    assert 3 <= report["added"] == finished < 42
    again = indexed("films", code=0 if report["failed"] else 1)
    assert again["unchanged"] == finished
    assert again["added"] == 42 - finished


def _videos() -> int:
    result = run("list", "--json")
    return sum(each["status"] == "ok" for each in json.loads(result.stdout)) if result.exit_code == 0 else 0
