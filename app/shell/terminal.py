"""Terminal output: printable paths, tables, and one live line that is rewritten in place.

Results go to standard output, everything else (progress, notices, questions) to standard error.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

import click

from app.timelines.plain_text import REORDERING

_REORDERING = re.compile(f"[{REORDERING}]")

EVERY_SECONDS = 5.0
"""Seconds between lines without a terminal; more as a run gets longer (EVERY_SHARE)."""
EVERY_SHARE = 0.05


def print_note(text: str) -> None:
    """Print one line to standard error."""
    click.echo(printable(text), err=True)


def print_json(value: object) -> None:
    """Print one JSON document to standard output, in ASCII. Bytes that are not UTF-8 become lone surrogates."""
    click.echo(json.dumps(value, indent=2))


def print_paths(paths: Iterable[str], *, end: bytes = b"\n") -> None:
    """Write paths to standard output as the bytes of the file system, each followed by `end`."""
    stream = sys.stdout.buffer
    for path in paths:
        stream.write(os.fsencode(path) + end)
    stream.flush()


def printable(text: str) -> str:
    """Escape control characters and bytes that are not UTF-8, so that any terminal can show `text` as one line.

    Characters that reorder what follows are escaped too.
    """
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or _REORDERING.match(character):
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def display_path(path: str) -> str:
    """Return a printable path, relative if it is below the current directory."""
    try:
        here = os.getcwd()
    except OSError:  # the current directory has been deleted
        return printable(path)
    below = path.startswith(here.rstrip(os.sep) + os.sep)
    return printable(os.path.relpath(path, here) if below else path)


def display_width(text: str) -> int:
    """Count the terminal columns of `text`: wide East Asian characters and emoji take two, combining marks none."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten_middle(text: str, columns: int) -> str:
    """Shorten `text` in the middle to `columns` cells, because both ends of a path identify the file."""
    if display_width(text) <= columns:
        return text
    if columns < 4:
        return _take(text, columns)
    tail = _take(text[::-1], (columns - 1) // 2)[::-1]
    return _take(text, columns - 1 - display_width(tail)) + "…" + tail


def _take(text: str, columns: int) -> str:
    used = 0
    for position, character in enumerate(text):
        used += _width(character)
        if used > columns:
            return text[:position]
    return text


def table(rows: Sequence[Sequence[str]], align: str, *, header: Sequence[str] = ()) -> list[str]:
    """Lay out rows in columns two spaces apart. The last column is not padded.

    Args:
        rows: Cells of each row.
        align: `<` (left) or `>` (right) for each column.
        header: Cells of a first row.

    Returns:
        One line for each row.
    """
    every = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    widths = [max((display_width(row[column]) for row in every), default=0) for column in range(len(align))]
    lines = []
    for row in every:
        padded = []
        for column, text in enumerate(row):
            space = " " * (widths[column] - display_width(text))
            padded.append(space + text if align[column] == ">" else text + space)
        lines.append("  ".join(padded).rstrip())
    return lines


def count_text(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 shot`, `1,234 shots`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size_text(size_bytes: float) -> str:
    """Return `812 B`, `4.5 MB`, `1.02 GB`: decimal units, as file managers show."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size_bytes < 999.5 or unit == "TB":
            digits = 0 if unit == "B" or size_bytes >= 99.95 else 1 if size_bytes >= 9.995 else 2
            return f"{size_bytes:.{digits}f} {unit}"
        size_bytes /= 1000
    raise AssertionError("not reached")


def has_terminal() -> bool:
    """Return whether standard input is a terminal, so that questions can be answered."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool, refusal: str) -> None:
    """Ask a question, and return if the answer is yes.

    Args:
        question: The question.
        yes: True skips the question (--yes).
        refusal: Text of the usage error without a terminal.

    Raises:
        click.exceptions.Exit: Code 1 after a no.
        click.UsageError: There is no terminal.
    """
    if yes:
        return
    if not has_terminal():
        raise click.UsageError(f"{refusal} (there is no terminal to ask on; --yes says yes)")
    if not click.confirm(question, err=True):
        print_note("Nothing was changed.")
        raise click.exceptions.Exit(1)


class LiveLine:
    """A status line on standard error: rewritten in place on a terminal, printed every few seconds elsewhere."""

    def __init__(self, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._every_seconds = every_seconds
        self._shown = False
        self._began_seconds = self._last_seconds = time.monotonic()
        self._last_heading = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, text: str, detail: str = "", *, heading: str = "") -> None:
        """Show `text` and, on a terminal, as much of `detail` as fits.

        Without a terminal, only `text` is printed: immediately when `heading` changes, else every few seconds.
        """
        if self._live:
            columns = shutil.get_terminal_size().columns - 1
            line = shorten_middle(printable(text), columns)
            room = columns - display_width(line) - 2
            if detail and room >= 8:
                line += "  " + shorten_middle(printable(detail), room)
            click.echo(f"\r{line}\x1b[K", err=True, nl=False)
            self._shown = True
            return
        now = time.monotonic()
        pause = max(self._every_seconds, EVERY_SHARE * (now - self._began_seconds))
        if heading != self._last_heading or now - self._last_seconds >= pause:
            self._last_heading, self._last_seconds = heading, now
            print_note(text)

    def log(self, text: str) -> None:
        """Print a line that stays, above the live one."""
        self.clear()
        print_note(text)

    def clear(self) -> None:
        """Erase the live line, before anything else is printed."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False
