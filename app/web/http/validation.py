"""What the members of a JSON object may be: each function is a Field, or makes one."""

from __future__ import annotations

from typing import Any

from app.web.http.responses import ApiError, Field

_LARGEST = 2**63 - 1  # what SQLite stores


def text(most: int, *, blank: bool = False) -> Field:
    """Text of at most `most` characters that can be stored as UTF-8, without null characters."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise ApiError(400, f"`{name}` must be text.")
        if len(value) > most:
            raise ApiError(400, f"`{name}` is longer than {most} characters; shorten it.")
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise ApiError(400, f"`{name}` holds characters that cannot be kept.")
        if not blank and not value.strip():
            raise ApiError(400, f"`{name}` is blank; write something.")
        return value

    return check


def integer(name: str, value: Any) -> int:
    """A whole number that fits into 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int) or not -_LARGEST <= value <= _LARGEST:
        raise ApiError(400, f"`{name}` must be a whole number.")
    return value


def number(name: str, value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise ApiError(400, f"`{name}` must be a number.")
    return float(value)


def or_none(field: Field) -> Field:
    """null, or what `field` takes."""
    return lambda name, value: None if value is None else field(name, value)


def list_of(field: Field, most: int) -> Field:
    """A list of at most `most` of what `field` takes."""

    def check(name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ApiError(400, f"`{name}` must be a list.")
        if len(value) > most:
            raise ApiError(400, f"`{name}` holds more than {most}; send fewer at a time.")
        return [field(name, each) for each in value]

    return check


def one_of(*choices: str) -> Field:
    """One of these words."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ApiError(400, f"`{name}` must be one of {', '.join(choices)}.")
        return value

    return check
