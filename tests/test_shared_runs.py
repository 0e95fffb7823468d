"""Several runs over the same folders, on both engines: they divide the work, and nothing is encoded twice."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import ColourEncoder
from numpy.typing import NDArray
from postgres import lapse, on_a_server
from pretend import Reader, put_video

from db.claims import Claims
from db.library import Library
from db.server.connection import ServerDatabase
from encoder.quick import quick_encoder
from indexer.media.errors import UnreadableVideo
from indexer.pipeline import index_folders
from indexer.plan import VideoTask
from indexer.preview import Decision, Preview
from indexer.progress import Progress
from indexer.quick_pass import QuickPass
from indexer.report import IndexReport
from indexer.scan import FoundFile
from indexer.settings import IndexSettings, RunOptions
from indexer.shared_tasks import Before, SharedTasks

COLOURS = ["red", "green", "blue", "white", "black"]
VIDEOS = 12


Clips = NDArray[np.uint8]


class Two:
    """A library and two runs, each with a connection, an encoder and a decoder of its own."""

    def __init__(self, place: Path | str, films: Path) -> None:
        self.films = films
        self.libraries = [Library.open(place) for _ in range(2)]
        self.readers = [Reader(), Reader()]
        self.encoders = [ColourEncoder(), ColourEncoder()]
        for number in range(VIDEOS):
            self.put(f"{number}.mp4", number)

    def put(self, name: str, number: int, **more: Any) -> str:
        shots = COLOURS[: 1 + number % len(COLOURS)]
        return put_video(self.films / name, shots, note=str(number), **more)

    def run(self, number: int, **options: Any) -> IndexReport:
        given = {name: options.pop(name) for name in ("review", "further", "claims", "quick") if name in options}
        encoder = options.pop("encoder", self.encoders[number])
        return index_folders(
            self.libraries[number], encoder, [self.films], options.pop("settings", IndexSettings()),
            RunOptions(**{"decode_workers": 1} | options), open_video=self.readers[number], **given,
        )  # fmt: skip

    def run_both(self, **options: Any) -> tuple[IndexReport, IndexReport]:
        """Run both at the same time: neither begins before the other has made its plan."""
        planned = threading.Barrier(2, timeout=60)
        for reader, encoder in zip(self.readers, self.encoders, strict=True):
            reader.opened.clear()
            encoder.batches.clear()

        def review(_: Preview) -> Decision:
            planned.wait()
            return Decision()

        with ThreadPoolExecutor(2) as pool:
            one, two = (pool.submit(self.run, number, review=review, **options) for number in range(2))
            reports = one.result(), two.result()
        assert [(report.complete, report.problems, report.notes) for report in reports] == [(True, (), ())] * 2
        assert self.library.check() == []
        return reports

    @property
    def library(self) -> Library:
        return self.libraries[0]

    @property
    def opened(self) -> list[str]:
        """By both, with repetitions."""
        return sorted(os.path.basename(path) for reader in self.readers for path in reader.opened)

    @property
    def encoded(self) -> int:
        return sum(sum(encoder.batches) for encoder in self.encoders)


@pytest.fixture
def two(place: Path | str, tmp_path: Path) -> Iterator[Two]:
    films = tmp_path / "films"
    films.mkdir()
    made = Two(place, films)
    yield made
    for library in made.libraries:
        library.close()


def total(reports: tuple[IndexReport, IndexReport], name: str) -> int:
    return sum(getattr(report, name) for report in reports)


def test_two_runs_divide_new_videos(two: Two) -> None:
    reports = two.run_both()
    assert len(two.library.videos()) == len(two.opened) == VIDEOS
    assert two.encoded == two.library.stats().segments == total(reports, "clips")
    assert total(reports, "added") == total(reports, "unchanged") == VIDEOS


def test_two_runs_divide_what_is_to_be_encoded_again(two: Two) -> None:
    two.run(0)
    for options in ({"redo": True}, {"settings": IndexSettings(segment_seconds=5.0)}):
        reports = two.run_both(**options)
        assert two.encoded == two.library.stats().segments
        assert len(two.opened) == VIDEOS
        assert total(reports, "updated") == VIDEOS


def test_two_runs_divide_full_passes(two: Two) -> None:
    two.encoders = [ColourEncoder(frames=16) for _ in range(2)]
    two.run(0, encoder=quick_encoder(two.encoders[0]), quick=QuickPass(full_id=two.encoders[0].id))
    assert two.library.quick.count() == VIDEOS
    reports = two.run_both()
    assert two.encoded == two.library.stamp(two.encoders[0].id).count == two.library.stats().segments
    assert total(reports, "deepened") == VIDEOS
    assert two.library.quick.count() == 0


def test_the_words_of_a_video_are_read_by_one_run(two: Two) -> None:
    two.run(0)
    for number in range(VIDEOS):
        (two.films / f"{number}.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
    with two.libraries[1].claims("index") as other:
        others = [video for video in two.library.videos() if "1" in os.path.basename(video.path)]
        other.take({f"words-{video.id}": video.path for video in others}, VIDEOS)
        assert two.run(0).lines == VIDEOS - len(others)
    reports = two.run_both()
    assert total(reports, "lines") >= len(others)
    assert two.library.texts.counts()["subtitle"].lines == VIDEOS


def test_two_runs_with_other_encoders_both_encode(two: Two) -> None:
    two.encoders[1] = ColourEncoder(name="second", frames=2, size=8)
    two.run_both()
    for encoder in two.encoders:
        assert sum(encoder.batches) == two.library.stamp(encoder.id).count == two.library.stats().segments


def test_two_runs_divide_what_a_further_encoder_lacks(two: Two) -> None:
    two.run(0)
    further = [ColourEncoder(name="second", frames=2, size=8)]
    two.run_both(further=further)
    assert two.encoded == 0
    assert sum(further[0].batches) == two.library.stats().segments
    assert len(two.opened) == VIDEOS


def test_a_video_and_its_copies_are_one_piece_of_work(two: Two) -> None:
    for number in range(VIDEOS):
        two.put(f"copy of {number}.mp4", number)
    reports = two.run_both()
    assert len(two.library.videos()) == 2 * VIDEOS
    assert 2 * two.encoded == two.library.stats().segments
    assert total(reports, "added") == total(reports, "duplicates") == VIDEOS
    assert total(reports, "unchanged") == 2 * VIDEOS


def test_a_bad_file_is_tried_once_and_its_copy_by_whoever_comes_first(two: Two) -> None:
    for name in ("bad.mp4", "copy of bad.mp4"):
        two.put(name, 90)
    two.put("worse.mp4", 99)

    def fail(path: str, number: int) -> None:
        if os.path.basename(path) in ("bad.mp4", "worse.mp4"):
            raise UnreadableVideo(path, "broken", "It is bad.")

    for reader in two.readers:
        reader.before_clip = fail
    reports = two.run_both()
    assert two.opened.count("bad.mp4") == two.opened.count("worse.mp4") == two.opened.count("copy of bad.mp4") == 1
    assert [failure.attempts for failure in two.library.failures()] == [1, 1]
    assert sorted(len(report.failed) + len(report.skipped_failed) for report in reports) == [2, 2]
    assert len(two.library.videos()) == VIDEOS + 1


@on_a_server
@pytest.mark.usefixtures("server_has_run_for_long")
def test_what_a_run_has_made_that_stood_still_is_dropped_with_a_note(two: Two) -> None:
    """As a machine that slept: it comes back while its video is another's, or when that one has stored it."""
    claims = two.libraries[0].claims("index", beat_seconds=600)
    taken_over: list[IndexReport] = []

    def sleep(path: str, number: int) -> None:
        if not taken_over:
            lapse(two.libraries[0], claims)
            taken_over.append(two.run(1))

    two.readers[0].before_clip = sleep
    report = two.run(0, claims=claims)
    assert len(two.library.videos()) == VIDEOS
    assert taken_over[0].added == VIDEOS
    assert report.added == 0
    assert report.unchanged == VIDEOS
    assert report.notes
    assert all("another took the video over" in note.reason for note in report.notes)
    assert two.library.stats().segments == sum(two.encoders[1].batches)
    assert two.library.check() == []


