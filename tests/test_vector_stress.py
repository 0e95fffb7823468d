"""FaissIndex under thousands of random changes: each answer is compared with all rows that the library had.

Walks are deterministic by seed, except for the threads; a failure names its seed and step. Longer ones: `-m slow`, with
`-s` for their figures.
"""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from changing_library import ENCODER, LibraryWorld, ShelfWorld, World, clustered
from numpy.typing import NDArray
from vector_states import ROUNDING, Ids, Nearest, State, check_found, check_rows

from db.library import Library
from db.records import Stamp
from search.vectors.faiss_index import FaissIndex

FEW = 48
"""Up to this many allowed rows are always compared one by one."""


def shrink(monkeypatch: pytest.MonkeyPatch, coded_rows: int) -> None:
    """Treat a library of thousands as one of hundreds of thousands, and let files and blocks end everywhere.

    Args:
        monkeypatch: Puts everything back.
        coded_rows: The number of rows from which on codes select the candidates.
    """
    constants = {
        "vector_index.CODED_ROWS": coded_rows,
        "faiss_index.LONGEST_TAIL": 100,
        "sync.LONGEST_TAIL": 100,
        "base._MIN_LISTS": 16,
        "base._ROWS_PER_CANDIDATE": 2,
        "snapshot.FEW_ROWS": 400,
        "snapshot.BLOCK_ROWS": 512,
        "rows._FETCHED_ROWS": 128,
        "rows.BLOCK_ROWS": 256,
    }
    for name, value in constants.items():
        monkeypatch.setattr(f"search.vectors.{name}", value)


SMALL, LARGE = 10**9, 1500
"""For `coded_rows`: in small libraries every row is compared."""

THREADED_DIM = 64


# Walks


@dataclass
class Watched:
    """An index, and the rows that it must answer from: those of its last refresh."""

    index: Any
    reopen: Callable[[], Any]
    state: State = field(default_factory=State.empty)
    stamp: Stamp | None = None

    def refresh(self, world: World) -> None:
        stamp = world.library.stamp(ENCODER)
        changed = self.index.refresh()
        assert changed == (stamp != self.stamp), f"refresh() is {changed}, from {self.stamp} to {stamp}"
        self.stand_at(world)

    def optimize(self, world: World) -> None:
        self.index.optimize()
        self.stand_at(world)

    def open_again(self, world: World) -> None:
        self.index = self.reopen()
        self.stand_at(world)

    def stand_at(self, world: World) -> None:
        self.stamp, self.state = world.library.stamp(ENCODER), world.state()


class Walk:
    """Random steps: a change, or a refresh, optimize or opening of one index; then answers of one index are checked."""

    def __init__(self, world: World, indexes: list[Watched], seed: int, *, coded_rows: int) -> None:
        self.world = world
        self.indexes = indexes
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.coded_rows = coded_rows
        self.compared = 0  # answers
        self.nearest = Nearest()
        for each in indexes:
            each.stand_at(world)

    def run(self, steps: int) -> Nearest:
        taken: list[str] = []
        for step in range(steps):
            try:
                taken.append(self._step())
                self._check(self.indexes[self.random.integers(len(self.indexes))])
            except Exception as error:
                last = ", ".join(taken[-12:])
                raise AssertionError(f"seed {self.seed}, step {step}: {error!r}; the last steps: {last}") from error
        print(f"seed {self.seed}: {steps} steps, {self.compared} answers; {self.nearest}")
        return self.nearest

    def _step(self) -> str:
        at = int(self.random.integers(len(self.indexes)))
        watched, dice = self.indexes[at], self.random.random()
        if dice < 0.6:
            return self.world.change(self.random)
        if dice < 0.93:
            watched.refresh(self.world)
            return f"refresh {at}"
        if dice < 0.965:
            watched.open_again(self.world)
            return f"open {at}"
        watched.optimize(self.world)
        return f"optimize {at}"

    def _check(self, watched: Watched) -> None:
        random, index, state = self.random, watched.index, watched.state
        assert len(index) == len(state), f"{len(index)} rows, not {len(state)}"
        allowed = allowed_ids(random, state)
        queries = some_queries(random, state, int(random.choice([1, 1, 1, 2])))
        k = int(random.choice([1, 3, 10, 10, 10, 40, len(state) + 3]))
        self._compare(watched, queries, k, allowed)
        if random.random() < 0.25:
            self._check_counts(watched, queries[0], allowed)
        if random.random() < 0.5 and len(state):
            ids = random.choice(state.ids, int(random.integers(0, 20)))
            check_rows(state, index.rows_of(ids), ids)
            ids = np.append(ids, random.integers(1, state.ids[-1] + 9))  # one that may be gone
            check_rows(state, rows_or_none(index, ids), ids)
            self.compared += 2

    def _compare(
        self, watched: Watched, queries: NDArray[np.float32], k: int, allowed: Ids | None
    ) -> NDArray[np.float32]:
        state = watched.state
        exact = compares_all(state, allowed, k, self.coded_rows)
        if not exact:  # an estimate of nothing is nothing, so codes cannot choose
            queries = queries[queries.any(axis=1)]
        found = watched.index.search(queries, k, allowed)
        self.nearest.add(check_found(state, found, queries, k, allowed, exact=exact))
        self.compared += len(queries)
        return np.asarray(found[1])

    def _check_counts(self, watched: Watched, query: NDArray[np.float32], allowed: Ids | None) -> None:
        """The thresholds are the scores of a search for everything, and numbers beside them."""
        random, index, state = self.random, watched.index, watched.state
        ids, scores = index.search(query[None, :], len(state) + 1)
        check_found(state, (ids, scores), query[None, :], len(state) + 1, None, exact=True)
        few = self._compare(watched, query[None, :], 5, allowed)
        wholes = scores[0].astype(np.float64)
        some = random.choice(wholes, 3) if wholes.size else np.zeros(1)
        for limit in (None, allowed):
            own = wholes if limit is None else wholes[np.isin(ids[0], limit)]
            for threshold in (*some, some[0] + 1e-12, some[-1] - 1e-12, *few[:, -1:].ravel(), -np.inf, np.inf, 0.3):
                given, wanted = index.count(query, float(threshold), limit), int((own >= float(threshold)).sum())
                assert given == wanted, f"{given} rows score {threshold!r}, not {wanted}"
                self.compared += 1


