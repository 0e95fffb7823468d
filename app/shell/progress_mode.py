"""The form of progress on standard error: `--progress auto|plain|json|none`. Kept in click's context, for every line.

In the mode json, standard error has one JSON object a line: progress has `stage`, any other line is a `note`.
"""

from __future__ import annotations

import json
from typing import Literal, get_args

import click

Mode = Literal["auto", "plain", "json", "none"]
MODES = get_args(Mode)
_KEY = "prismsearch.progress"


def keep_mode(ctx: click.Context, param: click.Parameter, value: Mode | None) -> None:
    """Keep the value of --progress (a callback of click); the one after the command's name counts."""
    if value is not None:
        ctx.meta[_KEY] = value


def progress_mode() -> Mode:
    """Return the mode of the running command; auto outside of one, as in a job."""
    context = click.get_current_context(silent=True)
    mode: Mode = "auto" if context is None else context.meta.get(_KEY, "auto")
    return mode


def json_line(record: dict[str, object]) -> str:
    """Return a record as one line of JSON, in ASCII."""
    return json.dumps(record, separators=(", ", ": "))
