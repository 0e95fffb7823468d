"""The table of labels: which classes the videos of a folder, or parts of them, show.

    file,label,start,end,split,group
    dogs/rex.mp4,run|bark,,,train,rex
    long.mp4,jump,0:12,0:15.5,test,

`file` and `label` are needed. Several labels of one stretch are separated by | or have a line each.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from app.evaluation.labelled import LabelledStretch, Stretch
from app.text_files import SPLITS, Row, path_in, read_table, wrong
from app.times import parse_seconds
from files.regular import AnyPath

SEPARATOR = "|"


@dataclass(slots=True)
class _Known:
    """What the lines of one stretch say."""

    labels: set[str]
    group: str
    split: str


def read_labels(path: AnyPath, folder: AnyPath) -> list[LabelledStretch]:
    """Read a table of labels.

    Args:
        path: The file: UTF-8, columns separated by commas, semicolons or tabs.
        folder: Where the videos are. Their names in the file are relative to it, or absolute and in it. Whether they
            exist is not looked at.

    Returns:
        A record for each stretch, in the order of the file. Its group is what the column `group` says, or the name of
        the video as written; a stretch whose lines have no label has none.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is no such table: a column is missing, a name leads out of the folder, a time is not one, a
            stretch ends before it begins, a split is unknown, lines contradict each other, or there is none.
    """
    known: dict[Stretch, _Known] = {}
    for row in read_table(path, required=("file",)):
        if "label" not in row.cells:
            raise wrong(path, row.line, "there is no column `label`, or this line ends before it")
        try:
            stretch, found = _stretch(row, folder), _said(row)
        except ValueError as error:
            raise wrong(path, row.line, str(error)) from error
        before = known.setdefault(stretch, found)
        before.labels |= found.labels
        if (before.split, before.group) != (found.split, found.group):
            raise wrong(path, row.line, "another line puts this stretch into another split or group")
    if not known:
        raise wrong(path, None, "it has no line below the names of the columns")
    return [LabelledStretch(each, frozenset(said.labels), said.group, said.split) for each, said in known.items()]


def clean_label(text: str) -> str:
    """Return a name of a class in one spelling: composed characters, single spaces, none around it."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def split_labels(text: str) -> set[str]:
    """Return the labels of a cell."""
    return {label for each in text.split(SEPARATOR) if (label := clean_label(each))}


def _stretch(row: Row, folder: AnyPath) -> Stretch:
    path = path_in(folder, row.cells["file"])
    start, end = (float(parse_seconds(text)) if (text := row.cells.get(each)) else None for each in ("start", "end"))
    if end is not None and end <= (start or 0.0):
        raise ValueError("it ends before it begins")
    return Stretch(path, start, end)


def _said(row: Row) -> _Known:
    split = row.cells.get("split", "").lower()
    if split not in SPLITS:
        raise ValueError(f"{split!r} is no split; write train, validation or test")
    return _Known(split_labels(row.cells["label"]), row.cells.get("group") or row.cells["file"], SPLITS[split])
