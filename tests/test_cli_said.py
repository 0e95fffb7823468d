"""`search --said`, `--written` and `--text` as a person and a script use them, and `export` of what they find."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.shell import text_hits
from db.library import Library
from db.timed_text import TextKind, TextSource, TimedLine, TimedWord
from search.fused import TEXT_WEIGHT
from search.text.finding import TextQuery, find_text


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    directory = cli_library.build(tmp_path, encoder)
    words = (TimedWord(200, 400, "start"), TimedWord(700, 1500, "engine"))
    with Library.open(directory) as library:
        put(library, "red.mp4", "subtitle", TimedLine(100, 1500, "start the engine\nnow", None, words))
        put(library, "green.mp4", "screen", TimedLine(500, 2000, "Engine \x1b room" + ", and so on" * 20, 0.9))
        put(library, "gone.mp4", "chapter", TimedLine(0, 10_000, "Snow"))
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(library: Library, name: str, kind: TextKind, *lines: TimedLine) -> None:
    (video,) = [each for each in library.videos() if os.path.basename(each.path) == name]
    assert video.id is not None
    library.texts.replace(video.id, TextSource(kind=kind), lines)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def document(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.usefixtures("root")
def test_one_line_says_the_channel_the_time_of_the_word_and_the_line() -> None:
    result = run("search", "--said", "engine")
    assert (result.exit_code, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    assert line.split()[2:6] == ["00:00:00.000-00:00:02.000", "said", "00:00:00.700", "films/red.mp4"]
    assert line.endswith("start the engine now"), "a line break is a space"


@pytest.mark.usefixtures("root")
def test_words_alone_need_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("an encoder was opened")

    monkeypatch.setattr(compose, "open_encoder", fail)
    assert run("search", "--text", "engine OR snow").exit_code == 0
    assert (
        run("search", "--said", "engine", "--in", "films", "--paths").stdout == os.path.abspath("films/red.mp4") + "\n"
    )


@pytest.mark.usefixtures("root")
def test_json_has_the_channels_and_what_to_highlight() -> None:
    found = document("search", "--text", '"start the engine"')
    assert (found["query"], found["text"], found["said"], found["complete"]) == (None, '"start the engine"', None, True)
    (hit,) = found["hits"]
    assert hit["channels"] == ["said"]
    (line,) = hit["lines"]
    assert (line["kind"], line["text"], line["spans"]) == ("subtitle", "start the engine\nnow", [[0, 16]])
    assert (line["start_seconds"], line["end_seconds"], line["word_seconds"]) == (0.1, 1.5, 0.2)
    assert (hit["start"], hit["end"], hit["shot_start_seconds"]) == ("1/5", "2", 0.0), "a clip begins at the word"
    assert hit["picture_score"] is None


@pytest.mark.usefixtures("root")
def test_a_picture_and_words_are_one_ranking() -> None:
    found = document("search", "green", "--written", "engine")
    first = found["hits"][0]
    assert os.path.basename(first["path"]) == "green.mp4"
    assert first["channels"] == ["picture", "written"]
    assert (first["start"], first["end"]) == ("0", "3"), "the whole shot, as the picture found it, too"
    assert first["picture_score"] > 0.9
    assert found["text_weight"] == TEXT_WEIGHT
    assert len(found["hits"]) == 5, "shots without the words follow"
    only = document("search", "white", "--said", "engine", "--text-weight", "1", "-k", "1")
    assert os.path.basename(only["hits"][0]["path"]) == "red.mp4"


@pytest.mark.usefixtures("root")
def test_matches_are_bold_on_a_terminal_only() -> None:
    (written,) = run("search", "--written", "room").stdout.splitlines()
    assert "\x1b" not in written
    assert "…" in written, "a long line is shortened"
    with Library.open(Path(os.environ["PRISMSEARCH_LIBRARY"])) as library:
        (hit,) = find_text(library, TextQuery(words="engine", kinds=["subtitle"])).hits
    assert text_hits.marked(hit, bold=True) == "start the \x1b[1mengine\x1b[0m now"
    assert text_hits.marked(hit, bold=False) == "start the engine now"


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--said", ""], "--said: there is no word"),
        (["--written", "-x"], "only words to leave out"),
        (["--text", "/(/"], "the regular expression is not valid"),
        (["red", "--said", "x", "--text-weight", "2"], "--text-weight must be from 0 to 1"),
        (["red", "--text-weight", "0.5"], "--text-weight belongs to"),
        (["--said", "x", "--text-weight", "0.5"], "there are none"),
        (["red", "--then", "blue", "--said", "x"], "--then"),
        (["--said", "x", "--not", "y"], "need WORDS"),
        (["--said", "x", "--link", "?q=red"], "is set by the link"),
    ],
)
def test_what_cannot_be_asked_is_one_line(arguments: list[str], said: str) -> None:
    result = run("search", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("root")
def test_nothing_found_says_why() -> None:
    for arguments, why in (
        (["--said", "zebra"], "no line has these words"),
        (["--said", "engine", "--named", "green"], "these filters"),
        (["--said", "engine", "--in", "nowhere"], "is indexed"),
    ):
        result = run("search", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert why in result.stderr
    with Library.open(Path(os.environ["PRISMSEARCH_LIBRARY"])) as library:
        library.texts.remove(source.id or 0 for each in library.texts.sources_of().values() for source in each)
    assert "no subtitles or speech in this library" in run("search", "--said", "engine").stderr


@pytest.mark.usefixtures("root")
def test_hits_of_the_picture_alone_say_so() -> None:
    result = run("search", "red", "--said", "zebra")
    assert result.exit_code == 0
    assert "by the picture alone: no line has these words" in result.stderr
    assert run("search", "red", "--said", "engine", "-k", "1").stderr == ""


@pytest.mark.usefixtures("root")
def test_a_player_opens_at_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("app.shell.hits._named_as_video", lambda path: True)
    monkeypatch.setattr("app.shell.hits.player_command", lambda path, start: started.append([path, str(start)]))
    monkeypatch.setattr(sys, "platform", "linux")
    assert run("search", "--said", "engine", "--open", "1").exit_code == 0
    assert started == [[os.path.abspath("films/red.mp4"), "0.7"]]


def test_export_cuts_from_the_word(root: Path) -> None:
    assert cut_by("--said", "engine") == [("red.mp4", 0.7, 2.0)]
    assert cut_by("green", "--written", "engine", "-k", "1") == [("green.mp4", 0.0, 3.0)]
    assert run("export", "films/red.mp4@0-1", "--said", "x", "--to", str(root / "out")).exit_code == 2
    assert run("export", "--said", "zebra", "--to", str(root / "out")).exit_code == 1


def cut_by(*arguments: str) -> list[tuple[str, float, float]]:
    """Return what `export` would cut: file, start and end."""
    from app.commands import export

    taken: list[Any] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(export, "run_export", lambda settings, request, **_: taken.append(request))
    try:
        result = run("export", *arguments, "--to", "out")
    finally:
        patch.undo()
    assert result.exit_code == 0, result.stderr
    return [
        (os.path.basename(clip.path), float(clip.start_seconds), float(clip.end_seconds)) for clip in taken[0].requests
    ]


@pytest.mark.usefixtures("root")
def test_a_link_with_quotes_finds_what_the_page_shows() -> None:
    found = document("search", "--link", "http://127.0.0.1:8501/?q=green+%22engine%22&words=written&tw=0.5")
    assert (found["query"], found["text_weight"], found["complete"]) == ('green "engine"', 0.5, True)
    first = found["hits"][0]
    assert (os.path.basename(first["path"]), first["channels"]) == ("green.mp4", ["picture", "written"])
    lines = run("search", "--link", "q=%22eng%22*").stdout.splitlines()
    assert sorted(line.split()[3] for line in lines) == ["said", "written"]
    assert run("search", "--link", "q=%22zebra%22").exit_code == 1
    assert "no line has these words" in run("search", "--link", "q=red+%22zebra%22").stderr


@pytest.mark.usefixtures("root")
def test_a_link_with_nothing_but_quotes_needs_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "open_encoder", lambda *_, **__: pytest.fail("an encoder was opened"))
    assert "encoder" not in document("search", "--link", "q=%22engine%22&words=said")


@pytest.mark.usefixtures("root")
def test_a_link_with_quotes_is_exported_from_the_word() -> None:
    assert cut_by("--link", "q=%22engine%22&words=said") == [("red.mp4", 0.7, 2.0)]
    assert cut_by("--link", "q=green+%22engine%22&words=written&k=1") == [("green.mp4", 0.0, 3.0)]


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("q=%22/(/%22", "the regular expression is not valid"),
        ("q=%22/a/%22+%22b%22", "is searched for by itself"),
        ("q=-%22engine%22", "only words to leave out"),
        ("q=red&then=blue+%22engine%22", "cannot be searched for in a sequence yet"),
    ],
)
@pytest.mark.usefixtures("root")
def test_quotes_in_a_link_that_cannot_be_searched_for_are_one_line(link: str, why: str) -> None:
    result = run("search", "--link", link)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.usefixtures("root")
def test_an_example_and_words_are_one_ranking() -> None:
    found = document("similar", "films/red.mp4@0-2", "--said", "engine", "--written", "engine")
    assert found["said"] == "engine"
    assert (found["text_weight"], found["complete"]) == (TEXT_WEIGHT, True)
    channels = {os.path.basename(hit["path"]): hit["channels"] for hit in found["hits"]}
    assert "written" in channels["green.mp4"]
    own = [
        hit for hit in found["hits"] if os.path.basename(hit["path"]) == "red.mp4" and hit["shot_start_seconds"] == 0
    ]
    assert own == [], "the example itself, though the word is said in it"
    refused = run("similar", "films/red.mp4@0-2", "--said", "/(/")
    assert (refused.exit_code, refused.stdout) == (2, "")
