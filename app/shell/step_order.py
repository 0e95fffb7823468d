"""Order of options on the command line, for commands in which an option belongs to the step that it follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

_ORDER = "prismsearch.order of options"


class SteppedCommand(click.Command):
    """A command whose options can be told apart by the `--then` that they follow; see `by_step`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line, and keep the order of its options, which click forgets."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        ctx.meta[_ORDER] = [parameter.name for parameter in order]
        return super().parse_args(ctx, args)


def typed_order() -> list[str]:
    """Return the names of the running SteppedCommand's parameters as often as they were typed, in that order."""
    return list(click.get_current_context().meta[_ORDER])


def by_step(values: Mapping[str, Sequence[Any]], *, begin: str = "then") -> list[dict[str, list[Any]]]:
    """Return the values of options for each step of the running command, which is a SteppedCommand.

    Args:
        values: Of options that may be repeated, by the name of their parameter.
        begin: Name of the parameter that begins another step.
    """
    order = typed_order()
    steps: list[dict[str, list[Any]]] = [{name: [] for name in values}]
    rest = {name: iter(each) for name, each in values.items()}
    for name in order:
        if name == begin:
            steps.append({each: [] for each in values})
        elif name in rest:
            steps[-1][name].append(next(rest[name]))
    return steps
