"""A place for results that cannot be used, or holds what a command reads, is refused before the work begins."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli import main
from app.commands import probe_session
from app.shell.result_file import require_result_file


def test_what_is_read_is_not_replaced_by_results(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("file,label\n")
    (tmp_path / "link.csv").symlink_to(labels)
    for path in (labels, tmp_path / "link.csv", tmp_path / "." / "labels.csv"):
        with pytest.raises(click.UsageError, match="would be replaced"):
            require_result_file("--clips", path, (None, "default", labels))
    require_result_file("--clips", labels)
    require_result_file("--clips", tmp_path / "new.csv", (labels,))
    require_result_file("--clips", None, (labels,))


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, problem in (
        (tmp_path, "folder"),
        (tmp_path / "pipe", "no regular file"),
        (tmp_path / "no" / "a.csv", "no such folder"),
    ):
        with pytest.raises(click.UsageError, match=problem):
            require_result_file("--to", path)


@pytest.mark.parametrize(
    "words",
    [
        ["classify", "a", "--labels", "classes.txt", "--to", "no/a.csv"],
        ["bench", "classify", "a", "--labels", "labels.csv", "--clips", "labels.csv"],
        ["bench", "retrieval", "--dataset", "msrvtt", "--videos", "a", "--captions", "c.csv", "--questions", "c.csv"],
        ["probe", "train", "a", "--labels", "labels.csv", "--to", "no/a.npz"],
        ["probe", "test", "a.npz", "a", "--labels", "labels.csv", "--clips", "a.json"],
        ["probe", "apply", "a.npz", "a", "--to", "a.npz"],
    ],
)
def test_every_command_asks_before_it_opens_an_encoder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    for name in ("labels.csv", "classes.txt", "c.csv", "a.npz", "a.json"):
        (tmp_path / name).write_text("file,label\nx.mp4,y\n")
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2, result.output
    assert words[-2] in result.output


def test_a_head_never_replaces_a_file_that_has_the_name_of_its_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\nx.mp4,y\n")
    (tmp_path / "dogs.json").write_text("[1]")
    result = CliRunner().invoke(main, ["probe", "train", ".", "--labels", "labels.csv", "--to", "dogs.npz"])
    assert result.exit_code == 3
    assert "dogs.json exists; --replace replaces it" in result.output


@pytest.mark.parametrize("words", [["probe", "train", ".", "--to", "a.npz"], ["bench", "probe", "."]])
def test_wrong_labels_are_told_before_an_encoder_is_opened_or_downloaded(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an encoder was opened")

    monkeypatch.setattr(probe_session, "open_or_download_encoder", refuse)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label,start\nx.mp4,y,inf\n")
    result = CliRunner().invoke(main, [*words, "--labels", "labels.csv"])
    assert result.exit_code == 2
    assert "labels.csv, line 2" in result.output


@pytest.mark.parametrize("name", ["pipe", "folder"])
def test_a_pipe_or_folder_instead_of_labels_is_one_line_with_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    result = CliRunner().invoke(main, ["classify", ".", "--labels", name])
    assert result.exit_code == 3
    assert result.output.startswith(f"prismsearch: {name}: ")
