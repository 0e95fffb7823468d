"""Claims of workers on both engines: each piece of work is one worker's, and goes on with others when that is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from db_samples import add, make_parts, make_video, unit_rows
from postgres import lapse, needs_postgres, new_place, on_a_server

from db.claims import Claims
from db.errors import ClaimLost, LibraryNewer
from db.library import Library
from db.server.address import parse_address
from db.server.connection import ServerDatabase
from db.timed_text import TextSource

LONG = 600.0


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def named(*names: str) -> dict[str, str]:
    return {name: f"/films/{name}.mp4" for name in names}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, process or the server; as long as it takes on a busy machine."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_each_worker_gets_the_first_that_are_free(library: Library) -> None:
    with library.claims("index") as one, library.claims("index") as two:
        assert one.take(named("a", "b", "c"), 2) == ["a", "b"]
        assert one.take(named("a", "b"), 2) == [], "a worker does not get the same work twice"
        assert two.take(named("b", "d", "c", "a", "e"), 2) == ["d", "c"]
        assert two.take(named("a", "b", "c", "e"), 5) == ["e"]
        assert two.take({}, 5) == []
        assert two.take(named("f"), 0) == []
        one.release("b")
        one.release("never taken")
        assert two.take(named("a", "b"), 2) == ["b"]
    with library.claims("index") as three:
        assert three.take(named("a", "b", "c", "d", "e"), 9) == ["a", "b", "c", "d", "e"]


@on_a_server
def test_a_claim_is_its_workers_also_if_it_does_not_know_that(library: Library) -> None:
    """The connection ended before the server's answer was there, and the worker asks again."""
    with library.claims("index") as one, library.claims("index") as two:
        one.take(named("a", "b"), 2)
        one._held.clear()  # type: ignore[attr-defined]
        assert two.take(named("a", "b"), 2) == []
        assert one.take(named("c", "b", "a"), 2) == ["c", "b"]
        assert one.take(named("c", "b", "a"), 9) == ["a"]


