"""Files that are gone: what a run forgets, and what it keeps because another card may be in its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_pipeline import World, counts

from files import filesystems, volumes
from indexer.missing_files import find_missing
from indexer.pipeline import index_folders
from indexer.preview import Decision, Preview
from indexer.report import IndexReport
from indexer.settings import IndexSettings, RunOptions

CARD_A = {"a1.mp4": ["red", "green"], "a2.mp4": ["blue"], "a3.mp4": ["white", "black", "red"]}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.library.close()


def reviewed(world: World, review: Callable[[Preview], Decision], **options: bool) -> IndexReport:
    world.reader.opened.clear()
    return index_folders(
        world.library, world.encoder, [world.root], IndexSettings(), RunOptions(**options), open_video=world.reader,
        review=review,
    )  # fmt: skip


def put_other_card(world: World, away: Path) -> None:
    world.root.rename(away)
    world.put("b1.mp4", "green")


def test_another_card_at_the_same_place_takes_nothing_with_it(world: World, tmp_path: Path) -> None:
    world.put_all(CARD_A)
    world.run()
    before = world.snapshot()
    put_other_card(world, tmp_path / "away")
    report = world.run()
    assert counts(report) == {"added": 1, "kept_missing": 3}
    assert [(each.path, "3 of its 3 videos" in each.reason) for each in report.notes] == [(str(world.root), True)]
    shutil.rmtree(world.root)
    (tmp_path / "away").rename(world.root)
    assert counts(world.run())["unchanged"] == 3
    assert world.decoded == []
    assert world.snapshot().items() >= before.items()


def test_most_of_a_root_goes_only_after_a_yes(world: World, tmp_path: Path) -> None:
    world.put_all(CARD_A)
    world.run()
    put_other_card(world, tmp_path / "away")
    asked: list[dict[str, int]] = []

    def yes(work: Preview) -> Decision:
        asked.append({root: len(paths) for root, paths in work.gone.doubtful.items()})
        return Decision(forget=frozenset(work.gone.doubtful))

    report = reviewed(world, yes)
    assert counts(report) == {"added": 1, "removed": 3}
    assert report.notes == ()
    assert asked == [{str(world.root): 3}]


@pytest.mark.parametrize(("videos", "gone", "asked"), [(1, 1, False), (2, 2, True), (4, 2, False), (4, 3, True)])
def test_what_counts_as_most_of_a_root(world: World, videos: int, gone: int, asked: bool) -> None:
    for number in range(videos):
        world.put(f"{number}.mp4", "red", note=str(number))
    (world.root / "other.txt").write_text("the folder is not empty")
    world.run()
    for number in range(gone):
        (world.root / f"{number}.mp4").unlink()
    report = world.run()
    assert (report.removed, len(report.kept_missing)) == ((0, gone) if asked else (gone, 0))


def test_a_run_that_may_not_go_on_changes_nothing(world: World) -> None:
    world.put_all(CARD_A)
    world.run()
    world.put("new.mp4", "blue", "red")
    (world.root / "a1.mp4").unlink()
    (world.root / "a2.mp4").rename(world.root / "moved.mp4")
    before, seen = world.snapshot(), []

    def no(work: Preview) -> Decision:
        seen.append((len(work.new), len(work.plan.moved), work.gone.deleted))
        return Decision(go_on=False)

    assert counts(reviewed(world, no)) == {"unchanged": 1}
    assert seen == [(1, 1, (str(world.root / "a1.mp4"),))]
    assert world.snapshot() == before
    assert world.decoded == []
    assert counts(world.run(dry_run=True)) == {"unchanged": 1}
    assert world.snapshot() == before


def test_unchanged_videos_stay_as_they_were_indexed_after_a_no(world: World) -> None:
    world.put_all(CARD_A)
    world.run()
    world.put("new.mp4", "blue", "red")
    shutil.copy(world.root / "a2.mp4", world.root / "copy of a2.mp4")
    before, seen = world.snapshot(), []

    def review(work: Preview) -> Decision:
        seen.extend(Path(each.task.file.path).name for each in work.again)
        return Decision(again=False)

    report = index_folders(
        world.library, world.encoder, [world.root], IndexSettings(segment_seconds=4.0), open_video=world.reader,
        review=review,
    )  # fmt: skip
    assert seen == ["a1.mp4", "a2.mp4", "a3.mp4"]
    assert (report.added, report.updated, report.left, report.duplicates) == (1, 0, 3, 1)
    assert world.snapshot().items() >= before.items()


def test_a_file_is_not_deleted_if_another_volume_is_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").write_bytes(b"")
    path = str(tmp_path / "a.mp4")
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: "uuid:B")
    assert find_missing([path], {path: "uuid:A"}).unreachable == (path,)
    assert find_missing([path], {path: "uuid:B"}).deleted == (path,)
    assert find_missing([path], {path: ""}).deleted == (path,)
    monkeypatch.setattr(volumes.Volumes, "identity", lambda self, path: "")
    assert find_missing([path], {path: "uuid:A"}).deleted == (path,)


def test_failures_follow_a_renamed_folder(world: World) -> None:
    world.put("old/a.mp4", "red")
    (world.root / "old" / "broken.mp4").write_text("nothing")
    assert len(world.run().failed) == 1
    (world.root / "old").rename(world.root / "new")
    report = world.run()
    assert (report.moved, len(report.failed), len(report.skipped_failed), world.decoded) == (1, 0, 1, [])
    assert [failure.path for failure in world.library.failures()] == [str(world.root / "new" / "broken.mp4")]


# Volumes: what the system says, by stand-ins for its files and calls


def linux(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mounts: str) -> None:
    (tmp_path / "mountinfo").write_text(mounts)
    monkeypatch.setattr(filesystems, "MOUNTS_FILE", str(tmp_path / "mountinfo"))
    monkeypatch.setattr(volumes, "_BY_UUID", str(tmp_path / "by-uuid"))
    monkeypatch.setattr(volumes.sys, "platform", "linux")


def test_a_volume_on_linux_is_the_uuid_of_its_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a card"
    place.mkdir()
    (tmp_path / "sdx1").write_bytes(b"")
    (tmp_path / "by-uuid").mkdir()
    (tmp_path / "by-uuid" / "1234-ABCD").symlink_to(tmp_path / "sdx1")
    point = str(place).replace(" ", "\\040")
    lines = [
        "21 1 8:1 / / rw - ext4 /dev/sdz1 rw",
        f"22 1 8:2 / {point} rw shared:1 - exfat /dev/old rw",
        f"23 1 8:3 / {point} rw - exfat {tmp_path}/sdx1 rw",
        f"24 1 8:4 / {point}/deeper rw - exfat /dev/other rw",
        "torn",
    ]
    linux(monkeypatch, tmp_path, "\n".join(lines))
    assert volumes.Volumes().identity(str(place)) == "uuid:1234-ABCD"
    (tmp_path / "by-uuid" / "1234-ABCD").unlink()
    assert volumes.Volumes().identity(str(place)) == "", "the f_fsid of FAT is a device number"
    assert volumes.Volumes().identity(str(place / "nothing")) == ""


def test_a_volume_on_linux_without_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    linux(monkeypatch, tmp_path, f"22 1 0:2 / {tmp_path} rw - cifs //nas/films rw")
    assert volumes.Volumes().identity(str(tmp_path)) == "cifs://nas/films"
    linux(monkeypatch, tmp_path, f"22 1 0:2 / {tmp_path} rw - ext4 /dev/nothing rw")
    assert volumes.Volumes().identity(str(tmp_path)) == f"fsid:{os.statvfs(tmp_path).f_fsid:x}"
    linux(monkeypatch, tmp_path, "")
    assert volumes.Volumes().identity(str(tmp_path)) == ""


def test_volumes_of_other_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes.sys, "platform", "win32")
    assert volumes.Volumes().identity(str(tmp_path)) == f"serial:{tmp_path.stat().st_dev:x}"
    monkeypatch.setattr(volumes.sys, "platform", "darwin")
    assert volumes.Volumes().identity(str(tmp_path)) == "", "this C library has no getattrlist"
    asked: list[tuple[bytes, int]] = []

    class Calls:
        @staticmethod
        def getattrlist(point: bytes, wanted: object, answer: object, size: int, options: int) -> int:
            asked.append((point, size))
            answer._obj.uuid[:] = range(16)  # type: ignore[attr-defined]
            return 0

    monkeypatch.setattr(volumes.ctypes, "CDLL", lambda name, use_errno: Calls)
    assert volumes.Volumes().identity(str(tmp_path)) == "uuid:00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert os.path.ismount(asked[0][0])
    assert asked[0][1] == 20
