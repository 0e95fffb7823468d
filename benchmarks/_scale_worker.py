"""Processes that index into a library, or search it, for the benchmark of servers; they go on after an error.

A worker does what `index` does with the library, but does not decode or encode: it sleeps for as long as that takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier, Event
from time import monotonic, process_time, sleep
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import event

from benchmarks._scale_probe import fingerprint_of, unit_rows, video_of
from benchmarks.search_latency import RowsOfWords
from db.claims import Claims
from db.errors import ClaimLost, LibraryError
from db.library import Library

AGAIN_SECONDS = 0.1  # after an error
_MOST = 100_000  # videos of a run
_LOOK = 256  # at a time, when the next one is claimed
_LOCK = "pg_advisory_xact_lock"


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the workers of a run do.

    Attributes:
        place: The library.
        folder: The folder that their videos are said to be in.
        workers: How many there are.
        shots: Of a video.
        shot_seconds: What decoding and encoding a shot would take.
    """

    place: str
    folder: str
    workers: int
    shots: int
    shot_seconds: float


@dataclass(slots=True, kw_only=True)
class Done:
    """What one process did. Times are of the clock of the machine."""

    done: list[tuple[int, float]] = field(default_factory=list)  # videos stored, or searches answered
    errors: list[tuple[str, float]] = field(default_factory=list)
    claim_seconds: float = 0.0
    write_seconds: float = 0.0
    lock_seconds: float = 0.0  # of these, waiting for the writers' lock
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def path_of(folder: str, number: int) -> str:
    return f"{folder}/take {number:08d}.mp4"


def index(work: Work, worker: int, begin: Barrier, stop: Event, leave: Event, told: Queue[Done]) -> None:
    """Index videos from `begin` to `stop`; stay connected until `leave`. What was begun is done first."""
    result = Done()
    rows = unit_rows(work.shots, worker)
    with Library.open(work.place) as library:
        _time_the_lock(library, result)
        library.stats()  # connects
        begin.wait()
        began, cpu = monotonic(), process_time()
        with library.claims("index") as claims:
            waiting = deque(range(_MOST))
            while not stop.is_set():
                number = _until_done(partial(_next, library, claims, work, waiting, result), result)
                sleep(work.shots * work.shot_seconds)
                _until_done(partial(_store, library, claims, work, number, rows, result), result)
                _until_done(partial(claims.release, fingerprint_of(number)), result)
        result.seconds, result.cpu_seconds = monotonic() - began, process_time() - cpu
        told.put(result)
        leave.wait()


def _next(library: Library, claims: Claims, work: Work, waiting: deque[int], result: Done) -> int:
    """Claim the next video that nobody has, as `index` does."""
    began = monotonic()
    try:
        while True:
            asked = {fingerprint_of(number): number for number in islice(waiting, _LOOK)}
            paths = {name: path_of(work.folder, number) for name, number in asked.items()}
            (taken,) = claims.take(paths, 1) or [""]
            number = asked.get(taken, waiting[0])
            while waiting[0] != number:
                waiting.rotate(-1)  # another worker's
            if taken:
                waiting.popleft()
                if library.known_file(paths[taken], RowsOfWords.id) is None:
                    return number
                claims.release(taken)
            else:
                waiting.rotate(-len(asked))
    finally:
        result.claim_seconds += monotonic() - began


def _store(library: Library, claims: Claims, work: Work, number: int, rows: NDArray[np.float32], result: Done) -> None:
    began = monotonic()
    video, shots, segments = video_of(path_of(work.folder, number), number, work.shots)
    try:
        claim = claims.claim(fingerprint_of(number))
        library.add_video(video, shots, segments, rows, encoder_id=RowsOfWords.id, recipe="work", claim=claim)
        result.done.append((number, monotonic()))
    except ClaimLost as error:  # another worker has it, or has done it
        result.errors.append((str(error), monotonic()))
    finally:
        result.write_seconds += monotonic() - began


def _until_done(act: Callable[[], Result], result: Done) -> Result:
    """Try until the library can be reached."""
    while True:
        try:
            return act()
        except LibraryError as error:
            result.errors.append((str(error), monotonic()))
            sleep(AGAIN_SECONDS)


def _time_the_lock(library: Library, result: Done) -> None:
    """Add up how long each writer waits for its turn. In a folder, waiting is not told from writing."""
    engine = library._database.engine

    def before(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if _LOCK in statement:
            connection.info["asked"] = monotonic()

    def after(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if _LOCK in statement:
            result.lock_seconds += monotonic() - connection.info["asked"]

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)


def search(work: Work, begin: Barrier, stop: Event, told: Queue[Done]) -> None:
    """Search from `begin` to `stop`, as a page does: bring the copy up to date, find ten hits, look them up."""
    from encoder import Encoder
    from search.engine import SearchEngine
    from search.query import Query, TextTerm
    from search.vectors.faiss_index import FaissIndex

    result = Done()
    encoder = cast(Encoder, RowsOfWords(unit_rows(600, 0)))
    with Library.open(work.place) as library:
        index = FaissIndex.open(library, encoder.id, library.directory / "vectors")
        engine = SearchEngine(library, encoder, index)
        begin.wait()
        number = 0
        while not stop.wait(0.02):
            try:
                engine.refresh()
                hits = engine.answer(Query([TextTerm(str(number))], k=10)).hits
            except LibraryError as error:
                result.errors.append((str(error), monotonic()))
                sleep(AGAIN_SECONDS)
            else:
                result.done.append((len(hits), monotonic()))
            number += 1
        told.put(result)
