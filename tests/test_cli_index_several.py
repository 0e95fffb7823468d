"""`index --encoder A+B`: one pass over each video for both, on small true videos."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from numpy.typing import NDArray
from synthetic import make_video

from app import compose
from app.cli import main
from app.encoder_choice import choice_of
from app.jobs.jobs import Jobs
from db.library import Library
from encoder import Encoder
from indexer.decoding import Decoders
from indexer.media.errors import Cancelled
from indexer.plan import VideoTask

ONE, TWO = ColourEncoder(name="one", frames=8), ColourEncoder(name="two", frames=6, size=8)


class Failing(ColourEncoder):
    """Cannot encode anything."""

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise ZeroDivisionError("no luck")


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    failing = Failing(name="failing")

    def open_encoder(settings: compose.Settings, sources: Any = None) -> Encoder:
        return {"one": ONE, "two": TWO, "again": ONE, "failing": failing}[settings.encoder or "one"]

    monkeypatch.setattr(compose, "open_encoder", open_encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "first.mp4", [("red", 25), ("blue", 25)])
    return tmp_path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the videos that were decoded, once for each time."""
    names: list[str] = []
    real = Decoders._decode

    def counting(self: Decoders, task: VideoTask) -> Any:
        names.append(os.path.basename(task.file.path))
        return real(self, task)

    monkeypatch.setattr(Decoders, "_decode", counting)
    return names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def record(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def held(root: Path) -> dict[str, int]:
    with Library.open(root / "library") as library:
        return {row.id: row.segments for row in library.encoders() if row.segments}


def test_one_decoding_is_for_both_and_the_first_is_the_librarys_own(films: Path, decoded: list[str]) -> None:
    report = record("index", "films", "--encoder", "one+two")
    assert (report["added"], report["clips"], report["rows"]) == (1, 2, {ONE.id: 2, TWO.id: 2})
    assert decoded == ["first.mp4"]
    assert held(films) == {ONE.id: 2, TWO.id: 2}
    with Library.open(films / "library") as library:
        assert library.segment_count() == 2
        own = choice_of(library)
        assert own is not None
        assert own.name == "one"
        assert {choice.name for choice in library.encoder_choices()} == {"one", "two"}
        [job] = Jobs(library.directory).all()
        assert job.order is not None
        assert job.order["encoder"] == "one+two"
    found = record("search", "blue", "--encoder", "one+two", "-k", "1")
    assert len(found["hits"][0]["opinions"]) == 2
    make_video(films / "films" / "second.mp4", [("green", 25)])
    told = run("index", "films", "--encoder", "one+two")
    assert told.stdout.splitlines()[0] == "1 video added, 1 unchanged"
    assert "1 part of shots (one-t8-s16 1, two-t6-s8 1)" in told.stdout
    assert decoded == ["first.mp4", "second.mp4"]


def test_videos_of_an_older_library_get_the_other_encoder_only_after_a_yes(films: Path) -> None:
    assert run("index", "films", "--encoder", "one").exit_code == 0
    planned = run("index", "films", "--encoder", "one+two", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "not yet encoded by two" in planned.stdout
    refused = run("index", "films", "--encoder", "one+two")
    assert refused.exit_code == 2
    assert "1 video (2.0s) that did not change would be re-encoded (not yet encoded by two)" in refused.stderr
    assert held(films) == {ONE.id: 2}
    report = record("index", "films", "--encoder", "one+two", "--yes")
    assert (report["updated"], report["rows"]) == (1, {TWO.id: 2})
    assert held(films) == {ONE.id: 2, TWO.id: 2}
    assert record("index", "films", "--encoder", "one+two")["rows"] == {}
    assert run("index", "films", "--encoder", "two+one", "--dry-run").stdout == "unchanged  1\n"


def test_quick_passes_of_both_and_the_full_ones(films: Path, decoded: list[str]) -> None:
    report = record("index", "films", "--encoder", "one+two", "--quick")
    assert (report["added"], report["quick"]) == (1, 1)
    assert set(report["rows"]) == {f"{ONE.id}:quick4f", f"{TWO.id}:quick4f"}
    report = record("index", "films", "--encoder", "one+two")
    assert (report["deepened"], report["quick"]) == (1, 0)
    assert held(films) == {ONE.id: 2, TWO.id: 2}
    assert decoded == ["first.mp4"] * 2


def test_what_one_of_them_cannot_encode_is_said_and_the_rest_is_stored(films: Path) -> None:
    result = run("index", "films", "--encoder", "one+failing")
    assert result.exit_code == 1
    assert "The encoder failing-t4-s16 failed on it: ZeroDivisionError: no luck; what the other made" in result.stdout
    assert held(films) == {ONE.id: 2}
    assert record("search", "blue", "-k", "1", "--encoder", "one")["hits"]


def test_a_stopped_run_says_so_and_the_next_one_completes_both(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as stopped:
        stopped.setattr("indexer.encoding.Encoding._step", lambda self, decoders: (_ for _ in ()).throw(Cancelled))
        result = run("index", "films", "--encoder", "one+two")
    assert result.exit_code == 130
    assert "nothing was finished" in result.stdout
    assert held(films) == {}
    assert record("index", "films", "--encoder", "one+two")["rows"] == {ONE.id: 2, TWO.id: 2}


def test_one_encoder_under_two_names_is_one_line(films: Path) -> None:
    result = run("index", "films", "--encoder", "one+again")
    assert result.exit_code == 2
    assert "the same encoder" in result.stderr
    assert not (films / "library").exists()
