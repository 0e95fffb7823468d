"""Rows are taken over only by files that have, for certain, the content that was indexed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pretend import put_constant_size
from test_pipeline import World, counts

from db.records import KnownFile
from indexer import isolation
from indexer.fingerprint import fingerprint
from indexer.moves import was_moved
from indexer.scan import FoundFile


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.library.close()


@pytest.fixture
def read_whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that a plan reads whole, by name."""
    names: list[str] = []
    real = isolation.content_hash

    def counted(path: str, **options: object) -> str:
        names.append(os.path.basename(path))
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(isolation, "content_hash", counted)
    return names


def colours(world: World, name: str) -> int:
    video = world.library.video_at(str(world.root / name))
    assert video is not None
    assert video.id is not None
    return len(world.library.segments_of(video.id))


def forget_hashes(world: World) -> None:
    """As a library of an earlier version has none."""
    for video in world.library.videos():
        assert video.id is not None
        world.library.set_content_hash(video.id, "")


def test_a_second_render_of_equal_size_and_fingerprint_is_another_video(world: World) -> None:
    first = put_constant_size(world.root / "a.dv", ["red"])
    world.run()
    second = put_constant_size(world.root / "b.dv", ["blue", "green"])
    assert fingerprint(first) == fingerprint(second)
    assert counts(world.run()) == {"unchanged": 1, "added": 1}
    assert (colours(world, "a.dv"), colours(world, "b.dv")) == (1, 2)


def test_in_place_it_replaces_the_first(world: World) -> None:
    put_constant_size(world.root / "a.dv", ["red"])
    world.run()
    put_constant_size(world.root / "a.dv", ["blue", "green"])
    assert counts(world.run()) == {"updated": 1}
    assert colours(world, "a.dv") == 2
    assert counts(world.run()) == {"unchanged": 1}


def test_two_new_renders_of_one_fingerprint_are_two_videos_and_a_copy_is_not(world: World) -> None:
    first = put_constant_size(world.root / "a.dv", ["red"])
    put_constant_size(world.root / "b.dv", ["blue", "green"])
    shutil.copyfile(first, world.root / "c.dv")
    assert counts(world.run()) == {"added": 2, "duplicates": 1}
    assert [colours(world, name) for name in ("a.dv", "b.dv", "c.dv")] == [1, 2, 1]


def test_a_touched_or_copied_file_is_read_once_and_not_encoded(world: World, read_whole: list[str]) -> None:
    path = put_constant_size(world.root / "a.dv", ["red"])
    world.run()
    os.utime(path, (1, 1))
    assert counts(world.run()) == {"touched": 1}
    shutil.copyfile(path, world.root / "b.dv")
    assert counts(world.run()) == {"unchanged": 1, "duplicates": 1}
    assert (world.decoded, read_whole) == ([], ["a.dv", "b.dv"])


def test_a_moved_file_keeps_its_time_and_is_not_read(world: World, read_whole: list[str]) -> None:
    put_constant_size(world.root / "a.dv", ["red"])
    world.put("other.mp4", "blue")
    world.run()
    (world.root / "a.dv").rename(world.root / "b.dv")
    assert counts(world.run()) == {"unchanged": 1, "moved": 1}
    assert read_whole == []


def test_without_a_hash_a_copy_is_compared_with_its_original_and_a_changed_file_is_encoded(
    world: World, read_whole: list[str]
) -> None:
    path = put_constant_size(world.root / "a.dv", ["red"])
    world.run()
    forget_hashes(world)
    shutil.copyfile(path, world.root / "b.dv")
    assert counts(world.run()) == {"unchanged": 1, "duplicates": 1}
    assert sorted(read_whole) == ["a.dv", "b.dv"]
    assert all(video.content_hash for video in world.library.videos()), "what was read is remembered"
    (world.root / "b.dv").unlink()
    forget_hashes(world)
    os.utime(path, (1, 1))
    assert counts(world.run())["updated"] == 1, "what it was is not known any more"


def test_another_file_of_the_same_size_and_time_is_looked_into(world: World) -> None:
    path = put_constant_size(world.root / "a.dv", ["red"])
    info = os.stat(path)
    world.run()
    other = Path(path + "~")
    other.write_bytes(b"{" + b" " * (info.st_size - 1))
    os.utime(other, ns=(info.st_atime_ns, info.st_mtime_ns))
    other.replace(path)
    assert counts(world.run()) == {"failed": 1}


def test_an_unplugged_video_is_kept_beside_its_backup(world: World, tmp_path: Path) -> None:
    put_constant_size(world.root / "a.dv", ["red"])
    world.run()
    backup = tmp_path / "backup"
    shutil.copytree(world.root, backup)
    world.root.rename(tmp_path / "unplugged")
    world.root.mkdir()  # an empty mount point
    assert counts(world.run(world.root, backup))["duplicates"] == 1
    assert {video.path for video in world.library.videos()} == {str(world.root / "a.dv"), str(backup / "a.dv")}


def test_a_renamed_folder_is_moved_and_a_replaced_one_is_not(world: World, tmp_path: Path) -> None:
    put_constant_size(world.root / "sub" / "a.dv", ["red"])
    world.run()
    (world.root / "sub").rename(world.root / "renamed")
    assert counts(world.run()) == {"moved": 1}
    assert world.names == ["renamed/a.dv"]


def test_moved_is_what_left_a_folder_that_is_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "other").write_bytes(b"")
    new = FoundFile(path=str(tmp_path / "new.mp4"), size_bytes=1, modified_ns=1, file_id="7:11")
    Path(new.path).write_bytes(b"x")

    def moved(old: Path, file_id: str = "") -> bool:
        record = KnownFile(
            video_id=1, size_bytes=1, modified_ns=1, fingerprint="", recipe="", embedded=True, file_id=file_id
        )
        return was_moved(str(old), record, new)

    assert moved(there / "a.mp4")
    assert not moved(there / "other"), "it is still there"
    assert not moved(tmp_path / "gone" / "a.mp4")
    assert not moved(tmp_path / "gone" / "a.mp4", "7:12")
    assert moved(tmp_path / "gone" / "a.mp4", "7:11")


def test_files_of_an_earlier_version_and_of_a_drive_plugged_in_anew_get_their_numbers(world: World) -> None:
    path = world.put("a.mp4", "red")
    world.run()
    number = world.library.videos()[0].file_id
    assert number.endswith(f":{path.stat().st_ino}")
    for stored in ("", f"1{number}"):
        world.library.set_places({}, {world.library.videos()[0].id or 0: stored})
        assert counts(world.run()) == {"unchanged": 1}
        assert world.library.videos()[0].file_id == number