def compares_all(state: State, allowed: Ids | None, k: int, coded_rows: int) -> bool:
    """Whether an index compares every allowed row for a search, and so misses none."""
    count = len(state.allowed(allowed))
    return len(state) < coded_rows / 2 or count <= FEW or k >= count


def some_queries(random: np.random.Generator, state: State, count: int) -> NDArray[np.float32]:
    """New rows, rows of the index, or rows near them; seldom a row of zeros, with which all scores are equal."""
    dim = state.rows.shape[1] if len(state) else THREADED_DIM  # an empty index takes any
    queries = clustered(random, count, dim)
    dice = random.random()
    if len(state) and dice < 0.6:
        oldest = max(0, len(state) - 20) if dice < 0.3 else 0  # of the newest rows, or of all
        queries = state.rows[random.integers(oldest, len(state), count)] + random.choice([0, 0.3]) * queries
        queries /= np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-6)
    if dice > 0.98:
        queries[0] = 0
    return np.asarray(queries, dtype=np.float32)


def allowed_ids(random: np.random.Generator, state: State) -> Ids | None:
    """None, or ids: of all sizes, in any order, with repeats, of rows that are gone and of rows that never were."""
    dice, last = random.random(), int(state.ids[-1]) if len(state) else 50
    if dice < 0.4:
        return None
    if dice < 0.6 or not len(state):
        return random.integers(-2, last + 20, int(random.integers(0, 40)))
    if dice < 0.7:
        return random.choice(state.ids, int(random.integers(0, 40)))
    if dice < 0.8:
        first = int(random.integers(0, last))
        return np.arange(first, min(first + 10_000, int(random.integers(first, last + 2))))
    chosen = state.ids[random.random(len(state)) < random.choice([0.05, 0.3, 0.7, 0.99, 1])]
    return random.permutation(chosen) if dice < 0.9 else chosen


def rows_or_none(index: Any, ids: Ids) -> NDArray[np.float32] | None:
    """The rows; None for a KeyError."""
    try:
        return np.asarray(index.rows_of(ids))
    except KeyError:
        return None


