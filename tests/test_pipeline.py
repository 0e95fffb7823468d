"""Runs over folders: what is done, what is not done again, and what is left when a run is stopped anywhere."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder, ExactIndex
from numpy.typing import NDArray
from pretend import Reader, put_video, snapshot

from db.errors import LibraryFull
from db.library import Library
from db.media import StagedMedia
from encoder import EncoderUnavailable
from files.claims import Claims
from indexer.media.errors import UnreadableVideo
from indexer.pipeline import index_folders
from indexer.progress import Progress, ProgressMeter
from indexer.report import STAGES, IndexReport
from indexer.settings import IndexSettings, RunOptions

THREE = {"a.mp4": ["red", "green"], "b.mp4": ["blue"], "sub/c.mp4": ["white", "black", "red"]}


class World:
    """A folder of pretend videos, a library, and runs over them."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "videos"
        self.root.mkdir()
        self.library = Library.open(tmp_path / "library")
        self.encoder = ColourEncoder()
        self.reader = Reader()

    def put(self, name: str, *colours: str, note: str = "", damaged: int = 0) -> Path:
        return Path(put_video(self.root / name, colours, note=note, damaged=damaged))

    def put_all(self, videos: dict[str, list[str]] = THREE) -> None:
        for name, colours in videos.items():
            self.put(name, *colours)

    def run(
        self,
        *roots: Path,
        encoder: ColourEncoder | None = None,
        settings: IndexSettings | None = None,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        **options: object,
    ) -> IndexReport:
        self.reader.opened.clear()
        report = index_folders(
            self.library,
            encoder or self.encoder,
            roots or [self.root],
            settings or IndexSettings(),
            RunOptions(**options),  # type: ignore[arg-type]
            on_progress=progress,
            cancelled=cancelled,
            open_video=self.reader,
        )
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode-")]
        assert not list((self.library.directory / "media").glob(".partial-*"))
        assert self.library.check() == []
        return report

    @property
    def names(self) -> list[str]:
        return [os.path.relpath(video.path, self.root) for video in self.library.videos()]

    @property
    def decoded(self) -> list[str]:
        """In the last run."""
        return sorted(os.path.relpath(path, self.root) for path in self.reader.opened)

    def snapshot(self) -> dict[str, object]:
        return snapshot(self.library, self.encoder.id)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.library.close()


def counts(report: IndexReport) -> dict[str, int]:
    """Those that are not 0."""
    names = ("added", "updated", "unchanged", "touched", "moved", "duplicates", "aliases", "removed")
    lists = ("kept_missing", "failed", "skipped_failed", "problems")
    every = {name: getattr(report, name) for name in names} | {name: len(getattr(report, name)) for name in lists}
    assert report.complete, report
    return {name: count for name, count in every.items() if count}


# What a run does


def test_a_run_and_the_next(world: World) -> None:
    world.put_all()
    (world.root / "notes.txt").write_text("no video")
    report = world.run()
    assert counts(report) == {"added": 3}
    assert (report.clips, report.frames, report.video_seconds) == (6, 60, 6.0)
    assert report.seconds.keys() == set(STAGES)
    assert report.speed == pytest.approx(6.0 / report.seconds["wall"])
    ids, _ = ExactIndex.of(world.library, world.encoder.id).search(world.encoder.encode_texts(["blue"]), 1)
    segment, video = world.library.segments(ids[0])[int(ids[0, 0])]
    assert (os.path.basename(video.path), segment.number) == ("b.mp4", 0)
    assert world.library.poster_path(video, 0).read_bytes() == b"blue"

    before, stamp = world.snapshot(), world.library.stamp(world.encoder.id)
    report = world.run()
    assert counts(report) == {"unchanged": 3}
    assert world.decoded == []
    assert world.snapshot() == before
    assert world.library.stamp(world.encoder.id) == stamp
    assert report.speed is None


@pytest.mark.parametrize("damage", ["removed", "emptied", "cut short", "folder removed", "preview removed"])
def test_media_that_a_power_cut_took_are_made_again_and_nothing_is_encoded(world: World, damage: str) -> None:
    world.put_all()
    world.put("copy of a.mp4", *THREE["a.mp4"])
    world.run()
    before = world.snapshot()
    (video,) = [each for each in world.library.videos() if each.path.endswith("/c.mp4")]
    poster, preview = world.library.poster_path(video, 1), world.library.preview_path(video, 1)
    content, name = (poster.read_bytes(), preview.read_bytes()), poster.parent.name
    if damage == "folder removed":
        shutil.rmtree(poster.parent)
    elif damage.endswith("removed"):
        (poster if damage == "removed" else preview).unlink()
    else:
        poster.write_bytes(b"" if damage == "emptied" else b"bl")
    if damage != "preview removed" or preview.parent.exists():
        assert [line.endswith("ndex it again.") for line in world.library.check()] == [True]
    world.encoder.encode_clips = None  # type: ignore[assignment,method-assign]
    report = world.run()
    assert counts(report) == {"unchanged": 4}
    assert (report.mended, world.decoded) == (1, ["sub/c.mp4"])
    poster, preview = world.library.poster_path(video, 1), world.library.preview_path(video, 1)
    assert (poster.read_bytes(), preview.read_bytes()) == content
    assert poster.parent.name != name
    assert not poster.parent.with_name(name).exists()
    assert world.snapshot() == before
    assert world.run().mended == 0


