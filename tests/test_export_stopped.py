"""Exports whose ffmpeg is stopped, or whose disk or file goes away: no clip is worse for it, and it is cut again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from numbered import constant, write

from app.exporting.exporter import ExportResult, export
from app.exporting.ffmpeg_binary import OutsideError, find_ffmpeg
from app.exporting.manifest import FILE_NAME
from app.exporting.request import ClipRequest, ExportMode, ExportRequest
from app.web.services.proxy_making import make_proxy

REPOSITORY = Path(__file__).parents[1]
KILLED = "kill -9 $$"
FULL = "echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 228"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file for each way of cutting, two seconds with sound."""
    folder = tmp_path_factory.mktemp("sources")
    keys = {"bf": "0", "x264-params": "keyint=10:min-keyint=10:scenecut=0"}
    plain = write(folder / "plain.mp4", *constant(50, Fraction(25)), options=keys, sound="aac")
    still = {"codec": "mjpeg", "pixels": "yuvj420p", "options": {"b": "3M"}, "sound": "pcm_s16le"}
    intra = write(folder / "intra.avi", *constant(50, Fraction(25)), **still)  # type: ignore[arg-type]
    return {"exact": plain, "smart": plain, "copy": plain, "intra": intra}


def failing_ffmpeg(folder: Path, how: str, when: str) -> Path:
    """A program that is ffmpeg, but does `how` where its arguments hold `when`. It logs the calls of both kinds."""
    program = folder / "failing-ffmpeg"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in\n*" {when} "*) echo failed >> "{folder}/calls"; {how};;\nesac\n'
        f'echo ran >> "{folder}/calls"\nexec "{find_ffmpeg()}" "$@"\n'
    )
    program.chmod(0o755)
    return program


def cut(source: Path, to: Path, mode: ExportMode, ffmpeg: Path | None = None) -> ExportResult:
    asked = ClipRequest(path=str(source), start_seconds=Fraction(1, 5), end_seconds=Fraction(1))
    return export(
        ExportRequest(requests=(asked,), folder=to, mode=mode), ffmpeg=None if ffmpeg is None else str(ffmpeg)
    )


def tracks(file: Path | None) -> int:
    with av.open(str(file)) as container:
        return len(container.streams.audio)


WAYS = [("exact", "exact", "aac"), ("smart", "smart", "aac"), ("intra", "smart", "pcm_s16le"), ("copy", "copy", "copy")]


@pytest.mark.parametrize("how", [KILLED, FULL], ids=["killed", "full disk"])
@pytest.mark.parametrize(("kind", "mode", "when"), WAYS, ids=[way[0] for way in WAYS])
def test_a_clip_is_not_made_silent_or_otherwise_but_cut_again(
    kind: str, mode: ExportMode, when: str, how: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    (clip,) = cut(sources[kind], tmp_path / "clips", mode, failing_ffmpeg(tmp_path, how, when)).clips
    assert (tmp_path / "calls").read_text().split().count("failed") == 1, "nothing else is tried"
    assert clip.file is None
    assert clip.error is not None
    assert ("memory" if how == KILLED else "disk is full") in clip.error
    left = {path.name for path in (tmp_path / "clips").iterdir()}
    assert left <= {FILE_NAME}, "no clip, no draft, no list of it"
    if left:
        assert json.loads((tmp_path / "clips" / FILE_NAME).read_text())["clips"] == {}
    (again,) = cut(sources[kind], tmp_path / "clips", mode).clips
    assert again.error is None
    assert tracks(again.file) == 1


def test_a_fault_of_the_sound_itself_still_leaves_only_the_sound_out(sources: dict[str, Path], tmp_path: Path) -> None:
    how = "echo '[aac @ 0x55aa55aa55] Invalid data found when processing input' >&2; exit 183"
    (clip,) = cut(sources["exact"], tmp_path / "clips", "exact", failing_ffmpeg(tmp_path, how, "aac")).clips
    assert clip.error is None
    assert tracks(clip.file) == 0
    assert clip.note is not None
    assert "damaged" in clip.note
    assert "0x55" not in clip.note


@pytest.mark.parametrize(("kind", "mode", "when"), WAYS, ids=[way[0] for way in WAYS])
def test_a_source_that_goes_away_is_said_and_nothing_is_left_out(
    kind: str, mode: ExportMode, when: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    source = tmp_path / sources[kind].name
    source.write_bytes(sources[kind].read_bytes())
    how = f'rm -f "{source}"; echo Invalid data found when processing input >&2; exit 183'
    (clip,) = cut(source, tmp_path / "clips", mode, failing_ffmpeg(tmp_path, how, when)).clips
    assert clip.file is None
    assert clip.error is not None
    assert "No such file" in clip.error
    assert source.name in clip.error


@pytest.mark.parametrize("how", [KILLED, FULL], ids=["killed", "full disk"])
def test_a_proxy_is_not_made_silent_either(how: str, sources: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(OutsideError):
        make_proxy(
            str(failing_ffmpeg(tmp_path, how, "aac")), str(sources["exact"]), Fraction(0), Fraction(1),
            tmp_path / "proxy.mp4", progress=lambda _: None, cancelled=lambda: False,
        )  # fmt: skip
    assert (tmp_path / "calls").read_text().split() == ["failed"]


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_of_the_whole_terminal_group_costs_no_clip_its_sound(
    times: int, sources: dict[str, Path], tmp_path: Path
) -> None:
    """Ctrl-C in a terminal reaches all its processes. ffmpeg is slowed down, so that it is hit while it cuts."""
    slow = tmp_path / "slow-ffmpeg"
    slow.write_text(f'#!/bin/sh\ntouch "{tmp_path}/cutting"\nsleep 0.7\nexec "{find_ffmpeg()}" "$@"\n')
    slow.chmod(0o755)
    to = tmp_path / "clips"
    words = ["export", f"{sources['exact']}@0.2-1", f"{sources['exact']}@0.4-1.2", "--to", str(to), "--mode", "exact"]
    command = [sys.executable, "-c", "from app.cli import main; main()", "--library", str(tmp_path / "none"), *words]
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        command,
        env=environment | {"PRISMSEARCH_FFMPEG": str(slow)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(tmp_path / "cutting", process)
    os.killpg(process.pid, signal.SIGINT)
    if times == 2:
        assert process.stderr is not None
        while "stopping" not in (line := process.stderr.readline()):
            assert line
        os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    written = sorted(to.glob("*.mp4"))
    assert len(written) == (1 if times == 1 else 0), "the clip is finished, or at the second Ctrl-C not written at all"
    assert not list(to.glob(".prismsearch-draft*")), "and no draft is left"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 2
    assert [tracks(file) for file in sorted(to.glob("*.mp4"))] == [1, 1]


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
