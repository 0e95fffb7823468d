"""Tags and comments that the macOS Finder keeps with a file, in extended attributes. Standard library only."""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Callable
from typing import Any

from db.timed_text import TextSource, TimedLine
from indexer.text.cues import MAX_TEXT
from indexer.text.found import ReadText
from indexer.text.markup import tidy

_PREFIX = "com.apple.metadata:"
_ATTRIBUTES = (("keywords", "_kMDItemUserTags"), ("comment", "kMDItemFinderComment"))
_MAX_BYTES = 1 << 16
_MOST_TAGS = 100


def read_finder_tags(path: str, *, duration_ms: int, read: Callable[[str, str], bytes] | None = None) -> list[ReadText]:
    """Return the Finder's tags and comment of a file; an empty list where it has none or they cannot be read.

    Args:
        path: The video.
        duration_ms: Its length, for which they hold.
        read: Returns an attribute of a file, or raises OSError; by default the system's.
    """
    read = read or _attribute
    found = []
    for title, name in _ATTRIBUTES:
        try:
            value = _value(read(path, _PREFIX + name))
        except (OSError, ValueError):
            continue
        values = value if isinstance(value, list) else [value]
        # Below each tag is the number of its colour.
        texts = dict.fromkeys(
            tidy(each[:MAX_TEXT].partition("\n")[0] if title == "keywords" else each[:MAX_TEXT])
            for each in values[:_MOST_TAGS]
            if isinstance(each, str)
        )
        lines = tuple(TimedLine(0, duration_ms, text) for text in texts if text)
        if lines:
            found.append(ReadText(TextSource(kind="tag", origin=f"Finder: {title}", title=title), lines))
    return found


def _value(content: bytes) -> Any:
    """Return the value of a property list. Raise ValueError if it is none, or too large."""
    if len(content) > _MAX_BYTES:
        raise ValueError("too large")
    try:
        return plistlib.loads(content)
    except Exception as error:  # a damaged list raises whatever its reader stumbles over
        raise ValueError("no property list") from error


def _attribute(path: str, name: str) -> bytes:
    if sys.platform == "darwin":
        return _attribute_of_macos(path, name)
    if not hasattr(os, "getxattr"):
        raise OSError("there are no extended attributes")
    return os.getxattr(path, f"user.{name}")  # where macOS has written to a drive or a share of Linux


def _attribute_of_macos(path: str, name: str) -> bytes:
    import ctypes

    buffer = ctypes.create_string_buffer(_MAX_BYTES)
    library = ctypes.CDLL(None, use_errno=True)
    library.getxattr.restype = ctypes.c_ssize_t
    size = library.getxattr(
        os.fsencode(path), name.encode(), buffer, ctypes.c_size_t(_MAX_BYTES), ctypes.c_uint32(0), ctypes.c_int(0)
    )
    if size < 0:
        raise OSError(ctypes.get_errno(), "no such attribute")
    return buffer.raw[:size]
