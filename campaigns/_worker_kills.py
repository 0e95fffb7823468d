"""SIGKILL of workers that share a library on a server, of its page, and of the server: nothing is lost or twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from campaigns._campaign import Case
from campaigns._children import Child, Fault, call, command, require_one_line
from campaigns._libraries import BLEND, examine, films, indexed, indexed_rows, require_same, snapshot
from campaigns._page import Page
from campaigns._postgres import KILLS, Postgres

MOST_KILLS = 16
WORKERS = 2
LEASE_SECONDS, BEAT_SECONDS = 2.0, 0.4
_STOPPED = 3  # exit code of a run that the library's failure ended


def kill_workers(case: Case) -> None:
    """Kill one after the other, start it again; in the end the library is that of one undisturbed run."""
    from db.server import claims

    claims.LEASE_SECONDS, claims.BEAT_SECONDS = LEASE_SECONDS, BEAT_SECONDS  # children are forks of this process
    folder = films(case, 30)
    reference = indexed(case, folder)
    wanted = indexed_rows(case, reference)
    server: Postgres = case.once("postgres", lambda path: Postgres(case, path), common=True)
    server.start(case)
    site = _Site(case, server, folder)
    try:
        site.fill()
        for turn in range(MOST_KILLS):
            site.kill(turn)
        site.finish()
    finally:
        site.stop()
    require_same(call(snapshot, site.place, log=case.log("snapshot")), wanted)
    hits = [_hits(case, place) for place in (reference, site.place)]
    if hits[0] != hits[1]:
        raise Fault(f"a search finds {hits[1][:4]} and not {hits[0][:4]}")


class _Site:
    """Workers and a page of one library on a server."""

    def __init__(self, case: Case, server: Postgres, folder: Path) -> None:
        self.case, self.server, self.folder = case, server, folder
        self.place = server.place(case)
        self.workers: list[Child | None] = [None] * WORKERS
        self.page: Page | None = None
        self.cookie = ""
        self.runs = 0
        self.seen = 0  # the most videos that were there

    def fill(self) -> None:
        """Start whatever does not run."""
        for number, worker in enumerate(self.workers):
            if worker is not None and worker.ended():
                self._ended(worker)
            if worker is None or worker.ended():
                self.workers[number] = self._index(*(["--redo"] if self.case.random.random() < 0.4 else []))
        if self.page is None:
            self.page = Page(self.case, self.place, cookie=self.cookie)
            self.cookie = self.page.cookie

    def _index(self, *more: str) -> Child:
        self.runs += 1
        words = ["index", self.folder, *BLEND, "--workers", "1", "--batch-size", "3", "--json", *more]
        return command(words, self.case.log(f"run{self.runs}"), library=self.place)

    def _ended(self, worker: Child) -> None:
        """Count a run that ended by itself: because it was done, or with one line because the server was killed."""
        require_one_line(worker, "index", codes=[0, _STOPPED])
        if worker.code:
            last = worker.said.strip().splitlines()[-1]
            if "cannot be reached" not in last and "kept the library" not in last:
                raise Fault(f"index ended with {last!r}")
            self.case.count("runs that said that the server is away")
        if "the server is back after" in worker.said:
            self.case.count("runs that waited for the server, and went on")
        self.case.count(
            "videos left to another worker", (worker.said + worker.printed).count("another took the video over")
        )

    def kill(self, turn: int) -> None:
        """Kill somebody, and go on."""
        draw, case = self.case.random, self.case
        time.sleep(min(3.0, draw.expovariate(1 / 0.8)))
        self._look()
        chance, group = draw.random(), draw.random() < 0.5
        if chance < 0.55:
            number = draw.randrange(WORKERS)
            worker = self.workers[number]
            assert worker is not None
            if worker.ended():
                self._ended(worker)
            else:
                worker.kill(group=group)
                worker.sweep()
                case.count("kills of workers")
                case.count("kills")
            self.workers[number] = None
        elif chance < 0.65:
            self._suspend(draw.randrange(WORKERS))
        elif chance < 0.75:
            assert self.page is not None
            self.page.stop()
            self.page = None
            case.count("kills of the page")
            case.count("kills")
        else:
            how = draw.choice(KILLS)
            self.server.kill(how, draw.random())
            time.sleep(draw.uniform(0, 1.5))
            self.server.start(case)
            case.count("kills of the server" if how != "one connection" else "kills of one connection")
            case.count("kills")
            self._look()
            self._require_page(turn)
        self.fill()

    def _suspend(self, number: int) -> None:
        """Let a worker stand still for longer than its lease, as a machine that sleeps."""
        worker = self.workers[number]
        assert worker is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGSTOP)
            try:
                time.sleep(2.5 * LEASE_SECONDS)
            finally:
                os.killpg(worker.pid, signal.SIGCONT)
            self.case.count("workers that stood still")

    def _look(self) -> None:
        """Raise Fault where videos are gone that were committed."""
        now = call(count_videos, self.place, log=self.case.log("count"))
        if now < self.seen:
            self.case.count("rows lost", self.seen - now)
            raise Fault(f"{self.seen} videos were committed and {now} are there")
        self.seen = now

    def _require_page(self, turn: int) -> None:
        """The page answers again by itself."""
        assert self.page is not None
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                status, _ = self.page.ask("GET", "/api/workers")
                if status == 200 and self.page.ask("GET", "/api/library/state")[0] == 200:
                    return
            if self.page.child.ended():
                raise Fault(f"the page ended with kill {turn} of the server: {self.page.child.last_words()}")
            if time.monotonic() > deadline:
                raise Fault(f"the page does not answer after kill {turn} of the server")
            time.sleep(0.1)

    def finish(self) -> None:
        """Let workers end, look for what is left, and run once more."""
        for worker in self.workers:
            if worker is not None:
                worker.wait()
                self._ended(worker)
        last = self._index()
        last.wait()
        require_one_line(last, "the run after the kills", codes=[0])
        examine_in_child = call(examine, self.place, log=self.case.log("examine"))
        if len(examine_in_child) < self.seen:
            raise Fault(f"{self.seen} videos were committed and {len(examine_in_child)} are there in the end")
        self._until(lambda: call(working, self.place, log=self.case.log("working")) == 0, "workers are still listed")
        again = self._index("--redo")
        again.wait()
        require_one_line(again, "a run that encodes all again", codes=[0])
        left = call(claim_rows, self.place, log=self.case.log("claims"))
        if any(left):
            raise Fault(f"{left[0]} workers and {left[1]} claims are left after the lease")
        assert self.page is not None
        if (said := self.page.child.said).count("Traceback"):
            raise Fault(f"the page printed a traceback: {said.strip().splitlines()[-1][:200]}")
        self.case.count("runs", self.runs)

    def _until(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + 20 * LEASE_SECONDS
        while not true():
            if time.monotonic() > deadline:
                raise Fault(otherwise)
            time.sleep(0.2)

    def stop(self) -> None:
        for worker in self.workers:
            if worker is not None and not worker.ended():
                worker.kill(group=True)
        if self.page is not None:
            self.page.stop()


def _hits(case: Case, place: object) -> list[Any]:
    """Return what a search finds: the scores, best first. Ids differ, and so does the order of equal ones.

    Takes are shown apart: which shots are found to be some depends on the order in which videos came.
    """
    asked = ["search", "a red circle", "--json", "-k", "12", "--takes", "show"]
    child = command(asked, case.log("search"), library=place)
    child.wait()
    require_one_line(child, "search", codes=[0, 1])  # 1: nothing that it would call a good match
    return [round(hit["score"], 2) for hit in json.loads(child.printed)["hits"]]


def count_videos(place: str) -> int:
    from db.errors import LibraryMissing
    from db.library import Library

    try:
        with Library.open(place, create=False) as library:
            return len(library.videos())
    except LibraryMissing:
        return 0


def working(place: str) -> int:
    from db.library import Library

    with Library.open(place, create=False) as library:
        return sum(1 for worker in library.workers() if worker.doing == "index")


def claim_rows(place: str) -> tuple[int, int]:
    """Return the numbers of rows in the tables of workers and claims, lapsed ones included."""
    from db.library import Library

    with Library.open(place, create=False) as library, library._database.reading() as connection:
        count = "SELECT (SELECT count(*) FROM workers), (SELECT count(*) FROM claims)"
        workers, claims = connection.exec_driver_sql(count).one()
        return int(workers), int(claims)
