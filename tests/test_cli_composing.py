"""Questions of several parts in the shell: examples beside words, exclusions, a collection as an example."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder
from PIL import Image

from app import compose
from app.cli import main
from app.commands.export import export
from app.shell.given_options import given_options
from db.library import Library
from db.records import NewSubclip

RED, BLUE, GREEN, YELLOW, PINK = (255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 0), (255, 150, 190)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    directory = cli_library.build(tmp_path, encoder)
    with Library.open(directory) as library:
        shots = [(YELLOW, 0, 2), (PINK, 2, 4), (BLUE, 4, 6), (RED, 6, 8), (GREEN, 8, 10)]
        cli_library.add(library, encoder, tmp_path / "films/cut.mp4", shots)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def asked(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json", "-k", "20", *([] if "--then" in arguments else ["--show-duplicates"]))
    assert result.stdout, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def places(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(os.path.basename(hit["path"]), hit["start"]) for hit in document["hits"]]


@pytest.mark.usefixtures("root")
def test_an_example_counts_beside_words_as_much_as_its_weight() -> None:
    little = asked("search", "green", "--like", "films/cut.mp4@4-6", "--weight", "0.1")
    much = asked("search", "green", "--like", "films/cut.mp4@4-6", "--weight", "50")
    assert places(little)[0] in {("green.mp4", "0"), ("cut.mp4", "8")}
    assert places(much)[0] == ("red.mp4", "2"), "the other blue one"
    assert ("cut.mp4", "4") not in places(much), "the example is no hit"
    assert little["like"] == [{"example": "films/cut.mp4@4-6", "weight": 0.1}]
    assert [len(hit["term_scores"]) for hit in much["hits"]] == [2] * len(much["hits"])


@pytest.mark.usefixtures("root")
def test_a_weight_belongs_to_the_example_before_it() -> None:
    both = asked("search", "green", "--like", "films/cut.mp4@4-6", "--weight", "3", "--like", "films/cut.mp4@0-2")
    assert [each["weight"] for each in both["like"]] == [3.0, 1.0]
    last = asked("search", "green", "--like", "films/cut.mp4@4-6", "--like", "films/cut.mp4@0-2", "--weight", "3")
    assert [each["weight"] for each in last["like"]] == [1.0, 3.0]


def test_what_is_not_wanted_comes_down(root: Path) -> None:
    plain = places(asked("search", "red"))
    assert plain[0] in {("red.mp4", "0"), ("cut.mp4", "6")}
    document = asked("search", "red", "--not-like", "films/red.mp4@0-2")
    assert document["not_like"] == ["films/red.mp4@0-2"]
    assert places(document).index(("cut.mp4", "6")) > plain.index(("cut.mp4", "6"))
    Image.new("RGB", (40, 40), RED).save(root / "red.png")
    assert places(asked("search", "red", "--not-like", "red.png"))[0] != ("cut.mp4", "6")


@pytest.mark.usefixtures("root")
def test_a_link_and_the_shell_give_the_same_hits_in_the_same_sum() -> None:
    for plain in ((), ("--plain-sum",)):
        typed = asked("search", "yellow", "--not", "red", *plain)
        link = "q=yellow&term=-0.5:text:red&k=20&dups=show" + ("&sum=1" if plain else "")
        copied = json.loads(run("search", "--link", link, "--json").stdout)
        assert [(hit["path"], hit["start"], hit["score"]) for hit in copied["hits"]] == [
            (hit["path"], hit["start"], hit["score"]) for hit in typed["hits"]
        ]
    balanced, plain_sum = (asked("search", "yellow", "--not", "red", *each) for each in ((), ("--plain-sum",)))
    assert [hit["score"] for hit in balanced["hits"]] != [hit["score"] for hit in plain_sum["hits"]]


@pytest.mark.usefixtures("root")
def test_each_step_of_a_chain_has_its_own_parts() -> None:
    document = asked("search", "blue", "--then", "red", "--like", "films/red.mp4@0-2", "--in", "films/cut.mp4")
    assert [len(step["like"]) for step in document["steps"]] == [0, 1]
    assert document["chains"][0]["path"].endswith("cut.mp4")


@pytest.mark.usefixtures("root")
def test_similar_takes_what_is_not_wanted_and_further_examples() -> None:
    document = asked("similar", "films/cut.mp4@0-2", "--not", "red", "--like", "films/green.mp4@0-3")
    assert not {("cut.mp4", "0"), ("green.mp4", "0")} & set(places(document))
    assert places(document)[0] == ("cut.mp4", "8"), "green is what a yellow and a green one share without red"
    assert document["not"] == ["red"]


def test_a_collection_is_an_example_of_what_its_subclips_share(root: Path) -> None:
    with Library.open(root / "library") as library:
        video = library.video_at(str(root / "films/cut.mp4"))
        assert video is not None
        assert video.id is not None
        ids = [each.id or 0 for each in library.segments_of(video.id)]
        collection = library.collections.create("Warm")
        library.collections.add(collection.id, [NewSubclip(segment_id=ids[at]) for at in (0, 3)])
        library.collections.create("Nothing")
    document = asked("similar", "--collection", "warm")
    assert document["like"] == "the collection Warm"
    assert places(document)[0] == ("red.mp4", "0")
    assert not {("cut.mp4", "0"), ("cut.mp4", "6")} & set(places(document))
    empty = run("similar", "--collection", "Nothing")
    assert (empty.exit_code, "is empty" in empty.stderr) == (3, True)


@pytest.mark.usefixtures("root")
def test_a_negation_in_a_sentence_is_offered_and_not_applied() -> None:
    result = run("search", "yellow without red")
    assert "to exclude something: yellow --not red" in result.stderr
    hostile = run("search", "a yellow thing without `red` $(x)")
    assert "to exclude something: 'a yellow thing' --not '`red` $(x)'" in hostile.stderr, (
        "it may be pasted into a shell"
    )
    assert "to exclude" not in run("search", "yellow red").stderr


@pytest.mark.usefixtures("root")
def test_an_export_takes_the_hits_of_the_same_question(tmp_path: Path) -> None:
    question = ("green", "--like", "films/cut.mp4@4-6", "--weight", "50", "--not", "red")
    searched = asked("search", *question)
    result = run(
        "export",
        *question,
        "--to",
        "out",
        "--lists-only",
        "--list",
        "json",
        "-k",
        "20",
        "--show-duplicates",
        "--min-strength",
        "weak",
    )
    if result.exit_code == 2:
        result = run(
            "export", *question, "--to", "out", "--lists-only", "--list", "json", "-k", "20", "--show-duplicates"
        )
    assert result.exit_code == 0, result.output
    clips = json.loads(next((tmp_path / "out").glob("*.json")).read_text())["clips"]
    assert [os.path.basename(clip["source"]) for clip in clips] == [place[0] for place in places(searched)]


def test_a_repeated_command_keeps_each_weight_with_its_example() -> None:
    typed = ["green", "--like", "a.mp4", "--weight", "2", "--like", "/b.mp4", "--not", "red", "--to", "out"]
    with export.make_context("export", typed):
        wanted = ["--like", os.path.abspath("a.mp4"), "--weight", "2.0", "--like", os.path.abspath("/b.mp4")]
        assert given_options() == [*wanted, "--not", "red", "--to", os.path.abspath("out")]


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "red", "--weight", "2"),
        ("search", "red", "--like", "films/cut.mp4@0-2", "--weight", "-1"),
        ("search", "red", "--like", "films/cut.mp4@0-2", "--weight", "nan"),
        ("search", "red", "--like", "films/cut.mp4@0-2", "--weight", "1", "--weight", "2"),
        ("search", "red", "--like", " "),
        ("search", "--like", "films/cut.mp4@0-2"),
        ("similar", "films/red.mp4", "--collection", "Tray"),
        ("export", "--collection", "Tray", "--to", "x", "--not", "red"),
    ],
)
def test_what_cannot_be_composed_is_one_clear_line(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.splitlines()) <= 4
