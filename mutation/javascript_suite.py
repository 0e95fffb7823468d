"""The JavaScript side of a campaign: mutants by acorn, tests by what they import, a fresh node for each test file."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mutation import mutant as mutants
from mutation.mutant import Mutant
from mutation.process import Processes, busyness
from mutation.results import Result
from mutation.rooms import Room

PROGRAM = Path(__file__).with_name("javascript_mutants.js")
LONGEST_SECONDS = 30
"""What a test file may take beyond five times its usual time."""


class JavaScriptSuite:
    def __init__(self, copy: Path, room: Room, processes: Processes, budget: float) -> None:
        self._copy, self._room, self._processes, self._budget = copy, room, processes, budget
        self._sources = {path: (copy / path).read_bytes() for path in room.source_paths(copy)}
        self._seconds: dict[str, float] = {}
        self._reached: dict[str, dict[str, int]] = {}
        """for each passing test file the modules that it imports, with the number of steps"""

    def digest(self) -> str:
        found = hashlib.blake2b(digest_size=12)
        tests = (self._copy / "tests" / "javascript").rglob("*.js*")
        paths = {*self._sources, *(path.relative_to(self._copy).as_posix() for path in tests)}
        for path in sorted(paths):
            found.update(path.encode() + b"\0" + (self._copy / path).read_bytes() + b"\0")
        return found.hexdigest()

    def mutants(self) -> list[Mutant]:
        changes = self._parsed("mutants", [*self._sources])
        return [
            mutants.at(
                path, self._sources[path], change["operator"], (change["start"], change["end"]), change["replacement"],
                at_import=change["atImport"],
            )
            for path in self._sources
            for change in changes[path]
        ]  # fmt: skip

    def is_real(self, mutant: Mutant) -> bool:
        return True  # acorn has parsed it, and each operator changes something

    def prepare(self, scratch: Path, cache: Path, workers: int, say: Callable[[str], None]) -> None:
        """Run each test file once, and follow its imports."""

        def one(test: str) -> tuple[str, float, int | None, str]:
            began = time.monotonic()
            code, output = self._node(self._copy, test, 600)
            return test, time.monotonic() - began, code, output

        with ThreadPoolExecutor(workers) as pool:
            for test, seconds, code, output in pool.map(one, self._room.test_paths(self._copy)):
                if code == 0:
                    self._seconds[test] = seconds
                else:
                    say(f"left out, since it fails without any mutant: {test}\n{output[-1000:]}")
        known: dict[str, list[str]] = {}
        for test in self._seconds:
            steps, front = {test: 0}, [test]
            while front:
                new = [path for path in front if path not in known]
                known.update(self._parsed("imports", new) if new else {})
                reached = {path for importing in front for path in known[importing]} - set(steps)
                front = sorted(path for path in reached if path.endswith(".js"))
                steps.update(dict.fromkeys(front, max(steps.values()) + 1))
            self._reached[test] = steps
        say(f"{len(self._seconds)} test files, {sum(self._seconds.values()):.0f} s")

    def run(self, copy: Path, scratch: Path, mutant: Mutant) -> Result:
        """Break the copy, run the test files that import the module, the nearest first, mend the copy."""
        reaching = [test for test in self._seconds if mutant.path in self._reached[test]]
        reaching.sort(key=lambda test: (self._reached[test][mutant.path], self._seconds[test]))
        if not reaching:
            return Result(mutant, "unreached")
        file = copy / mutant.path
        file.write_bytes(mutant.apply(self._sources[mutant.path]))
        spent, ran = 0.0, 0
        try:
            for test in reaching:
                spent += self._seconds[test]
                if ran and spent > self._budget:
                    break
                code, output = self._node(copy, test, LONGEST_SECONDS * busyness() + 5 * self._seconds[test])
                ran += 1
                if code != 0:
                    status = "timeout" if code is None else "killed"
                    return Result(mutant, status, test, _reason(output), 0.0, ran, len(reaching))
            return Result(mutant, "survived", tests=ran, of=len(reaching))
        finally:
            file.write_bytes(self._sources[mutant.path])

    def _node(self, copy: Path, test: str, seconds: float) -> tuple[int | None, str]:
        return self._processes.run([program(), "--test-reporter=tap", test], copy, dict(os.environ), seconds)

    def _parsed(self, what: str, paths: list[str]) -> dict[str, Any]:
        command = [program(), str(PROGRAM), what, *paths]
        code, output = self._processes.run(command, self._copy, dict(os.environ), 600)
        if code != 0:
            raise RuntimeError(f"the JavaScript cannot be read:\n{output[-3000:]}")
        answer: dict[str, Any] = json.loads(output)
        return answer


def program() -> str:
    return str(Path(sys.executable).with_name("node.exe" if os.name == "nt" else "node"))


def _reason(output: str) -> str:
    found = re.search(r"^ *not ok \d+ - (.*)$", output, re.MULTILINE)
    return found[1][:200] if found else output.strip().rpartition("\n")[2][:200]
