"""A pytest plugin that tells coverage which test, or which shared fixture, is running; and notes how long each took.

Processes that a test starts are measured under its name, too: coverage reads it from the environment. Those that are
forked or killed leave no measurement; so it is noted which tests start any.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import coverage
import pytest

CONTEXT, RECORD, CONFIGURATION_FILE = "MUTATION_CONTEXT", "MUTATION_RECORD", "MUTATION_CONFIGURATION"
FIXTURE, IMPORT = "fixture:", "import"


class Recorder:
    def __init__(self) -> None:
        self._now = IMPORT
        self._elsewhere = 0.0  # seconds of the running test that belong to shared fixtures
        self.tests: dict[str, dict[str, Any]] = {}
        self.fixtures: dict[str, float] = {}

    @contextmanager
    def _running(self, context: str) -> Generator[None]:
        before, self._now = self._now, context
        self._switch()
        yield
        self._now = before
        self._switch()

    def _switch(self) -> None:
        os.environ[CONTEXT] = self._now
        current = coverage.Coverage.current()
        if current is not None:
            current.switch_context(self._now)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        names = getattr(item, "fixturenames", [])
        self.tests[item.nodeid] = {"passed": False, "failed": False, "starts": False, "fixtures": list(names)}
        self._elsewhere, began, clock = 0.0, _cpu_seconds(), time.perf_counter()
        with self._running(item.nodeid):
            result = yield
        self.tests[item.nodeid]["seconds"] = max(0.0, _cpu_seconds() - began - self._elsewhere)
        self.tests[item.nodeid]["clock"] = time.perf_counter() - clock
        return result

    def audit(self, event: str, _: object) -> None:
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn") and self._now in self.tests:
            self.tests[self._now]["starts"] = True

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        began, outside = _cpu_seconds(), self._elsewhere
        with self._running(f"{FIXTURE}{fixturedef.argname}"):
            try:
                return (yield)
            finally:
                whole = _cpu_seconds() - began
                own = whole - (self._elsewhere - outside)
                self.fixtures[fixturedef.argname] = self.fixtures.get(fixturedef.argname, 0.0) + own
                self._elsewhere = outside + whole

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = self.tests[report.nodeid]
        test["failed"] |= report.failed
        test["passed"] |= report.passed and report.when == "call"

    def pytest_sessionfinish(self) -> None:
        Path(os.environ[RECORD]).write_text(json.dumps({"tests": self.tests, "fixtures": self.fixtures}), "utf-8")


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


def pytest_configure(config: pytest.Config) -> None:
    # From here on, coverage starts in each new process, and reads the context there. (Its own patch for processes would
    # hand them the configuration as it was read in this one.)
    os.environ["COVERAGE_PROCESS_START"] = os.environ[CONFIGURATION_FILE]
    recorder = Recorder()
    recorder._switch()
    sys.addaudithook(recorder.audit)
    config.pluginmanager.register(recorder)
