"""Several encoders in one run: one decoding of a video is for all that it lacks, and their rows come together."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from numpy.typing import NDArray
from pretend import Reader, put_video, snapshot
from synthetic import make_video

from db.library import Library
from db.records import Segment, Shot
from encoder import ClipSpec
from encoder.quick import quick_encoder
from indexer.pipeline import index_folders
from indexer.preview import Decision, Preview
from indexer.progress import Progress
from indexer.quick_pass import QuickPass
from indexer.report import IndexReport
from indexer.settings import IndexSettings, RunOptions

THREE = {"a.mp4": ["red", "green"], "b.mp4": ["blue"], "sub/c.mp4": ["white", "black", "red"]}


class World:
    """A folder of pretend videos, a library, and runs of two encoders over them."""

    def __init__(self, tmp_path: Path) -> None:
        self.root = tmp_path / "videos"
        self.library = Library.open(tmp_path / "library")
        self.one: ColourEncoder = ColourEncoder(name="one")
        self.two: ColourEncoder = ColourEncoder(name="two", frames=2, size=8)
        self.reader = Reader()
        for name, colours in THREE.items():
            put_video(self.root / name, colours)

    def run(
        self,
        *encoders: ColourEncoder,
        progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        review: Callable[[Preview], Decision] | None = None,
        **options: object,
    ) -> IndexReport:
        first, *further = encoders or (self.one, self.two)
        for each in (first, *further):
            each.batches.clear()
        self.reader.opened.clear()
        self.reader.asked.clear()
        report = index_folders(
            self.library,
            first,
            [self.root],
            IndexSettings(),
            RunOptions(**options),  # type: ignore[arg-type]
            on_progress=progress,
            cancelled=cancelled,
            open_video=self.reader,
            review=review,
            further=further,
        )
        assert not list((self.library.directory / "media").glob(".partial-*"))
        assert self.library.check() == []
        return report

    @property
    def decoded(self) -> list[str]:
        """In the last run."""
        return sorted(os.path.relpath(path, self.root) for path in self.reader.opened)

    @property
    def held(self) -> dict[str, int]:
        return {row.id: row.segments for row in self.library.encoders()}

    @property
    def encoded(self) -> list[int]:
        """Clips by each encoder in the last run."""
        return [sum(self.one.batches), sum(self.two.batches)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.library.close()


def ids_by_path(library: Library) -> dict[str, list[int | None]]:
    return {
        video.path: [part.id for part in library.segments_of(video.id)]
        for video in library.videos()
        if video.id is not None
    }


def test_one_decoding_gives_each_encoder_what_a_run_of_its_own_gives(world: World, tmp_path: Path) -> None:
    shutil.copy(world.root / "b.mp4", world.root / "copy of b.mp4")
    report = world.run()
    assert (report.added, report.duplicates, report.clips) == (3, 1, 6)
    assert report.rows == {world.one.id: 6, world.two.id: 6}
    assert world.decoded == sorted(THREE)
    assert set(world.reader.asked) == {(world.one.clip_spec, world.two.clip_spec)}
    assert world.held == {world.one.id: 7, world.two.id: 7}
    for each in (world.one, world.two):
        with Library.open(tmp_path / each.id) as alone:
            index_folders(alone, each, [world.root], IndexSettings(), open_video=world.reader)
            assert snapshot(alone, each.id) == snapshot(world.library, each.id)
    again = world.run()
    assert (again.unchanged, again.rows) == (4, {})
    assert world.decoded == []


def test_a_video_that_lacks_one_encoder_gets_that_one_only(world: World) -> None:
    (world.root / "b.mp4").rename(world.root / "later")
    world.run(world.one)
    before, ids = snapshot(world.library, world.one.id), ids_by_path(world.library)
    (world.root / "later").rename(world.root / "b.mp4")
    (world.root / "a.mp4").rename(world.root / "moved.mp4")
    asked: list[Preview] = []

    def refuse(work: Preview) -> Decision:
        asked.append(work)
        return Decision(go_on=False)

    world.run(review=refuse)
    assert [(each.task.file.path, each.encoder, each.record.embedded) for each in asked[0].again] == [
        (str(world.root / name), 1, False) for name in ("moved.mp4", "sub/c.mp4")
    ]
    report = world.run(decode_workers=1)
    assert (report.added, report.updated, report.moved) == (1, 2, 1)
    assert report.rows == {world.one.id: 1, world.two.id: 6}
    assert world.encoded == [1, 6]
    assert set(world.reader.asked) == {
        (world.one.clip_spec, world.two.clip_spec), (world.two.clip_spec,)
    }  # fmt: skip
    kept = snapshot(world.library, world.one.id)
    assert kept[str(world.root / "sub/c.mp4")] == before[str(world.root / "sub/c.mp4")]
    assert ids_by_path(world.library)[str(world.root / "moved.mp4")] == ids[str(world.root / "a.mp4")]
    assert world.held == {world.one.id: 6, world.two.id: 6}
    assert world.run().unchanged == 3


def test_encoders_of_one_shape_share_the_clips(world: World) -> None:
    third = ColourEncoder(name="three")
    assert third.clip_spec == world.one.clip_spec
    report = world.run(world.one, third)
    assert set(world.reader.asked) == {(world.one.clip_spec,)}
    assert report.rows == {world.one.id: 6, third.id: 6}


def test_what_is_cut_otherwise_than_before_is_encoded_by_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another version of FFmpeg may have it: the first encoder's rows must not go with its shots."""
    world.run(world.one)
    ends = [shot.end_pts for shot in world.library.shots(1)]
    made = Reader.__call__

    def later(
        self: Reader, path: str, fingerprint: str, specs: tuple[ClipSpec, ...], stop: Callable[[], bool]
    ) -> object:
        reading = made(self, path, fingerprint, specs, stop)

        def moved() -> Iterator[object]:
            yield from reading
            if path.endswith("a.mp4"):
                first, second = reading.segments
                reading.segments[:] = [
                    Segment(number=0, shot_number=0, start_pts=0, end_pts=first.end_pts - 3),
                    Segment(number=1, shot_number=1, start_pts=first.end_pts - 3, end_pts=second.end_pts),
                ]
                reading.shots[:] = [
                    Shot(number=each.number, start_pts=each.start_pts, end_pts=each.end_pts)
                    for each in reading.segments
                ]

        class Moved:
            def __getattr__(self, name: str) -> object:
                return getattr(reading, name)

            def __iter__(self) -> Iterator[object]:
                return moved()

        return Moved()

    monkeypatch.setattr(Reader, "__call__", later)
    report = world.run()
    assert (report.updated, report.failed) == (3, ())
    assert world.decoded.count("a.mp4") == 2
    assert world.encoded == [2, 8]
    assert world.held == {world.one.id: 6, world.two.id: 6}
    video = world.library.video_at(str(world.root / "a.mp4"))
    assert video is not None
    assert video.id is not None
    assert [shot.end_pts for shot in world.library.shots(video.id)] != ends
    assert world.run().unchanged == 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_no_order_of_encoders_of_other_shapes_changes_the_cuts_of_720p(tmp_path: Path, order: tuple[int, int]) -> None:
    encoders = [ColourEncoder(name="small", size=224), ColourEncoder(name="usual", frames=2, size=288)]
    # Lines of one pixel that change places: a frame halved for 224 pixels is grey throughout.
    lines = np.broadcast_to((np.arange(1280) % 2 * 255).astype(np.uint8)[None, :, None], (720, 1280, 3))
    shots = [(lambda k, at=at: np.roll(lines, at, 1), 20) for at in (0, 1, 0)]
    (tmp_path / "films").mkdir()
    make_video(tmp_path / "films" / "v.mp4", shots, size=(1280, 720))  # type: ignore[arg-type]
    settings = IndexSettings(segment_seconds=0.5, overlap_seconds=0.1, detector="content")
    options = RunOptions(isolated=False)

    def cut(library: Library) -> list[tuple[int, int, int]]:
        return [(part.shot_number, part.start_pts, part.end_pts) for part in library.segments_of(1)]

    with Library.open(tmp_path / "joint") as joint, Library.open(tmp_path / "apart") as apart:
        films = [tmp_path / "films"]
        index_folders(joint, encoders[order[0]], films, settings, options, further=[encoders[order[1]]])
        index_folders(apart, encoders[order[0]], films, settings, options)
        ids = ids_by_path(apart)
        index_folders(apart, encoders[order[1]], films, settings, options)
        assert ids_by_path(apart) == ids
        assert cut(joint) == cut(apart)
        assert [shot for shot, _, _ in cut(joint)] == [0, 0, 1, 1, 2, 2]
        for each in encoders:
            rows = [
                library.embedding_rows(each.id, [part.id for part in library.segments_of(1) if part.id is not None])
                for library in (joint, apart)
            ]
            assert np.array_equal(*rows)


