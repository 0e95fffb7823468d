"""JSON that somebody else may have written: read within limits, with every kind of damage as one exception."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from fractions import Fraction
from typing import Any

from files.regular import AnyPath, read_regular

MAX_BYTES = 16_000_000
MAX_DEPTH = 64
_MAX_DIGITS = 19  # of an integer of 64 bits
_FRACTION = re.compile(r"\s*[-+]?[0-9]{1,60}(/[0-9]{1,60}|\.[0-9]{1,60})?\s*", re.ASCII)


def read_json(
    path: AnyPath,
    *,
    max_bytes: int = MAX_BYTES,
    follow_links: bool = True,
    any_number: bool = False,
    leave_out: Collection[str] = (),
) -> Any:
    """Return the value in a JSON file; see `parse_json` for its limits.

    Args:
        path: The file. A pipe or a device is not read.
        max_bytes: The maximum size of the file.
        follow_links: Whether the file may be a link.
        any_number: As in `parse_json`.
        leave_out: As in `parse_json`.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is too large, damaged, or nested too deeply.
    """
    content = read_regular(path, max_bytes=max_bytes, follow_links=follow_links)
    return parse_json(content, any_number=any_number, leave_out=leave_out)


def parse_json(content: bytes | str, *, any_number: bool = False, leave_out: Collection[str] = ()) -> Any:
    """Return the value of a JSON text.

    Args:
        content: The text.
        any_number: Whether integers of more than 64 bits and floats that are not finite become None.
        leave_out: Keys whose values become None as soon as their object is read, so that large ones are not held.

    Raises:
        ValueError: The text is not JSON, is nested more than MAX_DEPTH deep, or has such a number.
    """
    finite = _finite_or_none if any_number else _finite

    def kept(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: None if key in leave_out else value for key, value in pairs}

    try:
        value = json.loads(
            content,
            parse_int=_integer_or_none if any_number else _integer,
            parse_float=finite,
            parse_constant=finite,
            object_pairs_hook=kept if leave_out else None,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [each for outer in level if isinstance(outer, dict | list) for each in _members(outer)]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def parse_fraction(value: object) -> Fraction:
    """Return an exact number from its text (`1001/24000`, `12.5`) or from a number.

    Raises:
        TypeError: It is neither text nor a number.
        ValueError: The text is no number, or has more digits than any time or rate; the number is not finite.
    """
    if isinstance(value, str):
        if not _FRACTION.fullmatch(value):
            raise ValueError(f"{value[:40]!r} is no exact number")
        try:
            return Fraction(value)
        except ZeroDivisionError as error:
            raise ValueError(f"{value[:40]!r} is no exact number") from error
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise TypeError(f"a number is expected, got {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the number is not finite")
    return Fraction(value)


def _members(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value


def _integer_or_none(text: str) -> int | None:
    return int(text) if len(text.lstrip("-")) <= _MAX_DIGITS else None


def _integer(text: str) -> int:
    value = _integer_or_none(text)
    if value is None:
        raise ValueError(f"{text[:20]}... has too many digits")
    return value


def _finite_or_none(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _finite(text: str) -> float:
    value = _finite_or_none(text)
    if value is None:
        raise ValueError(f"{text[:20]} is not a finite number")
    return value
