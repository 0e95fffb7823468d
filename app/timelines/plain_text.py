"""Names, notes and paths as files for editing programs can carry them. Touches no file."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
from urllib.parse import quote

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONE = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SHARE = re.compile(r"\\\\([^\\/]+)[\\/]+([^\\/].*)", re.DOTALL)
_LONG_SHARE, _LONG = "\\\\?\\UNC\\", "\\\\?\\"


def legal(text: str) -> str:
    """Without the characters that XML forbids. Bytes that were not UTF-8 become U+FFFD; line breaks become `\\n`."""
    unbroken = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE.sub("\ufffd", _NOT_XML.sub("", unbroken))


def one_line(text: str) -> str:
    """As legal, with every run of spaces, line breaks and control characters as one space."""
    return _BREAKS.sub(" ", legal(text)).strip()


def is_whole(text: str) -> bool:
    """Whether the text is Unicode: no bytes that were not UTF-8 when it was read as a name."""
    return _LONE.search(text) is None


def file_name(path: str) -> str:
    """The last part of a path of this or another system."""
    if _DRIVE.match(path) or path.startswith("\\\\"):
        return ntpath.basename(path)
    return posixpath.basename(path)


def file_url(path: str, host: str = "") -> str:
    """An absolute `file:` URL: every byte but letters, digits and `/-._~` as %XX, bytes that are not UTF-8 as they are.

    Takes paths of Windows with a drive (`C:\\x`), of shares (`\\\\server\\share\\x`, the server becomes the host) and
    long ones (`\\\\?\\C:\\x`), wherever it runs; any other is made absolute as on this system. host: of local paths,
    `localhost` for programs that want it said.
    """
    if path.startswith(_LONG_SHARE):
        path = "\\\\" + path[len(_LONG_SHARE) :]
    elif path.startswith(_LONG):
        path = path[len(_LONG) :]
    if share := _SHARE.fullmatch(path):
        return f"file://{_quoted(share[1])}/{_quoted(share[2].replace(chr(92), '/'))}"
    if _DRIVE.match(path):
        return f"file://{host}/{path[:2]}{_quoted(path[2:].replace(chr(92), '/'))}"
    if not path.startswith("/"):
        path = os.path.abspath(path)
    return f"file://{host}{_quoted(path)}"


def _quoted(path: str) -> str:
    try:
        # What os.fsencode does, on every system alike.
        content = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        content = path.encode("utf-8", "surrogatepass")
    return quote(content, safe="/")
