"""Text of edit lists: names, notes and paths in forms that editing programs can read. Accesses no file."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
from urllib.parse import quote

REORDERING = "\u202a-\u202e\u2066-\u2069"
"""Characters, as part of a regular expression, that show text in another order than it has: `gpj.exe` as `exe.jpg`."""

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONE = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SHARE = re.compile(r"\\\\([^\\/]+)[\\/]+([^\\/].*)", re.DOTALL)
_LONG_SHARE, _LONG = "\\\\?\\UNC\\", "\\\\?\\"


def xml_safe(text: str) -> str:
    """Remove the characters that XML forbids. Bytes that were not UTF-8 become U+FFFD; line breaks become `\\n`."""
    unbroken = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE.sub("\ufffd", _NOT_XML.sub("", unbroken))


def one_line(text: str) -> str:
    """Apply xml_safe, and reduce every run of spaces, line breaks and control characters to one space."""
    return _BREAKS.sub(" ", xml_safe(text)).strip()


def is_unicode(text: str) -> bool:
    """Return whether the text is valid Unicode, without bytes that were not UTF-8 when it was read as a file name."""
    return _LONE.search(text) is None


def file_name(path: str) -> str:
    """Return the last part of a path of this or another operating system."""
    if _DRIVE.match(path) or path.startswith("\\\\"):
        return ntpath.basename(path)
    return posixpath.basename(path)


def file_url(path: str, host: str = "") -> str:
    """Return an absolute `file:` URL.

    Every byte except letters, digits and `/-._~` is written as %XX, those that are not UTF-8 unchanged.

    Args:
        path: On any operating system also one of Windows, with a drive (`C:\\x`), of a share (`\\\\server\\share\\x`,
            whose server becomes the host) or a long one (`\\\\?\\C:\\x`). Any other is made absolute as on this system.
        host: Host in URLs of local paths; `localhost` for programs that require one.
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


def one_line_path(path: str) -> str:
    """Return the path, or its file_url if it cannot be written on one line of Unicode text."""
    return path if is_unicode(path) and one_line(path) == path else file_url(path)


def _quoted(path: str) -> str:
    try:
        # The same as os.fsencode on POSIX, but on every system.
        content = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        content = path.encode("utf-8", "surrogatepass")
    return quote(content, safe="/")
