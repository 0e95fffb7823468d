"""One library and two machines that have the same files in different folders, on both engines."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, make_video
from fakes import ColourEncoder
from postgres import on_a_server
from pretend import Reader, put_video
from sqlalchemy import LargeBinary, select, type_coerce

from db import schema
from db.errors import LibraryError
from db.library import Library
from db.media_roots import NO_ROOTS, MediaRoots, checked_roots
from db.records import Failure, Filters, NewSubclip
from indexer.pipeline import index_folders
from indexer.report import IndexReport
from indexer.settings import IndexSettings, RunOptions


class Machine:
    """A machine with a folder of the files, and its connection to the library."""

    def __init__(self, place: Path | str, folder: Path, roots: MediaRoots) -> None:
        self.folder = folder
        self.library = Library.open(place, roots=roots)
        self.reader, self.encoder = Reader(), ColourEncoder()

    def index(self, *paths: Path, **options: bool) -> IndexReport:
        self.reader.opened.clear()
        return index_folders(
            self.library, self.encoder, paths or (self.folder,), IndexSettings(),
            RunOptions(decode_workers=1, **options), open_video=self.reader,
        )  # fmt: skip

    def paths(self) -> list[str]:
        return sorted(os.path.relpath(video.path, self.folder) for video in self.library.videos())


def stored(library: Library, table: str = "videos") -> list[bytes]:
    paths = schema.metadata.tables[table].c.path
    with library._database.reading() as connection:
        return sorted(map(bytes, connection.scalars(select(type_coerce(paths, LargeBinary)))))


@pytest.fixture
def two(place: Path | str, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """The second machine has copies of the first one's files: the same times, other inodes."""
    here, there = tmp_path / "a" / "nas", tmp_path / "b" / "media" / "archive"
    put_video(here / "films" / "one.mp4", ["red", "blue"])
    put_video(here / "films" / "é" / os.fsdecode(b"caf\xe9.mp4"), ["green"], note="2")
    put_video(here / "top.mp4", ["blue"], note="3")
    shutil.copytree(here, there)
    machines = tuple(Machine(place, folder, checked_roots({"nas": str(folder)})) for folder in (here, there))
    yield machines[0], machines[1]
    for machine in machines:
        machine.library.close()


def test_what_one_machine_has_indexed_is_unchanged_to_another(two: tuple[Machine, Machine]) -> None:
    one, other = two
    assert one.index().added == 3
    assert stored(one.library) == [b"nas:/films/one.mp4", b"nas:/films/\xc3\xa9/caf\xe9.mp4", b"nas:/top.mp4"]
    before = other.library.change_token()
    for machine in (other, one, other):
        report = machine.index()
        assert (report.unchanged, report.complete, report.problems, report.notes) == (3, True, (), ())
        assert (report.added, report.updated, report.moved, report.touched, report.duplicates) == (0, 0, 0, 0, 0)
        assert machine.reader.opened == []
        assert machine.library.change_token() == before or machine is not other  # nothing was written
        assert machine.paths() == ["films/one.mp4", os.fsdecode(b"films/\xc3\xa9/caf\xe9.mp4"), "top.mp4"]


def test_each_machine_finds_and_opens_its_own_files(two: tuple[Machine, Machine]) -> None:
    one, other = two
    one.index()
    for machine in two:
        assert all(os.path.exists(video.path) for video in machine.library.videos())
        path = str(machine.folder / "films" / "one.mp4")
        video = machine.library.video_at(path)
        assert video is not None
        assert machine.library.known_file(path, machine.encoder.id) is not None
        assert [each.path for each in machine.library.videos(str(machine.folder / "films"))] == [
            path, str(machine.folder / "films" / "é" / os.fsdecode(b"caf\xe9.mp4"))
        ]  # fmt: skip
        assert machine.library.filtered_videos(Filters(folder=str(machine.folder / "films"))).size == 2
        assert machine.library.filtered_videos(Filters(folder=str(machine.folder.parent))).size == 3
        assert machine.library.filtered_videos(Filters(folder=path)).tolist() == [video.id]
        assert machine.library.filtered_videos(Filters(folder=str(machine.folder) + "0")).size == 0
        assert machine.library.folders() == sorted({os.path.dirname(each.path) for each in machine.library.videos()})
    assert one.library.video_at(str(other.folder / "top.mp4")) is None