def test_a_second_run_takes_what_the_first_has_not_begun(world: World) -> None:
    for number in range(8):
        world.put(f"{number}.mp4", "red", note=str(number))
    reader = Reader()
    stored: list[int] = []

    def nothing_left() -> bool:
        """The first run stands still meanwhile: once nothing more is stored, only what it has begun is left."""
        stored.append(len(world.library.videos()))
        return bool(reader.opened) and stored[-4] == stored[-1] == len(reader.opened)

    def run_second(path: str, number: int) -> None:
        if not stored:
            index_folders(
                world.library, world.encoder, [world.root], IndexSettings(), RunOptions(), open_video=reader,
                cancelled=nothing_left,
            )  # fmt: skip

    world.reader.before_clip = run_second
    report = world.run(decode_workers=1)
    assert reader.opened, "the second run had something to do"
    assert not set(reader.opened) & set(world.reader.opened), "nothing was decoded twice"
    assert len(world.names) == 8
    assert (report.added, report.unchanged) == (8 - len(reader.opened), len(reader.opened))
    assert not list((world.library.directory / "claims").iterdir())


def test_claims_of_a_process_that_ended_lapse_at_once(tmp_path: Path) -> None:
    script = "import os, sys; from pathlib import Path; from files.claims import Claims; "
    script += "assert Claims(Path(sys.argv[1])).take('a'); os._exit(9)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "claims")], env=environment, check=False)
    one, two = Claims(tmp_path / "claims"), Claims(tmp_path / "claims")
    assert one.take("a")
    assert not two.take("a")
    one.release("a")
    assert two.take("a")
    two.close()
    assert list((tmp_path / "claims").iterdir()) == []


def test_media_that_copies_share_are_made_again_once(world: World) -> None:
    world.put("a.mp4", "red", "green")
    world.put("copy of a.mp4", "red", "green")
    world.run()
    first, second = world.library.videos()
    shutil.rmtree(world.library.poster_path(first, 0).parent)
    assert world.run().mended == 1
    assert world.library.poster_path(first, 0).read_bytes() == world.library.poster_path(second, 0).read_bytes()


def test_a_video_that_would_be_cut_otherwise_keeps_its_rows(world: World) -> None:
    world.put("a.mp4", "red", "green")
    world.run()
    (video,) = world.library.videos()
    shutil.rmtree(world.library.poster_path(video, 0).parent)
    with world.library._database.writing() as connection:
        connection.exec_driver_sql("UPDATE segments SET end_pts = end_pts + 1")
    before = world.library.segments_of(video.id or 0)
    reader, library = world.reader, world.library
    report = index_folders(library, world.encoder, [world.root], IndexSettings(), RunOptions(), open_video=reader)
    assert (report.mended, [each.path for each in report.problems]) == (0, [video.path])
    assert "--redo" in report.problems[0].reason
    assert library.segments_of(video.id or 0) == before


def test_no_root_and_nothing_found(world: World) -> None:
    assert counts(world.run()) == {}
    assert counts(world.run(world.root / "gone")) == {"problems": 1}


def test_moved_renamed_and_from_one_root_to_another(world: World, tmp_path: Path) -> None:
    world.put_all()
    world.run()
    ids = {video.fingerprint: video.id for video in world.library.videos()}
    other = tmp_path / "other drive"
    other.mkdir()
    (world.root / "a.mp4").rename(world.root / "renamed.mp4")
    (world.root / "sub" / "c.mp4").rename(world.root / "c.mp4")
    (world.root / "b.mp4").rename(other / "b.mp4")
    report = world.run(world.root, other)
    assert counts(report) == {"moved": 3}
    assert world.decoded == []
    assert world.names == ["../other drive/b.mp4", "c.mp4", "renamed.mp4"]
    assert {video.fingerprint: video.id for video in world.library.videos()} == ids
    assert counts(world.run(world.root, other)) == {"unchanged": 3}


