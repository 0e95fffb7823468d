"""Names of exported clips, from a pattern such as `{collection}_{rank}_{name}`.

File names are valid on every system and short enough, for any pattern and any name.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from string import Formatter
from types import MappingProxyType

from app.timelines.plain_text import REORDERING
from app.times import whole_milliseconds

DEFAULT_PATTERN = "{rank}_{name}_{start}-{end}"
"""`007_film_00h00m12.480s-00h00m15.200s.mp4`. The rank comes first, so that clips sort by it."""
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "rank": "the position among the clips: 007",
        "number": "the same as rank",
        "name": "what you called the clip, else the name of its file",
        "source": "the name of the file it comes from",
        "start": "where it begins: 00h00m12.480s",
        "end": "where it ends",
        "score": "how well it matched the search: 0.873",
        "label": "what you called the clip, else nothing",
        "collection": "the collection it is in",
    }
)
"""The fields of a pattern, with a description for the user."""
MAX_NAME_BYTES = 200
"""Maximum bytes of a name in UTF-8. File systems allow 255; the rest is for additions by users and archives."""

MIN_NAME_BYTES = 80
"""Room for the names of clips, lists and temporary files that a folder must have."""
_WINDOWS = sys.platform == "win32"
_WINDOWS_PATH_CHARACTERS = 259  # ffmpeg, among others, takes no longer path there
MAX_PATTERN_CHARACTERS = 200
_TEXT_FIELDS = ("collection", "label", "name", "source")  # fields of any length
_FORBIDDEN = re.compile(rf'[<>:"/\\|?*\x00-\x1f\x7f\u0080-\u009f\u2028\u2029\ud800-\udfff\ufffd{REORDERING}]+')
_RESERVED = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """The values of a name's fields. Seconds count from the first frame shown."""

    rank: int  # from 1
    total: int  # number of clips; determines the number of digits of ranks
    source: str  # file name without suffix
    start_seconds: Fraction
    end_seconds: Fraction
    label: str = ""
    collection: str = ""
    score: float | None = None


def check_pattern(pattern: str) -> None:
    """Check a pattern for names.

    Raises:
        ValueError: It has an unknown field, cannot be parsed, or is empty or too long. The message lists the fields.
    """
    _parse(pattern)


def name_room(folder: Path) -> int:
    """Return how many bytes the name of a file in this folder may have; on Windows it depends on the folder's path."""
    return min(MAX_NAME_BYTES, _WINDOWS_PATH_CHARACTERS - len(f"{folder}/")) if _WINDOWS else MAX_NAME_BYTES


def clip_name(facts: ClipFacts, suffix: str, pattern: str = DEFAULT_PATTERN, *, room: int = MAX_NAME_BYTES) -> str:
    """Return the file name of a clip.

    Args:
        facts: The values of the fields; any text, including names that are not UTF-8.
        suffix: Suffix of the file, such as `.mp4`.
        pattern: Text with fields in braces. Characters that Windows does not allow become `_`.
        room: The most bytes of the name, see `name_room`.

    Returns:
        At most `room` bytes long, with room for a number that makes it unique (`_2`).

    Raises:
        ValueError: The pattern cannot be used.
    """
    digits = max(3, len(str(facts.total)))
    values = {
        "rank": f"{facts.rank:0{digits}d}",
        "number": f"{facts.rank:0{digits}d}",
        "name": facts.label or facts.source or "clip",
        "source": facts.source,
        "start": _time_text(facts.start_seconds),
        "end": _time_text(facts.end_seconds),
        "score": "" if facts.score is None else f"{facts.score:.3f}",
        "label": facts.label,
        "collection": facts.collection,
    }
    parts = _parse(pattern)
    max_bytes = room - len(suffix.encode()) - len("_9999")
    for field in _TEXT_FIELDS:
        values[field] = _portable(values[field], max_bytes) if values[field] else ""
    while (excess := len(_fill(parts, values).encode()) - max_bytes) > 0:
        # Shorten the longest text, so that the numbers and times that distinguish clips stay.
        longest = max(_used_texts(parts), key=lambda field: len(values[field].encode()), default=None)
        if longest is None or len(values[longest].encode()) <= 1:
            break
        text = values[longest].encode()
        values[longest] = text[: max(1, len(text) - excess)].decode(errors="ignore").rstrip(" .")
        if len(values[longest].encode()) == len(text):
            break
    stem = _portable(_fill(parts, values), max_bytes)
    if stem.startswith("-") or _RESERVED.fullmatch(stem.partition(".")[0].strip()):
        stem = f"_{stem}"  # many programs read a leading dash as an option; Windows reserves some names
    return stem + suffix


def _time_text(seconds: Fraction) -> str:
    """Return 00h00m12.480s: the digits of a timestamp, without its colons."""
    whole, milliseconds = divmod(max(0, whole_milliseconds(seconds)), 1000)
    return f"{whole // 3600:02}h{whole // 60 % 60:02}m{whole % 60:02}.{milliseconds:03}s"


def _portable(text: str, max_bytes: int) -> str:
    """Make a text that every file system takes: nothing forbidden, not too long; `clip` if nothing is left."""
    safe = _allowed(text).strip(" .")
    return safe.encode()[:max_bytes].decode(errors="ignore").rstrip(" .") or "clip"


def _allowed(text: str) -> str:
    """Replace characters that some file system forbids. The result can be encoded, unlike a text that is not UTF-8."""
    return _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text))


def _parse(pattern: str) -> list[tuple[str, str | None]]:
    """Split a pattern into (text, field that follows it)."""
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    if not pattern.strip() or len(pattern) > MAX_PATTERN_CHARACTERS:
        raise ValueError(f"a pattern for names must have 1 to {MAX_PATTERN_CHARACTERS} characters; it may hold {known}")
    parts: list[tuple[str, str | None]] = []
    try:
        for text, field, format_spec, conversion in Formatter().parse(pattern):
            if field is not None and (field not in FIELDS or format_spec or conversion):
                written = field + (f"!{conversion}" if conversion else "") + (f":{format_spec}" if format_spec else "")
                raise ValueError(f"there is no {{{written}}}")
            parts.append((text, field))
    except ValueError as error:
        raise ValueError(
            f"the pattern {pattern!r} cannot be used ({error}); it may hold {known}, and {{{{ for a brace"
        ) from error
    return parts


def _used_texts(parts: list[tuple[str, str | None]]) -> list[str]:
    return [field for _, field in parts if field in _TEXT_FIELDS]


def _fill(parts: list[tuple[str, str | None]], values: Mapping[str, str]) -> str:
    """Fill in the values. An empty one also removes the separators between it and the value before."""
    filled = ""
    for text, field in parts:
        value = "" if field is None else values[field]
        if field is not None and not value and filled:
            text = text.rstrip("_-. ")
        filled += text + value
    return _allowed(filled)
