"""Throughput of workers that index into one library: what the server and the writers' lock leave of an ideal."""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

from benchmarks import _scale_worker
from benchmarks._clustered_rows import SHOTS_A_VIDEO
from benchmarks._scale_server import Server
from benchmarks._scale_worker import Done, Work

_WAIT_SECONDS = 120  # for a process to begin, and to store what it has begun


@dataclass(slots=True)
class Crew:
    """Processes that work; `stop` fills `workers` and `searchers` with what they did."""

    stopped: Any
    told: dict[str, Any]
    processes: list[BaseProcess]
    workers: list[Done] = field(default_factory=list)
    searchers: list[Done] = field(default_factory=list)

    def stop(self) -> None:
        """Let the workers store what they have begun. They stay connected, and their count of CPU seconds with it."""
        self.stopped.set()
        for process in self.processes:
            found = self.workers if process.name == "index" else self.searchers
            try:
                found.append(self.told[process.name].get(timeout=_WAIT_SECONDS))
            except queue.Empty:
                raise SystemExit(f"a process that does {process.name} has not ended in {_WAIT_SECONDS} s") from None


@contextmanager
def at_work(work: Work, searchers: int = 0) -> Iterator[Crew]:
    """Yield processes once all of them have begun; end them afterwards."""
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(work.workers + searchers + 1)
    stop, leave = context.Event(), context.Event()
    told = {"index": context.Queue(), "search": context.Queue()}
    processes: list[BaseProcess] = []
    for number in range(work.workers):
        arguments: tuple[Any, ...] = (work, number, begin, stop, leave, told["index"])
        processes.append(context.Process(target=_scale_worker.index, args=arguments, name="index"))
    for _ in range(searchers):
        searching = (work, begin, stop, told["search"])
        processes.append(context.Process(target=_scale_worker.search, args=searching, name="search"))
    for process in processes:
        process.start()
    try:
        begin.wait(_WAIT_SECONDS)
        yield Crew(stop, told, processes)
    finally:
        stop.set()
        leave.set()
        for process in processes:
            process.join(_WAIT_SECONDS)
            process.kill()


def measure(
    server: Server, place: str, workers: Sequence[int], shot_seconds: Sequence[float], seconds: float
) -> list[dict[str, float]]:
    """Return what each number of workers does with each length of a shot, one after the other, in one library."""
    return [
        _of(
            server,
            Work(place=place, folder=f"/indexed/{at}-{many}", workers=many, shots=SHOTS_A_VIDEO, shot_seconds=each),
            seconds,
        )
        for at, each in enumerate(shot_seconds)
        for many in workers
    ]


def _of(server: Server, work: Work, seconds: float) -> dict[str, float]:
    with at_work(work) as crew:
        before, cpu = server.counters(), server.cpu_seconds()
        time.sleep(seconds)
        crew.stop()
        after, spent = server.counters(), server.cpu_seconds() - cpu
    if errors := {message for each in crew.workers for message, _ in each.errors}:
        raise SystemExit(f"workers met errors: {sorted(errors)}")
    return summary(work, crew.workers) | {
        "commits_a_second": (after["commits"] - before["commits"]) / (after["seconds"] - before["seconds"]),
        "wal_bytes_a_shot": (after["wal_bytes"] - before["wal_bytes"]) / (work.shots * stored(crew.workers)),
        "server_cpu_ms_a_video": 1000 * spent / stored(crew.workers),
    }


def stored(workers: Sequence[Done]) -> int:
    """Return how many videos were stored; 1 if none was, to divide by."""
    return max(1, sum(len(each.done) for each in workers))


def summary(work: Work, workers: Sequence[Done]) -> dict[str, float]:
    """Return rates, and what became of the workers' time.

    `of_ideal` compares with workers that store a video in no time. `lock_share` is the part of their time in which they
    waited for the lock, `write_share` that in which they stored, without waiting, `claim_share` that for claims.
    """
    rate = sum(len(each.done) / each.seconds for each in workers)
    whole = sum(each.seconds for each in workers)
    waited = sum(each.lock_seconds for each in workers)
    return {
        "workers": work.workers,
        "shot_ms": 1000 * work.shot_seconds,
        "videos_a_second": rate,
        "shots_a_second": work.shots * rate,
        "of_ideal": rate * work.shots * work.shot_seconds / work.workers,
        "claim_share": sum(each.claim_seconds for each in workers) / whole,
        "lock_share": waited / whole,
        "write_share": (sum(each.write_seconds for each in workers) - waited) / whole,
        "worker_cpu_ms_a_video": 1000 * sum(each.cpu_seconds for each in workers) / stored(workers),
    }


_COLUMNS = {
    "shot_ms": ("ms/shot", ".1f"),
    "workers": ("workers", ".0f"),
    "videos_a_second": ("videos/s", ".1f"),
    "shots_a_second": ("shots/s", ",.0f"),
    "of_ideal": ("of ideal", ".0%"),
    "claim_share": ("claims", ".0%"),
    "lock_share": ("waits", ".0%"),
    "write_share": ("stores", ".0%"),
    "commits_a_second": ("commits/s", ".0f"),
    "wal_bytes_a_shot": ("WAL B/shot", ",.0f"),
    "worker_cpu_ms_a_video": ("worker ms", ".0f"),
    "server_cpu_ms_a_video": ("server ms", ".0f"),
}


def show(found: Sequence[dict[str, float]]) -> None:
    print(f"\nworkers that index videos of {SHOTS_A_VIDEO} shots; ms are of CPU, for a video")
    print("".join(f"{title:>12}" for title, _ in _COLUMNS.values()))
    for each in found:
        print("".join(f"{each[name]:>12{form}}" for name, (_, form) in _COLUMNS.items()))
