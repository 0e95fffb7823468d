"""A changed root: paths are rewritten where the files are the same, and removal leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from cli_library import FILMS, build
from click.testing import CliRunner, Result
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.web.services.proxies import proxy_range
from db.library import Library
from db.records import Failure


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compose, "open_encoder", lambda *_: pytest.fail("no model is loaded"))
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(build(tmp_path, ColourEncoder())))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def relink(*arguments: str, code: int = 0) -> dict[str, object]:
    result = run("relink", *arguments, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def rows(root: Path) -> dict[int | None, tuple[str, object]]:
    with Library.open(root / "library") as library:
        return {video.id: (video.path, library.segments_of(video.id or 0)) for video in library.videos()}


def failed_paths(root: Path) -> list[str]:
    with Library.open(root / "library") as library:
        return [failure.path for failure in library.failures()]


def fail_for_real(root: Path) -> None:
    broken = root / "films" / "broken.mp4"
    status = broken.stat()
    failure = Failure(
        path=str(broken), size_bytes=status.st_size, modified_ns=status.st_mtime_ns, kind="not_video", reason="No."
    )
    with Library.open(root / "library") as library:
        library.record_failure(failure)


def test_a_changed_root_is_rewritten_with_all_ids(root: Path) -> None:
    fail_for_real(root)
    before = rows(root)
    (root / "films").rename(root / "archive")
    old, new = str(root / "films"), str(root / "archive")
    trial = relink(old, new, "--dry-run", code=1)
    assert (trial["videos"], trial["failures"], rows(root)) == (2, 1, before)
    found = relink(old, new, code=1)
    assert (found["videos"], found["failures"]) == (2, 1)
    unfit = [(os.path.basename(each["path"]), each["reason"]) for each in found["unfit"]]  # type: ignore[attr-defined]
    assert unfit == [("gone.mp4", "there is no such file in the new location")]
    after = rows(root)
    assert {number: parts for number, (_, parts) in after.items()} == {key: parts for key, (_, parts) in before.items()}
    assert sorted(os.path.relpath(path, root) for path, _ in after.values()) == [
        "archive/green.mp4", "archive/red.mp4", "films/gone.mp4", "other/red@home.mp4",
    ]  # fmt: skip
    assert failed_paths(root) == [str(root / "archive" / "broken.mp4")]


def test_another_size_or_time_does_not_fit_unless_the_content_is_the_same(root: Path) -> None:
    shutil.copytree(root / "films", root / "copied")
    (root / "copied" / "red.mp4").write_bytes(b"longer than before")
    os.utime(root / "copied" / "green.mp4", (1, 1))
    found = relink(str(root / "films"), str(root / "copied"), code=1)
    reasons = {os.path.basename(each["path"]): each["reason"] for each in found["unfit"]}  # type: ignore[attr-defined]
    assert "size" in reasons["red.mp4"]
    assert "time" in reasons["green.mp4"], "its fingerprint in the library is not that of the file"
    stamp = (root / "films" / "green.mp4").stat().st_mtime_ns + 10**9
    os.utime(root / "copied" / "green.mp4", ns=(stamp, stamp))
    found = relink(str(root / "films"), str(root / "copied"), code=1)
    assert found["videos"] == 1, "FAT keeps two seconds"


def test_a_folder_that_was_moved_into_itself_and_a_single_file(root: Path) -> None:
    (root / "films").rename(root / "away")
    (root / "films").mkdir()
    (root / "away").rename(root / "films" / "films")
    assert relink(str(root / "films"), str(root / "films" / "films"), code=1)["videos"] == 2
    (root / "other" / "red@home.mp4").rename(root / "home.mp4")
    assert relink(str(root / "other" / "red@home.mp4"), str(root / "home.mp4"))["videos"] == 1
    assert str(root / "home.mp4") in {path for path, _ in rows(root).values()}


def test_a_taken_name_stays_with_its_video(root: Path) -> None:
    shutil.copy2(root / "films" / "red.mp4", root / "other" / "red@home.mp4")
    found = relink(str(root / "films" / "red.mp4"), str(root / "other" / "red@home.mp4"), code=1)
    assert found["videos"] == 0
    assert "already" in str(found["unfit"])


def test_what_cannot_be_relinked_is_said(root: Path) -> None:
    assert run("relink", str(root / "nothing"), str(root / "films")).exit_code == 3
    assert run("relink", str(root / "films"), str(root / "nothing")).exit_code == 3


def test_removal_leaves_nothing_behind(root: Path) -> None:
    directory = root / "library"
    with Library.open(directory) as library:
        red, green = (library.video_at(str(root / "films" / f"{name}.mp4")) for name in ("red", "green"))
        assert red is not None
        assert green is not None
        library.hide_videos([green.id or 0])
        key = proxy_range(library.segments_of(red.id or 0)[0], red).key
    for folder in ("proxies", "vectors"):
        (directory / folder).mkdir()
    for name in (f"proxies/{key}.mp4", f"proxies/{key}.json", "proxies/other.mp4", "vectors/rows"):
        (directory / name).write_text("")
    assert json.loads(run("stats", "--json").stdout)["vanished"] == 1
    assert "kept for 30 days" in run("stats").stdout
    assert run("list", "--vanished", "--paths").stdout == f"{root}/films/green.mp4\n"
    assert "green.mp4" in run("list", "--vanished").stdout
    assert run("remove", str(root / "films"), "--yes").exit_code == 0
    assert [path.name for path in (directory / "proxies").iterdir()] == ["other.mp4"]
    assert not (directory / "vectors").exists()
    with Library.open(directory) as library:
        assert ([os.path.basename(video.path) for video in library.videos()], library.vanished_videos()) == (
            ["red@home.mp4"],
            [],
        )
    content = (directory / "library.sqlite3").read_bytes()
    assert os.fsencode(root / "other" / "red@home.mp4") in content
    for name in FILMS:
        if name.startswith("films/"):
            assert os.fsencode(root / name) not in content, "free pages are given back, with what was in them"


def test_a_large_database_is_written_anew_only_if_much_of_it_is_free(root: Path) -> None:
    with Library.open(root / "library") as library:
        with library._database.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE filler (content BLOB)")
            connection.exec_driver_sql("INSERT INTO filler VALUES (zeroblob(1000000))")
            connection.exec_driver_sql("DROP TABLE filler")
        size = (root / "library" / "library.sqlite3").stat
        assert not library.compact(least_bytes=100_000, least_share=0.99)
        assert not library.compact(least_bytes=1_000_001, least_share=0.1) or size().st_size < 1_000_000
        library.compact(least_bytes=100_000, least_share=0.5)
        assert size().st_size < 700_000
        assert not library.compact(least_bytes=100_000, least_share=0.5), "nothing is free"
        assert library.check() == []


def test_removal_follows_no_link_out_of_the_library(root: Path) -> None:
    """A library that somebody else made may have links to folders of the person's own."""
    directory, name = root / "library", "0" * 32 + ".mp4"
    red = root / "films" / "red.mp4"
    with Library.open(directory) as library:
        video = library.video_at(str(red))
        assert video is not None
        library.touch_video(video.id or 0, path=str(root / "films" / name), size_bytes=7, modified_ns=1)
    red.rename(root / "films" / name)
    (directory / "examples").symlink_to(root / "films")
    (directory / "vectors").symlink_to(root / "other")
    before = sorted(path for path in root.rglob("*") if directory not in path.parents)
    run("remove", str(root / "films"), "--yes")
    assert sorted(path for path in root.rglob("*") if directory not in path.parents) == before


def test_a_dropped_example_of_the_same_content_goes_with_the_video(root: Path) -> None:
    folder = root / "library" / "examples"
    folder.mkdir()
    red = root / "films" / "red.mp4"
    with Library.open(root / "library") as library:
        video = library.video_at(str(red))
        assert video is not None
        with library._database.writing() as connection:
            from indexer.fingerprint import fingerprint

            connection.exec_driver_sql("UPDATE videos SET fingerprint = ?", (fingerprint(red),))
    for name in ("1", "2"):
        (folder / f"{name * 32}.mp4").write_bytes(red.read_bytes() if name == "1" else b"another")
        (folder / f"{name * 32}.json").write_text("{}")
    assert run("remove", str(red), "--yes").exit_code == 0
    assert sorted(path.name[0] for path in folder.iterdir()) == ["2", "2"]
    assert red.exists()
