"""Values of settings: as their fields have them, and as text. Imports no torch."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from training.errors import ConfigurationError


def parse_assignment(text: str) -> tuple[str, Any]:
    """Return name and value of `NAME=VALUE`; the value is written as in TOML, texts also without quotes.

    Raises:
        ConfigurationError: It is no such text.
    """
    name, equals, value = text.partition("=")
    name, value = name.strip().replace("-", "_"), value.strip()
    if not equals or not name:
        raise ConfigurationError(f"{text!r} is not NAME=VALUE, such as loop.beta2=0.98")
    if "\n" not in value:
        try:
            return name, tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            pass
    return name, value


def typed(of: type, values: Mapping[str, Any], top: str = "") -> dict[str, Any]:
    """Return values as their fields have them. Raise ConfigurationError where one is of another type."""
    hints = get_type_hints(of)
    return {name: _value(f"{top}{name}", value, hints[name]) for name, value in values.items()}


def _value(name: str, value: Any, wanted: Any) -> Any:
    if get_origin(wanted) is Literal:
        if value not in get_args(wanted):
            raise ConfigurationError(f"{name} is {', '.join(map(str, get_args(wanted)))}, got {value!r}")
        return value
    if wanted is float and type(value) is int and abs(value) < 1e15:
        value = float(value)
    if type(value) is not wanted or (wanted is float and not math.isfinite(value)):
        said = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise ConfigurationError(f"{name} is {said.get(wanted, 'a table')}, got {value!r}")
    return value


def toml(value: Any) -> str:
    """Return a text, number or truth value as TOML has it."""
    # A basic string of TOML is one of JSON, but for a control character that only TOML excludes.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