def test_a_move_is_seen_when_only_the_new_folder_is_scanned(world: World, tmp_path: Path) -> None:
    world.put("a.mp4", "red")
    world.run()
    (tmp_path / "new").mkdir()
    (world.root / "a.mp4").rename(tmp_path / "new" / "a.mp4")
    assert counts(world.run(tmp_path / "new")) == {"moved": 1}


def test_two_files_that_swap_names(world: World) -> None:
    a, b = world.put("a.mp4", "red"), world.put("b.mp4", "blue", "green")
    world.run()
    before = world.snapshot()
    a.rename(world.root / "x")
    b.rename(a)
    (world.root / "x").rename(b)
    assert counts(world.run()) == {"moved": 2}
    after = world.snapshot()
    assert (after[str(a)], after[str(b)]) == (before[str(b)], before[str(a)])


def test_duplicates_are_encoded_once(world: World) -> None:
    a = world.put("a.mp4", "red", "blue")
    shutil.copy(a, world.root / "b.mp4")
    assert counts(world.run()) == {"added": 1, "duplicates": 1}
    assert world.decoded == ["a.mp4"]
    shutil.copy(a, world.root / "c.mp4")
    assert counts(world.run()) == {"unchanged": 2, "duplicates": 1}
    assert world.decoded == []
    everything = world.snapshot()
    rows = {name: everything[str(world.root / name)][4] for name in ("a.mp4", "b.mp4", "c.mp4")}  # type: ignore[index]
    assert rows["a.mp4"] == rows["b.mp4"] == rows["c.mp4"]
    a.unlink()
    assert counts(world.run()) == {"unchanged": 2, "removed": 1}
    assert len(world.snapshot()) == 2  # with all their pictures


def test_touched_and_changed(world: World) -> None:
    a, b = world.put("a.mp4", "red"), world.put("b.mp4", "blue")
    world.run()
    os.utime(a, (1, 1))
    world.put("b.mp4", "white", "black")
    assert counts(world.run()) == {"touched": 1, "updated": 1}
    assert world.decoded == ["b.mp4"]
    assert counts(world.run()) == {"unchanged": 2}
    changed = world.library.video_at(str(b))
    assert changed is not None
    assert changed.frames == 20


def test_other_settings_other_encoders_and_redo(world: World) -> None:
    world.put_all()
    world.run()
    ids = {video.path: video.id for video in world.library.videos()}
    second = ColourEncoder(name="second")
    assert counts(world.run(encoder=second)) == {"updated": 3}
    assert [row.segments for row in world.library.encoders()] == [6, 6]
    assert {video.path: video.id for video in world.library.videos()} == ids
    assert counts(world.run(encoder=second)) == counts(world.run()) == {"unchanged": 3}
    assert counts(world.run(settings=IndexSettings(segment_seconds=4.0))) == {"updated": 3}
    assert counts(world.run(settings=IndexSettings(segment_seconds=4.0), redo=True)) == {"updated": 3}


def test_a_moved_file_for_a_new_encoder_keeps_what_the_old_one_made(world: World) -> None:
    a = world.put("a.mp4", "red")
    world.run()
    a.rename(world.root / "b.mp4")
    assert counts(world.run(encoder=ColourEncoder(name="second"))) == {"moved": 1, "updated": 1}
    assert [row.segments for row in world.library.encoders()] == [1, 1]


def test_links_do_not_double_the_library(world: World, tmp_path: Path) -> None:
    world.put_all()
    world.run()
    (tmp_path / "way").symlink_to(world.root)
    assert counts(world.run(tmp_path / "way")) == {"aliases": 3}
    (world.root / "sub" / "loop").symlink_to(world.root)
    assert counts(world.run()) == {"unchanged": 3}


def test_a_folder_named_like_a_video(world: World) -> None:
    world.put("x.mp4/inside.mp4", "red")
    assert counts(world.run()) == {"added": 1}


def test_the_library_may_lie_in_the_folder_it_indexes(tmp_path: Path) -> None:
    world = World(tmp_path)
    put_video(tmp_path / "videos" / "a.mp4", ["red"])
    assert counts(world.run(tmp_path)) == {"added": 1}
    assert counts(world.run(tmp_path)) == {"unchanged": 1}
    report = world.run(world.library.directory)
    assert "library's own folder" in report.problems[0].reason
    world.library.close()


# What goes away


def test_deleted_files_are_forgotten(world: World) -> None:
    world.put_all()
    world.run()
    (world.root / "a.mp4").unlink()
    assert counts(world.run(sweep=False)) == {"unchanged": 2}
    assert counts(world.run()) == {"unchanged": 2, "removed": 1}
    assert world.names == ["b.mp4", "sub/c.mp4"]