@on_a_server
@pytest.mark.usefixtures("server_has_run_for_long")
def test_a_run_that_hangs_is_left_behind(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process lives, and could renew its lease for ever."""
    monkeypatch.setattr("db.server.claims.STILL_SECONDS", 0.3)
    claims = two.libraries[0].claims("index", lease_seconds=0.3, beat_seconds=0.02)
    others: list[IndexReport] = []

    def hang(clips: Clips) -> None:
        if sum(two.encoders[0].batches) > 5 and not others:
            others.append(two.run(1))

    monkeypatch.setattr(two.encoders[0], "encode_clips", HangingEncoder(two.encoders[0], hang))
    report = two.run(0, claims=claims)
    assert others[0].complete
    assert report.complete
    assert len(two.library.videos()) == report.added + others[0].added == VIDEOS
    assert others[0].added > 1
    assert any("another took the video over" in note.reason for note in report.notes)
    assert two.library.check() == []


class HangingEncoder:
    def __init__(self, encoder: ColourEncoder, before: Callable[[Clips], None]) -> None:
        self.encode, self.before = encoder.encode_clips, before

    def __call__(self, clips: Clips) -> Any:
        self.before(clips)
        return self.encode(clips)


@on_a_server
def test_a_run_that_can_only_wait_says_for_whom(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.shared_tasks._LOOK_SECONDS", 0.0)
    monkeypatch.setattr("db.server.claims.ServerClaims.pause_seconds", 0.05)
    other = two.libraries[1].claims("index")
    fingerprints: dict[str, str] = {}

    def keep(work: Preview) -> Decision:
        fingerprints.update({task.fingerprint: task.file.path for task in work.plan.tasks})
        other.take(fingerprints, VIDEOS)
        return Decision()

    seen: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        if progress.waits_for or len(seen) > 40:
            other.close()

    report = index_folders(
        two.library, two.encoders[0], [two.films], IndexSettings(), RunOptions(decode_workers=1),
        open_video=two.readers[0], review=keep, on_progress=on_progress,
    )  # fmt: skip
    assert report.added == VIDEOS
    waits = next(each.waits_for for each in seen if each.waits_for)
    assert [worker.process for worker in waits] == [os.getpid()]
    assert set(waits[0].paths) == set(fingerprints.values())
    assert not seen[-1].waits_for


class Held(Claims):
    """All work but one is another's."""

    pause_seconds = 1e6

    def __init__(self, free: str) -> None:
        self.free = free
        self.asked: list[int] = []

    def take(self, wanted: Mapping[str, str], most: int) -> list[str]:
        self.asked.append(len(wanted))
        return [self.free] if self.free in wanted else []

    def release(self, name: str) -> None:
        self.free = ""

    def close(self) -> None:
        pass


def test_work_that_others_have_is_asked_for_rarely(tmp_path: Path) -> None:
    """A run that waits for others keeps no server busy, however much it waits for."""
    tasks = [
        VideoTask(file=FoundFile(path=f"/films/{number}", size_bytes=1, modified_ns=1), fingerprint=str(number))
        for number in range(450)
    ]
    claims = Held("444")
    with Library.open(tmp_path) as library:
        shared = SharedTasks(library, claims, (), Before(revisions=(), failures={}))
        shared.put(tasks)
        taken = [task for _ in range(10) for task in shared.take(3)]
        assert [task.fingerprint for task in taken] == ["444"]
        once = len(claims.asked)
        assert sum(claims.asked) < 3 * len(tasks)
        assert shared.take(3) == []
        assert len(claims.asked) == once, "not again for a while"
        shared.release(taken[0])
        assert shared.take(0) == []
        shared.take(3)
        assert len(claims.asked) == once + 1, "but at once when one of its own is done"


@on_a_server
def test_a_run_waits_while_another_machine_brings_the_library_to_a_later_format(two: Two) -> None:
    """It is then refused in one line; what it had stored stays, and nothing of it is half there."""
    migrated, begun = threading.Event(), threading.Event()
    other = two.libraries[1]._database
    assert isinstance(other, ServerDatabase)

    def migrate() -> None:
        with other.locked() as connection:
            begun.set()
            connection.exec_driver_sql("SELECT pg_sleep(0.3)")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
        migrated.set()

    thread = threading.Thread(target=migrate)

    def at_the_third(path: str, number: int) -> None:
        if len(two.readers[0].opened) == 3 and not begun.is_set():
            thread.start()
            begun.wait()

    two.readers[0].before_clip = at_the_third
    report = two.run(0)
    thread.join()
    assert migrated.is_set()
    assert "has format 0999 now" in report.stopped
    assert report.stopped.endswith("Update prismsearch here, too.")
    assert "\n" not in report.stopped
    assert len(two.library.videos()) == report.added < VIDEOS
    assert two.library.workers() == []
