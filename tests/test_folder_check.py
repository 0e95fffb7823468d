"""Check of a typed path on the page, and its messages."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.jobs.state import JobState
from app.web.services import folder_check
from app.web.services.folder_check import check_folder, typed_path
from app.web.services.folder_count import VideoCount
from app.web.services.folder_places import usual_folders
from app.web.services.folder_suggestions import is_missing_drive, recent_folders
from indexer.scan import LIBRARY_FILE


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "Films"
    (folder / "Holiday 2024").mkdir(parents=True)
    for name, size in (("a.mp4", 1000), ("Holiday 2024/b.MOV", 500), (".hidden.mp4", 9), ("notes.txt", 7)):
        (folder / name).write_bytes(b"x" * size)
    return folder


def said(typed: str, tmp_path: Path) -> str:
    return check_folder(typed, tmp_path / "library").sentence


def test_a_folder_is_counted_and_nothing_is_written(films: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    check = check_folder(str(films), tmp_path / "library")
    assert (check.level, check.usable, check.videos, check.size_bytes, check.counted_all) == (
        "good",
        True,
        2,
        1500,
        True,
    )
    assert check.sentence == "2 video files, 1.50 kB."
    assert sorted(tmp_path.rglob("*")) == before


def test_a_path_may_come_with_what_copying_puts_around_it(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(films.parent))
    monkeypatch.setenv("USERPROFILE", str(films.parent))
    holiday = films / "Holiday 2024"
    for typed in (
        f"  {holiday} \n", f"'{holiday}'", f'"{holiday}"', holiday.as_uri(), "~/Films/Holiday 2024",
        f"{holiday}{os.sep}", os.path.join(films, "..", "Films", "Holiday 2024"),
    ):  # fmt: skip
        check = check_folder(typed, films.parent / "library")
        assert (check.path, check.videos) == (str(holiday), 1), typed
    assert typed_path("") == ""


def test_what_is_no_whole_path_is_asked_for(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(films.parent))
    monkeypatch.setenv("USERPROFILE", str(films.parent))
    check = check_folder("Films", films.parent / "library")
    assert not check.usable
    assert "full path" in check.sentence
    assert check.suggestions == (str(films),)
    assert "Enter the path" in said("  ", films.parent)
    assert "not a valid path" in said("/films\0/x", films.parent)
    assert "longer than" in said("/" + "x" * 5000, films.parent)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("films", "Films"), ("Flims", "Films"), ("Film", "Films"), ("Films/Holliday 2024", "Films/Holiday 2024"),
     ("Flms/Holiday 2024", "Films/Holiday 2024"), ("Films/holiday", "Films/Holiday 2024"),
     ("Films/a.mp", "Films/a.mp4")],
)  # fmt: skip
def test_a_mistyped_path_is_answered_with_what_may_be_meant(
    films: Path, tmp_path: Path, typed: str, meant: str
) -> None:
    if (tmp_path / typed).exists():
        pytest.skip("this file system does not tell upper from lower case")
    check = check_folder(str(tmp_path / typed), tmp_path / "library")
    assert not check.usable
    assert "no such folder" in check.sentence
    assert str(tmp_path / meant) in check.suggestions
    assert all(os.path.exists(each) for each in check.suggestions)


def test_nothing_alike_gives_no_suggestion_but_where_the_path_ends(films: Path, tmp_path: Path) -> None:
    check = check_folder(str(films / "zzz" / "deeper"), tmp_path / "library")
    assert check.suggestions == ()
    assert str(films) in check.sentence


def test_files(films: Path, tmp_path: Path) -> None:
    one = check_folder(str(films / "a.mp4"), tmp_path / "library")
    assert (one.usable, one.videos, one.sentence) == (True, 1, "One video file, 1.00 kB.")
    text = check_folder(str(films / "notes.txt"), tmp_path / "library")
    assert not text.usable
    assert text.suggestions == (str(films),)


def test_folders_without_videos(films: Path, tmp_path: Path) -> None:
    (films / "Holiday 2024" / "b.MOV").unlink()
    assert said(str(films / "Holiday 2024"), tmp_path) == "This folder is empty."
    (films / "Holiday 2024" / "c.txt").write_text("x")
    assert "no videos" in said(str(films / "Holiday 2024"), tmp_path)


def test_libraries_are_no_folders_of_videos(films: Path, tmp_path: Path) -> None:
    library = films / "library"
    (library / "media").mkdir(parents=True)
    (library / LIBRARY_FILE).write_bytes(b"")
    (library / "media" / "preview.mp4").write_bytes(b"x")
    for place in (library, library / "media"):
        check = check_folder(str(place), library)
        assert not check.usable
        assert "never indexed" in check.sentence
    assert "a prismsearch library" in said(str(library), tmp_path)
    assert check_folder(str(films), library).videos == 2, "what is in it does not count"


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_what_may_not_be_read_is_said(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = films / "Holiday 2024"
    real = os.scandir

    def scandir(path: str) -> object:
        if os.fspath(path) == str(closed):  # whoever runs the tests may be allowed everything
            raise PermissionError(13, "Permission denied", str(closed))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert "permission to read" in said(str(closed), tmp_path)
    check = check_folder(str(films), tmp_path / "library")
    assert (check.level, check.videos) == ("note", 1)
    assert "1 folder in it cannot be read" in check.sentence


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
def test_links_loops_and_odd_things(films: Path, tmp_path: Path) -> None:
    (films / "loop").symlink_to(films)
    (films / "linked.mp4").symlink_to(films / "a.mp4")
    (films / "gone.mp4").symlink_to(films / "nothing.mp4")
    os.mkfifo(films / "pipe.mp4")
    assert check_folder(str(films), tmp_path / "library").videos == 3
    assert "neither" in said(str(films / "pipe.mp4"), tmp_path)
    assert "points to something that does not exist" in said(str(films / "gone.mp4"), tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_not_utf8(films: Path, tmp_path: Path) -> None:
    folder = os.path.join(os.fsencode(films), b"not \xff utf-8")
    os.mkdir(folder)
    Path(os.fsdecode(folder), "a.mp4").write_bytes(b"x")
    assert check_folder(os.fsdecode(folder), tmp_path / "library").videos == 1


def test_counting_is_bounded_and_then_gives_a_lower_bound(films: Path, tmp_path: Path) -> None:
    for number in range(50):
        (films / f"{number}.mp4").write_bytes(b"x")
    check = check_folder(str(films), tmp_path / "library", max_entries=20)
    assert (check.level, check.counted_all) == ("note", False)
    assert 0 < check.videos <= 20
    assert check.sentence.startswith(f"More than {check.videos} video files")
    ticks = iter(range(1000))
    count = VideoCount(5, 10**6, clock=lambda: float(next(ticks))).of(str(films))
    assert not count.complete


def test_a_drive_that_does_not_answer_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = threading.Event()

    def hang(*_: object) -> None:
        waiting.wait(60)

    monkeypatch.setattr(folder_check, "_check_path", hang)
    check = check_folder(str(tmp_path), tmp_path / "library", answer_seconds=0.01)
    waiting.set()
    assert not check.usable
    assert "not responding" in check.sentence


@pytest.mark.skipif(sys.platform == "win32", reason="other drives")
def test_a_drive_that_is_not_there_is_asked_for() -> None:
    assert "Is its drive connected" in check_folder("/media/nobody-of-this-name/usb/films", "/library").sentence
    assert is_missing_drive("/media/me/usb/films", "/media/me")
    assert is_missing_drive("/Volumes/Disk/films", "/Volumes")
    assert is_missing_drive("Z:\\films", "")
    assert not is_missing_drive("/media/me/usb/films", "/media/me/usb")
    assert not is_missing_drive("/home/me/films", "/home/me")


def test_recent_folders_come_from_runs_of_index_the_last_first() -> None:
    def state(*words: str) -> JobState:
        return JobState(id="", kind="index", title="", arguments=words)

    states = [
        state("index", "--redo", "--", "/b", "/a"), state("retry", "--", "/r"), state("index", "--", "/a", "/c"),
        state(),
    ]  # fmt: skip
    assert recent_folders(states) == ["/b", "/a", "/c"]
    assert recent_folders(states, limit=1) == ["/b"]


def test_the_usual_folders_are_those_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    usual: Callable[[], list[str]] = usual_folders
    assert usual() == []
    (tmp_path / "Videos").mkdir()
    assert usual() == [str(tmp_path / "Videos")]
