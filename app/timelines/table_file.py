"""Tables (CSV) that people open in a spreadsheet and scripts read.

The adapters of OTIO have none, and the table of PySceneDetect has no place for a source, a name or a start timecode.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.timelines.placing import Placed
from app.timelines.rows import COLUMNS, row

# At the beginning of a cell these make it a formula. Some spreadsheets divide cells at semicolons or tabs, whatever
# the quotes say, so what follows one of those may become the beginning of a cell.
_FORMULA = re.compile("(^|[;\t\r\n])(?=[\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def table(placed: Placed) -> tuple[bytes, list[str]]:
    """One line a clip, with the columns of rows.COLUMNS, and what a person should know about it."""
    return table_of([row(event, placed) for event in placed.events], COLUMNS), []


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """CSV as spreadsheets take it: UTF-8 with a byte order mark, CRLF; None is an empty cell.

    Text that a spreadsheet would run as a formula gets a `'` before it, which keeps it text; JSON has it as it was.
    Control characters are left out; bytes of names that are not UTF-8 stay those bytes.
    """
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in each.items()} for each in rows)
    # Spreadsheets take a CSV without the mark for their old local encoding.
    return b"\xef\xbb\xbf" + sheet.getvalue().encode(errors="surrogateescape")


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _FORMULA.sub(r"\1'", _NOT_BYTES.sub("\ufffd", _CONTROL.sub("", value)))
