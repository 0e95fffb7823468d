"""Global options, accepted before and after the name of a command; exit codes; parsing of option values."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Any, ParamSpec, TypeVar

import click

from app.compose import ENCODER_VARIABLE, LIBRARY_VARIABLE, PRECISION_VARIABLE, PRECISIONS, settings_from
from app.library_place import hand_on_password, has_password
from app.root_paths import local_path
from app.shell.completion_values import complete_device, complete_encoder
from app.shell.progress_mode import MODES, keep_mode
from app.times import parse_date, parse_seconds

P = ParamSpec("P")
R = TypeVar("R")


def json_option(help_text: str = "Print JSON on standard output.") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the option --json, which a command receives as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


class Whole(click.IntRange):
    """A whole number from `low` to `high`, both inclusive."""

    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)
        self._refusal = f"is not a whole number from {low:,} to {high:,}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raise click.BadParameter with one plain sentence."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!s} {self._refusal}", param, ctx)


class PathWord(click.Path):
    """The name of a file or folder, there or not, as this machine has it: `nas:/films` is in the folder of the root
    nas. Never blank: as a path, that would be the current folder, and `remove "$UNSET"` would forget all of it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name. Raise click.UsageError if it is blank."""
        if not os.fspath(value).strip():
            raise click.UsageError("a name of a file or folder is blank", ctx)
        return super().convert(local_path(os.fspath(value)), param, ctx)


def seconds_value(ctx: click.Context, param: click.Parameter, value: str | None) -> Fraction | None:
    """Parse an option that holds a duration or a position in seconds: 5, 5s, 1m30s, 00:00:05."""
    try:
        return None if value is None else parse_seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def since_value(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Parse --since, a date or an age, to Unix nanoseconds; a day counts from its start."""
    return _when(ctx, param, value, end=False)


def until_value(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Parse --until as `since_value` does; a day counts to its end."""
    return _when(ctx, param, value, end=True)


def _when(ctx: click.Context, param: click.Parameter, value: str | None, *, end: bool) -> int | None:
    try:
        return None if value is None else parse_date(value, now=datetime.now().astimezone(), end=end)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


progress_option = click.option(
    "--progress",
    type=click.Choice(MODES),
    expose_value=False,
    callback=keep_mode,
    help="Progress on standard error: auto (a live line on a terminal, else an occasional line), plain, json "
    "(one object per line) or none; by default auto.",
)


def global_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add --library, --encoder, --device, --precision and --progress to the group or to a command."""
    for option in (
        progress_option,
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            help="Number format of the encoder for videos; by default auto: bfloat16 if the processor supports it "
            f"(or ${PRECISION_VARIABLE}).",
        ),
        click.option(
            "--device",
            metavar="NAME",
            shell_complete=complete_device,
            help="auto, cpu, cuda, cuda:N or mps; by default auto, the best available.",
        ),
        click.option(
            "--encoder",
            metavar="NAME_OR_PATH",
            shell_complete=complete_encoder,
            help=f"base, large, demo, a weights file or open_clip:MODEL/PRETRAINED; by default the one the library "
            f"was indexed with, else base (or ${ENCODER_VARIABLE}).",
        ),
        click.option(
            "--library",
            metavar="DIR",
            type=click.Path(),
            help=f"Folder of the library, or the address of one on a PostgreSQL server (or ${LIBRARY_VARIABLE}).",
        ),
    ):
        command = option(command)
    return command


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Pass `settings` to a command as its first argument.

    Options after the command's name override those before it, and both override the environment. Apply this decorator
    directly to the command, so that these options come last in --help.
    """

    @global_options
    @click.pass_context
    @functools.wraps(command)
    def run(
        ctx: click.Context,
        /,
        *args: Any,
        library: str | None,
        encoder: str | None,
        device: str | None,
        precision: str | None,
        **options: Any,
    ) -> R:
        before = ctx.find_root().params
        if has_password(library) or has_password(before.get("library")):
            raise click.UsageError(
                "a password in --library would show in the list of processes: leave it out, and put it into "
                f"PGPASSWORD, ~/.pgpass, or an address in ${LIBRARY_VARIABLE} or the settings file",
                ctx,
            )
        settings = settings_from().with_options(
            **{name: before.get(name) for name in ("library", "encoder", "device", "precision") if name in before}
        )
        settings = settings.with_options(library=library, encoder=encoder, device=device, precision=precision)
        hand_on_password(settings.server)
        return command(settings, *args, **options)

    return run