def test_an_unplugged_drive_loses_nothing(world: World, tmp_path: Path) -> None:
    world.put_all()
    world.run()
    before = world.snapshot()
    away = tmp_path / "away"

    (world.root / "sub").rename(away)  # its mount point is gone
    report = world.run()
    assert counts(report) == {"unchanged": 2, "kept_missing": 1}
    assert report.kept_missing == (str(world.root / "sub" / "c.mp4"),)
    (world.root / "sub").mkdir()  # or empty
    assert counts(world.run()) == {"unchanged": 2, "kept_missing": 1}
    (world.root / "sub").rmdir()
    away.rename(world.root / "sub")
    assert counts(world.run()) == {"unchanged": 3}

    world.root.rename(away)  # the whole root is gone
    assert counts(world.run()) == {"problems": 1}
    world.root.mkdir()  # or empty
    report = world.run()
    assert counts(report) == {"kept_missing": 3, "problems": 1}
    assert "3 of its videos stay" in report.problems[0].reason
    world.root.rmdir()
    away.rename(world.root)
    assert counts(world.run()) == {"unchanged": 3}
    assert world.snapshot() == before


def test_excluded_files_are_kept(world: World) -> None:
    world.put_all()
    world.run()
    assert counts(world.run(exclude=("sub",))) == {"unchanged": 2}
    assert len(world.names) == 3


# What fails


def test_a_broken_file_is_recorded_then_left_then_tried_again(world: World) -> None:
    world.put_all()
    bad = world.root / "bad.mp4"
    bad.write_bytes(b"\x00garbage")
    report = world.run()
    assert counts(report) == {"added": 3, "failed": 1}
    assert (report.failed[0].path, report.failed[0].kind) == (str(bad), "broken")
    report = world.run()
    assert counts(report) == {"unchanged": 3, "skipped_failed": 1}
    assert report.skipped_failed[0].reason == "There is nothing in it that could be decoded."
    assert world.decoded == []
    assert counts(world.run(retry_failed=True)) == {"unchanged": 3, "failed": 1}
    assert [failure.attempts for failure in world.library.failures()] == [2]
    bad.write_bytes(b"\x00other garbage")
    assert counts(world.run()) == {"unchanged": 3, "failed": 1}
    put_video(bad, ["red"])
    assert counts(world.run()) == {"unchanged": 3, "added": 1}
    assert world.library.failures() == []


def test_what_was_indexed_and_broke_keeps_its_rows_and_is_found_by_content(world: World) -> None:
    a = world.put("a.mp4", "red")
    world.run()
    before = world.snapshot()
    shutil.copy(a, world.root / "saved")
    a.write_bytes(b"\x00overwritten")
    assert counts(world.run()) == {"failed": 1}
    assert world.snapshot() == before
    (world.root / "saved").rename(world.root / "saved.mp4")
    assert counts(world.run()) == {"duplicates": 1, "skipped_failed": 1}
    assert world.decoded == []


def test_a_video_that_failed_leaves_nothing_beside_others(world: World) -> None:
    world.put("a.mp4", "red", "blue", "green")
    world.put("b.mp4", "white")

    def before_clip(path: str, number: int) -> None:
        if number == 2:
            raise UnreadableVideo(path, "broken", "It ends in the middle.")

    world.reader.before_clip = before_clip
    assert counts(world.run(decode_workers=1)) == {"added": 1, "failed": 1}
    assert world.names == ["b.mp4"]


def test_failures_of_files_that_are_gone_are_forgotten(world: World) -> None:
    world.put("a.mp4", "red")
    (world.root / "bad.mp4").write_bytes(b"\x00")
    world.run()
    (world.root / "bad.mp4").unlink()
    assert counts(world.run()) == {"unchanged": 1}
    assert world.library.failures() == []


def test_files_that_vanish_change_or_raise_midway_cost_a_line_each(world: World) -> None:
    world.put_all()
    for name in ("gone", "grown", "raises", "denied"):
        world.put(f"{name}.mp4", "red", "blue", note=name)

    def before_clip(path: str, number: int) -> None:
        name = os.path.basename(path)
        if number == 1 and name == "gone.mp4":
            raise FileNotFoundError(2, "No such file or directory")
        if number == 1 and name == "grown.mp4":
            os.utime(path, (5, 5))
        if number == 1 and name == "raises.mp4":
            raise ZeroDivisionError("in the decoder")
        if name == "denied.mp4":
            raise PermissionError(13, "Permission denied")

    world.reader.before_clip = before_clip
    report = world.run(batch_size=1)
    assert counts(report) == {"added": 3, "failed": 4}
    kinds = {os.path.basename(failure.path): failure.kind for failure in report.failed}
    assert kinds == {"gone.mp4": "missing", "grown.mp4": "error", "raises.mp4": "error", "denied.mp4": "permission"}
    assert "ZeroDivisionError: in the decoder" in next(f.reason for f in report.failed if "raises" in f.path)
    world.reader.before_clip = lambda path, number: None
    assert counts(world.run()) == {"unchanged": 3, "added": 4}


