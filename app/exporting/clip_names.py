"""Names of exported clips: they sort as they were asked for, every system takes them, and none is ever used twice."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from fractions import Fraction
from pathlib import Path

MOST_BYTES = 200
"""Of a whole name in UTF-8. File systems allow 255; the rest is for what people and archives add."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u0080-\u009f\u2028\u2029\ud800-\udfff\ufffd]+')
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL, errno.EACCES}


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


def publish(draft: Path, directory: Path, name: str) -> Path:
    """Give a finished file its name, or the first free one after it (`..._2.mp4`), and return it.

    Never replaces a file: the name is taken by a hard link, which fails where there is one already. Where the file
    system has no links, the name is reserved by an empty file and replaced at once. Raises OSError (a full disk, a
    folder that went away); the draft is then still there.
    """
    with draft.open("rb+") as stream:
        os.fsync(stream.fileno())  # a name is a promise that the content is there, after a power cut too
    stem, suffix = os.path.splitext(name)
    attempt = 1
    while True:
        target = directory / (name if attempt == 1 else f"{stem}_{attempt}{suffix}")
        try:
            _take(draft, target)
        except FileExistsError:
            attempt += 1
            continue
        return target


def _take(draft: Path, target: Path) -> None:
    if os.name == "nt":
        os.rename(draft, target)  # refuses to replace, there
        return
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.replace(draft, target)
        return
    os.unlink(draft)