def walk_over_shelf(directory: Path, seed: int, steps: int, coded_rows: int) -> Nearest:
    if coded_rows == SMALL:
        world = ShelfWorld(most=600, many=200, dims=(8, 24, 33), spoilt=True, batch=90)
    else:
        world = ShelfWorld(most=2 * coded_rows, many=coded_rows // 3, dims=(64,), spoilt=False)

    def reopen() -> Any:
        return FaissIndex.open(world.library, ENCODER, directory)  # type: ignore[arg-type]

    two = [Watched(reopen(), reopen) for _ in range(2)]
    return Walk(world, two, seed, coded_rows=coded_rows).run(steps)


def walk_over_library(directory: Path, seed: int, steps: int, coded_rows: int) -> Nearest:
    """One index is here, the other in a process of its own."""
    with Library.open(directory) as library, Elsewhere(directory, coded_rows) as elsewhere:
        most, many = (500, 60) if coded_rows == SMALL else (2 * coded_rows, coded_rows // 5)

        def reopen() -> Any:
            return FaissIndex.open(library, ENCODER, directory / "vectors")

        two = [Watched(reopen(), reopen), Watched(elsewhere, elsewhere.reopened)]
        return Walk(LibraryWorld(library, most=most, many=many), two, seed, coded_rows=coded_rows).run(steps)


class Elsewhere:
    """An index in another process."""

    def __init__(self, directory: Path, coded_rows: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=answer_elsewhere, args=(there, directory, coded_rows), daemon=True)
        self._process.start()
        there.close()
        self._ask("__len__")  # it is open

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(30)

    def reopened(self) -> Elsewhere:
        self._ask("open")
        return self

    def __len__(self) -> int:
        return int(self._ask("__len__"))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: self._ask(name, *arguments)

    def _ask(self, *order: Any) -> Any:
        self._pipe.send(order)
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer_elsewhere(pipe: Connection, directory: Path, coded_rows: int) -> None:
    """Answer for an index until nobody asks."""
    with pytest.MonkeyPatch.context() as monkeypatch, Library.open(directory) as library:
        shrink(monkeypatch, coded_rows)
        index = FaissIndex.open(library, ENCODER, directory / "vectors")
        while True:
            try:
                name, *arguments = pipe.recv()
            except EOFError:
                return
            try:
                if name == "open":
                    index, answer = FaissIndex.open(library, ENCODER, directory / "vectors"), None
                else:
                    answer = getattr(index, name)(*arguments)
            except KeyError as error:
                answer = error
            pipe.send(answer)


# Threads

Check = Callable[[State], None]


@dataclass(frozen=True)
class Answer:
    """What an index answered while it may have stood at the states numbered `first` to `last`."""

    first: int
    last: int
    check: Check


class Threads:
    """Two threads ask, a third refreshes and optimizes, and this one changes the library and refreshes each time."""

    def __init__(self, world: ShelfWorld, index: Any, seed: int, *, coded_rows: int) -> None:
        self.world, self.index, self.seed, self.coded_rows = world, index, seed, coded_rows
        self.states = [world.state()]
        self.begun = 0  # the number of the newest state that the index may stand at
        self.done = 0  # the number of the oldest
        self.answers: list[Answer] = []
        self.nearest = Nearest()
        self.errors: list[BaseException] = []
        self._stop = threading.Event()

    def run(self, steps: int) -> None:
        """Take the steps, and compare all answers afterwards."""
        asking = [threading.Thread(target=self._until_stopped, args=(self._ask, number)) for number in (1, 2)]
        threads = [*asking, threading.Thread(target=self._until_stopped, args=(self._maintain, 3))]
        for thread in threads:
            thread.start()
        try:
            random = np.random.default_rng(self.seed)
            for _ in range(steps):
                self.begun += 1
                self.world.change(random)
                self.states.append(self.world.state())
                self.index.refresh()
                self.done = self.begun
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        assert not self.errors, f"seed {self.seed}: {self.errors}"
        for answer in self.answers:
            self._compare(answer)

    def _until_stopped(self, work: Callable[[np.random.Generator], None], number: int) -> None:
        random = np.random.default_rng([self.seed, number])
        try:
            while not self._stop.is_set():
                work(random)
        except BaseException as error:  # noqa: BLE001 - shown by the thread that waits
            self.errors.append(error)

    def _maintain(self, random: np.random.Generator) -> None:
        (self.index.optimize if random.random() < 0.5 else self.index.refresh)()
        self._stop.wait(0.002)

    def _ask(self, random: np.random.Generator) -> None:
        first = self.done
        state = self.states[first]
        asks = [self._searched, self._searched, self._counted, self._fetched, self._measured]
        ask = asks[random.integers(len(asks))]
        check = ask(random, state)
        self.answers.append(Answer(first, self.begun, check))
        self._stop.wait(0.0003)

    def _searched(self, random: np.random.Generator, state: State) -> Check:
        query, allowed, k = some_queries(random, state, 1), allowed_ids(random, state), int(random.choice([1, 10, 30]))
        if not query.any():
            query += 1
        found = self.index.search(query, k, allowed)

        def check(state: State) -> None:
            exact = compares_all(state, allowed, k, self.coded_rows)
            self.nearest.add(check_found(state, found, query, k, allowed, exact=exact))

        return check

    def _counted(self, random: np.random.Generator, state: State) -> Check:
        query, allowed = some_queries(random, state, 1)[0], allowed_ids(random, state)
        given = self.index.count(query, 0.3, allowed)

        def check(state: State) -> None:
            scores = state.rows[state.allowed(allowed)] @ query if len(state) else np.empty(0)
            least, most = (scores >= 0.3 + ROUNDING).sum(), (scores >= 0.3 - ROUNDING).sum()
            assert least <= given <= most, f"{given} rows score 0.3, not {least} to {most}"

        return check

    def _fetched(self, random: np.random.Generator, state: State) -> Check:
        last = int(state.ids[-1]) if len(state) else 0
        ids = random.integers(max(1, last - 400), last + 50, int(random.integers(1, 4)))
        rows = rows_or_none(self.index, ids)
        return lambda state: check_rows(state, rows, ids)

    def _measured(self, random: np.random.Generator, state: State) -> Check:
        size = len(self.index)

        def check(state: State) -> None:
            assert size == len(state), f"{size} rows, not {len(state)}"

        return check

    def _compare(self, answer: Answer) -> None:
        faults = []
        for number in range(answer.first, answer.last + 1):
            try:
                answer.check(self.states[number])
                return
            except AssertionError as error:
                faults.append(f"{number}: {error}")
        raise AssertionError(f"seed {self.seed}: an answer that no state gives: {faults}")


def threads_over_shelf(directory: Path, seed: int, steps: int, coded_rows: int) -> Nearest:
    large = coded_rows != SMALL
    most, many = (2 * coded_rows, coded_rows // 3) if large else (300, 80)
    world = ShelfWorld(most=most, many=many, dims=(THREADED_DIM,), spoilt=False, batch=10**6)
    index = FaissIndex.open(world.library, ENCODER, directory)  # type: ignore[arg-type]
    threads = Threads(world, index, seed, coded_rows=coded_rows)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        threads.run(steps)
    finally:
        sys.setswitchinterval(interval)
    print(f"seed {seed}: {steps} steps, {len(threads.answers)} answers; {threads.nearest}")
    return threads.nearest


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each scan of codes, which shows whether a walk used codes at all."""
    counts: list[int] = []
    real = faiss.IndexIVFPQFastScan.search_preassigned_c

    def search(self: Any, *arguments: Any) -> Any:
        counts.append(self.ntotal)
        return real(self, *arguments)

    monkeypatch.setattr(faiss.IndexIVFPQFastScan, "search_preassigned_c", search)
    return counts


WALKS: dict[str, tuple[Callable[[Path, int, int, int], Nearest], int]] = {
    "stand-in, small": (walk_over_shelf, SMALL),
    "stand-in, large": (walk_over_shelf, LARGE),
    "library, small": (walk_over_library, SMALL),
    "library, large": (walk_over_library, LARGE),
    "threads, small": (threads_over_shelf, SMALL),
    "threads, large": (threads_over_shelf, LARGE),
}


def check_walks(
    kind: str, seeds: range, steps: int, directory: Path, monkeypatch: pytest.MonkeyPatch, scans: list[int]
) -> None:
    """Walk with every seed.

    Where codes select the candidates, 1 in 100 of the nearest rows may be missed. So a row may be missed where its
    copy with a higher id, which has no code yet, is found; this too happens to 1 query in 100 at most. (How often
    threads ask differs from run to run, so the shares of theirs are only printed.)
    """
    walk, coded_rows = WALKS[kind]
    shrink(monkeypatch, coded_rows)
    nearest = Nearest()
    for seed in seeds:
        nearest.add(walk(directory / str(seed), seed, steps, coded_rows))
    assert bool(scans) == (coded_rows == LARGE), "codes are for large libraries"
    if walk is not threads_over_shelf:
        assert nearest.recall >= 0.99, f"{seeds}: {nearest}"
        assert nearest.passed_over <= 0.01 * nearest.queries, f"{seeds}: {nearest}"


@pytest.mark.parametrize(
    ("kind", "seeds", "steps"),
    [
        *(("stand-in, small", range(seed, seed + 1), 800) for seed in range(2)),
        ("stand-in, large", range(3), 400),
        ("library, small", range(1), 300),
        ("library, large", range(1), 250),
        ("threads, small", range(1), 150),
        ("threads, large", range(1), 200),
    ],
)
def test_every_answer_is_that_of_all_rows(
    kind: str, seeds: range, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scans: list[int]
) -> None:
    check_walks(kind, seeds, steps, tmp_path, monkeypatch, scans)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", WALKS)
def test_every_answer_is_that_of_all_rows_for_long(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scans: list[int]
) -> None:
    check_walks(kind, range(100, 120), 1000, tmp_path, monkeypatch, scans)
