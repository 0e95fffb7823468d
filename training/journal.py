"""The journal of a run: a JSON object a line, appended as the run goes on, for people and programs that follow it.

A process can be killed within a line. Whoever reads leaves such a line out, and whoever appends begins a new one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from files.json_file import parse_json
from files.regular import read_regular

MAX_BYTES = 64_000_000

STARTED, RESUMED, STEP, VALIDATED, SAVED = "started", "resumed", "step", "validated", "saved"
STOPPED, FINISHED, FAILED = "stopped", "finished", "failed"
"""Values of `event`."""


class Journal:
    """The journal of one run. The constructor does not access the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: str, **values: Any) -> None:
        """Append a line with the time. A number that is not finite becomes null.

        Raises:
            OSError: The line could not be written, or not all of it.
        """
        line = {"event": event, "time": datetime.now(UTC).isoformat(timespec="seconds"), **_finite(values)}
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(self.path, flags, 0o666), "r+b", buffering=0) as file:
            text = json.dumps(line, allow_nan=False).encode() + b"\n"
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else b"\n" + text
            if file.write(text) != len(text):
                raise OSError("the line was not written as a whole")

    def read(self) -> list[dict[str, Any]]:
        """Return all whole lines in order; none if there is no journal.

        Raises:
            OSError: It cannot be read.
            ValueError: It is larger than MAX_BYTES.
        """
        try:
            content = read_regular(self.path, max_bytes=MAX_BYTES, follow_links=False)
        except FileNotFoundError:
            return []
        return list(_whole_lines(content.split(b"\n")))


def effective(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of one uninterrupted course: what was done after a checkpoint that the run went on from is left
    out, because it was done again."""
    course: list[dict[str, Any]] = []
    for line in lines:
        if line["event"] in (STARTED, RESUMED):
            course = [each for each in course if each.get("step", 0) <= line.get("step", 0)]
        course.append(dict(line))
    return course


def _whole_lines(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            value = parse_json(line, any_number=True)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("event"), str) and isinstance(value.get("step", 0), int):
            yield value


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
