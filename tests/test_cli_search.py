"""`search` and `similar` as a person and a script use them, on a small library of colours."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import asked_encoders, compose
from app.cli import main
from app.shell.hits import open_hit
from db.library import Library


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(cli_library.build(tmp_path, encoder)))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=input)


def hits(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code in (0, 1), result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["hits"]
    return found


def names(found: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(os.path.basename(hit["path"]), hit["start_seconds"]) for hit in found]


@pytest.mark.usefixtures("root")
def test_words_find_their_shot_and_one_line_says_where() -> None:
    result = run("search", "blue", "-k", "1")
    assert result.exit_code == 0
    rank, score, span, file = result.stdout.split()
    assert (rank, span, file) == ("1", "00:00:02.000-00:00:04.000", "films/red.mp4")
    assert float(score) > 0.9
    assert result.stderr == ""


@pytest.mark.usefixtures("root")
def test_words_need_no_quotes() -> None:
    assert hits("search", "a", "red", "thing") == hits("search", "a red thing")


@pytest.mark.usefixtures("root")
def test_json_says_where_exactly() -> None:
    document = json.loads(run("search", "green", "--json", "-k", "1").stdout)
    assert document["query"] == "green"
    assert (document["encoder"], document["text_id"]) == (ColourEncoder().id, ColourEncoder().text_id)
    (hit,) = document["hits"]
    assert hit["path"] == os.path.abspath("films/green.mp4")
    assert (hit["start"], hit["end"]) == ("0", "3")
    assert (hit["start_timecode"], hit["end_timecode"]) == ("00:00:00.000", "00:00:03.000")


def test_a_folder_narrows_and_a_sibling_of_the_same_beginning_is_not_in_it(root: Path) -> None:
    assert names(hits("search", "red", "-k", "1")) == [("red.mp4", 0.0)]
    assert names(hits("search", "red", "-k", "1", "--in", "other")) == [("red@home.mp4", 0.0)]
    result = run("search", "red", "--in", "oth")
    assert result.exit_code == 1
    assert "no video in" in result.stderr
    assert result.stdout == ""


@pytest.mark.usefixtures("root")
def test_lengths_narrow() -> None:
    assert {name for name, _ in names(hits("search", "red", "--min-duration", "3s"))} == {"green.mp4", "gone.mp4"}
    assert {hit["end"] for hit in hits("search", "green", "--min-duration", "3", "--max-duration", "00:00:05")} == {"3"}


def test_dates_narrow(root: Path) -> None:
    old = root / "films" / "old.mp4"
    with Library.open(root / "library") as library:
        cli_library.add(library, ColourEncoder(), old, [((250, 0, 0), 0, 2)])
        video = library.video_at(str(old))
        assert video is not None
        assert video.id is not None
        library.touch_video(video.id, path=str(old), size_bytes=video.size_bytes, modified_ns=10**18)  # 2001-09-09
    assert names(hits("search", "red", "--until", "2001-09-10")) == [("old.mp4", 0.0)]
    assert "old.mp4" not in dict(names(hits("search", "red", "--since", "7d")))
    assert run("search", "red", "--since", "2001-09-11", "--until", "2001-09-10").exit_code == 2


@pytest.mark.usefixtures("root")
def test_nothing_found_is_exit_code_1_as_in_grep() -> None:
    result = run("search", "red", "--threshold", "1", "--named", "green")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--threshold" in result.stderr
    document = run("search", "red", "--threshold", "1", "--named", "green", "--json")
    assert (document.exit_code, json.loads(document.stdout)["hits"]) == (1, [])


@pytest.mark.usefixtures("root")
def test_not_pushes_away() -> None:
    """Yellow is as near to red as to green; without red it is green."""

    def red_and_green(*arguments: str) -> tuple[float, float]:
        scores = {(os.path.basename(hit["path"]), hit["start"]): hit["score"] for hit in hits("search", *arguments)}
        return scores["red.mp4", "0"], scores["green.mp4", "0"]

    red, green = red_and_green("yellow")
    assert red == pytest.approx(green, abs=0.01)
    red, green = red_and_green("yellow", "--not", "red")
    assert red < green - 0.3


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    "arguments",
    [
        ("search",),
        ("search", "  "),
        ("search", "red", "-k", "0"),
        ("search", "red", "--min-duration", "soon"),
        ("search", "red", "--since", "someday"),
        ("search", "red", "--min-duration", "5", "--max-duration", "2"),
        ("search", "red", "--null", "--paths"),
        ("search", "red", "--threshold", "nan"),
        ("search", "red", "--threshold", "5"),
        ("search", "red", "--threshold=-1.5"),
        ("search", "red", "-k", "1000000000"),
        ("search", "red", "-k", "x"),
        ("search", "red", "--per-video", "0"),
        ("search", "red", "--min-resolution", "99999999999"),
        ("search", "red", "--min-duration", "-3"),
        ("search", "red", "--like", "films/red.mp4", "--weight", "inf"),
        ("search", "red", "--like", "films/red.mp4", "--weight", "nan"),
        ("search", "red", "--not", ""),
        ("similar",),
        ("similar", "films/red.mp4", "--image", "x.png"),
        ("similar", "films/red.mp4@7-5"),
        ("similar", "films/red.mp4@99"),
        ("similar", "films/red.mp4@x"),
        ("nonsense",),
    ],
)
def test_what_cannot_be_understood_is_exit_code_2_and_one_clear_line(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.strip()


@pytest.mark.usefixtures("root")
def test_paths_for_scripts_each_once_best_first() -> None:
    assert run("search", "red", "--paths", "-k", "2").stdout.splitlines() == [
        os.path.abspath("films/red.mp4"),
        os.path.abspath("other/red@home.mp4"),
    ]
    assert run("search", "red", "-0", "-k", "1").stdout_bytes == os.fsencode(os.path.abspath("films/red.mp4")) + b"\0"


def test_names_that_are_not_utf8_come_through(root: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(root) + b"/films/caf\xe9\n.mp4"))
    with Library.open(root / "library") as library:
        cli_library.add(library, ColourEncoder(), odd, [((255, 0, 255), 0, 2)])
    shown = run("search", "magenta", "-k", "1")
    assert shown.stdout.endswith("films/caf\\xe9\\n.mp4\n")
    assert run("search", "magenta", "-k", "1", "-0").stdout_bytes == os.fsencode(odd) + b"\0"
    assert hits("search", "magenta", "-k", "1")[0]["path"] == str(odd)


@pytest.mark.usefixtures("root")
def test_a_file_that_is_gone_is_still_found_and_said_to_be_gone() -> None:
    result = run("search", "white", "-k", "1")
    assert "films/gone.mp4" in result.stdout
    assert "(offline)" in result.stdout


@pytest.mark.usefixtures("root")
def test_without_a_display_open_says_where_the_hit_is() -> None:
    result = run("search", "blue", "-k", "1", "--open", "1")
    assert result.exit_code == 0
    assert "no display" in result.stderr
    assert "00:00:02.000" in result.stderr
    assert run("search", "blue", "-k", "1", "--open", "2").exit_code == 2


def test_on_windows_the_file_is_opened_without_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    hit = SimpleNamespace(
        video=SimpleNamespace(path=r"C:\clips\a & calc.exe & b.mp4", start_pts=0, time_base=1),
        segment=SimpleNamespace(start_pts=0, end_pts=1),
    )
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os.path, "exists", lambda path: True)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(os, "startfile", opened.append, raising=False)
    open_hit(hit)  # type: ignore[arg-type]
    assert opened == [hit.video.path]
    hit.video.path = r"C:\windows\system32\calc.exe"  # as a library made by somebody else could say
    open_hit(hit)  # type: ignore[arg-type]
    assert len(opened) == 1


def test_open_starts_a_player_at_the_hit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    player = root / "bin" / "mpv"
    player.parent.mkdir()
    player.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {root}/played.partial && mv {root}/played.partial {root}/played\n'
    )
    player.chmod(0o755)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", f"{player.parent}:{os.environ['PATH']}")
    assert run("search", "blue", "-k", "1", "--open", "1").exit_code == 0
    deadline = time.monotonic() + 30
    while not (root / "played").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (root / "played").read_text().splitlines() == ["--start=2.000", "--", str(root / "films" / "red.mp4")]


@pytest.mark.usefixtures("root")
def test_an_indexed_video_is_an_example_without_being_its_own_answer() -> None:
    found = names(hits("similar", "films/red.mp4@0-2"))
    assert found[0] == ("red@home.mp4", 0.0)
    assert ("red.mp4", 0.0) not in found
    assert ("red.mp4", 2.0) in found
    whole = names(hits("similar", "films/red.mp4"))
    assert "red.mp4" not in dict(whole)
    assert len(whole) == 3


@pytest.mark.usefixtures("root")
def test_a_start_alone_means_the_segment_there() -> None:
    ranked = json.loads(run("similar", "films/red.mp4@0:01", "--json").stdout)
    assert names(ranked["hits"])[0] == ("red@home.mp4", 0.0)
    assert [hit["rank"] for hit in ranked["hits"]] == [1, 2, 3, 4]
    assert ("red.mp4", 2.0) in names(ranked["hits"])


@pytest.mark.usefixtures("root")
def test_an_at_sign_in_a_name_is_part_of_the_name() -> None:
    assert names(hits("similar", "other/red@home.mp4", "-k", "1")) == [("red.mp4", 0.0)]
    assert names(hits("similar", "other/red@home.mp4@0-2", "-k", "1")) == [("red.mp4", 0.0)]


@pytest.mark.usefixtures("root")
def test_an_indexed_video_whose_file_is_gone_can_be_an_example() -> None:
    assert run("similar", "films/gone.mp4").exit_code == 0
    result = run("similar", "films/gone.mp4@2-4")
    assert result.exit_code == 0
    assert "is offline" in result.stderr


@pytest.mark.usefixtures("root")
def test_what_is_missing_is_exit_code_3(tmp_path: Path) -> None:
    nowhere = run("similar", "nowhere.mp4@3-5")
    assert (nowhere.exit_code, nowhere.stdout) == (3, "")
    assert "no such file" in nowhere.stderr
    assert run("similar", "--image", "nowhere.png").exit_code == 3
    unread = run("similar", "--image", "films/broken.mp4")
    assert unread.exit_code == 3
    assert unread.stderr.count("\n") == 1
    no_library = run("--library", str(tmp_path / "none"), "search", "red")
    assert no_library.exit_code == 3
    assert not (tmp_path / "none").exists()


def test_options_stand_before_or_after_the_command(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = os.environ["PRISMSEARCH_LIBRARY"]
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(root / "none"))
    assert run("search", "red").exit_code == 3
    assert run("--library", library, "search", "red").exit_code == 0
    assert run("search", "red", "--library", library).exit_code == 0
    assert run("--library", str(root / "none"), "search", "red", "--library", library).exit_code == 0


def test_another_encoder_than_the_librarys_is_said_with_what_there_is(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ColourEncoder(frames=8)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: other)
    result = run("search", "red")
    assert result.exit_code == 3
    assert ColourEncoder().id in result.stderr
    assert other.id in result.stderr


def test_an_error_of_our_own_is_one_line_unless_debug(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("a\nb")

    monkeypatch.setattr(asked_encoders, "open_engine", explode)
    result = run("search", "red")
    assert result.exit_code == 4
    assert result.stderr.count("\n") == 1
    assert "RuntimeError: a b" in result.stderr
    assert isinstance(run("--debug", "search", "red").exception, RuntimeError)
