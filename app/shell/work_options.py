"""Options that say how an index run works, beside those that shape its result. They can stand in the settings file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from app.shell.options import Whole

WORKERS_RANGE = (1, 256)
BATCH_SIZE_RANGE = (1, 4096)  # clips


def work_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --workers, --batch-size and --exclude to a command, which receives them under these names."""
    for option in (
        click.option(
            "--exclude",
            multiple=True,
            metavar="PATTERN",
            help="Skip files that match, such as '*.tmp.mp4'; may be repeated.",
        ),
        click.option(
            "--batch-size", type=Whole(*BATCH_SIZE_RANGE), metavar="N", help="Number of clips encoded at once."
        ),
        click.option(
            "--workers", type=Whole(*WORKERS_RANGE), metavar="N", help="Number of videos decoded at the same time."
        ),
    ):
        command = option(command)
    return command
