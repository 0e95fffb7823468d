"""The Python side of a campaign: mutants by the syntax tree, tests by what they reach, a fresh pytest for each."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from mutation import coverage_map, python_mutants
from mutation.chosen import CHOSEN, VERDICT
from mutation.coverage_map import Choice, CoverageMap
from mutation.mutant import Mutant
from mutation.process import Processes, busyness
from mutation.results import Result
from mutation.rooms import Room

TOOL = Path(__file__).resolve().parent.parent


class PythonSuite:
    def __init__(self, copy: Path, room: Room, processes: Processes, budget: float) -> None:
        self._copy, self._room, self._processes, self._budget = copy, room, processes, budget
        self._sources = {path: (copy / path).read_bytes() for path in room.source_paths(copy)}
        self._map = CoverageMap({}, {}, {}, {}, {}, [])

    def digest(self) -> str:
        return coverage_map.digest(self._copy, self._room)

    def mutants(self) -> list[Mutant]:
        return [mutant for path in self._sources for mutant in python_mutants.python_mutants(path, self._sources[path])]

    def is_real(self, mutant: Mutant) -> bool:
        return python_mutants.is_real(mutant, self._sources[mutant.path])

    def prepare(self, scratch: Path, cache: Path, workers: int, say: Callable[[str], None]) -> None:
        """Write byte code of the copy once, then measure which tests reach what, unless that is known."""
        environment = _environment(self._copy, scratch)
        collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        warm = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
        code, output = self._processes.run([*collect, *self._room.test_paths(self._copy)], self._copy, warm, 600)
        if code != 0:
            raise RuntimeError(f"the tests of {self._room.name} cannot be collected:\n{output[-3000:]}")
        file = cache / f"{self._room.name}-{self.digest()}.json"
        if file.is_file():
            self._map = CoverageMap(**json.loads(file.read_text("utf-8")))
        else:
            self._map = coverage_map.measure(
                self._copy, self._room, scratch, self._processes, environment, workers, say
            )
            cache.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(asdict(self._map)), "utf-8")
        seconds = sum(test["seconds"] for test in self._map.tests.values())
        say(f"{len(self._map.tests)} tests, {seconds:.0f} s of CPU time under coverage")
        for name in self._map.left_out:
            say(f"left out, since it fails without any mutant: {name}")

    def run(self, copy: Path, scratch: Path, mutant: Mutant) -> Result:
        """Break the copy, ask the tests, mend the copy."""
        choice = self._map.choose(mutant, self._budget)
        if not choice.tests:
            return Result(mutant, "unreached")
        file = copy / mutant.path
        times = file.stat()
        file.write_bytes(mutant.apply(self._sources[mutant.path]))
        try:
            return self._ask(copy, scratch, mutant, choice)
        finally:
            file.write_bytes(self._sources[mutant.path])
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # or its byte code would no longer fit

    def _ask(self, copy: Path, scratch: Path, mutant: Mutant, choice: Choice) -> Result:
        chosen, verdict = scratch / "chosen.json", scratch / "verdict.json"
        chosen.write_text(json.dumps(choice.tests), "utf-8")
        verdict.unlink(missing_ok=True)
        files = list(dict.fromkeys(name.partition("::")[0] for name in choice.tests))
        load = busyness()
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "-p", "no:cacheprovider", "-p", "mutation.chosen",
            f"--timeout={20 * load + 5 * choice.longest:.0f}", f"--basetemp={scratch / 'tests'}", *files,
        ]  # fmt: skip
        environment = {**_environment(copy, scratch), CHOSEN: str(chosen), VERDICT: str(verdict)}
        code, output = self._processes.run(command, copy, environment, 60 * load + 4 * choice.clock_seconds)
        if code in (4, 5):
            raise RuntimeError(f"pytest ran no test (exit code {code}):\n{output[-3000:]}")
        failed = json.loads(verdict.read_text("utf-8")) if verdict.exists() else {}
        survived = "unreached" if choice.guessed else "survived"
        status = survived if code == 0 else "timeout" if code is None or failed.get("hung") else "killed"
        reason = failed.get("reason") or (f"exit code {code}" if status == "killed" else "")
        return Result(mutant, status, failed.get("test", ""), reason, 0.0, len(choice.tests), choice.of)


def _environment(copy: Path, scratch: Path) -> dict[str, str]:
    temporary = scratch / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    path = os.pathsep.join([str(copy), str(TOOL)])
    return {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(temporary)}
