"""Frozen dataclasses as values for JSON, and back: every field is checked against its annotation.

JSON strings may contain lone surrogates, which encode bytes of names that are not UTF-8, so such names are preserved.
"""

from __future__ import annotations

import os
import re
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_FRACTION = re.compile(r"-?[0-9]{1,40}(/[0-9]{1,40})?")  # as str formats it; an exponent could expand to endless digits


class WrongRecord(ValueError):
    """A value that is not what the annotations say; the message is a sentence that names the field."""


def encoded(value: object) -> object:
    """Return a record, and what its fields hold, as values for JSON. `decoded` reads them."""
    if is_dataclass(value):
        return {each.name: encoded(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [encoded(each) for each in value]
    return str(value) if isinstance(value, Fraction | Path) else value


def decoded(expected: Any, value: object, where: str) -> Any:
    """Return a value of JSON as what an annotation says.

    Args:
        expected: A dataclass, or the type of one of its fields: text, paths, integers, fractions, truth values,
            literals, tuples of one type, and each of these or None.
        value: The value.
        where: The name of the value in messages.

    Raises:
        WrongRecord: It is of another type, or the dataclass refuses it.
    """
    origin = get_origin(expected)
    if is_dataclass(expected):
        return _decoded_fields(expected, value, where)
    if origin in (Union, UnionType):  # optional type
        if value is None:
            return None
        [expected] = [each for each in get_args(expected) if each is not NoneType]
        return decoded(expected, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(decoded(get_args(expected)[0], each, where) for each in value)
    if origin is Literal and isinstance(value, str) and value in get_args(expected):
        return value
    if expected in (str, Path) and isinstance(value, str):
        if "\0" in value:
            raise WrongRecord(f"{where} holds a NUL character, which no name can have")
        try:
            os.fsencode(value)
        except UnicodeEncodeError as error:
            raise WrongRecord(f"{where} holds a character that no name can have") from error
        return expected(value)
    if expected is Fraction and isinstance(value, str) and _FRACTION.fullmatch(value):
        try:
            return Fraction(value)
        except ZeroDivisionError:
            pass
    if expected in (int, bool) and type(value) is expected:
        return value
    raise WrongRecord(f"{where} has a value of a wrong type ({type(value).__name__})")


def _decoded_fields(expected: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise WrongRecord(f"{where} must be an object with fields")
    hints = get_type_hints(expected)
    if unknown := set(value) - set(hints):
        raise WrongRecord(f"{where} has an unknown field, {min(unknown)!r}")
    required = {each.name for each in fields(expected) if each.default is MISSING and each.default_factory is MISSING}
    if missing := required - set(value):
        raise WrongRecord(f"{where} lacks the field {min(missing)!r}")
    try:
        return expected(**{name: decoded(hints[name], each, f"{where}.{name}") for name, each in value.items()})
    except WrongRecord:
        raise
    except ValueError as error:
        raise WrongRecord(f"{where}: {error}") from error
