"""Text files and tables that a person wrote: UTF-8, with or without a mark at the beginning, of limited size."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from files.json_file import read_json
from files.regular import AnyPath, read_regular

MOST_BYTES = 64 << 20
_DELIMITERS = ",;\t"
SPLITS: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        **dict.fromkeys(("train", "training"), "train"),
        **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
        **dict.fromkeys(("test", "testing"), "test"),
    }
)
"""What tables call the parts of a data set, and our name of each."""


class TextFileError(ValueError):
    """A file that a person wrote cannot be understood. The message names the file, and the line where there is one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        line: Number of the line that it ends in, from 1.
        cells: By the name of the column, in small letters. Spaces around them are removed. Those of the columns that
            a table must have are always there, others where the line has them.
    """

    line: int
    cells: Mapping[str, str]


def wrong(path: AnyPath, line: int | None, problem: str) -> TextFileError:
    """Return the error for a line of a file, or for the whole of it."""
    return TextFileError(f"{os.path.basename(os.fspath(path))}{'' if line is None else f', line {line}'}: {problem}")


def read_text(path: AnyPath) -> str:
    """Return the text of a file.

    Raises:
        OSError: It cannot be read, or is no regular file.
        TextFileError: It is too large, or not UTF-8.
    """
    try:
        content = read_regular(path, max_bytes=MOST_BYTES)
    except ValueError as error:
        raise wrong(path, None, f"it is too large for a text file ({error})") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise wrong(path, line, "this is not UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)") from error


def read_lines(path: AnyPath) -> list[tuple[int, str]]:
    """Return the lines of a file with their numbers, without empty ones and those that begin with #. Raise as
    `read_text` does."""
    text = io.StringIO(read_text(path), newline=None)  # any line end, also that of old Macs
    lines = [(number, line.strip()) for number, line in enumerate(text, start=1)]
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def read_table(path: AnyPath, *, required: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table whose first line names the columns. Empty lines are left out.

    Columns are separated by commas, semicolons or tabs, whichever gives the first line a required column.

    Args:
        path: The file.
        required: Names of which at least one must be that of a column.

    Raises:
        OSError: It cannot be read.
        TextFileError: It is no such table.
    """
    lines = list(io.StringIO(read_text(path), newline=""))  # not splitlines: names may hold rarer line ends
    names = next(filter(set(required).intersection, (_header(lines, each) for each in _DELIMITERS)), [])
    if not names:
        wanted = " or ".join(f"`{each}`" for each in required)
        raise wrong(path, 1, f"the first line must name the columns, and one of them must be {wanted}")
    if len(set(names)) < len(names):
        raise wrong(path, 1, "two columns have the same name")
    delimiter = next(each for each in _DELIMITERS if _header(lines, each) == names)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        next(rows)
        for cells in rows:
            if len(cells) > len(names) and any(map(str.strip, cells[len(names) :])):
                raise wrong(path, rows.line_num, f"{len(cells)} columns, but the first line names {len(names)}")
            if any(map(str.strip, cells)):
                blank = dict.fromkeys(set(required).intersection(names), "")
                yield Row(rows.line_num, blank | dict(zip(names, map(str.strip, cells), strict=False)))
    except csv.Error as error:
        raise wrong(path, rows.line_num, f"this is no line of a table ({error})") from error


def path_in(folder: AnyPath, name: str) -> str:
    """Return the absolute path of a file that a table names.

    Args:
        folder: Where it must be.
        name: Relative to the folder, or absolute and in it.

    Raises:
        ValueError: It is empty, is no name of a file, or leads out of the folder. Links are not looked at.
    """
    if not name or "\0" in name:
        raise ValueError("a name of a file is missing")
    root = os.path.abspath(os.fspath(folder))
    place = os.path.normpath(os.path.join(root, name))
    if ".." in name.replace("\\", "/").split("/") or not place.startswith(os.path.join(root, "")):
        raise ValueError(f"{name!r} is not in the folder {root!r}")
    return place


def read_json_file(path: AnyPath, *, max_bytes: int = MOST_BYTES, leave_out: Collection[str] = ()) -> Any:
    """Return the value in a JSON file.

    Args:
        path: The file.
        max_bytes: The largest file that is read.
        leave_out: Keys whose values are not needed: they become None as soon as they are read, to save memory.

    Raises:
        OSError: It cannot be read.
        TextFileError: It is too large, or no JSON.
    """
    try:
        return read_json(path, max_bytes=max_bytes, any_number=True, leave_out=leave_out)
    except ValueError as error:
        raise wrong(path, None, f"this is no JSON file that can be read ({error})") from error


def _header(lines: Sequence[str], delimiter: str) -> list[str]:
    """Return the names in the first line, in small letters; none if it cannot be read so."""
    try:
        return [each.strip().lower() for each in next(csv.reader(lines[:1], delimiter=delimiter), [])]
    except csv.Error:
        return []