def test_claims_of_a_folder_cannot_lapse_and_nobody_works_elsewhere(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library, library.claims("index") as claims:
        claims.take(named("a"), 1)
        assert claims.claim("a") is None
        assert library.workers() == []


# On a server


@on_a_server
def test_workers_are_seen_while_they_work(library: Library) -> None:
    with library.claims("index") as one, library.claims("transcribe") as two:
        one.take(named("b", "a"), 2)
        two.take(named("speech-a"), 1)
        first, second = library.workers()
        assert (first.doing, first.paths, first.process) == ("index", ("/films/a.mp4", "/films/b.mp4"), os.getpid())
        assert (second.doing, second.paths) == ("transcribe", ("/films/speech-a.mp4",))
        assert first.machine
        assert 0 <= first.seconds < 600
        assert len(first.path_seconds) == 2
        assert all(600 > seconds >= 0 for seconds in first.path_seconds)
        one.release("b")
        two.release("speech-a")
        assert [(each.paths, len(each.path_seconds)) for each in library.workers()] == [(("/films/a.mp4",), 1), ((), 0)]
    assert library.workers() == []


@on_a_server
def test_a_name_of_a_file_that_is_not_utf_8(library: Library) -> None:
    with library.claims("index") as claims:
        claims.take({"a": os.fsdecode(b"/films/\xff.mp4")}, 1)
        assert library.workers()[0].paths == (os.fsdecode(b"/films/\xff.mp4"),)


@on_a_server
def test_claims_change_nothing_of_the_library(library: Library) -> None:
    """Pages look at the token, and would read everything again."""
    token = library.change_token()
    with library.claims("index") as claims:
        claims.take(named("a"), 1)
        claims.release("a")
    assert library.change_token() == token


@on_a_server
def test_claims_are_taken_and_renewed_while_another_has_the_library(library: Library) -> None:
    with (
        library._database.writing(),
        library.claims("index", lease_seconds=0.5, beat_seconds=0.01) as one,
        library.claims("index") as two,
    ):
        assert one.take(named("a"), 1) == ["a"]
        until = leases(library)
        wait_until(lambda: leases(library) > until)
        assert two.take(named("a"), 1) == []


def leases(library: Library) -> list[object]:
    with library._database.reading() as connection:
        return list(connection.exec_driver_sql("SELECT until FROM workers ORDER BY until").scalars())


@on_a_server
@pytest.mark.usefixtures("server_has_run_for_long")
def test_a_worker_that_does_not_answer_loses_its_claims_and_stores_nothing(library: Library) -> None:
    one, two = library.claims("index", beat_seconds=LONG), library.claims("index", beat_seconds=LONG)
    one.take(named("a", "b"), 2)
    lapse(library, one)
    assert library.workers() == []
    assert two.take(named("a"), 1) == ["a"]
    video = make_video("/films/a.mp4", "a")
    parts = make_parts(video, 3)
    for name in ("a", "b"):  # b is nobody's
        with pytest.raises(ClaimLost, match="another worker has taken its work over"):
            library.add_video(video, *parts, unit_rows(3), encoder_id="enc", recipe="r", claim=one.claim(name))
    assert library.videos() == []
    video_id = library.add_video(video, *parts, unit_rows(3), encoder_id="enc", recipe="r", claim=two.claim("a"))
    source = TextSource(kind="speech", origin="engine")
    with pytest.raises(ClaimLost):
        library.texts.replace(video_id, source, (), claim=one.claim("a"))
    assert library.texts.sources(video_id) == []
    assert one.take(named("a", "c"), 2) == ["c"], "it is a worker like any other again"
    one.close()
    two.close()
    assert leases(library) == []


@on_a_server
def test_after_a_restart_of_the_server_all_leases_begin_anew(library: Library) -> None:
    """Nobody could renew anything meanwhile. The server of the tests has run for less than this lease."""
    with library.claims("index", lease_seconds=1e6) as one, library.claims("index", lease_seconds=1e6) as two:
        one.take(named("a"), 1)
        lapse(library, one)
        assert two.take(named("a"), 1) == []


@on_a_server
@pytest.mark.usefixtures("server_has_run_for_long")
def test_a_worker_that_is_just_storing_keeps_its_claim(library: Library) -> None:
    with library.claims("index", beat_seconds=LONG) as one, library.claims("index") as two:
        one.take(named("a"), 1)
        lapse(library, one)
        claim = one.claim("a")
        assert claim is not None
        with library._database.writing() as connection:
            claim.confirm(connection)
            assert two.take(named("a"), 1) == []
        assert two.take(named("a"), 1) == ["a"]


@on_a_server
def test_a_worker_that_stores_while_it_is_swept_away_is_told_so(library: Library) -> None:
    """Neither waits for the other in a circle, which the server would end with an error of its own for one of them."""
    with library.claims("index", beat_seconds=LONG) as one, ThreadPoolExecutor(1) as pool:
        one.take(named("a"), 1)
        claim = one.claim("a")
        assert claim is not None

        def store() -> None:
            with library._database.writing() as connection:
                claim.confirm(connection)

        database = library._database
        assert isinstance(database, ServerDatabase)
        with database.beside() as sweeping:  # as a sweep does: the worker, then its claims
            sweeping.exec_driver_sql("SELECT owner FROM workers FOR UPDATE")
            stored = pool.submit(store)
            wait_until(lambda: waits_for_a_lock(library))
            sweeping.exec_driver_sql("DELETE FROM workers")
        with pytest.raises(ClaimLost):
            stored.result()


def waits_for_a_lock(library: Library) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%FOR KEY SHARE%%'"
    with library._database.reading() as connection:
        return connection.exec_driver_sql(waiting, ()).first() is not None


def is_left_by(claims: Claims, other: Claims) -> bool:
    """Whether another gets the work of a worker whose process runs on."""
    deadline = time.monotonic() + 0.6  # three times its lease
    while time.monotonic() < deadline:
        if other.take(named("a"), 1) == ["a"]:
            return True
        time.sleep(0.02)
    return False


@on_a_server
@pytest.mark.usefixtures("server_has_run_for_long")
def test_a_worker_without_progress_loses_its_claims_though_its_process_runs(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.server.claims.STILL_SECONDS", 0.05)
    with (
        library.claims("index", lease_seconds=0.2, beat_seconds=0.01) as one,
        library.claims("index", beat_seconds=LONG) as two,
    ):
        one.take(named("a", "b"), 1)
        assert not is_left_by(one, two), "it has never told of progress, so none is expected"
        one.progress()
        assert is_left_by(one, two)
        with pytest.raises(ClaimLost), library._database.writing() as connection:
            one.claim("a").confirm(connection)  # type: ignore[union-attr]
        assert one.take(named("c"), 1) == ["c"], "it goes on with other work"


CHILD = """
import sys, time
from db.library import Library
with Library.open(sys.argv[1]) as library, library.claims("index", lease_seconds=2, beat_seconds=0.1) as claims:
    print(claims.take({"a": "/films/a.mp4"}, 1), flush=True)
    time.sleep(600)
"""


@needs_postgres
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.usefixtures("server_has_run_for_long")
def test_the_claims_of_a_process_that_is_killed_or_stands_still_are_taken_over(
    postgres: str, tmp_path: Path, how: signal.Signals
) -> None:
    place = new_place(postgres, tmp_path)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with Library.open(place) as library, library.claims("index") as claims:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, place], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "['a']\n"
            assert claims.take(named("a"), 1) == []
            assert [worker.process for worker in library.workers()] == [child.pid, os.getpid()]
            child.send_signal(how)
            wait_until(lambda: claims.take(named("a"), 1) == ["a"])
            assert [worker.process for worker in library.workers()] == [os.getpid()]
        finally:
            child.kill()
            child.wait()


@on_a_server
def test_a_worker_of_an_older_version_takes_nothing_more(library: Library) -> None:
    """Another machine has brought the library to a later format meanwhile."""
    with library.claims("index") as claims:
        claims.take(named("a"), 1)
        with library._database.beside() as connection:  # type: ignore[attr-defined]
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
        with pytest.raises(LibraryNewer, match="another machine has a newer prismsearch") as refused:
            claims.take(named("b"), 1)
        assert "\n" not in str(refused.value)
        with pytest.raises(LibraryNewer):
            add(library)
    assert leases(library) == []


@needs_postgres
def test_a_server_of_the_format_before_gets_the_tables(postgres: str, tmp_path: Path) -> None:
    place = new_place(postgres, tmp_path)
    with Library.open(place) as library:
        add(library)
        with library._database.beside() as connection:  # type: ignore[attr-defined]
            for statement in (
                "DROP TABLE claims", "DROP TABLE workers", "ALTER TABLE encodings DROP COLUMN revision",
                "ALTER TABLE vanished_encodings DROP COLUMN revision",
                "UPDATE alembic_version SET version_num = '0010'",
            ):  # fmt: skip
                connection.exec_driver_sql(statement)
    fresh = new_place(postgres, tmp_path)
    with Library.open(place) as library, Library.open(fresh) as other:
        assert columns(library, place) == columns(other, fresh)
        with library.claims("index") as claims:
            assert claims.take(named("a"), 1) == ["a"]
        assert library.known_file(library.videos()[0].path, "enc") is not None


def columns(library: Library, place: str) -> list[tuple[str, ...]]:
    query = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name IN ('workers', 'claims', 'encodings', 'vanished_encodings')"
        " ORDER BY 1, ordinal_position"
    )
    with library._database.reading() as connection:
        found = connection.exec_driver_sql(query, (parse_address(place).schema,))
        return [tuple(map(str, row)) for row in found]
