"""Options of the running command as they were typed, to repeat it later from another folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import click

from app.shell.options import since_value, until_value
from app.shell.step_order import typed_order

_NOT_REPEATED = frozenset({"library", "encoder", "device", "precision", "progress", "as_json"})
_PATHS = frozenset({"directory", "archive", "folder", "like", "excluded_examples"})


def given_options() -> list[str]:
    """Return the options of the running SteppedCommand in the order typed, except settings, with absolute paths."""
    words: list[str] = []
    context = click.get_current_context()
    options = {each.name: each for each in context.command.params if isinstance(each, click.Option)}
    repeated: dict[str, Iterator[Any]] = {}
    single: set[str] = set()
    for name in typed_order():
        option = options.get(name)
        if option is None or name in _NOT_REPEATED or name in single:
            continue
        flag, value = max(option.opts, key=len), context.params[name]
        if option.is_flag:
            words += [flag] if value else option.secondary_opts[:1]
            single.add(name)
        elif isinstance(value, tuple) and option.nargs == 1 and option.callback is None:
            words += [flag, _as_typed(option, next(repeated.setdefault(name, iter(value))))]
        else:
            single.add(name)
            for each in value if isinstance(value, tuple) else [value]:
                words += [flag, _as_typed(option, each)]
    return words


def _as_typed(option: click.Option, value: Any) -> str:
    """Return the text of an option's value that is parsed to the same value anywhere, later."""
    if option.callback in (since_value, until_value):
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value // 1000)).isoformat()
    text = f"{float(value):.9f}".rstrip("0").rstrip(".") if isinstance(value, Fraction) else str(value)
    return os.path.abspath(text) if option.name in _PATHS else text
