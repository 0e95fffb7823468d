"""The `prismsearch` command group, and the conversion of errors into one line and an exit code.

Importing this module imports little more than click. The module of a command is imported when the command or its help
is run, and imports heavy libraries inside its functions.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from app.compose import COMPLETE_VARIABLE
from app.settings_file import TABLE_OF
from app.shell.errors import AS_JSON, asks_for_json, shown_errors
from app.shell.exit_codes import EXIT_CODES, USAGE
from app.shell.interrupt import signals_raise
from app.shell.leaving import leave
from app.shell.options import global_options
from app.shell.settings_values import FileDefaults
from app.shell.terminal import print_note

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "demo": ("demo", "demo", "Try everything on the bundled demo videos."),
        "fetch-model": ("fetch_model", "fetch_model", "Download an encoder ahead of time."),
        "index": ("index", "index", "Index videos: cut them into shots and embed them."),
        "transcribe": ("transcribe", "transcribe", "Turn the speech of indexed videos into text."),
        "search": ("search_words", "search", "Find shots by words."),
        "similar": ("similar", "similar", "Find shots by example: a video, part of one, or a picture."),
        "classify": ("classify", "classify", "Sort videos or shots into your classes."),
        "probe": ("probe", "probe", "Teach the encoder your own classes: train, test and apply a head."),
        "train": ("train", "train", "Teach the encoder your own names and looks, on your videos and captions."),
        "ui": ("ui", "ui", "Search in the browser."),
        "people": ("people", "people", "Say who may use the library over a network."),
        "export": ("export", "export", "Export hits, ranges or a collection as clips and lists."),
        "takes": ("takes", "takes", "List takes of one set-up, and name them."),
        "transcript": ("transcript", "transcript", "Print what is said in a video, as subtitles, text or JSON."),
        "list": ("library", "list_videos", "List videos with their length, shots and status."),
        "info": ("library", "info", "Show what is known about a video: facts, shots and parts."),
        "stats": ("stats", "stats", "Show how much the library holds."),
        "relink": ("relink", "relink", "Tell the library that a folder has moved."),
        "roots": ("roots", "roots", "List the named roots of videos, and adopt what is in them."),
        "remove": ("remove", "remove", "Remove videos from the library; the files stay."),
        "backup": ("backup", "backup", "Back up the library into another folder."),
        "restore": ("backup", "restore", "Restore the library from a backup."),
        "copy": ("copy", "copy", "Copy the library to another place: a folder, a server."),
        "retry": ("index", "retry", "Retry files that could not be indexed."),
        "runs": ("runs", "runs", "List indexing, export and download runs; stop one."),
        "settings": ("settings", "settings", "Show each setting and where its value comes from."),
        "completion": ("completion", "completion", "Print the completion script for bash, zsh or fish."),
        "doctor": ("doctor", "doctor", "Check the installation and say what to fix."),
        "bench": ("bench", "bench", "Measure quality on data sets and on your own questions."),
    }
)
"""Module in `app.commands`, function and summary of each command, in the order shown by --help."""


FIRST_STEPS = (
    "Give a command:",
    "  prismsearch demo           try it on bundled videos",
    "  prismsearch ui             add videos and search in the browser",
    "  prismsearch index FOLDER   add the videos of a folder",
    "  prismsearch --help         every command",
)


def import_command(name: str) -> click.Command:
    """Import and return a command of COMMANDS."""
    module, function, _ = COMMANDS[name]
    command: click.Command = getattr(importlib.import_module(f"app.commands.{module}"), function)
    return command


class Shell(click.Group):
    """The group of all commands. Any error becomes one line and an exit code; --debug shows the traceback."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Names only, for click's suggestions after a typo; `get_command` imports the command itself.
        self.commands = {name: click.Command(name) for name in COMMANDS}

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the command line; without arguments given here it is that of the process, which ends with it."""
        if COMPLETE_VARIABLE in os.environ:
            importlib.import_module("app.commands.completion")  # click finds there how bash quotes
        try:
            return super().main(args, *others, **options)
        except SystemExit as end:
            if args is None and isinstance(end.code, int):
                leave(end.code)
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return commands and options for completion, without importing any command."""
        from click.shell_completion import CompletionItem

        summaries = [(name, summary) for name, (_, _, summary) in COMMANDS.items() if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=summary) for name, summary in summaries]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if the name is unknown."""
        return import_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and summaries for --help, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the options before the command. Errors are shown as those of commands are."""
        as_json = asks_for_json(args)
        with shown_errors("prismsearch", as_json=as_json):
            ctx = super().make_context(info_name, args, parent, **extra)
        ctx.meta[AS_JSON] = as_json
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Exits of click propagate, as do closed pipes."""
        atexit.register(gc.freeze)  # else the interpreter collects garbage for 0.3 s when all is done and said
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # characters that the terminal cannot show are escaped
                stream.reconfigure(errors="backslashreplace")
        ctx.default_map = {name: FileDefaults(partial(import_command, name), name) for name in TABLE_OF}
        debug = bool(ctx.params.get("debug"))
        with shown_errors("prismsearch", debug=debug, as_json=ctx.meta[AS_JSON]), signals_raise():
            return super().invoke(ctx)


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the version and exit. A source tree that was never installed has none."""
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"prismsearch {version('prismsearch')}")
    except PackageNotFoundError:
        click.echo("prismsearch (source tree, not installed)")
    ctx.exit()


@click.group(
    cls=Shell,
    epilog=EXIT_CODES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Show the version."
)
@global_options
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, /, **_: Any) -> None:
    """Find the shot: search your videos by words or by example, on your own machine.

    \b
    Examples:
      prismsearch demo                           try it on the bundled demo library
      prismsearch fetch-model                    get the real encoder (about 1 GB, once)
      prismsearch index ~/Videos                 cut into shots and embed
      prismsearch search "a dog on the beach"    by words
      prismsearch similar film.mp4@1:20-1:25     by example
      prismsearch ui                             the same in the browser
      prismsearch export "sunset" --to clips     the hits as files

    --library, --encoder, --device, --precision and --progress may stand before or after the command.
    """
    if ctx.invoked_subcommand is None:
        for line in FIRST_STEPS:
            print_note(line)
        ctx.exit(USAGE)
