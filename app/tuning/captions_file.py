"""Files of captions: which sentences hold for the videos of a folder, or for parts of them.

    path,start,end,caption,split,group          a table; `path` and `caption` are needed
    zorp/a.mp4,,,a zorp rises,,
    long.mp4,0:12,0:15.5,a zorp beside a tree,,

    {"path": "zorp/a.mp4", "captions": ["a zorp rises", "a zorp goes up"]}       JSONL: one object a line

    videoid,name,duration,page_dir,contentUrl   WebVid's table; the file is `page_dir/videoid.mp4`, or `path`

Addresses in `contentUrl` are never opened.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.text_files import SPLITS, Row, path_in, read_lines, read_table, wrong
from app.times import parse_seconds
from files.json_file import parse_json
from files.regular import AnyPath

_FILE_COLUMNS = ("path", "file")
_CAPTION_COLUMNS = ("caption", "name")
_LONGEST = 10_000
"""Characters of a sentence. The text tower reads 64 tokens; what is much longer is another file's content."""
_NAMED = 5
"""Bad lines that the message names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Captioned:
    """A video, or a part of one, and what is said of it.

    Attributes:
        path: The file, absolute.
        start_seconds, end_seconds: From the first frame shown, end exclusive; None for the beginning and the end.
        captions: The sentences, each once, in the order of the file.
        split: `train`, `validation`, `test`, or "" where the file names none.
        group: What must not be divided between training and validation, as the file says; "" where it does not.
    """

    path: str
    start_seconds: float | None
    end_seconds: float | None
    captions: tuple[str, ...]
    split: str = ""
    group: str = ""


def read_captions(path: AnyPath, folder: AnyPath) -> list[Captioned]:
    """Read a file of captions. Whether the videos exist is not looked at.

    Args:
        path: The file, UTF-8: JSONL if its name ends in .jsonl or .ndjson, else a table.
        folder: Where the videos are. Their names in the file are relative to it, or absolute and in it.

    Returns:
        A record for each stretch, in the order of the file. Sentences of one stretch are joined; equal ones count
        once.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is no such file, or lines are wrong: the message has the first of them, and how many more.
    """
    lines = _from_json(path) if str(path).lower().endswith((".jsonl", ".ndjson")) else _from_table(path)
    known: dict[tuple[str, float | None, float | None], Captioned] = {}
    problems: list[str] = []
    for number, cells in lines:
        try:
            if isinstance(cells, ValueError):
                raise cells
            found = _captioned(cells, folder)
            place = (found.path, found.start_seconds, found.end_seconds)
            known[place] = _joined(known.get(place), found)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        left = len(problems) - _NAMED
        more = f"; and {left:,} more {'line' if left == 1 else 'lines'}" if left > 0 else ""
        raise wrong(path, None, "; ".join(problems[:_NAMED]) + more)
    if not known:
        raise wrong(path, None, "it has no caption")
    return list(known.values())


def _from_table(path: AnyPath) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return ((row.line, _table_cells(row)) for row in read_table(path, required=_CAPTION_COLUMNS))


def _table_cells(row: Row) -> Mapping[str, Any]:
    cells = dict(row.cells)
    caption = next((cells[name] for name in _CAPTION_COLUMNS if cells.get(name)), "")
    file = next((cells[name] for name in _FILE_COLUMNS if cells.get(name)), "")
    if not file and cells.get("videoid"):
        name = f"{cells['videoid']}.mp4"
        file = f"{cells['page_dir']}/{name}" if cells.get("page_dir") else name
    return cells | {"path": file, "captions": [caption]}


def _from_json(path: AnyPath) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
    for number, line in read_lines(path):
        try:
            cells = parse_json(line.encode())
        except ValueError as error:
            yield number, ValueError(f"this is no JSON that can be read ({error})")
            continue
        if not isinstance(cells, dict):
            yield number, ValueError('this is no object, such as {"path": "a.mp4", "caption": "a dog"}')
            continue
        captions = cells.get("captions", cells.get("caption"))
        file = next((cells[name] for name in _FILE_COLUMNS if cells.get(name)), "")
        yield number, cells | {"path": file, "captions": captions if isinstance(captions, list) else [captions]}


def _captioned(cells: Mapping[str, Any], folder: AnyPath) -> Captioned:
    """Return the record of one line. Raise ValueError with what is wrong."""
    if not isinstance(cells["path"], str) or not cells["path"]:
        raise ValueError("it names no file; write one in the column `path`")
    if not _is_unicode(cells["path"]):
        raise ValueError("the name of its file holds half a character")
    if not cells["captions"]:
        raise ValueError("it has no caption")
    start, end = (_seconds(cells.get(name)) for name in ("start", "end"))
    if end is not None and end <= (start or 0.0):
        raise ValueError("it ends before it begins")
    split = str(cells.get("split") or "").lower()
    if split not in SPLITS:
        raise ValueError(f"{split!r} is no split; write train, validation or test")
    return Captioned(
        path=path_in(folder, cells["path"]),
        start_seconds=start,
        end_seconds=end,
        captions=tuple(dict.fromkeys(_sentences(cells["captions"]))),
        split=SPLITS[split],
        group=str(cells.get("group") or ""),
    )


def _sentences(captions: Iterable[Any]) -> Iterator[str]:
    for each in captions:
        text = " ".join(each.split()) if isinstance(each, str) else ""
        if not text:
            raise ValueError("it has no caption")
        if len(text) > _LONGEST:
            raise ValueError(f"its caption has {len(text):,} characters; {_LONGEST:,} are the most")
        if not _is_unicode(text):
            raise ValueError("its caption holds half a character")
        yield text


def _is_unicode(text: str) -> bool:
    """Return whether a text has no lone surrogate, which JSON can hold and no tokenizer reads."""
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _seconds(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is no time")
    seconds = float(parse_seconds(value)) if isinstance(value, str) else float(value)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{value!r} is no time within a video")
    return seconds


def _joined(before: Captioned | None, found: Captioned) -> Captioned:
    """Return two lines of one stretch as one. Raise ValueError if they contradict each other."""
    if before is None:
        return found
    if (before.split, before.group) != (found.split, found.group):
        raise ValueError("an earlier line puts this stretch into another split or group")
    captions = tuple(dict.fromkeys((*before.captions, *found.captions)))
    return Captioned(found.path, found.start_seconds, found.end_seconds, captions, found.split, found.group)
