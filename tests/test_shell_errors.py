"""Errors of the shell: one plain line each, and with --json an object on standard output as well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="prismsearch")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(cli_library.build(tmp_path, encoder)))
    monkeypatch.setattr(compose, "open_encoder", lambda *_: encoder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["search", "--json"], 2),
        (["search", "red", "--json", "--threshold", "5"], 2),
        (["search", "red", "--json", "-k", "0"], 2),
        (["search", "red", "--json", "--nosuch"], 2),
        (["search", "red", "--json", "--library", "nowhere"], 3),
        (["search", "red", "--json", "--like", "typo.mp4"], 3),
        (["--library", "nowhere", "similar", "films/red.mp4", "--json"], 3),
        (["info", "--json", "nothere.mp4"], 3),
        (["info", "--json", "films/broken.mp4"], 1),
        (["index", "--json", "nothere"], 3),
        (["list", "--json", "--failed", "--missing"], 2),
        (["list", "--json", "--paths"], 2),
        (["stats", "--json", "--library", "films/red.mp4"], 3),
        (["runs", "--json", "--stop", "x"], 3),
        (["relink", "--json", "films", "nowhere"], 3),
        (["export", "red", "--json", "--to", "out", "--mode", "foo"], 2),
        (["export", "typo.mp4@1-2", "--json", "--to", "out"], 3),
        (["export", "red", "--json", "--to", "out", "--in", "nowhere"], 1),
        (["nosuch", "--json"], 2),
        (["--precision", "x", "list", "--json"], 2),
    ],
)
def test_an_error_is_a_json_object_too(arguments: list[str], code: int) -> None:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    document = json.loads(result.stdout)
    assert set(document) == {"error", "code"}
    assert document["code"] == code
    assert result.stderr.removeprefix("prismsearch: ") == document["error"] + "\n"


@pytest.mark.usefixtures("root")
def test_json_that_was_printed_is_the_only_document() -> None:
    nothing = run("search", "red", "--in", "nowhere", "--json")
    assert (nothing.exit_code, json.loads(nothing.stdout)["hits"]) == (1, [])
    beyond = run("search", "red", "--json", "--open", "99")
    assert (beyond.exit_code, bool(json.loads(beyond.stdout)["hits"])) == (2, True)
    assert run("retry", "films/red.mp4", "--json").exit_code == 0
    assert json.loads(run("retry", "films/red.mp4", "--json").stdout)["added"] == 0


def test_a_defect_is_json_as_well(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "open_library", lambda *_, **__: 1 // 0)
    document = json.loads(run("stats", "--json").stdout)
    assert document["code"] == 4
    assert "ZeroDivisionError" in document["error"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, which is full at every write")
@pytest.mark.usefixtures("root")
def test_json_that_a_full_disk_does_not_take_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", "from app.cli import main; main()", "list", "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "prismsearch: No space left on device\n")


@pytest.mark.usefixtures("root")
def test_words_after_two_dashes_are_no_options() -> None:
    assert run("search", "--library", "nowhere", "--", "--json").stdout == ""


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search", "red", "--threshold", "5"], "--threshold must be from -1 to 1"),
        (["search", "red", "-k", "0"], "--top-k: 0 is not a whole number from 1 to 1,000,000"),
        (["search", "red", "-k", "1000000000"], "--top-k: 1000000000 is not a whole number"),
        (["search", "red", "--min-duration", "-3"], "--min-duration: '-3' is not a time"),
        (["index", "films", "--workers", "x"], "--workers: x is not a whole number from 1 to"),
        (["index", "films", "--segment-seconds", "0"], "segment-seconds must be between 0.1 and 3600.0"),
        (["export", "red", "--to", "out", "--pad", "-1"], "'-1' is not a time"),
        (["--precision", "x", "list"], "--precision: 'x' is not one of"),
        (["lst"], "No such command 'lst'"),
        (["index"], "missing FOLDER: prismsearch index FOLDER"),
        (["relink"], "missing OLD NEW: prismsearch relink OLD NEW"),
        (["search"], "say what to look for: prismsearch search WORDS"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_one_plain_line(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert not any(word in result.stderr for word in ("Usage", "Invalid value", "Missing", "x>="))


@pytest.mark.parametrize("command", [["list"], ["search", "red"], ["index", "."], ["stats"], ["ui", "--url"]])
@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_a_library_is_one_line(
    command: list[str], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"")
    for words in (["--library", place, *command], [*command, "--library", place]):
        result = run(*words)
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr.count("\n") == 1
        assert "Choose another" in result.stderr


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions")
def test_a_library_that_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    result = run("list", "--library", str(tmp_path / "closed" / "library"))
    assert (result.exit_code, result.stderr.count("\n")) == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "next_step"),
    [
        (["index"], "prismsearch index FOLDER"),
        (["search", "dog"], "prismsearch index FOLDER"),
        (["similar", "a.mp4"], "prismsearch index FOLDER"),
        (["list"], "prismsearch index FOLDER"),
        (["export", "dog", "--to", "out"], "prismsearch index FOLDER"),
    ],
)
def test_the_first_words_of_a_newcomer_are_answered_with_what_to_do(
    arguments: list[str], next_step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    result = run(*arguments)
    assert result.exit_code in (2, 3)
    assert next_step in result.stderr
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["--library", "x"]])
def test_without_a_command_the_first_ones_are_named_one_a_line(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    commands = [line.split()[1] for line in result.stderr.splitlines() if line.startswith("  prismsearch ")]
    assert commands == ["demo", "ui", "index", "--help"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["remove", "", "--yes"],
        ["remove", " ", "--yes"],
        ["info", ""],
        ["list", ""],
        ["index", ""],
        ["retry", ""],
        ["relink", "", "films"],
        ["search", "red", "--in", ""],
        ["similar", ""],
        ["similar", "--image", ""],
    ],
)
def test_a_blank_name_is_not_the_current_folder(root: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "blank" in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(json.loads(run("list", "--json").stdout)) > 1, "nothing was removed"


@pytest.mark.parametrize("command", ["info", "similar", "remove"])
def test_a_bare_name_that_the_library_has_in_a_folder_is_told_where(root: Path, command: str) -> None:
    result = run(command, "red.mp4")
    assert result.exit_code == 3
    assert str(root / "films" / "red.mp4") in result.stderr
    assert "index adds" not in result.stderr


@pytest.mark.usefixtures("root")
def test_info_of_a_file_that_is_nowhere_does_not_say_that_index_adds_it() -> None:
    result = run("info", "nothere.mp4")
    assert "nothere.mp4: no such file, and none by that name in the library" in result.stderr


@pytest.mark.parametrize("option", ["--example", "--create"])
@pytest.mark.parametrize("json_first", [True, False])
def test_a_settings_file_is_not_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, json_first: bool
) -> None:
    file = tmp_path / "settings.toml"
    monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(file))
    result = run("settings", *(("--json", option) if json_first else (option, "--json")))
    assert result.exit_code == 2
    assert not file.exists()
    assert "choose one of --json and" in json.loads(result.stdout)["error"]