def test_a_change_on_one_machine_is_a_change_to_the_other(two: tuple[Machine, Machine]) -> None:
    one, other = two
    one.index()
    (other.folder / "top.mp4").rename(other.folder / "films" / "renamed.mp4")
    shutil.rmtree(one.folder)
    shutil.copytree(other.folder, one.folder)
    report = one.index()
    assert (report.moved, report.added, report.removed) == (1, 0, 0)
    assert other.index().unchanged == 3
    put_video(other.folder / "films" / "one.mp4", ["white"])
    assert other.index().updated == 1
    shutil.copy2(other.folder / "films" / "one.mp4", one.folder / "films" / "one.mp4")
    assert one.index().unchanged == 3


def test_files_outside_of_roots_are_stored_as_before(two: tuple[Machine, Machine], tmp_path: Path) -> None:
    one, _ = two
    plain = put_video(tmp_path / "a" / "nas0" / "plain.mp4", ["red"], note="plain")
    one.index(tmp_path / "a")
    assert os.fsencode(plain) in stored(one.library)
    video = one.library.video_at(plain)
    assert video is not None
    assert video.file_id
    assert not any(each.file_id or each.volume for each in one.library.videos(str(one.folder)))


def test_a_machine_without_the_root_sees_where_files_belong_and_loses_nothing(
    two: tuple[Machine, Machine], place: Path | str, tmp_path: Path
) -> None:
    one, _ = two
    one.index()
    before = stored(one.library)
    stranger = Machine(place, tmp_path, NO_ROOTS)
    assert [each.path for each in stranger.library.videos("/.prismsearch-root/nas/films")] == [
        "/.prismsearch-root/nas/films/one.mp4", os.fsdecode(b"/.prismsearch-root/nas/films/\xc3\xa9/caf\xe9.mp4")
    ]  # fmt: skip
    assert len(stranger.library.videos("/")) == 3
    assert stranger.library.filtered_videos(Filters(folder="/.prismsearch-root/nas")).size == 3
    mine = put_video(tmp_path / "c" / "mine.mp4", ["red", "blue"])  # of the content of one of them
    report = stranger.index(tmp_path / "c")
    assert (report.duplicates, report.moved, report.removed) == (1, 0, 0)
    assert stored(one.library) == sorted([*before, os.fsencode(mine)])
    stranger.library.close()


def test_failures_are_those_of_all_machines(two: tuple[Machine, Machine]) -> None:
    one, other = two
    (one.folder / "bad.mp4").write_bytes(b"nothing" * 100)
    shutil.copy2(one.folder / "bad.mp4", other.folder / "bad.mp4")
    assert len(one.index().failed) == 1
    assert stored(one.library, "failures") == [b"nas:/bad.mp4"]
    assert [failure.path for failure in other.library.failures()] == [str(other.folder / "bad.mp4")]
    assert other.library.failure_at(str(other.folder / "bad.mp4")) is not None
    assert len(other.index().skipped_failed) == 1
    os.remove(other.folder / "bad.mp4")
    other.index()
    assert one.library.failures() == []


def test_a_row_that_leaves_its_root_is_never_a_path_that_exists(place: Path | str, tmp_path: Path) -> None:
    roots = checked_roots({"nas": str(tmp_path / "nas")})
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"x")
    (tmp_path / "nas").mkdir()
    with Library.open(place, roots=roots) as library:
        video_id = add(library)
        with library._database.writing() as connection:
            raw = type_coerce(b"nas:/../secret.mp4", LargeBinary)
            connection.execute(schema.videos.update().values(path=raw))
        [video] = library.videos()
        assert not os.path.lexists(video.path)
        assert not os.path.lexists(os.path.normpath(video.path))
        assert library.videos(video.path) == [video]
        assert library.video_at(video.path) == video
        library.touch_video(video_id, path=video.path, size_bytes=1, modified_ns=1)
        assert stored(library) == [b"nas:/../secret.mp4"]


