"""Types of columns that hold paths, as the bytes of the file system.

Names that are not UTF-8 are preserved, and two Unicode forms of a name stay distinct. BLOBs compare byte by byte, so
that a folder is one range of the index.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Dialect, LargeBinary, TypeDecorator, and_, literal, or_, type_coerce

from db.media_roots import NO_ROOTS, MediaRoots, Range

_ROOTS = "media_roots"
"""The attribute of an engine's dialect."""


class PathBytes(TypeDecorator[str]):
    """A path or name, as it is."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else os.fsdecode(value if isinstance(value, bytes) else str(value))


class MediaPath(TypeDecorator[str]):
    """The path of a media file: stored below a root (`nas:/films/a.mp4`) if it is in the folder of one here.

    Every statement passes here, so that paths are those of this machine everywhere but in the tables. The roots are the
    dialect's, which each engine has for itself.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else roots_of(dialect).stored(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None]:
        """Return what shows a stored path. In place of `process_result_value`, which takes half as long again."""
        shown, encoding, errors = roots_of(dialect).shown, sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()

        def process(value: Any) -> str | None:
            if type(value) is bytes:
                return value.decode(encoding, errors) if value[:1] == b"/" else shown(value)
            return None if value is None else str(value)  # damaged

        return process


def use_roots(dialect: Dialect, roots: MediaRoots) -> None:
    """Let an engine store and show paths by these roots. Called before it reads any."""
    setattr(dialect, _ROOTS, roots)


def roots_of(dialect: Dialect) -> MediaRoots:
    """Return the roots of media by which an engine stores and shows paths."""
    roots: MediaRoots = getattr(dialect, _ROOTS, NO_ROOTS)
    return roots


def in_ranges(path: ColumnElement[str], ranges: list[Range]) -> ColumnElement[bool]:
    """Return the condition that a path, as it is stored, is in one of these ranges, each of which can use an index."""
    stored = type_coerce(path, LargeBinary)
    bounds = ((literal(begin, LargeBinary), literal(end, LargeBinary)) for begin, end in ranges)
    return or_(*(and_(stored >= begin, stored < end) for begin, end in bounds))
