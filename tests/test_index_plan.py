"""Work that nobody asked for: an index run says what it would do and why, and waits for a yes."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app import compose, cut_settings
from app.cli import main
from app.commands import index_review
from app.encoding_again import stored_description
from app.jobs.jobs import Jobs
from db.library import FILE_NAME, Library
from encoder import ClipSpec
from indexer import settings as indexer_settings


def colours(settings: compose.Settings, sources: object = None) -> ColourEncoder:
    frames, fit = settings.frames or 2, settings.fit or "stretch"
    encoder = ColourEncoder(name=fit)
    encoder._spec = ClipSpec(frames, 16, fit)
    return encoder


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compose, "open_encoder", colours)
    monkeypatch.setattr(cut_settings, "default_detector", lambda: "content")
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.delenv("PRISMSEARCH_ENCODER", raising=False)
    folder = tmp_path / "films"
    folder.mkdir()
    make_video(folder / "one.mp4", [("red", 25), ("blue", 25)])
    make_video(folder / "two.mp4", [("green", 25)])
    return folder


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=typed)


def index(*arguments: str, code: int = 0, typed: str | None = None) -> tuple[dict[str, int], str]:
    result = run("index", *arguments, "--json", typed=typed)
    assert result.exit_code == code, result.output
    report = json.loads(result.stdout) if result.stdout else {}
    names = ("added", "updated", "unchanged", "left")
    return {name: report[name] for name in names if report.get(name)}, result.stderr


def plan(*arguments: str) -> dict[str, Any]:
    result = run("index", *arguments, "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def stored_segment_seconds(folder: Path) -> float:
    with Library.open(folder.parent / "library") as library:
        return cut_settings.cut_settings_of(library).segment_seconds


def test_options_of_a_library_are_used_when_none_is_given(films: Path) -> None:
    index(str(films), "--segment-seconds", "0.5", "--overlap-seconds", "0", "--frames", "3")
    assert index(str(films)) == ({"unchanged": 2}, "looking for videos\n")
    make_video(films / "three.mp4", [("white", 25)])
    assert index(str(films))[0] == {"added": 1, "unchanged": 2}
    segments = json.loads(run("info", str(films / "three.mp4"), "--json").stdout)["segments"]
    assert len(segments) == 2, "at 0.5 s"


def test_an_option_that_would_encode_everything_again_waits_for_a_yes(films: Path) -> None:
    index(str(films), "--segment-seconds", "4")
    make_video(films / "three.mp4", [("white", 25)])
    done, said = index(str(films), "--segment-seconds", "2", code=2)
    assert done == {}
    assert "2 videos (3.0s) that did not change would be re-encoded (segment seconds 4 -> 2)" in said
    assert "at the speed of the last run" in said
    assert "--yes" in said
    assert stored_segment_seconds(films) == 4, "nothing was changed, no setting either"
    assert index(str(films), "--segment-seconds", "2", "--yes")[0] == {"added": 1, "updated": 2}
    assert stored_segment_seconds(films) == 2


def test_another_version_of_the_program_leaves_videos_as_they_are_until_a_yes(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(str(films))
    monkeypatch.setattr(indexer_settings, "PASS_VERSION", 99)
    make_video(films / "three.mp4", [("white", 25)])
    done, said = index(str(films))
    assert done == {"added": 1, "left": 2}
    assert "this version of prismsearch cuts differently" in said
    assert "They stay as they are" in said
    assert index(str(films), "--yes")[0] == {"updated": 2, "unchanged": 1}
    assert index(str(films)) == ({"unchanged": 3}, "looking for videos\n")


@pytest.mark.parametrize(("typed", "done"), [("y\n", {"updated": 2}), ("n\n", {"left": 2})])
def test_on_a_terminal_it_is_a_question(
    films: Path, monkeypatch: pytest.MonkeyPatch, typed: str, done: dict[str, int]
) -> None:
    index(str(films))
    monkeypatch.setattr(index_review, "has_terminal", lambda: True)
    monkeypatch.setattr(indexer_settings, "PASS_VERSION", 99)
    assert index(str(films), typed=typed)[0] == done


def test_a_no_to_an_option_changes_nothing(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(str(films), "--segment-seconds", "4")
    monkeypatch.setattr(index_review, "has_terminal", lambda: True)
    make_video(films / "three.mp4", [("white", 25)])
    done, said = index(str(films), "--segment-seconds", "2", code=1, typed="n\n")
    assert (done, "nothing was changed" in said) == ({}, True)
    assert stored_segment_seconds(films) == 4
    assert [state.outcome for state in Jobs(films.parent / "library").all()] == ["stopped", "done"]


def test_a_card_in_place_of_another_is_asked_about(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(str(films))
    monkeypatch.setattr(index_review, "has_terminal", lambda: True)
    for name in ("one.mp4", "two.mp4"):
        (films / name).unlink()
    make_video(films / "other.mp4", [("white", 25)])
    result = run("index", str(films), "--json", typed="n\n")
    assert "2 videos of" in result.stderr
    assert (json.loads(result.stdout)["removed"], len(json.loads(result.stdout)["kept_missing"])) == (0, 2)
    assert json.loads(run("index", str(films), "--json", typed="y\n").stdout)["removed"] == 2


def test_other_frames_for_another_folder_are_a_reason_that_is_named(films: Path, tmp_path: Path) -> None:
    index(str(films))
    (tmp_path / "more").mkdir()
    make_video(tmp_path / "more" / "three.mp4", [("white", 25)])
    index(str(tmp_path / "more"), "--frames", "4")
    assert {each["why"] for each in plan(str(films), "--frames", "2")["again"]} == set(), "it has these rows"
    reasons = {each["why"] for each in plan(str(films))["again"]}
    assert reasons == {"an encoder or frames other than the library's own"}
    reasons = {each["why"] for each in plan(str(films), "--fit", "crop")["again"]}
    assert reasons == {"fit stretch -> crop"}


def test_a_dry_run_says_everything_and_changes_nothing(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (films / "empty.mp4").write_bytes(b"")
    for number in range(3):
        make_video(films / f"gone{number}.mp4", [("black", 10 + number)])
    index(str(films), code=1)
    database = films.parent / "library" / FILE_NAME
    (films / "gone0.mp4").unlink()
    (films / "gone1.mp4").rename(films / "moved.mp4")
    os.utime(films / "gone2.mp4", (1, 1))
    make_video(films / "one.mp4", [("white", 50)])
    make_video(films / "new.mp4", [("white", 25), ("red", 25)])

    def content() -> list[str]:
        with sqlite3.connect(database) as connection:
            return list(connection.iterdump())

    before, journals = content(), len(Jobs(films.parent / "library").all())
    monkeypatch.setattr(compose, "open_encoder", lambda *_: pytest.fail("no model is loaded"))
    found = plan(str(films), "--segment-seconds", "0.4", "--overlap-seconds", "0")
    assert [os.path.basename(path) for path in found["new"]] == ["new.mp4"]
    assert [os.path.basename(path) for path in found["changed"]] == ["one.mp4"]
    assert {os.path.basename(each["path"]): each["why"] for each in found["again"]}.keys() == {
        "gone2.mp4",
        "moved.mp4",
        "two.mp4",
    }
    assert {each["why"] for each in found["again"]} == {"segment seconds 8 -> 0.4, overlap seconds 0.5 -> 0"}
    assert [os.path.basename(each["to"]) for each in found["moved"]] == ["moved.mp4"]
    assert [os.path.basename(path) for path in found["gone"]] == ["gone0.mp4"]
    assert found["seconds"] >= found["again_seconds"] > 0  # both are rounded
    text = run("index", str(films), "--dry-run").stdout
    assert [line.split()[0] for line in text.splitlines()] == [
        "new",
        "changed",
        "moved",
        "only",
        "unchanged",
        "gone",
        "time",
    ]
    assert (content(), len(Jobs(films.parent / "library").all())) == (before, journals)


def test_a_dry_run_without_a_library_makes_none(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "open_encoder", lambda *_: pytest.fail("no model is loaded"))
    found = plan(str(films))
    assert (len(found["new"]), found["seconds"]) == (2, None)
    assert not (films.parent / "library").exists()


def test_an_encoder_is_known_without_being_loaded(films: Path) -> None:
    index(str(films), "--frames", "3", "--fit", "pad")
    with Library.open(films.parent / "library") as library:
        choice = library.encoder_choices()[0]
        known = stored_description(library, choice)
        assert (known.id, known.frames, known.size, known.fit) == ("pad-t3-s16", 3, 16, "pad")
        assert stored_description(library, None).id == ""


def test_a_search_says_what_it_could_not_look_at(films: Path, tmp_path: Path) -> None:
    index(str(films))
    (tmp_path / "more").mkdir()
    make_video(tmp_path / "more" / "three.mp4", [("white", 25)])
    (tmp_path / "more" / "broken.mp4").write_text("no video")
    assert "searched" not in run("search", "red").stderr
    index(str(tmp_path / "more"), "--frames", "4", code=1)
    result = run("search", "red", "--json")
    assert json.loads(result.stdout)["looked_at"] == {"segments": 1, "of": 4, "failures": 1, "vanished": 0}
    assert "searched 1 of 4 parts of shots" in result.stderr
    assert "prismsearch index FOLDER" in result.stderr
    assert "1 file could not be indexed" in run("similar", str(films / "one.mp4")).stderr
    assert index(str(films), "--yes", code=0)[0] == {"updated": 2}
    assert "searched" not in run("search", "red").stderr


def test_how_long_vanished_rows_are_kept_belongs_to_the_library(films: Path) -> None:
    index(str(films), "--keep-vanished", "0")
    (films / "two.mp4").unlink()
    index(str(films))
    with Library.open(films.parent / "library") as library:
        assert (library.keep_vanished_days(), library.vanished_videos()) == (0, [])
