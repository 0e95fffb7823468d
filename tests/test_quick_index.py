"""Quick passes, and the full ones that follow: what replaces what, in which order, and what a kill leaves behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder, ExactIndex
from pretend import snapshot
from synthetic import make_video

from db.library import Library
from db.quick import QuickVideo
from db.records import NewSubclip
from encoder.quick import quick_encoder
from indexer.deepening import deepen
from indexer.media.clip import read_clip
from indexer.pipeline import index_folders
from indexer.plan import VideoTask
from indexer.preview import Decision, Preview
from indexer.quick_pass import QuickPass, Reads, most_useful_first
from indexer.report import IndexReport
from indexer.scan import FoundFile
from indexer.settings import IndexSettings, RunOptions

FULL = ColourEncoder(frames=8)
QUICK = quick_encoder(FULL)
GROUPS = {"g": "30", "sc_threshold": "0"}  # a key frame each 1.2 s: the cuts of the full pass lie between them
VIDEOS = {"a.mp4": ["red", "blue"], "b.mp4": ["yellow"], "sub/c.mp4": ["white", "purple"]}


def run(
    library: Library,
    root: Path,
    *,
    quick: bool = False,
    reads: Reads = "key frames",
    cancelled: Callable[[], bool] | None = None,
    review: Callable[[Preview], Decision] | None = None,
    **options: object,
) -> IndexReport:
    report = index_folders(
        library,
        QUICK if quick else FULL,
        [root],
        IndexSettings(),
        RunOptions(isolated=False, **options),  # type: ignore[arg-type]
        cancelled=cancelled,
        review=review,
        quick=QuickPass(full_id=FULL.id, reads=reads) if quick else None,
    )
    assert library.check() == []
    return report


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("footage")
    (root / "sub").mkdir()
    for number, (name, colours) in enumerate(VIDEOS.items()):
        make_video(root / name, [(colour, 40) for colour in colours], size=(48, 32), options=GROUPS)
        os.utime(root / name, (1_700_000_000 + number, 1_700_000_000 + number))
    return root


@pytest.fixture(scope="module")
def in_full(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a library without quick passes knows."""
    with Library.open(tmp_path_factory.mktemp("full")) as library:
        run(library, footage)
        return snapshot(library, FULL.id)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def ids_at(library: Library, path: Path) -> list[int]:
    video = library.video_at(str(path))
    assert video is not None
    assert video.id is not None
    return [part.id for part in library.segments_of(video.id) if part.id is not None]


def rows(library: Library) -> dict[str, int]:
    return {row.id: row.segments for row in library.encoders()}


def waiting(library: Library, root: Path) -> list[str]:
    return [os.path.relpath(video.path, root) for video in library.quick.videos()]


def test_the_full_pass_replaces_all_that_the_quick_one_made(
    library: Library, footage: Path, in_full: dict[str, object]
) -> None:
    first = run(library, footage, quick=True)
    assert (first.added, first.quick, first.deepened) == (3, 3, 0)
    assert rows(library)[QUICK.id] == library.stats().segments
    assert FULL.id not in rows(library)
    assert [row.quick_of for row in library.encoders()] == [FULL.id]
    assert library.stats().quick_videos == library.quick.count() == 3
    ids, _ = ExactIndex.of(library, QUICK.id).search(QUICK.encode_texts(["yellow"]), 1)
    assert library.segments([int(ids[0, 0])])[int(ids[0, 0])][1].path.endswith("b.mp4")

    asked: list[Preview] = []

    def review(work: Preview) -> Decision:
        asked.append(work)
        return Decision(again=False)  # a full pass that was promised is no encoding again

    second = run(library, footage, review=review)
    assert (second.added, second.updated, second.deepened, second.quick) == (0, 0, 3, 0)
    assert (len(asked[0].deepened), asked[0].again) == (3, ())
    assert snapshot(library, FULL.id) == in_full
    assert rows(library) == {QUICK.id: 0, FULL.id: library.stats().segments}
    assert run(library, footage).unchanged == 3


def test_a_quick_pass_is_not_made_twice_and_takes_the_place_of_no_full_one(
    library: Library, footage: Path, in_full: dict[str, object], tmp_path: Path
) -> None:
    run(library, footage, quick=True)
    assert run(library, footage, quick=True).unchanged == 3
    run(library, footage)
    again = run(library, footage, quick=True)
    assert (again.unchanged, again.clips, again.quick) == (3, 0, 0)
    assert snapshot(library, FULL.id) == in_full
    copy = tmp_path / "copy.mp4"
    shutil.copy(footage / "a.mp4", copy)
    copied = run(library, copy, quick=True)
    assert (copied.duplicates, copied.clips) == (1, 0)  # with all that the full pass made
    assert library.quick.count() == 0


