"""`index --encoder A+B`: one run for each, on small true videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose
from app.cli import main
from app.encoder_choice import choice_of
from db.library import Library
from encoder import Encoder

ONE, TWO = ColourEncoder(name="one"), ColourEncoder(name="two", frames=2)


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def open_encoder(settings: compose.Settings, sources: Any = None) -> Encoder:
        return {"one": ONE, "two": TWO, "again": ONE}[settings.encoder or "one"]

    monkeypatch.setattr(compose, "open_encoder", open_encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "first.mp4", [("red", 25), ("blue", 25)])
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def held(root: Path) -> dict[str, int]:
    with Library.open(root / "library") as library:
        return {row.id: row.segments for row in library.encoders() if row.segments}


def test_each_encoder_indexes_the_same_shots_and_the_first_is_the_librarys_own(films: Path) -> None:
    result = run("index", "films", "--encoder", "one+two", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [(each["encoder"], each["clips"]) for each in document["encoders"]] == [("one", 2), ("two", 2)]
    assert held(films) == {ONE.id: 2, TWO.id: 2}
    with Library.open(films / "library") as library:
        assert library.segment_count() == 2
        own = choice_of(library)
        assert own is not None
        assert own.name == "one"
    found = json.loads(run("search", "blue", "--encoder", "one+two", "--json", "-k", "1").stdout)
    assert len(found["hits"][0]["opinions"]) == 2
    again = json.loads(run("index", "films", "--encoder", "one+two", "--json").stdout)
    assert [each["clips"] for each in again["encoders"]] == [0, 0]


def test_videos_of_an_older_library_are_encoded_again_only_after_a_yes(films: Path) -> None:
    assert run("index", "films", "--encoder", "one").exit_code == 0
    refused = run("index", "films", "--encoder", "one+two")
    assert refused.exit_code == 2
    assert "would be re-encoded" in refused.stderr
    assert held(films) == {ONE.id: 2}
    assert run("index", "films", "--encoder", "one+two", "--yes").exit_code == 0
    assert held(films) == {ONE.id: 2, TWO.id: 2}


def test_one_encoder_under_two_names_is_one_line(films: Path) -> None:
    result = run("index", "films", "--encoder", "one+again")
    assert result.exit_code == 2
    assert "the same encoder" in result.stderr
    assert not (films / "library").exists()
