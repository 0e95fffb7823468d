"""`prismsearch probe`: heads that tell a person's own classes apart, on the frozen encoder."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

import click

PROBES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "train": ("probe_train", "Train a head on labelled videos."),
        "test": ("probe_test", "Test a head on labelled videos."),
        "apply": ("probe_apply", "Classify videos, or every shot of the library, with a head."),
        "tokens": ("probe_tokens", "Show or delete the tokens that are kept to train on."),
    }
)
"""Module in `app.commands` and summary of each command. Its function is `probe_NAME`."""


class Probe(click.Group):
    """The commands around heads. The module of a command is imported when it or its help is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return list(PROBES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if the name is unknown."""
        if cmd_name not in PROBES:
            return None
        module = importlib.import_module(f"app.commands.{PROBES[cmd_name][0]}")
        command: click.Command = getattr(module, f"probe_{cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and summaries for --help, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in PROBES.items()])


@click.group(
    cls=Probe,
    epilog="""\b
Examples:
  prismsearch probe train clips --labels labels.csv --to behaviours.npz
  prismsearch probe test behaviours.npz clips --labels labels.csv
  prismsearch probe apply behaviours.npz           classify every shot of the library
  prismsearch probe apply behaviours.npz clips     classify the videos of a folder

\b
A head is a small classifier on top of the encoder, which stays as it is: it learns your classes from a few
examples of each, in seconds or minutes. `prismsearch bench probe` measures what heads are worth.""",
)
def probe() -> None:
    """Teach the encoder your own classes: train a head on labelled videos, test it, and classify with it."""
