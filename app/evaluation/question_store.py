"""Questions of a library, in a CSV file in its folder, which several tabs and processes write to, and people edit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.evaluation.own_questions import (
    FILE_NAME,
    QuestionLine,
    QuestionTable,
    parse_questions,
    read_questions,
    render_questions,
)
from db.errors import LibraryBusy
from files.claims import Claims
from files.replace import replace_file

_CLAIM = "questions"
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
_KEPT = 100  # removed lines that can be put back


class QuestionStore:
    """The questions of one library. Thread-safe; nothing is cached, so that changes of others are never lost.

    A line is named by its key, which changes with the line: who names an old one is told that it has changed.
    """

    def __init__(self, directory: Path) -> None:
        """Prepare the store of the library in this folder; nothing is read yet."""
        self.path = directory / FILE_NAME
        self._claims = directory / "claims"
        self._lock = threading.Lock()
        self._removed: dict[str, tuple[int, QuestionLine]] = {}

    def read(self) -> QuestionTable:
        """Return all lines; none if there is no file yet.

        Raises:
            QuestionsError: The file cannot be used; it is left as it is.
            OSError: It cannot be read.
        """
        try:
            return read_questions(self.path, follow_links=False)
        except FileNotFoundError:
            return QuestionTable()

    def content(self) -> bytes:
        """Return the file's content, as `render_questions` writes it. Raises as `read`."""
        return render_questions(self.read())

    def add(self, line: QuestionLine) -> str:
        """Add a line at the end; return its key.

        Raises:
            QuestionsError: The line contradicts others, or the file cannot be used.
            LibraryBusy: Another process keeps writing.
            OSError: The file cannot be written; it is unchanged.
        """

        def apply(lines: list[QuestionLine]) -> int:
            lines.append(line)
            return len(lines) - 1

        return self._change(apply)

    def change(self, key: str, question: str) -> str:
        """Replace the words of a line; return its new key. Raise KeyError if no line has this key, else as `add`."""

        def apply(lines: list[QuestionLine], at: int) -> int:
            lines[at] = replace(lines[at], question=question)
            return at

        return self._change_one(key, apply)

    def remove(self, key: str) -> None:
        """Remove a line. Raise KeyError if no line has this key, else as `add`."""

        def apply(lines: list[QuestionLine], at: int) -> int:
            self._removed[key] = at, lines.pop(at)
            while len(self._removed) > _KEPT:
                del self._removed[next(iter(self._removed))]
            return -1

        self._change_one(key, apply)

    def put_back(self, key: str) -> str:
        """Put a removed line back in its place; return its key. Raise KeyError if none was removed, else as `add`."""
        taken: list[tuple[int, QuestionLine]] = []

        def apply(lines: list[QuestionLine]) -> int:
            at, line = self._removed.pop(key)  # under the lock: a second request at once finds nothing to put back
            taken.append((at, line))
            place = min(at, len(lines))
            lines.insert(place, line)
            return place

        try:
            return self._change(apply)
        except BaseException:
            with self._lock:
                self._removed.update((key, each) for each in taken)
            raise

    def _change_one(self, key: str, apply: Callable[[list[QuestionLine], int], int]) -> str:
        def found(lines: list[QuestionLine]) -> int:
            keys = QuestionTable(tuple(lines)).keys()
            if key not in keys:
                raise KeyError(key)
            return apply(lines, keys.index(key))

        return self._change(found)

    def _change(self, apply: Callable[[list[QuestionLine]], int]) -> str:
        """Read, apply and write, while nobody else does. `apply` returns the position of the line whose key counts."""
        with self._lock, self._alone():
            table = self.read()
            lines = list(table.lines)
            at = apply(lines)
            changed = replace(table, lines=tuple(lines))
            content = render_questions(changed)
            parse_questions(content)  # what could not be read again is never written
            replace_file(self.path, content, durable=True)
            return changed.keys()[at] if at >= 0 else ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        claims, until = Claims(self._claims), time.monotonic() + _PATIENCE_SECONDS
        while not claims.take(_CLAIM):
            if time.monotonic() > until:
                raise LibraryBusy("Another program is writing the questions of this library; try again in a moment.")
            time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            claims.close()
