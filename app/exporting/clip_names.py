"""Names of exported clips: they sort as they were asked for, every system takes them, and none is ever used twice."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

MOST_BYTES = 200
"""Of a whole name in UTF-8. File systems allow 255; the rest is for what people and archives add."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u0080-\u009f\u2028\u2029\ud800-\udfff\ufffd]+')


def clip_name(
    number: int, stem: str, start_seconds: Fraction, end_seconds: Fraction, *, total: int, suffix: str
) -> str:
    """`007_film_00h00m12.480s-00h00m15.200s.mp4`, at most MOST_BYTES long.

    number: from 1, of `total`; it comes first, so that clips sort by it, and no name can be a reserved one (CON, NUL)
    or begin with a dash. stem: any text, a name that is not UTF-8 included; what Windows refuses becomes `_`.
    """
    digits = max(3, len(str(total)))
    head, tail = f"{number:0{digits}d}_", f"_{moment(start_seconds)}-{moment(end_seconds)}"
    room = MOST_BYTES - len((head + tail + suffix).encode()) - len("_9999")
    return f"{head}{portable(stem, room)}{tail}{suffix}"


def moment(seconds: Fraction) -> str:
    """00h00m12.480s: to the nearest millisecond, without the colons of a timecode."""
    milliseconds = max(0, round(seconds * 1000))
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}h{whole // 60 % 60:02}m{whole % 60:02}.{milliseconds:03}s"


def portable(stem: str, room_bytes: int) -> str:
    """The stem without what some file system refuses, cut between characters to fit; `clip` where nothing is left."""
    safe = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", stem)).strip(" .")
    cut = safe.encode()[:room_bytes].decode(errors="ignore").rstrip(" .")
    return cut or "clip"