def test_a_file_deleted_between_scan_and_decoding(world: World) -> None:
    world.put_all()
    victim = world.root / "b.mp4"

    def before_clip(path: str, number: int) -> None:
        victim.unlink(missing_ok=True)

    world.reader.before_clip = before_clip
    report = world.run(decode_workers=1)
    assert counts(report) == {"added": 2, "failed": 1}
    assert report.failed[0].kind == "missing"
    assert counts(world.run()) == {"unchanged": 2}


def test_a_file_changed_between_scan_and_decoding_is_taken_as_it_is(world: World) -> None:
    world.put("a.mp4", "red")
    world.put("b.mp4", "blue")
    world.put("c.mp4", "blue")
    late = world.root / "b.mp4"
    once = iter([True])
    world.reader.before_clip = lambda path, number: (
        put_video(late, ["green", "black"]) and None if next(once, 0) else None
    )
    report = world.run(decode_workers=1)
    assert counts(report) == {"added": 3}  # c was planned as a copy of b, which is another video now
    assert counts(world.run()) == {"unchanged": 3}
    assert [video.frames for video in world.library.videos()] == [10, 20, 10]


def test_copies_of_a_file_that_fails_are_tried_themselves(world: World) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        world.put(name, "red")

    def before_clip(path: str, number: int) -> None:
        if path.endswith("a.mp4"):
            raise UnreadableVideo(path, "error", "The drive did not answer.")

    world.reader.before_clip = before_clip
    assert counts(world.run()) == {"added": 1, "duplicates": 1, "failed": 1}
    assert world.names == ["b.mp4", "c.mp4"]


# The encoder


@pytest.mark.parametrize("gone", [1, 2])
def test_an_original_that_another_process_removes_is_decoded_again_from_the_next_copy(
    world: World, monkeypatch: pytest.MonkeyPatch, gone: int
) -> None:
    """At the first copy or at the second of three."""
    for name in ("a.mp4", "b.mp4", "c.mp4", "d.mp4"):
        world.put(name, "red", "blue")
    real, calls = Library.copy_video, 0

    def copy(self: Library, video_id: int, **file: object) -> object:
        nonlocal calls
        calls += 1
        if calls == gone:
            self.remove_videos([video_id])
            raise KeyError(video_id)
        return real(self, video_id, **file)  # type: ignore[arg-type]

    monkeypatch.setattr(Library, "copy_video", copy)
    seen: list[Progress] = []
    report = world.run(progress=seen.append)
    assert counts(report) == {"added": 2, "duplicates": 2}
    assert len(world.decoded) == 2
    assert len(world.names) == 3
    assert (seen[-1].files_done, seen[-1].fraction) == (4, 1.0)
    assert counts(world.run()) == {"unchanged": 3, "duplicates": 1}


def test_batches_mix_videos(world: World) -> None:
    world.put_all({f"{number}.mp4": ["red", "green", "blue"] for number in "123"} | {"4.mp4": ["white"]})
    for number in "23":
        world.put(f"{number}.mp4", "red", "green", "blue", note=number)
    world.run(batch_size=4)
    assert sum(world.encoder.batches) == 10
    assert max(world.encoder.batches) <= 4
    assert len(world.names) == 4


@pytest.mark.parametrize(("workers", "batch_size", "queue_clips"), [(1, 1, 1), (4, 3, 2), (2, 100, 50)])
def test_the_library_is_the_same_however_it_is_made(
    world: World, tmp_path: Path, workers: int, batch_size: int, queue_clips: int
) -> None:
    world.put_all()
    world.run()
    with Library.open(tmp_path / "other") as other:
        options = RunOptions(decode_workers=workers, batch_size=batch_size, queue_clips=queue_clips)
        index_folders(other, ColourEncoder(), [world.root], IndexSettings(), options, open_video=world.reader)
        assert snapshot(other, world.encoder.id) == world.snapshot()


