"""`search --moments` and `export --moments` on a small library of shots with more than one colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video
from test_cli_bench_classify import HereWorkers

from app import compose
from app.cli import main
from db.library import Library
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setattr("app.media_workers.MediaWorkers", HereWorkers)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "three.mp4", [("red", 30), ("blue", 25), ("green", 40)])
    make_video(folder / "plain.mp4", [("yellow", 50)])
    with Library.open(tmp_path / "library") as library:
        one_shot = IndexSettings(detector="content", detector_options={"threshold": 1000.0})
        assert index_folders(library, encoder, [folder], one_shot).added == 2
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def hits(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["hits"]
    return found


@pytest.mark.usefixtures("films")
def test_json_has_the_moment_of_each_hit() -> None:
    first, second = hits("search", "blue", "--moments")
    moment = first["moment"]
    assert Path(first["path"]).name == "three.mp4"
    assert (first["start_seconds"], first["end_seconds"]) == (0, 3.8)
    assert (moment["start_seconds"], moment["end_seconds"]) == pytest.approx((1.2, 2.2), abs=0.2)
    assert moment["start_ms"] == round(moment["start_seconds"] * 1000)
    assert (moment["is_whole"], moment["may_run_backwards"], moment["backwards"]) == (False, False, None)
    assert len(moment["curve"]) > 8
    assert second["moment"]["is_whole"]
    assert "moment" not in hits("search", "blue")[0]


@pytest.mark.usefixtures("films")
def test_the_table_has_a_column_and_a_note_says_how_long_it_took() -> None:
    result = run("search", "blue", "--moments", "-k", "1")
    (line,) = result.stdout.splitlines()
    assert "00:00:00.000-00:00:03.800" in line
    assert "00:00:01." in line.split("three.mp4")[0].split("03.800")[1]
    assert "1 moment in" in result.stderr
    whole = run("search", "yellow", "--moments", "-k", "1").stdout
    assert "(all of it)" in whole


@pytest.mark.usefixtures("films")
def test_only_the_hits_that_are_shown_are_looked_through(tmp_path: Path) -> None:
    run("search", "blue", "--moments", "-k", "1")
    assert len(list((tmp_path / "library" / "moments").iterdir())) == 1


@pytest.mark.usefixtures("films")
def test_a_link_has_moments_too() -> None:
    (first,) = hits("search", "--link", "?q=blue&k=1", "--moments")
    assert first["moment"]["start_seconds"] == pytest.approx(1.2, abs=0.2)


@pytest.mark.usefixtures("films")
def test_a_clip_is_cut_to_the_moment() -> None:
    moment = hits("search", "blue", "--moments", "-k", "1")[0]["moment"]
    result = run("export", "blue", "-k", "1", "--moments", "--to", "clips", "--min-strength", "weak")
    assert result.exit_code == 0, result.output
    (clip,) = Path("clips").glob("*.mp4")
    with av.open(str(clip)) as container:
        count = sum(1 for _ in container.decode(video=0))
    assert count == round((moment["end_seconds"] - moment["start_seconds"]) * 25)
    listed = json.loads((Path("clips") / "clips.json").read_text())["clips"][0]
    assert (listed["start_seconds"], listed["end_seconds"]) == (moment["start_seconds"], moment["end_seconds"])
    result = run("export", "--link", "?q=blue&k=1", "--moments", "--to", "linked", "--min-strength", "weak")
    assert [path.name for path in Path("linked").glob("*.mp4")] == [clip.name], result.output


def test_a_hit_without_its_file_has_no_moment(films: Path) -> None:
    (films / "three.mp4").unlink()
    result = run("search", "blue", "--moments", "-k", "1", "--json")
    assert json.loads(result.stdout)["hits"][0]["moment"] is None
    assert "no moment of hit 1" in result.stderr
    assert "0 moments in" in result.stderr
    assert " -  " in run("search", "blue", "--moments", "-k", "1").stdout


@pytest.mark.usefixtures("films")
@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "red", "--then", "blue", "--moments"),
        ("search", "--said", "word", "--moments"),
        ("search", "--link", "?q=red&then=blue", "--moments"),
        ("export", "red", "--then", "blue", "--moments", "--to", "clips"),
        ("export", "films/three.mp4@0-1", "--moments", "--to", "clips"),
        ("export", "--collection", "Tray", "--moments", "--to", "clips"),
        ("export", "--link", "?q=red&then=blue", "--moments", "--to", "clips"),
    ],
)
def test_where_there_are_no_moments_the_option_is_refused(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert "--moments" in result.stderr


def test_of_several_encoders_the_first_one_finds_moments(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"one": ColourEncoder(), "two": ColourEncoder(name="two", frames=2)}
    with Library.open(films.parent / "library") as library:
        one_shot = IndexSettings(detector="content", detector_options={"threshold": 1000.0})
        assert not index_folders(library, known["two"], [films], one_shot).failed
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: known[settings.encoder])

    def moments(encoder: str) -> dict[int, tuple[float, float]]:
        found = hits("search", "blue", "--moments", "--encoder", encoder)
        return {hit["segment_id"]: (hit["moment"]["start_seconds"], hit["moment"]["end_seconds"]) for hit in found}

    assert moments("one+two") == moments("one")