def test_a_shot_that_stays_as_it_is_loses_its_quick_row(library: Library, footage: Path) -> None:
    run(library, footage / "b.mp4", quick=True)
    before = ids_at(library, footage / "b.mp4")
    run(library, footage / "b.mp4")
    assert ids_at(library, footage / "b.mp4") == before
    assert rows(library) == {QUICK.id: 0, FULL.id: len(before)}
    assert library.quick.count() == 0


def test_a_late_quick_pass_changes_nothing(library: Library, footage: Path, in_full: dict[str, object]) -> None:
    run(library, footage)
    video = library.video_at(str(footage / "a.mp4"))
    assert video is not None
    assert video.id is not None
    shots, segments = library.shots(video.id), library.segments_of(video.id)
    made = QUICK.encode_clips(np.zeros((len(segments), *QUICK.clip_spec.shape), np.uint8))
    kept = library.add_video(video, shots, segments, made, encoder_id=QUICK.id, recipe="keys", quick_of=FULL.id)
    assert kept == video.id
    assert snapshot(library, FULL.id) == in_full
    assert library.check() == []


def test_clips_in_collections_stay_at_their_time(library: Library, footage: Path) -> None:
    run(library, footage, quick=True)
    last = ids_at(library, footage / "a.mp4")[-1]
    [saved] = library.collections.add(library.collections.tray().id, [NewSubclip(segment_id=last, note="kept")])
    run(library, footage)
    [now] = library.collections.subclips(saved.collection_id)
    assert (now.start_pts, now.end_pts, now.note) == (saved.start_pts, saved.end_pts, "kept")
    assert now.video_id is not None
    assert now.segment_id in ids_at(library, footage / "a.mp4")


def test_the_most_useful_comes_first(library: Library, footage: Path) -> None:
    run(library, footage, quick=True)
    assert waiting(library, footage) == ["sub/c.mp4", "b.mp4", "a.mp4"]  # the newest first
    assert deepen(library, FULL, ids_at(library, footage / "b.mp4")[0])
    assert waiting(library, footage) == ["b.mp4", "sub/c.mp4", "a.mp4"]  # looked at
    library.collections.add(
        library.collections.tray().id, [NewSubclip(segment_id=ids_at(library, footage / "a.mp4")[0])]
    )
    assert waiting(library, footage) == ["a.mp4", "b.mp4", "sub/c.mp4"]  # in a collection

    stopped = run(library, footage, decode_workers=1, batch_size=1, cancelled=lambda: library.quick.count() < 3)
    assert stopped.interrupted
    assert waiting(library, footage) == ["b.mp4", "sub/c.mp4"]
    assert (stopped.deepened, stopped.quick) == (1, 2)
    assert run(library, footage).deepened == 2


def test_new_files_come_before_full_passes() -> None:
    tasks = [VideoTask(file=FoundFile(path=path, size_bytes=1, modified_ns=1), fingerprint=path) for path in "abcd"]
    waiting = [
        QuickVideo(video_id=at, path=path, subclips=0, looked_at=0, made_at=0) for at, path in enumerate(("c", "a"))
    ]
    assert [task.file.path for task in most_useful_first(tasks, waiting)] == ["b", "d", "c", "a"]


def test_a_hit_is_deepened_and_its_row_goes_with_the_shot(library: Library, footage: Path) -> None:
    path = footage / "a.mp4"
    run(library, footage, quick=True)
    first = ids_at(library, path)[0]
    [(segment, video)] = library.segments([first]).values()
    assert deepen(library, FULL, first)
    assert deepen(library, FULL, first)  # nothing is encoded again
    clip = read_clip(
        str(path),
        FULL.clip_spec,
        start_seconds=video.seconds(segment.start_pts),
        end_seconds=video.seconds(segment.end_pts),
    )
    assert (library.embedding_rows(FULL.id, [first])[0] - FULL.encode_clips(clip[None])[0]).max() < 1e-3
    assert rows(library) == {QUICK.id: library.stats().segments, FULL.id: 1}
    assert library.check() == []
    assert library.quick.count() == 3  # the full pass is still to come
    run(library, footage)
    assert first not in library.segments([first])
    assert rows(library) == {QUICK.id: 0, FULL.id: library.stats().segments}
    assert not deepen(library, FULL, first)


