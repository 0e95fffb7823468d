"""CSV tables for spreadsheets and scripts.

OTIO has no adapter for CSV, and the table of PySceneDetect has no column for a source, a name or a start timecode.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.timelines.placing import PlacedTimeline
from app.timelines.rows import COLUMNS, clip_row

# At the start of a cell, these characters make it a formula. Some spreadsheets split cells at semicolons or tabs even
# in quotes, so the text after one may become the start of a cell.
_FORMULA = re.compile("(^|[;\t\r\n])(?=[\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOT_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def render_csv(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the table, one line per clip with the columns of rows.COLUMNS, and notes for the user."""
    return csv_bytes([clip_row(event, placed) for event in placed.events], COLUMNS), []


def csv_bytes(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Return CSV as spreadsheets read it: UTF-8 with a byte order mark, CRLF; None is an empty cell.

    Text that a spreadsheet would run as a formula is prefixed with `'`, which keeps it text; JSON has it unchanged.
    Control characters are removed; bytes of names that are not UTF-8 are kept.
    """
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, columns, extrasaction="ignore")
    writer.writerow({name: _cell(name) for name in columns})  # names of classes are among them
    writer.writerows({name: _cell(value) for name, value in each.items()} for each in rows)
    # Without the mark, spreadsheets assume an old local encoding.
    return b"\xef\xbb\xbf" + sheet.getvalue().encode(errors="surrogateescape")


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _FORMULA.sub(r"\1'", _NOT_BYTES.sub("\ufffd", _CONTROL.sub("", value)))
