"""A campaign: draw mutants of a room, run each against the tests that reach it, keep what became of it.

Neither mutmut nor cosmic-ray does this. mutmut (3.8) puts all variants of a function behind a trampoline in one
process: it draws no sample, leaves out code outside of functions and most decorated ones, and changes what pickle,
inspect and dataclasses see. cosmic-ray (8.7) breaks the files in place, and runs one and the same command for every
mutant, which costs a whole room's tests each time. Here a mutant is a small change of the text in a copy of the tree,
and its tests run in a fresh process.
"""

from __future__ import annotations

import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from mutation.javascript_suite import JavaScriptSuite
from mutation.mutant import Mutant, draw, find_again
from mutation.process import Processes
from mutation.python_suite import PythonSuite
from mutation.results import ALIVE, Campaign, Result, load
from mutation.rooms import Room
from mutation.working_copy import copy_tree


class Suite(Protocol):
    """One language: its mutants, and its tests."""

    def digest(self) -> str: ...
    def mutants(self) -> list[Mutant]: ...
    def is_real(self, mutant: Mutant) -> bool: ...
    def prepare(self, scratch: Path, cache: Path, workers: int, say: Callable[[str], None]) -> None: ...
    def run(self, copy: Path, scratch: Path, mutant: Mutant) -> Result: ...


class NothingToRunAgain(Exception):
    """There are no results whose survivors could be run."""


def run(
    root: Path,
    room: Room,
    out: Path,
    *,
    seed: str,
    count: int,
    survivors: bool = False,
    workers: int = 2,
    budget: float = 40.0,
    say: Callable[[str], None] = print,
) -> Campaign:
    """Run a campaign and return it with all its results.

    Stopped by Ctrl-C, it keeps those that it has, and the same call goes on from there.
    """
    file = out / f"{room.name}-{seed}.json"
    began, cpu_before, processes = time.monotonic(), _cpu_seconds(), Processes()
    with _scratch() as scratch:
        first = copy_tree(root, scratch / "copy-0")
        kind = JavaScriptSuite if room.language == "javascript" else PythonSuite
        suite: Suite = kind(first, room, processes, budget)
        campaign, todo = _plan(load(file), room, suite, seed, count, survivors)
        before = (campaign.wall_seconds, campaign.cpu_seconds)

        def keep() -> None:
            campaign.wall_seconds = before[0] + time.monotonic() - began
            campaign.cpu_seconds = before[1] + _cpu_seconds() - cpu_before
            campaign.save(file)

        try:
            if todo:
                suite.prepare(scratch / "measuring", out / "coverage", workers, say)
                copies = [first]
                for number in range(1, min(workers, len(todo))):
                    copies.append(scratch / f"copy-{number}")
                    shutil.copytree(first, copies[-1], symlinks=True)
                _run_all(suite, copies, scratch, todo, campaign, keep, processes, say)
        finally:
            processes.stop()
            keep()
    return campaign


def _plan(
    earlier: Campaign | None, room: Room, suite: Suite, seed: str, count: int, survivors: bool
) -> tuple[Campaign, list[Mutant]]:
    """Return the campaign to go on with, and the mutants to run."""
    mutants, digest = suite.mutants(), suite.digest()
    if survivors:
        if earlier is None:
            raise NothingToRunAgain(
                f"there are no results of {room.name} with the seed {seed}: run it once without --survivors"
            )
        todo = []
        for result in earlier.results:
            if result.status in ALIVE:
                again = find_again(result.mutant, mutants)
                if again is None:
                    result.earlier.append(result.status)
                    result.status = "gone"
                else:
                    result.mutant = again
                    todo.append(again)
        earlier.digest = digest
        return earlier, todo
    drawn = draw(mutants, f"{seed}:{room.name}", count, suite.is_real)
    if earlier is None or earlier.digest != digest:
        return Campaign(room.name, seed, digest), drawn
    known = {result.mutant for result in earlier.results}
    earlier.results = [result for result in earlier.results if result.mutant in set(drawn)]
    return earlier, [mutant for mutant in drawn if mutant not in known]


def _run_all(
    suite: Suite, copies: list[Path], scratch: Path, todo: list[Mutant], campaign: Campaign,
    keep: Callable[[], None], processes: Processes, say: Callable[[str], None],
) -> None:  # fmt: skip
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    for mutant in todo:
        waiting.put(mutant)

    def work(number: int) -> None:
        own = scratch / f"w{number}"
        try:
            while True:
                own.mkdir()
                began = time.monotonic()
                result = suite.run(copies[number], own, waiting.get_nowait())
                done.put(replace(result, seconds=round(time.monotonic() - began, 1)))
                shutil.rmtree(own, ignore_errors=True)
        except queue.Empty:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the main thread
            done.put(error)

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(copies))]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, len(todo) + 1):
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            _merge(campaign, result)
            keep()
            left = (time.monotonic() - began) / number * (len(todo) - number)
            mutant = result.mutant
            say(
                f"[{number}/{len(todo)}] {result.status:9} {mutant.path}:{mutant.line} {mutant.operator}"
                f" ({result.seconds:.1f} s; {left / 60:.1f} min left)"
            )
    finally:
        processes.stop()
        for thread in threads:
            thread.join()


def _merge(campaign: Campaign, result: Result) -> None:
    for place, known in enumerate(campaign.results):
        if known.mutant == result.mutant:
            campaign.results[place] = replace(result, earlier=[*known.earlier, known.status])
            return
    campaign.results.append(result)


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mutants-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cpu_seconds() -> float:
    """Of this process, and of its processes that have ended."""
    return sum(os.times()[:4])
