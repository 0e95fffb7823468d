"""`export` as the shell offers it; how clips are cut is tested with app.exporting.clip_writer."""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import av
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video
from tones import heard, tones

from app import compose
from app.cli import main
from search.engine import SearchEngine
from search.query import Hit, Query


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "two.mp4", [("red", 25), ("blue", 25)])
    make_video(folder / "me@home.mp4", [("green", 25)])
    return folder


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=input)


def clips(folder: str = "clips") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir() if path.suffix == ".mp4")


def frames(name: str) -> int:
    with av.open(str(Path("clips") / name)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.usefixtures("films")
def test_the_hits_of_a_search_become_clips_and_lists() -> None:
    assert run("index", "films").exit_code == 0
    result = run("export", "blue", "-k", "1", "--to", "clips")
    assert result.exit_code == 0, result.output
    (name,) = clips()
    assert name == "001_two_00h00m01.000s-00h00m02.000s.mp4"
    assert result.stdout == f"clips/{name}\n"
    assert frames(name) == 25
    with open("clips/clips.csv", newline="", encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    assert (row["clip"], row["source"]) == (name, os.path.abspath("films/two.mp4"))
    assert json.loads(Path("clips/clips.json").read_text())["clips"][0]["score"] > 0.9


@pytest.mark.usefixtures("films")
def test_weak_hits_that_are_left_out_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("index", "films").exit_code == 0
    search = SearchEngine.search

    def without_strong_ones(engine: SearchEngine, query: Query) -> list[Hit]:
        return search(engine, replace(query, least_level=None))[: 1 if query.least_level == "likely" else None]

    monkeypatch.setattr(SearchEngine, "search", without_strong_ones)
    result = run("export", "blue", "--to", "clips", "--lists-only", "--list", "csv")
    assert result.exit_code == 0, result.output
    assert "2 weak hits left out; --min-strength weak exports these, too" in result.stderr
    for enough in (["-k", "1"], ["--min-strength", "weak"], ["--min-strength", "likely"]):
        assert (
            "left out" not in run("export", "blue", *enough, "--to", "others", "--lists-only", "--list", "csv").stderr
        )


@pytest.mark.usefixtures("films")
def test_ranges_need_neither_library_nor_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "open_encoder", None)
    result = run("export", "films/two.mp4@0.2-0:00.6", "films/me@home.mp4@0-0.4s", "--to", "clips")
    assert result.exit_code == 0, result.output
    assert [frames(name) for name in clips()] == [10, 10]
    assert not Path("library").exists()


@pytest.mark.usefixtures("films")
def test_padding_and_copying() -> None:
    assert run("export", "films/two.mp4@0.4-0.6", "--to", "clips", "--pad", "0.2").exit_code == 0
    assert [frames(name) for name in clips()] == [15]
    copied = run("export", "films/two.mp4@0.4-0.6", "--to", "copied", "--mode", "copy")
    assert copied.exit_code == 0
    assert "earlier, at the key frame" in copied.stdout


def test_sound_tracks_are_chosen(tmp_path: Path) -> None:
    source = tones(tmp_path / "a.mkv", [300], [600], [900], seconds=1, more=("-c:a", "aac"))
    for audio, wanted in [("all", [[300], [600], [900]]), ("first", [[300]]), ("3,1", [[300], [900]]), ("none", [])]:
        to = tmp_path / audio
        assert run("export", f"{source}@0.2-0.8", "--to", str(to), "--audio", audio).exit_code == 0
        (clip,) = to.glob("*.mp4")
        assert heard(clip) == wanted
    refused = run("export", f"{source}@0.2-0.8", "--to", str(tmp_path / "no"), "--audio", "some")
    assert refused.exit_code == 2
    assert "all, first, none, or numbers" in refused.stderr


@pytest.mark.usefixtures("films")
def test_hits_travel_through_json() -> None:
    assert run("index", "films").exit_code == 0
    found = run("search", "red", "-k", "2", "--json").stdout
    first = run("export", "--from-json", "-", "--to", "clips", "--json", input=found)
    assert first.exit_code == 0, first.output
    document = json.loads(first.stdout)
    assert [Path(each["file"]).name for each in document["clips"]] == clips()
    assert len(clips()) == 2
    own = json.dumps([{"path": "films/two.mp4", "start_seconds": 0.5, "end_seconds": 0.7}])
    assert run("export", "--from-json", "-", "--to", "own", input=own).exit_code == 0
    assert clips("own") == ["001_two_00h00m00.520s-00h00m00.700s.mp4"]


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '[{"path": "films/two.mp4"}]', '{"hits": 3}', "not json",
     '[{"path": "films/two.mp4", "start_seconds": 2, "end_seconds": 1}]',
     '[{"path": "films/two.mp4", "start_seconds": "x", "end_seconds": 1}]',
     '[{"path": "films/two.mp4", "start": "1/0", "end": "2"}]',
     '[{"path": "films/two.mp4", "start_seconds": 0, "end_seconds": Infinity}]',
     '[{"path": 5, "start_seconds": 0, "end_seconds": 1}]'],
)  # fmt: skip
def test_json_that_is_not_hits_is_a_usage_error(text: str) -> None:
    result = run("export", "--from-json", "-", "--to", "clips", input=text)
    assert result.exit_code == 2, result.output
    assert "--from-json" in result.stderr
    assert not Path("clips").exists()


@pytest.mark.usefixtures("films")
def test_one_clip_that_fails_does_not_stop_the_others() -> None:
    result = run("export", "films/two.mp4@90-95", "films/two.mp4@0-1", "--to", "clips")
    assert result.exit_code == 1
    assert len(clips()) == 1
    assert "not written: " in result.stderr


@pytest.mark.usefixtures("films")
def test_nothing_is_overwritten() -> None:
    for _ in range(2):
        assert run("export", "films/two.mp4@0-1", "--to", "clips").exit_code == 0
    assert len(clips()) == 2
    assert {path.name for path in Path("clips").iterdir() if path.suffix in (".csv", ".json")} == {
        "clips.csv",
        "clips.json",
        "clips_2.csv",
        "clips_2.json",
    }


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--to", "clips"], 2),
        (["red"], 2),
        (["  ", "--to", "clips"], 2),
        (["films/two.mp4", "--to", "clips"], 2),
        (["films/two.mp4@1", "--to", "clips"], 2),
        (["films/two.mp4@0-1", "no@where.mp4@1-2", "--to", "clips"], 3),
        (["films/two.mp4@0-1", "--to", "films/two.mp4"], 2),
        (["films/two.mp4@0-1", "--to", "films/two.mp4/below"], 3),
        (["red", "--to", "clips"], 3),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(arguments: list[str], code: int) -> None:
    result = run("export", *arguments)
    assert result.exit_code == code, result.output
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.usefixtures("films")
def test_words_that_are_not_read_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("index", "films").exit_code == 0
    monkeypatch.setattr(ColourEncoder, "unread", lambda self, text: " ".join(re.findall("犬", text)))
    result = run("export", "red 犬", "--not", "blue 犬犬", "-k", "1", "--to", "clips")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("cannot read") == 2
    assert run("export", "犬", "--to", "others").exit_code == 2
    assert not Path("others").exists()


@pytest.mark.usefixtures("films")
def test_no_hits_are_exit_code_1() -> None:
    assert run("index", "films").exit_code == 0
    result = run("export", "red", "--threshold", "1", "--to", "clips")
    assert result.exit_code == 1
    assert not Path("clips").exists()
