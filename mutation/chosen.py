"""A pytest plugin that runs the tests named in a file, in that order, and writes down which one failed and why."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

CHOSEN, VERDICT = "MUTATION_CHOSEN", "MUTATION_VERDICT"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    names = json.loads(Path(os.environ[CHOSEN]).read_text("utf-8"))
    order = {name: place for place, name in enumerate(names)}
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in order])
    items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        _write(report.nodeid, str(report.longrepr))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _write(report.nodeid, str(report.longrepr))


def _write(test: str, text: str) -> None:
    lines = [line for line in text.splitlines() if line.startswith("E ")] or text.splitlines()[-1:]
    reason = lines[0].removeprefix("E").strip()[:200] if lines else ""
    hung = "Failed: Timeout" in text or "Timeout (>" in text
    Path(os.environ[VERDICT]).write_text(json.dumps({"test": test, "reason": reason, "hung": hung}), "utf-8")
