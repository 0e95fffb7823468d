"""`classify` as a person and a script use it: files of a folder, and the shots of a small library of colours."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from synthetic import make_video

from app.cli import main
from app.commands import classify_run, classify_shots
from app.media_workers import read_here
from db.library import Library


class HereWorkers:
    """Media workers that read in this process."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return read_here(*arguments, **keywords)

    def close(self) -> None:
        pass


@pytest.fixture
def encoder() -> ColourEncoder:
    return ColourEncoder()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: ColourEncoder) -> Path:
    for module in (classify_run, classify_shots):
        monkeypatch.setattr(module, "open_or_download_encoder", lambda *_, **__: encoder)
    monkeypatch.setattr("app.media_workers.MediaWorkers", HereWorkers)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, encoder)))
    monkeypatch.chdir(tmp_path)
    Path("clips").mkdir()
    for name in ("red", "green", "blue"):
        make_video(tmp_path / "clips" / f"{name}.mp4", [(name, 6)])
    Path("classes.txt").write_text("# colours\nred\ngreen\nblue\n")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["classify", *arguments, "--work", "work"])


def found(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--labels", "classes.txt", "--json")
    assert result.exit_code in (0, 1), result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def by_name(document: dict[str, Any]) -> dict[tuple[str, float | None], str | None]:
    return {(os.path.basename(each["path"]), each["start_seconds"]): each["class"] for each in document["results"]}


@pytest.mark.usefixtures("root")
def test_each_video_gets_its_class_and_nothing_is_read_twice(encoder: ColourEncoder) -> None:
    document = found("clips")
    assert by_name(document) == {(f"{name}.mp4", None): name for name in ("red", "green", "blue")}
    assert [each["count"] for each in document["classes"]] == [1, 1, 1]
    best = document["results"][0]["best"]
    assert len(best) == 3
    assert best[0]["cosine"] > best[1]["cosine"]
    assert sum(each["share"] for each in best) == pytest.approx(1, abs=1e-5)
    assert document["machine"]["cores"] >= 1
    encoder.batches.clear()
    assert by_name(found("clips")) == by_name(document)
    assert encoder.batches == [], "rows are kept"


@pytest.mark.usefixtures("root")
def test_a_person_reads_a_table_with_the_best_classes_of_each_video() -> None:
    lines = run("clips", "--labels", "classes.txt", "--top", "2").stdout.splitlines()
    assert lines[0].split() == ["video", "class", "cosine", "share", "level"]
    assert [line.split()[:2] for line in lines[1::2]] == [
        [f"clips/{name}.mp4", name] for name in ("blue", "green", "red")
    ]
    assert all("%" in line for line in lines[1:])


@pytest.mark.usefixtures("root")
def test_a_file_that_cannot_be_read_is_one_line_and_the_rest_is_classified() -> None:
    Path("clips/broken.mp4").write_bytes(b"no video at all")
    result = run("clips", "--labels", "classes.txt", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert len(document["results"]) == 3
    assert [os.path.basename(each["path"]) for each in document["failed"]] == ["broken.mp4"]
    assert sum("broken.mp4" in line for line in result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("root")
def test_the_shots_of_the_library_are_classified_without_a_file(encoder: ColourEncoder) -> None:
    encoder.batches.clear()
    document = found()
    assert encoder.batches == []
    classes = by_name(document)
    assert classes["red.mp4", 0.0] == "red"
    assert classes["red.mp4", 2.0] == "blue"
    assert classes["green.mp4", 0.0] == "green"
    assert classes["red@home.mp4", 0.0] == "red"
    assert document["classified"] == 5
    text = run("--labels", "classes.txt", "--shots", "1").stdout
    assert "green: 1 shot\n" in text
    assert "00:00:00.000-00:00:03.000  films/green.mp4" in text


@pytest.mark.usefixtures("root")
def test_shots_of_some_videos_only() -> None:
    assert {name for name, _ in by_name(found("films", "--by-shot"))} == {"red.mp4", "green.mp4", "gone.mp4"}
    assert set(by_name(found("films/green.mp4", "--by-shot"))) == {("green.mp4", 0.0)}
    result = run("clips", "--by-shot", "--labels", "classes.txt")
    assert (result.exit_code, "index" in result.stderr) == (3, True)
    assert run("--by-shot", "--labels", "classes.txt").exit_code == 2


@pytest.mark.usefixtures("root")
def test_classes_for_scripts_and_none_of_these() -> None:
    result = run("clips", "--labels", "classes.txt", "--only", "green", "--null")
    assert result.stdout == f"{os.path.abspath('clips/green.mp4')}\0"
    Path("none.txt").write_text("xyzzy\nplugh\n")
    weak = run("clips", "--labels", "none.txt", "--min-strength", "strong")
    assert weak.exit_code == 1
    assert weak.stdout.count("none of these") == 3
    assert run("clips", "--labels", "none.txt", "--min-strength", "strong", "-0").stdout == ""
    assert run("clips", "--labels", "classes.txt", "--only", "pink").exit_code == 2


@pytest.mark.usefixtures("root")
def test_a_csv_has_a_line_for_each_class_and_is_never_overwritten() -> None:
    Path("odd.txt").write_text("=red()\n<b>green\\u202e</b>\nblue\u202eeulb\n")
    result = run("clips", "--labels", "odd.txt", "--to", "out.csv", "--top", "2")
    assert result.exit_code in (0, 1)
    assert "\u202e" not in result.stdout, "what reorders a line is escaped"
    rows = list(csv.DictReader(Path("out.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) == 6
    assert rows[0]["file"] == os.path.abspath("clips/blue.mp4")
    assert [row["rank"] for row in rows[:2]] == ["1", "2"]
    assert {row["class"][0] for row in rows} <= {"'", "<", "b"}, "a name that is a formula is text"
    again = run("clips", "--labels", "odd.txt", "--to", "out.csv")
    assert (again.exit_code, "already" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("clips", "--labels", "missing.txt"), 3, "missing.txt"),
        (("clips", "--labels", "empty.txt"), 2, "empty.txt: it has no name of a class"),
        (("clips", "--labels", "latin.txt"), 2, "latin.txt, line 1: this is not UTF-8"),
        (("clips", "--labels", "classes.txt", "--prompts", "bad.txt"), 2, "bad.txt, line 1"),
        (("nowhere", "--labels", "classes.txt"), 3, "nowhere"),
        (("empty", "--labels", "classes.txt"), 3, "no videos in empty"),
        (("clips", "--labels", "classes.txt", "--json", "-0"), 2, "choose one"),
        (("clips",), 2, "--labels"),
    ],
)
@pytest.mark.usefixtures("root")
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    Path("empty.txt").write_text("# nothing\n")
    Path("latin.txt").write_bytes("café\n".encode("latin-1"))
    Path("bad.txt").write_text("a video\n")
    Path("empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("root")
def test_the_library_is_judged_as_a_search_judges_it() -> None:
    levels = {os.path.basename(each["path"]): each["level"] for each in found()["results"]}
    assert set(levels.values()) <= {"strong", "likely", "weak"}
    with Library.open(Path("library")) as library:
        assert library.stats().segments == 5
