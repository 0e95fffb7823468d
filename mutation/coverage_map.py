"""Lines of a room and the tests that reach them, with their durations: measured again when room or tests change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage

from mutation import recorder
from mutation.mutant import Mutant
from mutation.process import Processes
from mutation.recorder import CONFIGURATION_FILE, FIXTURE, IMPORT, RECORD
from mutation.rooms import Room

CONFIGURATION = """\
[run]
include = {include}
context = ${{MUTATION_CONTEXT-}}
parallel = true
sigterm = true
disable_warnings = no-data-collected,module-not-measured,couldnt-parse,module-not-imported
"""


@dataclass
class Choice:
    """Tests to run against a mutant, in this order; `of` is the number of tests that reach it."""

    tests: list[str]
    of: int
    clock_seconds: float
    longest: float
    """of a test, by the clock"""
    guessed: bool = False
    """No test is seen to reach it; these start processes that might."""


@dataclass
class CoverageMap:
    tests: dict[str, dict[str, Any]]
    """of each test that passes: seconds of CPU time, which a busy machine hardly changes, and by the clock; its shared
    fixtures; and whether it starts processes"""
    fixtures: dict[str, dict[str, float]]
    """seconds of each shared fixture, for each test file"""
    lines: dict[str, dict[str, list[str]]]
    """tests that run a line, for each source and line"""
    at_import: dict[str, list[int]]
    """lines of a source that run before any test, functions that are called then included"""
    imports: dict[str, list[str]]
    """test files in whose process a source was imported"""
    left_out: list[str]
    """tests that fail without any mutant"""

    def reaching(self, mutant: Mutant) -> list[str]:
        """Tests that run a line of the mutant; the fastest first.

        What runs at import has no test of its own. Then tests that run anything of the file come first, followed by all
        others in whose process it was imported.
        """
        by_line, lines = self.lines.get(mutant.path, {}), range(mutant.first, mutant.last + 1)
        if not mutant.at_import and not set(lines) & set(self.at_import.get(mutant.path, [])):
            return self._fastest_first({name for line in lines for name in by_line.get(str(line), [])})
        near = {name for names in by_line.values() for name in names}
        files = set(self.imports.get(mutant.path, []))
        far = {name for name in self.tests if name.partition("::")[0] in files} - near
        return self._fastest_first(near) + self._fastest_first(far)

    def _fastest_first(self, names: Iterable[str]) -> list[str]:
        return sorted((name for name in names if name in self.tests), key=lambda name: (self._own(name), name))

    def _own(self, name: str) -> float:
        return float(self.tests[name]["seconds"])

    def choose(self, mutant: Mutant, budget: float) -> Choice:
        """Choose among the tests that reach the mutant as many as fit into a budget of CPU seconds, at least one."""
        reaching, taken, spent = self.reaching(mutant), dict[str, float](), 0.0
        guessed = not reaching
        if guessed:
            budget /= 2
            files = self.imports.get(mutant.path, [])
            starting = (name for name, test in self.tests.items() if test["starts"])
            reaching = self._fastest_first(name for name in starting if name.partition("::")[0] in files)
        ready: set[tuple[str, str]] = set()
        for name in reaching:
            file = name.partition("::")[0]
            fixtures = {(file, fixture) for fixture in self.tests[name]["fixtures"]} - ready
            cost = self._own(name) + sum(self.fixtures[file].get(fixture, 0.0) for _, fixture in fixtures)
            if not taken or spent + cost <= budget:
                taken[name] = cost
                spent += cost
                ready |= fixtures
        by_file: dict[str, list[str]] = defaultdict(list)
        for name in taken:
            by_file[name.partition("::")[0]].append(name)
        # One file after the other, since changing between them would set shared fixtures up again.
        groups = sorted(by_file.values(), key=lambda names: sum(taken[name] for name in names) / len(names))
        ordered = [name for names in groups for name in names]
        clock = [float(self.tests[name]["clock"]) for name in ordered]
        return Choice(ordered, len(reaching), sum(clock), max(clock, default=0.0), guessed)


def digest(root: Path, room: Room) -> str:
    """Changes with the sources of the room, its tests, their neighbours that they import, and this measurement."""
    found = hashlib.blake2b(digest_size=12)
    shared = [path.relative_to(root).as_posix() for path in (root / "tests").glob("*.py")]
    shared = [name for name in shared if not Path(name).name.startswith("test_")]
    for name in sorted({*room.source_paths(root), *room.test_paths(root), *shared}):
        found.update(name.encode() + b"\0" + (root / name).read_bytes() + b"\0")
    for tool in (Path(__file__), Path(recorder.__file__)):
        found.update(tool.read_bytes())
    return found.hexdigest()


def measure(
    copy: Path, room: Room, scratch: Path, processes: Processes, environment: dict[str, str], workers: int,
    say: Callable[[str], None],
) -> CoverageMap:  # fmt: skip
    """Run each test file of the room once under coverage, in a process of its own."""
    result = CoverageMap({}, {}, {}, {}, {}, [])
    configuration = scratch / "coverage.ini"
    include = ",".join(str(copy / name) for name in room.source_paths(copy))
    configuration.write_text(CONFIGURATION.format(include=include), "utf-8")

    def one(test_file: str) -> None:
        folder = scratch / Path(test_file).stem
        folder.mkdir()
        own = {
            **environment, "COVERAGE_FILE": str(folder / "data"), RECORD: str(folder / "record.json"),
            CONFIGURATION_FILE: str(configuration),
            "MUTATION_CONTEXT": "",
        }  # fmt: skip
        run = [sys.executable, "-m", "coverage", "run", f"--rcfile={configuration}", "-m", "pytest"]
        options = [
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            "-p",
            "mutation.recorder",
            f"--basetemp={folder / 'tmp'}",
        ]
        code, output = processes.run([*run, *options, test_file], copy, own, 1800)
        if code not in (0, 1, 5) or not (folder / "record.json").exists():
            raise RuntimeError(f"{test_file} does not run without any mutant (exit code {code}):\n{output[-3000:]}")

    with ThreadPoolExecutor(workers) as pool:
        test_files = room.test_paths(copy)
        for number, _ in enumerate(pool.map(one, test_files), 1):
            say(f"measuring tests: {number} of {len(test_files)} files")
    for test_file in test_files:
        _read(result, copy, test_file, scratch / Path(test_file).stem)
    return result


def _read(result: CoverageMap, copy: Path, test_file: str, folder: Path) -> None:
    record = json.loads((folder / "record.json").read_text("utf-8"))
    good = {name: test for name, test in record["tests"].items() if test["passed"] and not test["failed"]}
    result.left_out += [name for name, test in record["tests"].items() if test["failed"]]
    result.fixtures[test_file] = record["fixtures"]
    for name, test in good.items():
        shared = [fixture for fixture in test["fixtures"] if fixture in record["fixtures"]]
        result.tests[name] = {"seconds": round(test["seconds"], 4), "clock": round(test["clock"], 4)}
        result.tests[name] |= {"fixtures": shared, "starts": test["starts"]}
    lines: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in folder.glob("data*"):
        data = coverage.CoverageData(basename=str(file))
        with contextlib.suppress(coverage.CoverageException):  # the process was killed as it wrote
            data.read()
            for measured in data.measured_files():
                path = os.path.relpath(measured, copy)
                for line, contexts in data.contexts_by_lineno(measured).items():
                    lines[path][str(line)].update(contexts)
    for path, by_line in lines.items():
        result.imports.setdefault(path, []).append(test_file)
        merged = result.lines.setdefault(path, {})
        early = {int(number) for number, running in by_line.items() if IMPORT in running}
        result.at_import[path] = sorted(early.union(result.at_import.get(path, [])))
        for number, running in by_line.items():
            names = running & set(good)
            for fixture in (context.removeprefix(FIXTURE) for context in running if context.startswith(FIXTURE)):
                names |= {name for name in good if fixture in result.tests[name]["fixtures"]}
            if names:
                merged[number] = sorted({*merged.get(number, []), *names})
