"""Rows of files that have vanished: kept whole for a while, found by nothing, and brought back with the same ids."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import ColourEncoder, ExactIndex
from test_pipeline import World, counts

from db.records import Filters, NewSubclip
from files import volumes
from indexer.returning import expire
from indexer.settings import IndexSettings

DAY = 86_400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.library.close()


def everything(world: World) -> list[object]:
    """Rows of every table that a video has, with ids."""
    library = world.library
    return [
        (video, library.shots(video.id), library.segments_of(video.id), library.poster_path(video, 0).read_bytes())
        for video in library.videos()
        if video.id is not None
    ] + [
        (row.id, [(ids.tolist(), rows.tolist()) for ids, rows in library.embeddings(row.id)])
        for row in library.encoders()
    ]


def test_a_deleted_file_comes_back_whole_with_the_same_ids(world: World, tmp_path: Path) -> None:
    world.put_all()
    world.run()
    world.run(encoder=ColourEncoder(name="second"))
    library = world.library
    video = library.video_at(str(world.root / "a.mp4"))
    assert video is not None
    (segment, *_) = library.segments_of(video.id or 0)
    (subclip,) = library.collections.add(library.collections.tray().id, [NewSubclip(segment_id=segment.id or 0)])
    before = everything(world)

    (world.root / "a.mp4").rename(tmp_path / "kept.mp4")
    assert counts(world.run()) == {"unchanged": 2, "removed": 1}
    assert world.names == ["b.mp4", "sub/c.mp4"]
    assert (library.stats().videos, library.stats().segments, library.check()) == (2, 4, [])
    assert library.segment_ids(Filters(), world.encoder.id).size == 4
    assert ExactIndex.of(library, world.encoder.id).search(world.encoder.encode_texts(["red"]), 9)[0].shape[1] == 4
    assert [(each.path, each.video_id) for each in library.vanished_videos()] == [(video.path, video.id)]

    (tmp_path / "kept.mp4").rename(world.root / "a.mp4")
    report = world.run()
    assert (counts(report), report.returned, world.decoded) == ({"unchanged": 2}, 1, [])
    assert everything(world) == before
    assert library.vanished_videos() == []
    (again,) = library.collections.subclips(library.collections.tray().id)
    assert (again.id, again.segment_id) == (subclip.id, segment.id)


def test_it_comes_back_under_another_name_and_while_the_old_one_is_taken(world: World, tmp_path: Path) -> None:
    world.put_all()
    world.run()
    old = world.library.video_at(str(world.root / "a.mp4"))
    shutil.copy2(world.root / "a.mp4", tmp_path / "kept.mp4")
    world.put("a.mp4", "white")  # another card has a file of this name
    assert counts(world.run()) == {"unchanged": 2, "updated": 1}
    shutil.copy2(tmp_path / "kept.mp4", world.root / "new name.mp4")
    report = world.run()
    assert (report.returned, world.decoded, world.library.vanished_videos()) == (1, [], [])
    new = world.library.video_at(str(world.root / "new name.mp4"))
    assert old is not None
    assert new is not None
    assert new.id == old.id
    assert [each.video_id for each in world.library.vanished_videos()] == []
    assert len(world.names) == 4


def test_two_cards_in_turn_cost_nothing(world: World, tmp_path: Path) -> None:
    """Both have a C0001.mp4, as all cameras number."""
    world.put("C0001.mp4", "red", "green")
    world.run()
    ids = {video.id for video in world.library.videos()}
    cards = [tmp_path / "card a", tmp_path / "card b"]
    world.root.rename(cards[0])
    world.put("C0001.mp4", "blue")
    world.run()
    for now, other in ((0, 1), (1, 0), (0, 1)):
        world.root.rename(cards[other])
        cards[now].rename(world.root)
        report = world.run()
        assert (report.returned, world.decoded) == (1, [])
    assert {video.id for video in world.library.videos()} == ids


def test_one_that_was_cut_otherwise_is_encoded_again(world: World, tmp_path: Path) -> None:
    world.put_all()
    world.run()
    (world.root / "a.mp4").rename(tmp_path / "a.mp4")
    world.run(settings=IndexSettings(segment_seconds=4.0))
    (tmp_path / "a.mp4").rename(world.root / "a.mp4")
    report = world.run(settings=IndexSettings(segment_seconds=4.0))
    assert (report.returned, report.updated, world.decoded) == (1, 1, ["a.mp4"])
    assert world.library.vanished_videos() == []


def test_vanished_rows_expire_with_their_media(world: World) -> None:
    world.put_all()
    world.run()
    (world.root / "a.mp4").unlink()
    world.run()
    assert world.library.check() == []
    media = world.library.directory / "media"
    assert len(list(media.glob("*/*"))) == 3
    now = time.time()
    assert expire(world.library, now + 29 * DAY) == 0
    assert expire(world.library, now + 31 * DAY) == 1
    assert world.library.vanished_videos() == []
    assert len(list(media.glob("*/*"))) == 2
    tables = ("videos", "shots", "segments", "encodings", "embeddings")
    with world.library._database.reading() as connection:
        assert [connection.exec_driver_sql(f"SELECT count(*) FROM vanished_{name}").scalar() for name in tables] == [
            0
        ] * 5


def test_with_no_days_they_are_gone_at_once(world: World) -> None:
    world.put_all()
    world.run()
    world.library.use_keep_vanished_days(0)
    (world.root / "a.mp4").unlink()
    report = world.run()
    assert (report.removed, report.expired, world.library.vanished_videos()) == (1, 1, [])


@pytest.mark.parametrize(
    ("stored", "now", "there", "expired"),
    [
        ("uuid:A", "uuid:A", True, 1),
        ("uuid:A", "uuid:B", True, 0),  # another card is in its place
        ("uuid:A", "uuid:A", False, 1),  # the folder was deleted, its volume is there
        ("uuid:A", "uuid:ROOT", False, 0),  # unmounted: only what is above the mount point is there
        ("", "uuid:A", True, 1),
        ("", "uuid:A", False, 0),
    ],
)
def test_what_is_on_a_drive_that_is_not_there_never_expires(
    world: World, monkeypatch: pytest.MonkeyPatch, stored: str, now: str, there: bool, expired: int
) -> None:
    world.put("sub/a.mp4", "red")
    (world.root / "sub" / "other.txt").write_text("")
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: stored)
    world.run()
    (world.root / "sub" / "a.mp4").unlink()
    world.run()
    assert len(world.library.vanished_videos()) == 1
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: now)
    if not there:
        shutil.rmtree(world.root / "sub")
    assert expire(world.library, time.time() + 400 * DAY) == expired


def test_volumes_are_stored_also_for_files_that_an_older_version_indexed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put_all()
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: "")
    world.run()
    assert {video.volume for video in world.library.videos()} == {""}
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: "uuid:A")
    world.run()
    assert {video.volume for video in world.library.videos()} == {"uuid:A"}
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: "uuid:B")
    (world.root / "a.mp4").unlink()
    report = world.run()
    assert report.kept_missing == (str(world.root / "a.mp4"),), "it was on another volume"
    assert os.path.basename(report.kept_missing[0]) in world.names