def test_subclips_and_vanished_videos_have_the_paths_of_this_machine(two: tuple[Machine, Machine]) -> None:
    one, other = two
    one.index()
    video = one.library.video_at(str(one.folder / "top.mp4"))
    assert video is not None
    assert video.id is not None
    segment = one.library.segments_of(video.id)[0]
    collection = one.library.collections.create("Best")
    assert segment.id is not None
    one.library.collections.add(collection.id, [NewSubclip(segment_id=segment.id)])
    [clip] = other.library.collections.subclips(collection.id)
    assert clip.path == str(other.folder / "top.mp4")
    one.library.hide_videos([video.id])
    assert [each.path for each in other.library.vanished_videos()] == [str(other.folder / "top.mp4")]
    assert [each.path for each in other.library.vanished_videos(str(other.folder))] == [str(other.folder / "top.mp4")]
    assert stored(one.library, "subclips") == stored(one.library, "vanished_videos") == [b"nas:/top.mp4"]
    assert [each.path for each in other.library.collections.subclips(collection.id)] == [str(other.folder / "top.mp4")]


@on_a_server
def test_workers_claim_one_file_under_two_mounts_once(two: tuple[Machine, Machine], place: str) -> None:
    one, other = two
    with one.library.claims("index") as claims, other.library.claims("index") as others:
        assert claims.take({"content": str(one.folder / "top.mp4")}, 1) == ["content"]
        assert others.take({"content": str(other.folder / "top.mp4")}, 1) == []
        assert [worker.paths for worker in other.library.workers() if worker.paths] == [
            (str(other.folder / "top.mp4"),)
        ]
        with Library.open(place) as stranger:
            assert [each.paths for each in stranger.workers() if each.paths] == [("/.prismsearch-root/nas/top.mp4",)]


def test_damage_is_told_by_the_path_of_this_machine(two: tuple[Machine, Machine]) -> None:
    one, other = two
    one.index()
    with one.library._database.writing() as connection:
        connection.execute(schema.segments.update().values(end_pts=schema.segments.c.end_pts + 1))
    assert any(str(other.folder / "top.mp4") in problem for problem in other.library.check())


def test_plain_rows_from_before_a_root_are_not_indexed_twice(place: Path | str, tmp_path: Path) -> None:
    put_video(tmp_path / "nas" / "one.mp4", ["red"])
    (tmp_path / "nas" / "bad.mp4").write_bytes(b"nothing" * 100)
    before = Machine(place, tmp_path / "nas", NO_ROOTS)
    before.index()
    before.library.close()
    machine = Machine(place, tmp_path / "nas", checked_roots({"nas": str(tmp_path / "nas")}))
    library = machine.library
    assert len(library.videos(str(machine.folder))) == 1
    assert library.filtered_videos(Filters(folder=str(machine.folder))).size == 1
    put_video(tmp_path / "nas" / "two.mp4", ["blue"], note="2")
    report = machine.index()
    assert not report.complete
    assert "prismsearch roots adopt nas" in str(report.stopped)
    with pytest.raises(LibraryError, match="roots adopt nas"):
        library.require_adopted()
    with pytest.raises(LibraryError, match="roots adopt nas"):
        add(library, make_video(str(tmp_path / "nas" / "one.mp4")))
    with pytest.raises(LibraryError, match="roots adopt nas"):
        library.record_failure(Failure(path="/x", size_bytes=1, modified_ns=1, kind="broken", reason="x"))
    assert len(library.videos()) == len(library.failures()) == 1
    [row] = library.root_rows()
    assert (row.name, row.videos, row.others) == ("nas", 0, 1)
    assert library.adopt_root("nas").videos == 1
    assert stored(library) == [b"nas:/one.mp4"]
    assert stored(library, "failures") == [b"nas:/bad.mp4"]
    report = machine.index()
    assert (report.unchanged, report.added, len(report.skipped_failed)) == (1, 1, 1)
    assert library.release_root("nas").videos == 2
    assert stored(library) == [os.fsencode(machine.folder / name) for name in ("one.mp4", "two.mp4")]
    library.close()
    with Library.open(place) as plain:
        assert [video.path for video in plain.videos()] == [
            str(machine.folder / name) for name in ("one.mp4", "two.mp4")
        ]
        assert plain.check() == []


def test_searches_of_rows_do_not_depend_on_the_machine(two: tuple[Machine, Machine]) -> None:
    two[0].index()
    folders = [Filters(folder=str(machine.folder / "films")) for machine in two]
    ids = [two[k].library.segment_ids(folders[k], two[0].encoder.id) for k in range(2)]
    assert ids[0].size
    assert np.array_equal(*ids)