# What fails


class Failing(ColourEncoder):
    """Fails on white clips, or for want of memory on all after a while."""

    def __init__(self, name: str = "two", memory_after: int | None = None) -> None:
        super().__init__(name=name, frames=2, size=8)
        self.mended = False
        self.memory_after = memory_after

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.memory_after is not None and sum(self.batches) >= self.memory_after and not self.mended:
            raise RuntimeError("CUDA out of memory")
        if self.memory_after is None and not self.mended and clips.reshape(len(clips), -1).min(1).max() == 255:
            raise ZeroDivisionError("white")
        return super().encode_clips(clips)


def test_what_one_encoder_cannot_encode_is_stored_by_the_other_and_tried_again(world: World) -> None:
    world.two = Failing()
    report = world.run()
    assert (report.added, len(report.failed)) == (2, 1)
    assert report.failed[0].path == str(world.root / "sub/c.mp4")
    assert report.failed[0].reason == (
        f"The encoder {world.two.id} failed on it: ZeroDivisionError: white; what the other made of it is stored."
    )
    assert world.held == {world.one.id: 6, world.two.id: 3}
    ids = ids_by_path(world.library)
    asked: list[Preview] = []

    def review(work: Preview) -> Decision:
        asked.append(work)
        return Decision(again=False)

    world.two.mended = True
    again = world.run(review=review)  # without being asked for: it was wanted before
    assert ([file.path for file in asked[0].retried], asked[0].again) == ([str(world.root / "sub/c.mp4")], ())
    assert (again.unchanged, again.updated, again.failed) == (2, 1, ())
    assert world.encoded == [0, 3]
    assert world.held == {world.one.id: 6, world.two.id: 6}
    assert ids_by_path(world.library) == ids
    assert world.library.failures() == []


