"""Options of a search for chains ("A, then B"). Shared by `search` and `export`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import click

from app.search_link import DEFAULT_WITHIN_SECONDS
from app.shell.options import seconds_value


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainOptions:
    """Later steps of a chain as typed, none for an ordinary search, and how they follow each other."""

    then: tuple[str, ...] = ()
    within_seconds: float = DEFAULT_WITHIN_SECONDS
    any_order: bool = False


def chain_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --then, --within and --any-order to a command, which receives them as `chain`, a ChainOptions."""

    @click.option(
        "--then",
        multiple=True,
        metavar="TEXT",
        help="What comes next in the same video: words, or FILE@START-END; may be repeated.",
    )
    @click.option(
        "--within",
        metavar="TIME",
        callback=seconds_value,
        help=f"With --then: longest time from one step to the next; {DEFAULT_WITHIN_SECONDS:g}s by default.",
    )
    @click.option("--any-order", is_flag=True, help="With --then: allow the steps in any order.")
    @functools.wraps(command)
    def run(*args: Any, then: tuple[str, ...], within: Fraction | None, any_order: bool, **others: Any) -> Any:
        if not then and (within is not None or any_order):
            raise click.UsageError("--within and --any-order can only be used with --then TEXT")
        if any(not each.strip() for each in then):
            raise click.UsageError("--then needs words, or FILE@START-END")
        seconds = DEFAULT_WITHIN_SECONDS if within is None else float(within)
        return command(*args, chain=ChainOptions(then=then, within_seconds=seconds, any_order=any_order), **others)

    return run
