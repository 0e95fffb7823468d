"""Runs on a library whose server goes away: they wait for it, and nothing is lost or there twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from fakes import ColourEncoder
from gate import Gate
from postgres import lapse, needs_postgres, new_place
from pretend import Reader, put_video, snapshot

from app.commands import server_wait
from app.commands.server_wait import waiting_for_server
from app.jobs.jobs import Jobs
from app.jobs.orders import IndexOrder
from app.shell.live_line import LiveLine
from app.web.services.job_texts import progress_text
from db import patience
from db.errors import LibraryUnreachable
from db.library import Library
from db.patience import Patience, patient
from indexer.pipeline import index_folders
from indexer.report import IndexReport
from indexer.settings import IndexSettings, RunOptions

pytestmark = needs_postgres
COLOURS = ["red", "green", "blue", "white", "black"]
VIDEOS = 6
DRAWS = 8


@pytest.fixture
def gate(postgres: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr(patience, "_PAUSES", (0.0,))
    made = Gate(postgres)
    yield made
    made.remove()


class Site:
    """Films, and a library to which one run comes through the gate; others come to it directly."""

    def __init__(self, gate: Gate, folder: Path) -> None:
        self.gate = gate
        self.films = folder / "films"
        for number in range(VIDEOS):
            put_video(self.films / f"{number}.mp4", COLOURS[: 1 + number % len(COLOURS)], note=str(number))
            if number % 2:
                put_video(self.films / f"copy of {number}.mp4", COLOURS[: 1 + number % len(COLOURS)], note=str(number))
                (self.films / f"{number}.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
        (self.films / "bad.mp4").write_text("no video")
        self.place = new_place(gate.address, folder)
        self.encoder, self.reader = ColourEncoder(), Reader()
        self.waits: list[LibraryUnreachable] = []
        self.returns: list[float] = []

    def wait(self, error: LibraryUnreachable) -> None:
        """The server is back by the time it is tried again."""
        self.waits.append(error)
        self.gate.open()

    def run(self, library: Library, patience: Patience | None = None, **options: object) -> IndexReport:
        patience = patience or Patience(600, on_wait=self.wait, on_return=self.returns.append)
        return index_folders(
            patient(library, patience), self.encoder, [self.films], IndexSettings(),
            RunOptions(decode_workers=1), open_video=self.reader, **options,  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.fixture
def site(gate: Gate, tmp_path: Path) -> Site:
    return Site(gate, tmp_path)


def close_at(gate: Gate, number: int, direction: str) -> list[int]:
    """Close the gate once, when a piece is about to pass. Return how many have passed in that direction."""
    count, lock = [0], threading.Lock()

    def passed(piece: bytes, way: str) -> None:
        if way == direction:
            with lock:
                count[0] += 1
                if count[0] == number:
                    gate.close()

    gate.passed = passed
    return count


def close_at_statement(gate: Gate, statement: bytes, *, commits: bool) -> list[bytes]:
    """Close the gate once: before a statement, or when it is committed, but nothing says so. Return what is awaited."""
    awaited = [statement, *([b"COMMIT"] if commits else [])]

    def passed(piece: bytes, way: str) -> None:
        while awaited and way == "to server" and awaited[0] in piece:
            del awaited[0]
        if not awaited and (way == "from server" or not commits):
            gate.passed = lambda piece, way: None
            gate.close()

    gate.passed = passed
    return awaited


@pytest.mark.parametrize("commits", [False, True])
@pytest.mark.parametrize(
    "statement",
    [
        b"INSERT INTO claims", b"DELETE FROM claims", b"INSERT INTO videos", b"INSERT INTO text_sources",
        b"INSERT INTO failures", b"UPDATE videos SET media",
    ],
)  # fmt: skip
def test_a_run_survives_a_statement_without_an_answer(site: Site, gate: Gate, statement: bytes, commits: bool) -> None:
    with Library.open(site.place) as library:
        if b"media" in statement:
            site.run(library)
            for poster in (library.poster_path(video, 0) for video in library.videos()):
                poster.unlink(missing_ok=True)
        awaited = close_at_statement(gate, statement, commits=commits)
        report = site.run(library)
        assert awaited == []
        assert (report.stopped, report.notes, report.problems, len(site.waits)) == ("", (), (), 1)
        assert len(report.failed) == (statement != b"UPDATE videos SET media")
        assert sum(site.encoder.batches) == library.stats().segments - sum(
            len(library.segments_of(video.id or 0)) for video in library.videos() if "copy of" in video.path
        )
        assert library.texts.counts()["subtitle"].lines == VIDEOS // 2
        assert library.check() == []
        assert library.workers() == []
        posters = [library.poster_path(video, 0) for video in library.videos()]
        assert all(poster.is_file() for poster in posters)
        folders = {str(poster.parent) for poster in library.media_directory.glob("*/*/poster-00000.jpg")}
        assert folders == {str(poster.parent) for poster in posters}


@pytest.mark.parametrize("direction", ["to server", "from server"])
def test_a_run_survives_a_server_that_goes_away_at_any_moment(
    site: Site, gate: Gate, tmp_path: Path, postgres: str, direction: str
) -> None:
    """Before a statement reaches it, or before its answer is back, so that a commit may have been made or not."""
    with Library.open(site.place) as library:
        count = close_at(gate, 0, direction)
        assert site.run(library).added == VIDEOS
        pieces, whole = count[0], snapshot(library, site.encoder.id)
        segments = sum(site.encoder.batches)
    draw = random.Random(7)
    for number in (1, *draw.sample(range(2, pieces), DRAWS)):
        site.place, site.encoder, site.waits, site.returns = new_place(gate.address, tmp_path), ColourEncoder(), [], []
        with Library.open(site.place) as library:
            close_at(gate, number, direction)
            report = site.run(library)
            gate.passed = lambda piece, way: None
            assert (report.stopped, report.interrupted, report.notes) == ("", False, ())
            assert (report.added, report.duplicates, len(report.failed)) == (VIDEOS, VIDEOS // 2, 1)
            assert len(site.waits) == len(site.returns) <= 1  # none where only a renewal of the lease failed
            assert sum(site.encoder.batches) == segments
            assert snapshot(library, site.encoder.id) == whole
            assert library.texts.counts()["subtitle"].lines == VIDEOS // 2
            assert library.check() == []
            assert library.workers() == []


def test_a_claim_that_could_not_be_given_up_is_given_up_when_it_is_tried_again(site: Site, gate: Gate) -> None:
    with Library.open(site.place) as library, library.claims("index") as claims:
        claims.take({"a": "/films/a.mp4"}, 1)
        gate.close()
        with pytest.raises(LibraryUnreachable):
            claims.release("a")
        gate.open()
        claims.release("a")
        assert [worker.paths for worker in library.workers()] == [()]


def test_a_run_gives_up_after_its_time(site: Site, gate: Gate) -> None:
    site.reader.before_clip = lambda path, number: gate.close()
    with Library.open(site.place) as library:
        report = site.run(library, Patience(0))
        assert "cannot be reached" in report.stopped
        assert not report.interrupted
        gate.open()
        with library._database.beside() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql("DELETE FROM workers")  # whose lease would be over by and by
        site.reader.before_clip = lambda path, number: None
        assert site.run(library).complete
        assert library.check() == []


def test_what_never_asks_the_server_does_not_say_that_it_is_back() -> None:
    """Decoders stage pictures on the disk while a run waits."""

    class Shared:
        shared = True

        def stage_media(self) -> str:
            return "staged"

        def videos(self) -> str:
            return "videos"

    back: list[float] = []
    patience = Patience(60, on_return=back.append)
    patience._since = 1.0
    library = patient(cast(Library, Shared()), patience)
    assert library.stage_media() == "staged"  # type: ignore[call-arg]
    assert back == []
    library.videos()
    assert len(back) == 1


def test_a_run_that_waits_can_be_stopped(site: Site, gate: Gate) -> None:
    site.reader.before_clip = lambda path, number: gate.close()
    with Library.open(site.place) as library:
        stopped: list[LibraryUnreachable] = []
        wait = Patience(600, on_wait=stopped.append, is_stopped=lambda: bool(stopped))
        report = site.run(library, wait, cancelled=lambda: bool(stopped))
        assert report.interrupted
        assert report.stopped == ""
        assert len(stopped) == 1


@pytest.mark.usefixtures("server_has_run_for_long")
def test_what_another_has_taken_over_meanwhile_is_not_stored(site: Site, gate: Gate, postgres: str) -> None:
    with Library.open(site.place) as library, Library.open(site.place.replace(gate.address, postgres)) as other:
        claims = library.claims("index", beat_seconds=600)
        others: list[IndexReport] = []

        def wait(error: LibraryUnreachable) -> None:
            lapse(other, claims)
            encoder = ColourEncoder()
            others.append(index_folders(other, encoder, [site.films], IndexSettings(), open_video=Reader()))
            gate.open()

        closed: list[str] = []

        def close(path: str, number: int) -> None:
            if not closed:
                closed.append(path)
                gate.close()

        site.reader.before_clip = close
        patience = Patience(600, on_wait=wait)
        report = site.run(library, patience, claims=claims_of(patience, library, claims))
        assert others[0].added == VIDEOS
        assert report.added == 0
        assert report.unchanged == 2 * VIDEOS - VIDEOS // 2
        assert report.notes
        assert other.check() == []


def claims_of(patience: Patience, library: Library, claims: object) -> object:
    library.claims = lambda *_, **__: claims  # type: ignore[method-assign, return-value, assignment]
    return patient(library, patience).claims("index")


def test_arguments_that_can_be_read_once_are_read_for_each_try() -> None:
    tries: list[list[int]] = []

    def fail_once(numbers: Iterator[int]) -> int:
        tries.append(list(numbers))
        if len(tries) == 1:
            raise LibraryUnreachable
        return sum(tries[-1])

    assert Patience(600).call(fail_once, iter([1, 2, 3])) == 6
    assert tries == [[1, 2, 3]] * 2


def test_a_library_in_a_folder_is_as_it_is(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        assert patient(library, Patience(600)) is library


def test_a_job_says_that_it_waits_and_that_it_goes_on(
    site: Site, gate: Gate, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Library.open(site.place) as library,
        LiveLine() as line,
        Jobs(tmp_path).begin("index", "films", IndexOrder(paths=())) as job,
    ):
        looks: list[str] = []

        def looked() -> bool:
            """Asked while the job waits."""
            looks.append(progress_text(job._state))
            gate.open()
            return False

        patient_library = waiting_for_server(library, line, job, looked)
        gate.close()
        assert patient_library.videos() == []
        assert looks[0] == "The library's server is not reachable; waiting for it"
        said = capsys.readouterr().err.splitlines()
        assert said[0] == "the server of the library is not reachable; trying again for 10 minutes (Ctrl-C stops)"
        assert said[1].startswith("the server is back after 0.")
        monkeypatch.setattr(server_wait, "WAIT_SECONDS", 0.0)
        gate.close()
        with pytest.raises(LibraryUnreachable):
            waiting_for_server(library, line, job, lambda: False).videos()
        with pytest.raises(LibraryUnreachable):
            library.videos()
