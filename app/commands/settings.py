"""`prismsearch settings`: every value that a run would use, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import click

from app import compose
from app.commands.settings_example import EXAMPLE
from app.commands.settings_sources import Value, all_values, without_library
from app.compose import Settings
from app.settings_file import read_settings_file, settings_path
from app.shell.errors import AS_JSON, CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.options import json_option, with_settings
from app.shell.terminal import print_json, print_note, printable, table


def refuse_json(ctx: click.Context, param: click.Parameter) -> None:
    """Raise click.UsageError if --json stands beside an option that prints or writes a file in TOML."""
    if ctx.meta.get(AS_JSON):
        raise click.UsageError(f"choose one of --json and {param.opts[0]}", ctx)


def print_example(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print a settings file to begin with, and exit (a callback of click; eager, because the file may be broken)."""
    if value and not ctx.resilient_parsing:
        refuse_json(ctx, param)
        click.echo(EXAMPLE, nl=False)
        ctx.exit()


def create_file(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Write that file where it belongs, and exit (a callback of click, eager likewise).

    Raises:
        CommandError: There is a file.
    """
    if not value or ctx.resilient_parsing:
        return
    refuse_json(ctx, param)
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError as error:
        raise CommandError(f"{printable(str(path))} already exists and was not changed", USAGE) from error
    print_note(f"{printable(str(path))} was created; every line is a comment until you edit it")
    ctx.exit()


@click.command(
    epilog="""\b
Examples:
  prismsearch settings
  prismsearch settings --create     write a settings file to edit, if there is none
  prismsearch settings --json

\b
The command line takes precedence, then environment variables, then what the library keeps, then the
settings file. PRISMSEARCH_SETTINGS names a different settings file.""",
)
@click.option(
    "--example",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_example,
    help="Print a settings file with every setting commented out.",
)
@click.option(
    "--create",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=create_file,
    help="Write that file to its usual place, unless it exists.",
)
@json_option()
@with_settings
def settings(settings: Settings, as_json: bool) -> None:
    """Show each setting and where its value comes from."""
    from db.errors import LibraryError

    file, trouble = read_settings_file(), None
    try:
        with compose.open_existing_library(settings) as library:
            values = all_values(settings, file, library)
    except LibraryError as error:
        trouble, values = error, without_library(all_values(settings, file, None))
    if as_json:
        print_json({"file": str(file.path), "file_exists": file.exists, **_record(values)})
    else:
        for line in _lines(values):
            click.echo(line)
        create = "" if file.exists else " (does not exist; prismsearch settings --create writes one to edit)"
        click.echo(f"\nsettings file: {printable(str(file.path))}{create}")
    if trouble is not None:
        raise CommandError(" ".join(str(trouble).split()), MISSING)


def _record(values: Mapping[str, Mapping[str, Value]]) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, Fraction):
            return float(value)
        return list(value) if isinstance(value, tuple) else value

    tables = {
        name: {option: {"value": plain(each.value), "source": each.source} for option, each in group.items()}
        for name, group in values.items()
    }
    return {**tables.pop(""), **tables}


def _lines(values: Mapping[str, Mapping[str, Value]]) -> list[str]:
    rows: list[tuple[str, str, str]] = []
    heads: dict[int, str] = {}
    for name, group in values.items():
        heads[len(rows)] = name
        for option, each in group.items():
            rows.append((option, _text(each.value), each.source + (f" ({printable(each.note)})" if each.note else "")))
    lines: list[str] = []
    for at, line in enumerate(table(rows, "<<<")):
        if heads.get(at):
            lines += ["", f"[{heads[at]}]"]
        lines.append(line)
    return lines


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value)) or None
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, float | Fraction):
        value = f"{float(value):g}"
    return "-" if value is None else printable(str(value))