def test_what_both_cannot_encode_fails_with_both_reasons(world: World) -> None:
    world.one, world.two = Failing("one"), Failing("two")
    report = world.run()
    assert len(report.failed) == 1
    assert report.failed[0].reason.count("failed on it: ZeroDivisionError: white") == 2
    assert "stored" not in report.failed[0].reason
    assert len(world.library.videos()) == 2


def test_an_encoder_that_can_do_no_more_ends_the_run_and_the_next_one_completes_both(world: World) -> None:
    world.two = Failing(memory_after=2)
    report = world.run(batch_size=1, decode_workers=1)
    assert "The encoder two-t2-s8 failed on a single clip" in report.stopped
    stored = len(world.library.videos())
    assert report.added == stored < 3
    assert world.held.get(world.one.id, 0) == world.held.get(world.two.id, 0)
    world.two.mended = True
    again = world.run()
    assert (again.unchanged, again.added) == (stored, 3 - stored)
    assert world.held == {world.one.id: 6, world.two.id: 6}


# Stopped


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_cancelled_run_leaves_videos_with_the_rows_of_both(world: World, done: int) -> None:
    finished = 0

    def progress(now: Progress) -> None:
        nonlocal finished
        finished = now.files_done if now.phase == "index" else finished

    world.reader.before_clip = lambda path, number: time.sleep(0.12)
    report = world.run(decode_workers=1, batch_size=1, progress=progress, cancelled=lambda: finished >= done)
    assert report.interrupted
    assert len(world.library.videos()) == report.added < 3
    assert world.held.get(world.one.id, 0) == world.held.get(world.two.id, 0)
    world.reader.before_clip = lambda path, number: None
    again = world.run()
    assert again.added == 3 - report.added
    assert world.encoded == [again.clips, again.clips]
    assert world.held == {world.one.id: 6, world.two.id: 6}


