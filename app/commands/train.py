"""`prismsearch train`: VideoPrism's stages on a person's own footage."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

import click

TRAININGS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "plan": ("train_plan", "Say what a run would need and change; nothing is trained."),
        "run": ("train_run", "Train, or go on with a stopped run."),
        "status": ("train_status", "Show how far a run is."),
        "stop": ("train_stop", "Let a run save and end."),
        "evaluate": ("train_evaluate", "Measure a run or an encoder on captions."),
        "compare": ("train_compare", "Compare two runs or encoders on the same captions."),
        "export": ("train_export", "Write the trained network as an encoder."),
    }
)
"""Module in `app.commands` and summary of each command. Its function has the name of its module."""


class Train(click.Group):
    """The commands of training. The module of a command is imported when it or its help is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return list(TRAININGS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if the name is unknown."""
        if cmd_name not in TRAININGS:
            return None
        module = TRAININGS[cmd_name][0]
        command: click.Command = getattr(importlib.import_module(f"app.commands.{module}"), module)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and summaries for --help, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in TRAININGS.items()])


@click.group(
    cls=Train,
    epilog="""\b
Examples:
  prismsearch train plan --captions captions.csv          what it would take, and what it breaks
  prismsearch train run zorps --captions captions.csv     Ctrl-C saves; the same command goes on
  prismsearch train status zorps
  prismsearch train evaluate zorps --on test.csv
  prismsearch train export zorps --to zorps.npz
  prismsearch search "a zorp in the rain" --encoder zorps.npz

\b
captions.csv has the columns path and caption, and may have start, end, split and group:
  path,start,end,caption
  zorps/a.mp4,,,a zorp rises
  long.mp4,0:12,0:15.5,a zorp beside a tree
Paths are relative to --folder, by default the folder of the file. JSONL and WebVid's table are read, too.

\b
Stages, from the cheapest to the deepest:
  text     the words, on stored rows of the library; nothing is indexed again (default)
  lit      words, pooler and the layers before it; the library must be indexed again
  adapter  lit, and low-rank adapters in the video encoder; indexed again
  stage1   everything, by contrast with captions; indexed again
  stage2   the video encoder, from footage without words; needs lit afterwards, then indexed again
docs/training.md says what each costs. On a CPU, only text is quick.""",
)
def train() -> None:
    """Teach the encoder your own names and looks: train it further on your own videos and captions."""
