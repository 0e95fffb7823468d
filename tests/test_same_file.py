"""One file is known by one name, however many lead to it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from db_samples import add, make_video

from app.shell.paths import as_indexed
from db.library import Library
from db.records import KnownFile
from indexer.plan import classify_files
from indexer.same_file import as_on_disk, file_keys
from indexer.scan import find_videos


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below the test's folder, names count as on macOS: in any case and Unicode form, and listed as they were made."""

    def real(path: Any) -> Any:
        if not isinstance(path, str) or not path.startswith(f"{tmp_path}/"):
            return path
        found = str(tmp_path)
        for name in path[len(found) + 1 :].split("/"):
            same = [each for each in listed(found) if fold(each) == fold(name)] if os.path.isdir(found) else []
            found = f"{found}/{same[0] if same else name}"
        return found

    def fold(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()

    def through(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda path, *args, **options: function(real(path), *args, **options)

    listed = os.listdir
    for name in ("stat", "lstat", "listdir"):
        monkeypatch.setattr(os, name, through(getattr(os, name)))
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", through(scandir))


@pytest.mark.usefixtures("folding")
def test_names_are_spelled_as_their_folders_list_them(tmp_path: Path) -> None:
    (tmp_path / "Films" / "Été").mkdir(parents=True)
    (tmp_path / "Films" / "Été" / "Movie.MP4").write_bytes(b"x")
    typed = str(tmp_path / "FILMS" / unicodedata.normalize("NFD", "été") / "movie.mp4")
    assert as_on_disk(typed) == str(tmp_path / "Films" / "Été" / "Movie.MP4")
    assert as_on_disk(str(tmp_path / "FILMS" / "gone.mp4")) == str(tmp_path / "FILMS" / "gone.mp4")


def test_where_case_counts_two_names_stay_two(tmp_path: Path) -> None:
    for name in ("a.mp4", "A.mp4"):
        (tmp_path / name).write_bytes(b"x")
    assert as_on_disk(str(tmp_path / "a.mp4")) == str(tmp_path / "a.mp4")
    assert not file_keys(str(tmp_path / "a.mp4")) & file_keys(str(tmp_path / "A.mp4"))


@pytest.mark.usefixtures("folding")
def test_a_folder_given_in_two_spellings_is_walked_once(tmp_path: Path) -> None:
    (tmp_path / "Films").mkdir()
    (tmp_path / "Films" / "a.mp4").write_bytes(b"x")
    found = find_videos([tmp_path / "films", tmp_path / "FILMS", tmp_path / "FILMS" / "A.MP4"])
    assert [file.path for file in found.files] == [str(tmp_path / "Films" / "a.mp4")]


def known(path: Path) -> KnownFile:
    info = path.stat()
    return KnownFile(
        video_id=1, size_bytes=info.st_size, modified_ns=info.st_mtime_ns, fingerprint="f", recipe="r", embedded=True
    )


@pytest.mark.usefixtures("folding")
def test_a_video_known_in_another_spelling_is_no_second_one(tmp_path: Path) -> None:
    (tmp_path / "Films").mkdir()
    path = tmp_path / "Films" / "a.mp4"
    path.write_bytes(b"x")
    library = {str(tmp_path / "films" / "A.mp4"): known(path)}
    classified = classify_files(find_videos([tmp_path]).files, library, {}, {}, redo=False, retry_failed=False)
    assert [file.path for file in classified.aliases] == [str(path)]


def test_a_folder_mounted_at_two_places_holds_each_video_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    path = tmp_path / "one" / "a.mp4"
    path.write_bytes(b"x")
    (tmp_path / "two" / "a.mp4").write_bytes(b"x")
    stat = os.stat

    def mounted(name: Any, **options: Any) -> os.stat_result:
        text = os.fspath(name) if not isinstance(name, int) else ""
        return stat(text.replace("/two", "/one"), **options) if "/two" in text else stat(name, **options)

    monkeypatch.setattr(os, "stat", mounted)
    assert [file.path for file in find_videos([tmp_path / "one", tmp_path / "two"]).files] == [str(path)]
    assert file_keys(str(path)) & file_keys(str(tmp_path / "two" / "a.mp4"))


def test_a_named_file_below_a_root_is_taken_once(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "films" / "a.mp4")
    found = find_videos([tmp_path / "films", tmp_path / "films" / "a.mp4", tmp_path / "link.mp4"])
    assert [file.path for file in found.files] == [str(tmp_path / "films" / "a.mp4")]


@pytest.mark.usefixtures("folding")
def test_a_folder_or_file_in_any_spelling_is_found_in_the_library(tmp_path: Path) -> None:
    (tmp_path / "Films" / "Old").mkdir(parents=True)
    path = tmp_path / "Films" / "Old" / "Movie.mp4"
    path.write_bytes(b"x")
    with Library.open(tmp_path / "library") as library:
        add(library, make_video(str(path), size_bytes=1))
        assert as_indexed(library, str(tmp_path / "films")) == str(tmp_path / "Films")
        assert as_indexed(library, str(tmp_path / "FILMS" / "old")) == str(path.parent)
        assert as_indexed(library, str(tmp_path / "films" / "old" / "MOVIE.MP4")) == str(path)
        assert as_indexed(library, str(tmp_path / "library")) == str(tmp_path / "library")
        (tmp_path / "link").symlink_to(tmp_path / "Films")
        assert as_indexed(library, str(tmp_path / "link" / "Old" / "Movie.mp4")) == str(path)
        assert as_indexed(library, str(tmp_path / "link")) == str(tmp_path / "Films")


def test_of_a_library_made_through_a_link_the_real_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "sub" / "a.mp4").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    known = tmp_path / "link" / "sub" / "a.mp4"
    with Library.open(tmp_path / "library") as library:
        add(library, make_video(str(known), size_bytes=1))
        assert as_indexed(library, str(tmp_path / "real")) == str(tmp_path / "link")
        assert as_indexed(library, str(tmp_path / "real" / "sub" / "a.mp4")) == str(known)
