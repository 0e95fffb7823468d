"""Date of recording of a file: what its header states or, failing that, its name.

Cameras and phones write the date into the name in a few forms, all of them year, month, day: `20240506_070809.mp4`,
`VID_20240506_070809.mp4`, `PXL_20240506_070809123.mp4`, `2024-05-06 07.08.09.mov`, `VID-20240506-WA0001.mp4`.

Standard library only.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

_NAMED = re.compile(
    r"(?<!\d)(?P<year>19[89]\d|20\d\d)(?P<mark>[-_.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"(?:(?:[-_. T]|_at_| at )?"
    r"(?P<hour>[01]\d|2[0-3])[-_.h:]?(?P<minute>[0-5]\d)[-_.m:]?(?P<second>[0-5]\d)(?:\d{3})?s?)?"
    r"(?!\d)"
)
_FRACTION = re.compile(r"\.\d+")  # of any length, where fromisoformat takes only some
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC).timestamp()


def recorded_at(stated: str, path: str) -> int | None:
    """Return the date of recording in Unix seconds; None if neither header nor name states it.

    Args:
        stated: The header's text, of `db.media_facts.MediaFacts.recorded_at`: ISO 8601. A time without a zone, as MXF
            and Matroska may have it, is local, and so is that of a name.
        path: Path of the file; only its name is looked at.
    """
    for found in (_from_text(stated), _from_name(os.path.basename(path))):
        if found is not None:
            return found
    return None


def _from_text(text: str) -> int | None:
    try:
        return _seconds(datetime.fromisoformat(_FRACTION.sub("", text.strip(), count=1)))
    except (OSError, OverflowError, ValueError):
        return None


def _from_name(name: str) -> int | None:
    for match in _NAMED.finditer(name):
        year, month, day, hour, minute, second = (
            int(match[part] or 0) for part in ("year", "month", "day", "hour", "minute", "second")
        )
        try:
            return _seconds(datetime(year, month, day, hour, minute, second))  # a camera names files by local time
        except (OSError, OverflowError, ValueError):
            continue  # a number that only looks like a date
    return None


def _seconds(moment: datetime) -> int | None:
    """Return Unix seconds; None for a clock that was never set."""
    seconds = moment.timestamp()
    return int(seconds) if seconds >= _EARLIEST else None
