"""`search --then`, `search --link`, and `export` of both, as a person and a script use them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import cli_library
import click
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.commands.export_selection import from_json
from app.search_link import LinkStep, LinkTerm, SearchLink
from db.library import Library
from search.engine import SearchEngine

RED, BLUE, GREEN, GREY = (255, 0, 0), (0, 0, 255), (0, 255, 0), (128, 128, 128)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    directory = cli_library.build(tmp_path, encoder)
    with Library.open(directory) as library:
        shots = [(GREY, 0, 2), (RED, 2, 4), (BLUE, 4, 6), (GREY, 6, 8), (GREEN, 8, 10)]
        cli_library.add(library, encoder, tmp_path / "films/cut.mp4", shots)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def segment(root: Path, path: str, number: int) -> int:
    with Library.open(root / "library") as library:
        video = library.video_at(str(root / path))
        assert video is not None
        assert video.id is not None
        found = library.segments_of(video.id)[number].id
    assert found is not None
    return found


def listed(folder: Path) -> list[dict[str, Any]]:
    clips: list[dict[str, Any]] = json.loads(next(folder.glob("*.json")).read_text())["clips"]
    return clips


@pytest.mark.usefixtures("root")
def test_a_chain_is_one_line_with_the_range_of_each_step() -> None:
    result = run("search", "blue", "--then", "green", "--within", "5s", "-k", "1", "--in", "films/cut.mp4")
    assert result.exit_code == 0, result.stderr
    rank, score, *spans, file = result.stdout.split()
    assert (rank, file) == ("1", "films/cut.mp4")
    assert " ".join(spans) == "00:00:04.000-00:00:06.000 + 00:00:08.000-00:00:10.000"
    assert 0 <= float(score) <= 1


def test_a_part_of_a_long_shot_says_which_in_a_chain(root: Path) -> None:
    with Library.open(root / "library") as library:
        shots = [(RED, 0, 8), (GREY, 7, 15), (BLUE, 15, 17)]
        cli_library.add(library, ColourEncoder(), root / "films/long.mp4", shots, shot_numbers=[0, 0, 1])
    result = run("search", "red", "--then", "blue", "-k", "1", "--in", "films/long.mp4")
    assert "00:00:00.000-00:00:08.000 (part 1 of 2) + 00:00:15.000-00:00:17.000  films/long.mp4" in result.stdout


@pytest.mark.usefixtures("root")
def test_a_chain_in_json_has_its_span_and_its_parts() -> None:
    result = run("search", "green", "--then", "red", "--any-order", "--in", "films/cut.mp4", "-k", "1", "--json")
    answer = json.loads(result.stdout)
    assert (answer["query"], answer["then"], answer["within_seconds"], answer["any_order"]) == (
        "green",
        ["red"],
        20,
        True,
    )
    assert answer["text_id"] == ColourEncoder().text_id
    chain = answer["chains"][0]
    assert (chain["start_seconds"], chain["end_seconds"]) == (2, 10)
    assert [(part["rank"], part["start_seconds"]) for part in chain["parts"]] == [(1, 8), (2, 2)]


@pytest.mark.usefixtures("root")
def test_steps_are_examples_where_they_name_a_range() -> None:
    result = run("search", "films/red.mp4@2-4", "--then", "films/green.mp4@0", "--json", "-k", "1")
    parts = json.loads(result.stdout)["chains"][0]["parts"]
    assert [part["start_seconds"] for part in parts] == [4, 8]


def test_not_belongs_to_the_step_that_it_follows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(SearchEngine, "chains", lambda self, query: asked.append(query) or [])
    run("search", "red", "--not", "grey", "--then", "blue", "--then", "green", "--not", "white", "--not", "black")
    words = [[(term.text, term.weight) for term in step.terms] for step in asked[0].steps]
    assert words == [[("red", 1), ("grey", -0.5)], [("blue", 1)], [("green", 1), ("white", -0.5), ("black", -0.5)]]


@pytest.mark.usefixtures("root")
def test_a_negation_in_any_step_is_said() -> None:
    said = run("search", "red", "--then", "a blue shot without green").stderr
    assert "--not green" in said


@pytest.mark.usefixtures("root")
def test_no_chain_says_why() -> None:
    result = run("search", "red", "--then", "blue", "--in", "films/green.mp4")
    assert result.exit_code == 1
    assert "no video shows all 2 steps within 20 s of each other" in result.stderr


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["red", "--within", "5s"], "--then"),
        (["red", "--any-order"], "--then"),
        (["red", "--then", " "], "--then needs words"),
        (["red", *["--then", "blue"] * 8], "at most 8 steps"),
        (["red", "--then", "blue", "--threshold", "0.5"], "--min-strength"),
        (["--link", "q=red", "blue"], "not both"),
        (["--link", "q=red", "-k", "3"], "set by the link"),
        (["--link", "q=red", "--named", "a"], "set by the link"),
        (["--link", "http://127.0.0.1:8501/"], "no search"),
        (["--link", "q=&then=blue"], "step 1 is empty"),
        ([], "WORDS"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], said: str) -> None:
    result = run("search", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("span", [False, True])
def test_chains_are_exported_as_parts_or_as_one_span(root: Path, span: bool) -> None:
    words = ["blue", "--then", "green", "-k", "1", "--in", "films/cut.mp4"]
    result = run("export", *words, "--to", "out", "--lists-only", "--list", "json,edl", *["--span"] * span)
    assert result.exit_code == 0, result.stderr
    clips = listed(root / "out")
    if span:
        assert [(each["start_seconds"], each["end_seconds"], each["note"]) for each in clips] == [(4, 10, "hit 1")]
    else:
        assert [(each["start_seconds"], each["note"]) for each in clips] == [(4, "hit 1, step 1"), (8, "hit 1, step 2")]


@pytest.mark.usefixtures("root")
def test_chains_are_read_from_json_as_parts_in_time_or_as_one_span() -> None:
    words = ["green", "--then", "red", "--any-order", "-k", "1", "--in", "films/cut.mp4"]
    answer = run("search", *words, "--json").stdout_bytes

    def ranges(**options: bool) -> list[tuple[float, float]]:
        clips = from_json(io.BytesIO(answer), **options)
        return [(float(clip.start_seconds), float(clip.end_seconds)) for clip in clips]

    assert ranges() == [(2, 4), (8, 10)]
    assert ranges(span=True) == [(2, 10)]
    for bad in (b'{"chains": [{}]}', b'{"chains": [{"parts": [{}]}]}', b'{"chains": 3}', b'{"chains": [1]}'):
        with pytest.raises(click.UsageError):
            from_json(io.BytesIO(bad))


def test_a_link_finds_and_exports_what_the_page_shows(root: Path) -> None:
    link = SearchLink(
        words="red", terms=(LinkTerm("segment", str(segment(root, "films/green.mp4", 0)), -0.5),), limit=3
    )
    found = json.loads(run("search", "--link", f"http://127.0.0.1:8501/?{link.query_string()}", "--json").stdout)
    typed = json.loads(run("search", "red", "--json", "-k", "3").stdout)
    assert [hit["path"] for hit in found["hits"]][:2] == [hit["path"] for hit in typed["hits"]][:2]
    assert found["link"] == link.query_string()
    assert len(found["hits"]) == 3
    lists = ("--to", "out", "--lists-only", "--list", "json")
    result = run("export", "--link", link.query_string(), "--merge", *lists)  # how to cut is no part of a link
    assert result.exit_code == 0, result.stderr
    assert [each["start_seconds"] for each in listed(root / "out")] == [hit["start_seconds"] for hit in found["hits"]]


def test_a_link_of_a_chain_with_examples_runs_in_the_shell(root: Path) -> None:
    example = LinkTerm("segment", str(segment(root, "films/green.mp4", 0)))
    link = SearchLink(words="blue", then=(LinkStep(terms=(example,)),), within_seconds=5, limit=1).query_string()
    answer = json.loads(run("search", "--link", link, "--json").stdout)
    assert [part["start_seconds"] for part in answer["chains"][0]["parts"]] == [4, 8]
    assert run("export", "--link", link, "--span", "--to", "out", "--lists-only", "--list", "json").exit_code == 0
    assert [(each["start_seconds"], each["end_seconds"]) for each in listed(root / "out")] == [(4, 10)]


def test_weak_hits_of_a_link_are_exported_only_if_asked_for(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.link_run.is_weak", lambda hit: True)
    options = ["--to", "out", "--lists-only", "--list", "json"]
    for link in ("q=red", "q=blue&then=green"):
        refused = run("export", "--link", link, *options)
        assert refused.exit_code == 1
        assert "--min-strength weak" in refused.stderr
    assert not list((root / "out").glob("*.json"))
    assert run("export", "--link", "q=red&k=1", *options, "--min-strength", "weak").exit_code == 0
    assert len(listed(root / "out")) == 1


@pytest.mark.usefixtures("root")
def test_the_weight_of_words_alone_does_not_matter_as_on_the_page() -> None:
    assert run("search", "--link", "q=red&w=0").exit_code == 0


@pytest.mark.usefixtures("root")
def test_a_time_longer_than_any_video_is_left_out_of_a_link() -> None:
    assert "within=1e308, which is ignored" in run("search", "--link", "q=blue&then=green&within=1e308").stderr


@pytest.mark.usefixtures("root")
def test_a_link_with_a_lost_example_says_so() -> None:
    result = run("search", "--link", "term=1:file:0a0a")
    assert result.exit_code == 2
    assert "an example is no longer there" in result.stderr
