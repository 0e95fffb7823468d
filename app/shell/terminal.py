"""Terminal output: printable paths and tables.

Results go to standard output, everything else (progress, notices, questions) to standard error.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence

import click

from app.shell.progress_mode import json_line, progress_mode
from app.timelines.plain_text import REORDERING

_REORDERING = re.compile(f"[{REORDERING}]")

_JSON_PRINTED = "prismsearch.json"


def print_note(text: str) -> None:
    """Print one line to standard error; as JSON with --progress json."""
    print_error_text(json_line({"note": text}) if progress_mode() == "json" else printable(text))


def print_error_text(text: str, *, new_line: bool = True) -> None:
    """Print to standard error. A terminal that was closed meanwhile ends nothing."""
    try:
        click.echo(text, err=True, nl=new_line)
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def print_json(value: object) -> None:
    """Print one JSON document to standard output, in ASCII. Bytes that are not UTF-8 become lone surrogates."""
    click.echo(json.dumps(value, indent=2))
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_JSON_PRINTED] = True


def has_printed_json() -> bool:
    """Return whether the running command has printed its JSON document."""
    context = click.get_current_context(silent=True)
    return context is not None and _JSON_PRINTED in context.meta


def print_paths(paths: Iterable[str], *, null: bool = False) -> None:
    """Write paths to standard output as the bytes of the file system.

    Args:
        paths: The paths.
        null: End each with a null byte. Without it, each is one line, so a name with control characters is escaped.
    """
    stream = sys.stdout.buffer
    for path in paths:
        one_line = null or not any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in path)
        stream.write(os.fsencode(path if one_line else printable(path)) + (b"\0" if null else b"\n"))
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