class Choosy(ColourEncoder):
    """Fails on more than `limit` clips at once, as a device without memory does."""

    def __init__(self, limit: int, error: type[Exception] = RuntimeError) -> None:
        super().__init__()
        self.limit = limit
        self.error = error
        self.tried: list[int] = []

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.tried.append(len(clips))
        if len(clips) > self.limit:
            raise self.error("CUDA out of memory. Tried to allocate\n20 GiB")
        return super().encode_clips(clips)


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_batches_shrink_to_what_fits(world: World, error: type[Exception]) -> None:
    world.put_all({f"{number}.mp4": ["red", "green", "blue", "white", "black"][: number + 1] for number in range(5)})
    encoder = Choosy(2, error)
    assert counts(world.run(encoder=encoder, batch_size=8)) == {"added": 5}
    assert max(encoder.batches) <= 2
    assert sum(encoder.batches) == 15


def test_an_encoder_that_always_fails_ends_the_run_with_advice(world: World) -> None:
    world.put_all()
    report = world.run(encoder=Choosy(0), batch_size=4)
    assert not report.complete
    assert not report.interrupted
    assert report.added == 0
    assert "CUDA out of memory. Tried to allocate. Try another device (--device cpu)" in report.stopped
    assert "20 GiB" not in report.stopped
    assert world.names == []
    assert report.failed == ()  # it is not the videos' fault
    assert counts(world.run()) == {"added": 3}