# How far it is, and what it holds


def test_a_part_is_done_once_both_have_encoded_it(world: World) -> None:
    """The first encoder is ahead of the second one: the share that is done counts the clips of both."""
    shutil.rmtree(world.root)
    put_video(world.root / "long.mp4", ["red"] * 8)
    encode = world.two.encode_clips
    seen: list[Progress] = []

    def slowly(clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(0.12)
        return encode(clips)

    world.two.encode_clips = slowly  # type: ignore[method-assign]
    world.run(progress=seen.append, decode_workers=1, batch_size=1, queue_clips=32)
    during = [now for now in seen if now.phase == "index" and now.files_done == 0 and 1 <= now.clips_done < 16]
    assert len(during) > 3
    for now in during:
        assert now.fraction is not None
        assert now.fraction <= now.clips_done / 16 + 0.01
        assert now.seconds_done <= now.clips_done / 2 + 0.1
    assert any(now.eta_seconds for now in during if now.elapsed_seconds >= 1.0) or during[-1].elapsed_seconds < 1.0
    assert seen[-1].clips_done == 16


def test_decoders_wait_for_the_slower_encoder_within_the_same_bounds(world: World) -> None:
    shutil.rmtree(world.root)
    for number in range(4):
        put_video(world.root / f"{number}.mp4", ["red", "blue"] * 10, note=str(number))
    ahead: list[int] = []
    encode = world.two.encode_clips

    def slowly(clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(0.005)
        ahead.append(2 * world.reader.given - sum(world.one.batches) - sum(world.two.batches))
        return encode(clips)

    world.two.encode_clips = slowly  # type: ignore[method-assign]
    world.run(decode_workers=3, batch_size=4, queue_clips=5)
    # Clips: in the queue, in the batches of both at work and being collected, in the hands of each worker.
    assert 4 < max(ahead) <= 5 + 2 * (2 * 4 + 3)


# Quick passes


def test_quick_passes_of_two_encoders_and_the_full_ones_that_follow(tmp_path: Path) -> None:
    full = [ColourEncoder(name="one", frames=8), ColourEncoder(name="two", frames=6, size=8)]
    quick = [quick_encoder(each) for each in full]
    films, group = tmp_path / "films", {"g": "30", "sc_threshold": "0"}
    films.mkdir()
    for name, colours in {"a.mp4": ["red", "blue"], "b.mp4": ["yellow"]}.items():
        make_video(films / name, [(colour, 40) for colour in colours], size=(48, 32), options=group)

    def run(library: Library, *, passes: int, of: list[int]) -> IndexReport:
        encoders = [(quick if passes else full)[number] for number in of]
        report = index_folders(
            library, encoders[0], [films], IndexSettings(), RunOptions(isolated=False),
            quick=QuickPass(full_id=full[of[0]].id) if passes else None, further=encoders[1:],
        )  # fmt: skip
        assert library.check() == []
        return report

    with Library.open(tmp_path / "library") as library:
        first = run(library, passes=1, of=[0, 1])
        assert (first.added, first.quick) == (2, 2)
        assert {row.id: (row.segments, row.quick_of) for row in library.encoders()} == {
            each.id: (library.stats().segments, whole.id) for each, whole in zip(quick, full, strict=True)
        }
        assert run(library, passes=1, of=[0, 1]).unchanged == 2
        second = run(library, passes=0, of=[0, 1])
        assert (second.deepened, second.quick) == (2, 0)
        held = {row.id: row.segments for row in library.encoders()}
        count = library.stats().segments
        assert held == {quick[0].id: 0, quick[1].id: 0, full[0].id: count, full[1].id: count}
        assert run(library, passes=1, of=[0, 1]).unchanged == 2, "what is full needs no quick pass"
    with Library.open(tmp_path / "one first") as library:
        run(library, passes=1, of=[0])
        ids = ids_by_path(library)
        report = run(library, passes=1, of=[0, 1])
        assert report.rows == {quick[1].id: library.stats().segments}
        assert ids_by_path(library) == ids
