"""Options that the evaluations of `bench`, `classify` and `probe` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def work_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --work to a command, which receives a Path as `work`."""
    return click.option(
        "--work",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        callback=_or_default,
        help="Folder for what a stopped run goes on with; by default `evaluation` beside the default library.",
    )(command)


def _or_default(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path:
    if value is not None:
        return value
    from app.compose import data_directory

    return data_directory() / "evaluation"