def test_rows_that_are_no_unit_rows_are_a_failure_of_that_video(world: World) -> None:
    class Broken(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            rows = super().encode_clips(clips)
            rows[rows[:, 0] < -0.2] = np.nan  # the blue and the black ones
            return rows

    world.put("a.mp4", "red", "yellow")
    world.put("b.mp4", "red", "blue")
    report = world.run(encoder=Broken())
    assert counts(report) == {"added": 1, "failed": 1}
    assert report.failed[0].path.endswith("b.mp4")


def test_an_encoder_that_goes_away_ends_the_run(world: World) -> None:
    class Lost(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            raise EncoderUnavailable("The device is gone. Try --device cpu.")

    world.put("a.mp4", "red")
    assert world.run(encoder=Lost()).stopped == "The device is gone. Try --device cpu."


def test_an_encoder_of_another_shape_ends_the_run(world: World) -> None:
    class Narrow(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            return super().encode_clips(clips)[:, :5]

    world.put("a.mp4", "red")
    assert "fault of the encoder" in world.run(encoder=Narrow()).stopped


def test_decoding_goes_on_while_the_encoder_works(world: World) -> None:
    world.put_all()
    third_clip = threading.Event()
    world.reader.before_clip = lambda path, number: third_clip.set() if world.reader.given == 3 else None
    met: list[bool] = []

    class Waiting(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            met.append(third_clip.wait(20))  # only comes if somebody decodes meanwhile
            return super().encode_clips(clips)

    world.run(encoder=Waiting(), decode_workers=1, batch_size=1)
    assert met[0]


def test_decoders_wait_for_the_encoder(world: World) -> None:
    world.put_all({f"{number}.mp4": ["red", "blue"] * 10 for number in range(4)})
    for number in range(4):
        world.put(f"{number}.mp4", *(["red", "blue"] * 10), note=str(number))
    ahead: list[int] = []

    class Slow(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            time.sleep(0.005)
            ahead.append(world.reader.given - sum(self.batches))
            return super().encode_clips(clips)

    world.run(encoder=Slow(), decode_workers=3, batch_size=4, queue_clips=5)
    # In the queue, in the batch at work and the one being collected, in the hands of each worker.
    assert 4 < max(ahead) <= 5 + 2 * 4 + 3


# Stopped


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_cancelled_run_keeps_what_was_finished_and_the_next_goes_on(world: World, tmp_path: Path, done: int) -> None:
    world.put_all()
    finished = 0

    def progress(now: Progress) -> None:
        nonlocal finished
        finished = now.files_done if now.phase == "index" else finished

    def slowly(path: str, number: int) -> None:
        time.sleep(0.12)  # so that each message is followed by a Progress

    world.reader.before_clip = slowly
    report = world.run(decode_workers=1, batch_size=1, progress=progress, cancelled=lambda: finished >= done)
    assert report.interrupted
    assert not report.complete
    assert len(world.names) == report.added < 3
    assert report.added >= done
    world.reader.before_clip = lambda path, number: None
    assert counts(world.run())["added"] == 3 - report.added
    with Library.open(tmp_path / "other") as other:
        index_folders(other, ColourEncoder(), [world.root], IndexSettings(), open_video=world.reader)
        assert snapshot(other, world.encoder.id) == world.snapshot()


@pytest.mark.parametrize("copied", [False, True])
def test_a_run_cancelled_while_it_stores_moves_or_copies_keeps_those_it_stored(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    world.put_all()
    world.run()
    other = tmp_path / "other"
    if copied:
        shutil.copytree(world.root, other)
    else:
        world.root.rename(other)
    method, stored = "copy_video" if copied else "touch_video", 0
    real = getattr(Library, method)

    def counting(self: Library, *arguments: object, **named: object) -> object:
        nonlocal stored
        stored += 1
        return real(self, *arguments, **named)

    monkeypatch.setattr(Library, method, counting)
    report = world.run(other, cancelled=lambda: stored >= 1)
    assert report.interrupted
    assert (stored, world.decoded) == (1, [])
    assert counts(world.run(other)) == {"unchanged": 1, "duplicates" if copied else "moved": 2}


@pytest.mark.parametrize("phase", ["scan", "fingerprint"])
def test_a_run_cancelled_before_it_decodes_goes_no_further(world: World, phase: str) -> None:
    world.put_all()
    phases: list[str] = []
    report = world.run(progress=lambda now: phases.append(now.phase), cancelled=lambda: phase in phases)
    assert report.interrupted
    assert list(dict.fromkeys(phases))[-2:] == [phase, "done"]
    assert world.decoded == []
    assert counts(world.run()) == {"added": 3}


@pytest.mark.parametrize("phase", ["scan", "fingerprint", "index"])
def test_ctrl_c_in_any_phase_gives_a_report(world: World, phase: str) -> None:
    world.put_all()

    def progress(now: Progress) -> None:
        if now.phase == phase:
            raise KeyboardInterrupt

    report = world.run(progress=progress)
    assert report.interrupted
    assert report.added == 0
    assert counts(world.run()) == {"added": 3}


def test_ctrl_c_while_the_encoder_works(world: World) -> None:
    world.put_all()

    class Impatient(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            if len(self.batches) == 3:
                raise KeyboardInterrupt
            return super().encode_clips(clips)

    report = world.run(encoder=Impatient(), decode_workers=1, batch_size=1)
    assert report.interrupted
    assert report.added == len(world.names) == 2


@pytest.mark.parametrize("method", ["add", "publish"])
def test_a_full_disk_ends_the_run_and_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    world.put_all()
    real, calls = getattr(StagedMedia, method), iter(range(100))

    def full(self: StagedMedia, *arguments: object) -> None:
        if next(calls) >= (3 if method == "add" else 2):
            raise LibraryFull("There is no space left. Free some.")
        real(self, *arguments)

    monkeypatch.setattr(StagedMedia, method, full)
    report = world.run(decode_workers=1, batch_size=1)
    assert report.stopped == "There is no space left. Free some."
    assert report.added == len(world.names) == 2
    assert report.failed == ()
    monkeypatch.undo()
    assert counts(world.run()) == {"unchanged": 2, "added": 1}


def test_a_library_that_cannot_be_written_is_not_the_videos_fault(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put_all()

    def denied(self: StagedMedia, *_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(StagedMedia, "add", denied)
    report = world.run()
    assert "cannot be written into the library (Permission denied)" in report.stopped
    assert report.failed == ()


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_media_that_cannot_be_put_in_place_cost_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    world.put_all()
    real, calls = StagedMedia.publish, iter(range(100))

    def broken(self: StagedMedia) -> None:
        if next(calls) == 1:
            raise OSError(code, os.strerror(code))
        real(self)

    monkeypatch.setattr(StagedMedia, "publish", broken)
    report = world.run(decode_workers=1, batch_size=1)
    assert (report.stopped, report.added, len(report.failed)) == ("", 2, 1)
    assert os.strerror(code) in report.failed[0].reason
    assert list((world.library.directory / "media").glob(".partial-*")) == []
    monkeypatch.undo()
    assert counts(world.run(retry_failed=True)) == {"unchanged": 2, "added": 1}


@pytest.mark.parametrize("error", [ValueError("odd frames"), OSError(5, "Input/output error"), KeyError("layer")])
def test_an_error_of_the_encoder_about_a_clip_costs_one_line(world: World, error: Exception) -> None:
    class Picky(ColourEncoder):
        def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
            if (clips[..., 2].mean(axis=(1, 2, 3)) > 150).any():  # the blue ones
                raise error
            return super().encode_clips(clips)

    world.put("a.mp4", "red", "yellow")
    world.put("b.mp4", "red", "blue", "green", "yellow", "red")
    world.put("c.mp4", "green")
    report = world.run(encoder=Picky(), batch_size=2)
    assert (report.stopped, report.added) == ("", 2)
    assert [(os.path.basename(each.path), type(error).__name__ in each.reason) for each in report.failed] == [
        ("b.mp4", True)
    ]


# Progress


def test_progress_comes_in_order_and_adds_up(world: World) -> None:
    world.put_all()
    (world.root / "bad.mp4").write_bytes(b"\x00")
    seen: list[Progress] = []
    world.reader.before_clip = lambda path, number: time.sleep(0.12)
    world.run(progress=seen.append, decode_workers=1, batch_size=1)
    phases = [now.phase for now in seen]
    assert list(dict.fromkeys(phases)) == ["scan", "fingerprint", "index", "done"]
    at_index = [now for now in seen if now.phase == "index"]
    assert len(at_index) > 3
    assert [now.bytes_done for now in at_index] == sorted(now.bytes_done for now in at_index)
    assert {path for now in at_index for path in now.current} >= {str(world.root / "sub" / "c.mp4")}
    assert any(0 < (now.fraction or 0) < 1 for now in at_index)
    last = seen[-1]
    assert (last.files_done, last.files_total, last.failures, last.clips_done) == (4, 4, 1, 6)
    assert last.bytes_done == last.bytes_total > 0
    assert last.seconds_done == last.seconds_total == 6.0
    assert last.fraction == 1.0


def test_what_waits_for_a_slow_encoder_is_not_done_yet(world: World) -> None:
    """All is decoded at once, and encoded clip by clip: the share that is done follows the clips, not the decoder."""
    world.put("long.mp4", *["red"] * 10)
    encode = world.encoder.encode_clips

    def slowly(clips: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        time.sleep(0.12)
        return encode(clips)

    world.encoder.encode_clips = slowly  # type: ignore[method-assign]
    seen: list[Progress] = []
    world.run(progress=seen.append, decode_workers=1, batch_size=1, queue_clips=32)
    during = [now for now in seen if now.phase == "index" and now.files_done == 0 and 1 <= now.clips_done < 10]
    assert len(during) > 3
    for now in during:
        assert now.fraction is not None
        assert now.fraction <= now.clips_done / 10 + 0.01
        assert now.seconds_done <= now.clips_done + 0.1


def test_the_meter_is_quiet_most_of_the_time_and_knows_when_it_will_be_done() -> None:
    now = 100.0
    seen: list[Progress] = []
    meter = ProgressMeter(seen.append, clock=lambda: now)
    meter.start("index", files_total=4, bytes_total=1000)
    for _ in range(50):
        now += 0.04
        meter.report(current=("/a",), bytes_in_flight=100.0, seconds_in_flight=4.0)
    gaps = [after.elapsed_seconds - before.elapsed_seconds for before, after in pairwise(seen)]
    assert min(gaps) >= 0.1
    assert seen[0].eta_seconds is None
    assert seen[1].eta_seconds is None  # after a tenth of a second nobody knows
    now = 110.0
    meter.bytes_done, meter.seconds_done, meter.files_done = 100, 6.0, 1
    meter.report(current=("/a", "/b"), bytes_in_flight=100.0, seconds_in_flight=4.0)
    last = seen[-1]
    assert (last.bytes_done, last.fraction, last.speed, last.seconds_total) == (200, 0.2, 1.0, 50.0)
    assert last.eta_seconds == pytest.approx(40.0)
    now += 1
    meter.report(bytes_in_flight=50.0)  # a part of it is between two threads, or failed
    assert (seen[-1].bytes_done, seen[-1].seconds_done) == (200, 10.0)
    meter.finish()
    assert (seen[-1].phase, seen[-1].files_done) == ("done", 1)


def test_options_and_settings_that_cannot_be_are_refused() -> None:
    for name in ("decode_workers", "batch_size", "queue_clips"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1"):
            RunOptions(**{name: 0})


# Names


def test_any_name_that_a_file_can_have(world: World) -> None:
    names = [
        "-rf.mp4",
        "a'b\"c;.mp4",
        "e\u0301.mp4",
        "\u00e9.mp4",
        "x" * 200 + ".mp4",
        "end.mp4 ",
        "new\nline.mp4",
        "😀%s{}.mp4",
    ]
    if sys.platform == "linux":
        names.append(os.fsdecode(b"latin \xe9\xff.mp4"))
    for number, name in enumerate(names):
        put_video(world.root / name, ["red", "blue"], note=str(number))
    bad = os.fsdecode(b"bad \xff.mp4") if sys.platform == "linux" else "bad.mp4"
    (world.root / bad).write_bytes(b"\x00")
    assert counts(world.run()) == {"added": len(names), "failed": 1}
    assert set(world.names) == set(names)
    assert counts(world.run()) == {"unchanged": len(names), "skipped_failed": 1}
    for name in names:
        (world.root / name).rename(world.root / (name.replace(".mp4", "") + "2.mp4"))
    assert counts(world.run()) == {"moved": len(names), "skipped_failed": 1}
