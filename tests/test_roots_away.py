"""Roots of media that are not there, on both engines: nothing of theirs is ever gone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import ColourEncoder
from pretend import Reader, put_video

from app.cli import main
from app.exporting.request import ClipRequest
from app.exporting.sources import Sources
from app.settings_file import ROOTS_VARIABLE
from app.web.http.errors import ApiError
from app.web.http.file_response import _open
from db.library import Library
from db.media_roots import NO_ROOTS, MediaRoots, checked_roots
from db.records import Failure, Filters
from indexer import moves
from indexer.identity import Identity
from indexer.media.errors import UnreadableVideo
from indexer.media_roots import Reach, root_state
from indexer.missing_files import find_missing
from indexer.pipeline import index_folders
from indexer.preview import Decision
from indexer.recognizing.lines import require_as_indexed
from indexer.report import IndexReport
from indexer.returning import expire
from indexer.settings import IndexSettings, RunOptions

VIDEOS = 4


class World:
    """A library of a share with videos at its top and below, a file that failed, and a video on this machine alone."""

    def __init__(self, place: Path | str, tmp_path: Path) -> None:
        self.place, self.here = place, tmp_path
        self.share, self.local = tmp_path / "mnt" / "nas", tmp_path / "local"
        self.roots = checked_roots({"nas": str(self.share)})
        for number in range(VIDEOS):
            put_video(self.share / ("" if number % 2 else "films") / f"{number}.mp4", ["red"], note=str(number))
        (self.share / "bad.mp4").write_bytes(b"nothing" * 100)
        put_video(self.local / "mine.mp4", ["blue"], note="mine")
        with self.open() as library:
            self.index(library, self.share, self.local)
            assert len(library.videos()) == VIDEOS + 1
            assert len(library.failures()) == 1

    def open(self, roots: MediaRoots | None = None) -> Library:
        return Library.open(self.place, roots=self.roots if roots is None else roots)

    def index(self, library: Library, *paths: Path) -> IndexReport:
        return index_folders(
            library, ColourEncoder(), paths, IndexSettings(), RunOptions(decode_workers=1), open_video=Reader(),
            review=lambda work: Decision(forget=tuple(work.gone.doubtful)),  # a person who says yes to everything
        )  # fmt: skip

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(main, [*arguments, "--library", str(self.place)])
        assert "Traceback" not in done.output
        return done.output


@pytest.fixture
def world(place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(place, tmp_path)
    monkeypatch.setenv(ROOTS_VARIABLE, f"nas={made.share}")
    return made


def unmount(world: World) -> None:
    shutil.rmtree(world.share)
    world.share.mkdir()


def unmount_from_a_folder_with_something_in_it(world: World) -> None:
    unmount(world)
    (world.share / ".keep").touch()


def take_away(world: World) -> None:
    shutil.rmtree(world.share)


def replace_by_a_file(world: World) -> None:
    take_away(world)
    world.share.touch()


AWAY: list[Callable[[World], None]] = [
    unmount, unmount_from_a_folder_with_something_in_it, take_away, replace_by_a_file
]  # fmt: skip


def all_there(library: Library) -> bool:
    counts = len(library.videos()), len(library.failures()), len(library.vanished_videos())
    return counts == (VIDEOS + 1, 1, 0) and library.stats().videos == VIDEOS + 1


@pytest.mark.parametrize("away", AWAY)
def test_a_run_loses_nothing_of_a_root_that_is_away(world: World, away: Callable[[World], None]) -> None:
    away(world)
    with world.open() as library:
        for paths in ([world.here], [world.share], [world.share.parent, world.local], [world.share / "films"]):
            if paths == [world.share] and world.share.is_file():
                continue  # a file that is named is a video to try
            report = world.index(library, *paths)
            assert (report.removed, report.moved, report.expired) == (0, 0, 0)
            assert all_there(library), paths
        report = world.index(library, world.here)
        assert len(report.kept_missing) == VIDEOS


def test_a_run_loses_nothing_of_a_root_that_is_not_set(world: World) -> None:
    with world.open(NO_ROOTS) as library:
        for paths in ([world.local], [world.here / "mnt"], [world.here]):
            shutil.rmtree(world.share, ignore_errors=True)
            assert world.index(library, *paths).removed == 0
            assert all_there(library)
        assert find_missing([video.path for video in library.videos()]).deleted == ()


def test_what_is_deleted_below_a_root_that_is_there_is_gone(world: World) -> None:
    (world.share / "1.mp4").unlink()
    (world.share / "bad.mp4").unlink()
    with world.open() as library:
        assert world.index(library, world.share).removed == 1
        assert (len(library.videos()), len(library.failures()), len(library.vanished_videos())) == (VIDEOS, 0, 1)


@pytest.mark.parametrize("away", AWAY)
def test_a_backup_of_a_root_that_is_away_is_a_copy(world: World, away: Callable[[World], None]) -> None:
    shutil.copytree(world.share, world.local / "backup")
    away(world)
    with world.open() as library:
        report = world.index(library, world.local)
        assert (report.duplicates, report.moved) == (VIDEOS, 0)
        assert len(library.filtered_videos(Filters(folder=str(world.share)))) == VIDEOS


def test_the_only_video_of_a_root_may_be_renamed_there(place: Path | str, tmp_path: Path) -> None:
    path = put_video(tmp_path / "nas" / "a.mp4", ["red"])
    put_video(tmp_path / "nas" / "not yet.txt", ["red"])
    with Library.open(place, roots=checked_roots({"nas": str(tmp_path / "nas")})) as library:
        for new in (tmp_path / "nas" / "b.mp4", tmp_path / "nas" / "deep" / "c.mp4"):
            report = index_folders(library, ColourEncoder(), [tmp_path], IndexSettings(), open_video=Reader())
            assert report.complete
            new.parent.mkdir(exist_ok=True)
            os.rename(path, new)
            path = str(new)
        report = index_folders(library, ColourEncoder(), [tmp_path], IndexSettings(), open_video=Reader())
        assert (report.moved, report.added, report.duplicates) == (1, 0, 0)
        assert [video.path for video in library.videos()] == [path]


@pytest.mark.parametrize("away", AWAY)
def test_a_backup_of_a_root_that_is_not_set_is_a_copy(world: World, away: Callable[[World], None]) -> None:
    away(world)
    with world.open(NO_ROOTS) as library:
        put_video(world.local / "back.mp4", ["red"], note="0")
        report = world.index(library, world.local)
        assert (report.duplicates, report.moved) == (1, 0)
        assert len(library.videos("/.prismsearch-root/nas")) == VIDEOS


@pytest.mark.parametrize("away", [*AWAY[:1], *AWAY[2:]])
def test_vanished_videos_are_not_given_up_while_their_root_is_away(world: World, away: Callable[[World], None]) -> None:
    with world.open() as library:
        library.hide_videos([video.id for video in library.videos(str(world.share)) if video.id is not None])
        away(world)
        late = 4e9  # long after all of them are due
        assert expire(library, late) == 0
        with world.open(NO_ROOTS) as stranger:
            assert expire(stranger, late) == 0
        world.share.unlink() if world.share.is_file() else shutil.rmtree(world.share, ignore_errors=True)
        put_video(world.share / "films" / "other.mp4", ["red"])
        assert expire(library, late) == VIDEOS


@pytest.mark.parametrize("away", AWAY)
def test_retry_and_remove_missing_leave_a_root_that_is_away(world: World, away: Callable[[World], None]) -> None:
    away(world)
    said = world.run("retry")
    assert "1 failed file cannot be reached: " in said
    assert "root 'nas'" in said
    assert "removed" not in said
    for path in (world.here, world.share, "nas:/films"):
        said = world.run("remove", "--missing", "--yes", str(path))
        assert "cannot be reached: " in said
        assert "nothing was removed" in said
    with world.open() as library:
        assert all_there(library)


def test_retry_and_remove_missing_leave_a_root_that_is_not_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ROOTS_VARIABLE)
    assert "root 'nas' is not set on this machine: add it to [roots]" in world.run("retry")
    assert "nothing was removed" in world.run("remove", "--missing", "--yes", "/.prismsearch-root/nas")
    with world.open() as library:
        assert all_there(library)
    assert f"removed {VIDEOS} videos" in world.run("remove", "--yes", "/.prismsearch-root/nas")  # on purpose


def test_remove_missing_takes_what_is_gone_from_a_root_that_is_there(world: World) -> None:
    (world.share / "1.mp4").unlink()
    (world.share / "bad.mp4").unlink()
    assert "removed 1 video" in world.run("remove", "--missing", "--yes", "nas:/")
    with world.open() as library:
        assert (len(library.videos()), len(library.failures())) == (VIDEOS, 0)


@pytest.mark.parametrize("new", ["movies", "archive/2020/films", "1/films"])
def test_a_folder_below_a_root_may_be_renamed(world: World, new: str) -> None:
    """Its files have no number there by which they could be known again."""
    with world.open() as library:
        before = {video.id for video in library.videos()}
        (world.share / new).parent.mkdir(parents=True, exist_ok=True)
        os.rename(world.share / "films", world.share / new)
        report = world.index(library, world.share)
        assert (report.moved, report.duplicates, report.added, len(report.kept_missing)) == (VIDEOS // 2, 0, 0, 0)
        assert {video.id for video in library.videos()} == before


def test_a_backup_of_a_mount_below_a_root_is_a_copy(world: World) -> None:
    shutil.copytree(world.share / "films", world.share / "backup")
    shutil.rmtree(world.share / "films")
    (world.share / "films").mkdir()  # where nothing is mounted
    with world.open() as library:
        report = world.index(library, world.share)
        assert (report.moved, report.duplicates, len(report.kept_missing)) == (0, VIDEOS // 2, VIDEOS // 2)


def test_a_backup_beside_a_drive_that_is_away_is_a_copy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root with the mount points of several drives: the system removes that of one that is unplugged."""
    shutil.copytree(world.share / "films", world.share / "other drive")
    shutil.rmtree(world.share / "films")
    monkeypatch.setattr(moves, "_device", lambda path: 2 if "other drive" in path else 1)
    with world.open() as library:
        report = world.index(library, world.share)
        assert (report.moved, report.duplicates, len(report.kept_missing)) == (0, VIDEOS // 2, VIDEOS // 2)


def test_remove_missing_says_why_what_vanished_stays(world: World) -> None:
    os.remove(world.share / "films" / "0.mp4")
    with world.open() as library:
        world.index(library, world.share)
        (held,) = library.vanished_videos()
    unmount(world)
    said = world.run("remove", "--missing", "--yes", held.path)
    assert "1 file cannot be reached" in said
    assert "is not in the library" not in said


def test_the_state_of_a_root_says_what_to_do(world: World) -> None:
    assert root_state(world.roots, "nas") == "reachable"
    assert Reach(world.roots).why_not(str(world.share / "1.mp4")) is None
    assert Reach(world.roots).why_not(str(world.local)) is None
    assert root_state(world.roots, "tape") == "not set"
    assert "tape=FOLDER" in str(Reach(world.roots).why_not("/.prismsearch-root/tape/a.mp4"))
    unmount(world)
    assert root_state(world.roots, "nas") == "empty"
    assert "mounted" in str(Reach(world.roots).why_not(str(world.share / "1.mp4")))
    take_away(world)
    assert root_state(world.roots, "nas") == "missing"
    assert "connected" in str(Reach(world.roots).why_not(str(world.share)))


def test_what_reads_a_file_of_a_root_that_is_not_set_says_so(world: World) -> None:
    with world.open(NO_ROOTS) as library:
        video = library.videos("/.prismsearch-root/nas/films")[0]
    with pytest.raises(UnreadableVideo, match="Root 'nas' is not set on this machine"):
        require_as_indexed(video)
    with pytest.raises(ApiError, match="Root 'nas' is not set on this machine"):
        _open(video.path, None)
    request = ClipRequest(path=video.path, start_seconds=0, end_seconds=1, rank=1, identity=Identity.of(video))  # type: ignore[arg-type]
    assert "root 'nas' is not set" in (Sources().find(request).problem or "")


@pytest.mark.parametrize("step", [100, 10**3, 10**6, 10**7, 10**9])
def test_a_mount_with_coarser_times_has_the_same_files(world: World, step: int) -> None:
    for number in range(VIDEOS):
        path = world.share / ("" if number % 2 else "films") / f"{number}.mp4"
        os.utime(path, ns=(0, 1_700_000_123_987_654_321 + number))
    os.utime(world.share / "bad.mp4", ns=(0, 1_700_000_123_987_654_321))
    with world.open() as library:
        world.index(library, world.share)
        for path in [*world.share.rglob("*.mp4")]:
            time = path.stat().st_mtime_ns
            os.utime(path, ns=(0, time - time % step))
        before = library.change_token()
        report = world.index(library, world.share)
        assert (report.unchanged, len(report.skipped_failed), report.touched) == (VIDEOS, 1, 0)
        assert library.change_token() == before


def test_a_file_of_another_time_is_looked_at(world: World) -> None:
    path = world.share / "1.mp4"
    os.utime(path, ns=(0, 1_700_000_123_987_654_321))
    with world.open() as library:
        assert world.index(library, world.share).touched == 1
        os.utime(path, ns=(0, 1_700_000_123_987_654_322))
        assert world.index(library, world.share).touched == 1


def test_a_failure_of_a_machine_is_not_another_file_of_that_name(world: World) -> None:
    with world.open() as library:
        library.record_failure(
            Failure(path=str(world.share / "new.mp4"), size_bytes=1, modified_ns=1, kind="broken", reason="x")
        )
        with world.open(NO_ROOTS) as stranger:
            assert stranger.failure_at("/.prismsearch-root/nas/new.mp4") is not None
            assert stranger.clear_failures([str(world.share / "new.mp4")]) == 0
            assert stranger.clear_failures(["/.prismsearch-root/nas/new.mp4"]) == 1