def test_a_hit_is_not_deepened_while_its_full_pass_is_made(library: Library, footage: Path) -> None:
    path = footage / "a.mp4"
    run(library, path, quick=True)
    first, [video] = ids_at(library, path)[0], library.videos()
    with library.claims("index") as claims:
        claims.take({video.fingerprint: video.path}, 1)
        assert not deepen(library, FULL, first)
    assert deepen(library, FULL, first)


def test_only_quick_shots_of_the_same_file_are_deepened(library: Library, footage: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    shutil.copy(footage / "a.mp4", path)
    run(library, path, quick=True)
    first = ids_at(library, path)[0]
    assert not deepen(library, ColourEncoder(frames=16), first)  # an encoder that has not made the quick pass
    make_video(path, [("green", 40)], size=(48, 32))
    assert not deepen(library, FULL, first)
    path.unlink()
    assert not deepen(library, FULL, first)
    assert rows(library) == {QUICK.id: library.stats().segments}


def test_a_library_that_can_only_be_read_is_not_deepened(
    library: Library, footage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(library, footage, quick=True)
    monkeypatch.setattr(Library, "read_only", property(lambda self: True))
    assert not deepen(library, FULL, ids_at(library, footage / "a.mp4")[0])
    assert rows(library) == {QUICK.id: library.stats().segments}


def test_a_video_that_vanishes_comes_back_quick(library: Library, footage: Path, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    shutil.copytree(footage, videos)
    run(library, videos, quick=True)
    (videos / "a.mp4").rename(tmp_path / "away.mp4")
    assert run(library, videos, quick=True).removed == 1
    assert library.quick.count() == 2
    (tmp_path / "away.mp4").rename(videos / "again.mp4")
    back = run(library, videos, quick=True)
    assert (back.returned, back.clips, library.quick.count()) == (1, 0, 3)
    assert run(library, videos).deepened == 3


def test_every_frame_can_be_read_to_compare(library: Library, footage: Path, in_full: dict[str, object]) -> None:
    run(library, footage, quick=True, reads="every frame")
    assert library.quick.count() == 3
    kept = {path: ids_at(library, Path(path)) for path in in_full}
    assert run(library, footage).deepened == 3
    assert snapshot(library, FULL.id) == in_full
    assert {path: ids_at(library, Path(path)) for path in in_full} == kept  # the shots were those of a full pass


def test_a_dry_run_tells_full_passes_apart(library: Library, footage: Path) -> None:
    run(library, footage, quick=True)
    seen: list[Preview] = []

    def review(work: Preview) -> Decision:
        seen.append(work)
        return Decision(go_on=False)

    run(library, footage, dry_run=True, review=review)
    assert [os.path.basename(file.path) for file in seen[0].deepened] == ["a.mp4", "b.mp4", "c.mp4"]
    assert library.quick.count() == 3


CHILD = """
import os, signal, sys
from pathlib import Path

import db.library, db.media, db.writing
from db.library import Library
from fakes import ColourEncoder
from test_quick_index import FULL, run


def kill_after(owner, name):
    real = getattr(owner, name)

    def killing(*arguments, **named):
        real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, killing)


owner, name = {
    "encoding": (ColourEncoder, "encode_frames"),
    "replacing": (db.writing, "drop_quick_rows"),
    "published": (db.media.StagedMedia, "publish"),
    "uncommitted": (db.writing, "put_video"),
    "committed": (Library, "add_video"),
}[sys.argv[3]]
with Library.open(Path(sys.argv[2])) as library:
    kill_after(owner, name)
    run(library, Path(sys.argv[1]), decode_workers=1, batch_size=1)
"""


@pytest.mark.parametrize(
    ("where", "left"), [("encoding", 3), ("replacing", 2), ("published", 3), ("uncommitted", 3), ("committed", 2)]
)
def test_kill_9_leaves_each_video_quick_or_full(
    library: Library, footage: Path, in_full: dict[str, object], where: str, left: int
) -> None:
    run(library, footage, quick=True)
    before = snapshot(library, QUICK.id)
    tests = Path(__file__).resolve().parent
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, str(footage), str(library.directory), where],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert library.check() == []
    quick = set(before) & {video.path for video in library.quick.videos()}
    for path in in_full:
        ids = ids_at(library, Path(path))
        assert len(library.embedding_rows(QUICK.id if path in quick else FULL.id, ids)) == len(ids)
    assert len(quick) == left
    report = run(library, footage)
    assert (report.deepened, report.quick) == (len(quick), 0)
    assert snapshot(library, FULL.id) == in_full
