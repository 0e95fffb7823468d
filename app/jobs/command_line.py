"""The words that do the same again from anywhere: what was given on the command line, with paths made absolute."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction

import click
from click.core import ParameterSource

# Said elsewhere, or only about the output.
_NOT_SHAPING = frozenset({"library", "encoder", "device", "precision", "as_json"})


def option_words() -> list[str]:
    """The options that were given to the command that runs, spelled out; those of settings are left out."""
    words: list[str] = []
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not isinstance(parameter, click.Option) or name in _NOT_SHAPING or not given:
            continue
        value = context.params.get(name)
        spelled = max(parameter.opts, key=len)
        if parameter.is_flag:
            words += [spelled] if value else []
        else:
            for each in value if isinstance(value, list | tuple) else [value]:
                words += [spelled, _word(each)]
    return words


def path_words(paths: Sequence[str]) -> list[str]:
    """Paths as the last words of a command, whatever their names begin with."""
    return ["--", *(os.path.abspath(path) for path in paths)] if paths else []


def paths_in(words: Sequence[str]) -> list[str]:
    """The paths that `path_words` wrote."""
    return list(words[words.index("--") + 1 :]) if "--" in words else []


def title_of(paths: Sequence[str]) -> str:
    """What a run over these paths is about: `Videos`, `Videos and 2 more`."""
    if not paths:
        return ""
    first = os.path.abspath(paths[0])
    name = os.path.basename(first) or first
    return name if len(paths) == 1 else f"{name} and {len(paths) - 1} more"


def _word(value: object) -> str:
    return f"{float(value):.9f}".rstrip("0").rstrip(".") if isinstance(value, Fraction) else str(value)
