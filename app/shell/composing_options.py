"""Options that compose a question of several parts: examples beside words, and what is not wanted."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from app.shell.completion_values import complete_files
from app.shell.step_order import by_step


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedTerms:
    """Terms of a question besides its words, as typed.

    Attributes:
        like: Examples with their weights; words have a weight of 1.
        excluded: Words to exclude.
        excluded_examples: Examples to exclude.
    """

    like: tuple[tuple[str, float], ...] = ()
    excluded: tuple[str, ...] = ()
    excluded_examples: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Return every example, as typed."""
        return (*(each for each, _ in self.like), *self.excluded_examples)

    def record(self) -> dict[str, Any]:
        """Return the terms as JSON values."""
        like = [{"example": example, "weight": weight} for example, weight in self.like]
        return {"not": list(self.excluded), "like": like, "not_like": list(self.excluded_examples)}


def composing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --like, --weight, --not and --not-like to a SteppedCommand, which receives them as `typed`: for each step of
    a chain what follows it, for an ordinary search one.
    """

    @click.option(
        "--like",
        multiple=True,
        metavar="FILE[@A-B]",
        shell_complete=complete_files,
        help="Also look for what resembles this video, range of a video or picture; may be repeated.",
    )
    @click.option(
        "--weight",
        "weights",
        multiple=True,
        type=float,
        metavar="W",
        help="How much the preceding --like counts; 1 is as much as the words.",
    )
    @click.option(
        "--not", "excluded", multiple=True, metavar="TEXT", help="Rank shots that show this lower; may be repeated."
    )
    @click.option(
        "--not-like",
        "excluded_examples",
        multiple=True,
        metavar="FILE[@A-B]",
        shell_complete=complete_files,
        help="Rank shots that look like this lower, too.",
    )
    @functools.wraps(command)
    def run(
        *args: Any,
        like: tuple[str, ...],
        weights: tuple[float, ...],
        excluded: tuple[str, ...],
        excluded_examples: tuple[str, ...],
        **others: Any,
    ) -> Any:
        for name, texts in (("--like", like), ("--not", excluded), ("--not-like", excluded_examples)):
            if any(not each.strip() for each in texts):
                raise click.UsageError(f"{name} needs {'words' if name == '--not' else 'a file'}")
        weighted = list(zip(like, _weights(weights), strict=True))
        steps = by_step({"like": weighted, "excluded": excluded, "excluded_examples": excluded_examples})
        typed = tuple(TypedTerms(**{name: tuple(each) for name, each in step.items()}) for step in steps)
        return command(*args, typed=typed, **others)

    return run


def _weights(typed: tuple[float, ...]) -> list[float]:
    """Return the weight of each --like: the one typed after it, or 1."""
    before, *of_likes = (step["weights"] for step in by_step({"weights": typed}, begin="like"))
    if before or any(len(each) > 1 for each in of_likes):
        raise click.UsageError("--weight follows a --like, once: --like FILE --weight 0.7")
    if any(not math.isfinite(weight) or not 0 < weight <= 100 for weight in typed):
        raise click.UsageError("--weight must be above 0 and at most 100; to exclude, use --not or --not-like")
    return [each[0] if each else 1.0 for each in of_likes]
