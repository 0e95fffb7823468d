"""Words or a file: a typo in the name of a file never becomes a search for its letters."""

from __future__ import annotations

from pathlib import Path

import cli_library
import pytest
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.shell.file_words import looks_like_a_file, names_a_file

FILES = [
    "typo.mp4", "a dog.MOV", "photo.jpg", "film@12", "film@0:12-15", "my film@1-2", "typo.mp4@x", "a.mp4@1-2.mp4@3",
    "films/red", "./dog", "/dog", "~/dog", "black/white",
]  # fmt: skip
WORDS = ["dog", "a dog on the beach", "black / white", "a black/white dog", "lunch @5", "video @60fps", "@5", "me@home",
         "", " ", "3.5 dogs", "etc."]  # fmt: skip


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    encoder = ColourEncoder()
    library = cli_library.build(tmp_path, encoder)
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(library))
    monkeypatch.setattr(compose, "open_encoder", lambda *_: encoder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", FILES)
def test_a_file_is_one_whether_or_not_it_is_there(text: str) -> None:
    assert names_a_file(text)


@pytest.mark.parametrize("text", WORDS)
def test_words_are_words_whatever_lies_in_the_folder(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if text.strip() and "/" not in text:
        Path(text).write_bytes(b"")
    assert not names_a_file(text)


def test_what_stands_before_an_at_sign_may_be_a_file_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not looks_like_a_file("take one@here")
    Path("take one").write_bytes(b"")
    assert looks_like_a_file("take one@here")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "typo.mp4@1-2", "films/red.mp4@1-2", "--to", "out"],
        ["export", "films/red.mp4@1-2", "typo.mp4@1-2", "--to", "out"],
        ["export", "typo.mp4", "--to", "out"],
        ["export", "typo@1-2", "--to", "out"],
        ["export", "films/typo", "--to", "out"],
        ["export", "red", "films/red.mp4@1-2", "--to", "out"],
        ["export", "films/red.mp4@1-2", "red", "--zip", "out"],
        ["export", "red", "--then", "typo.mp4@1-2", "--to", "out"],
        ["export", "typo.mp4@1-2", "--then", "red", "--to", "out"],
        ["export", "red", "--like", "typo.mp4", "--to", "out"],
        ["export", "red", "--not-like", "typo", "--to", "out"],
        ["similar", "typo.mp4"],
        ["similar", "typo"],
        ["similar", "films/red.mp4", "--not-like", "typo.jpg"],
        ["similar", "--image", "typo.jpg"],
        ["search", "red", "--like", "typo.mp4"],
        ["search", "red", "--then", "films/typo"],
        ["search", "typo.mp4"],
        ["search", "red", "typo.mp4@1-2"],
    ],
)
def test_a_name_that_is_not_there_is_said_before_anything_is_loaded_or_written(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "open_encoder", lambda *_: pytest.fail("an encoder was loaded"))
    result = run(*arguments)
    assert result.exit_code == 3, result.output
    assert "no such file" in result.stderr
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert not Path("out").exists()


@pytest.mark.usefixtures("root")
def test_words_and_files_are_told_apart_in_one_line() -> None:
    assert "red: no such file" in run("export", "red", "films/red.mp4@1-2", "--to", "out").stderr
    assert "give words or files, not both" in run("export", "red", "films/red.mp4@1-2", "--to", "out").stderr
    assert "put spaces around the /" in run("export", "AC/DC", "--to", "out").stderr
    assert "put spaces" not in run("export", "./dog", "--to", "out").stderr
    there = run("search", "films/red.mp4@0-1")
    assert there.exit_code == 2
    assert "prismsearch similar" in there.stderr
    assert run("search", "AC/DC").stdout.count("\n") > 1, "nothing is written, so a slash alone is no reason to refuse"
