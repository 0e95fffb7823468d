"""`prismsearch bench`: what an encoder and the product are worth, on data sets; and the programs in benchmarks/."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import click

from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.terminal import print_note, table

EVALUATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "retrieval": ("bench_retrieval", "Retrieval on public sets, beside published figures."),
        "mine": ("bench_mine", "Your own questions on your own library."),
        "moments": ("bench_moments", "When in a video something happens, within its shots."),
        "classify": ("bench_classify", "Zero-shot classification of your own labelled videos."),
        "probe": ("bench_probe", "What heads learn from a few examples of each class of your own."),
    }
)
"""Module in `app.commands` and summary of each evaluation. Its command is the function `bench_NAME`."""


class Bench(click.Group):
    """Evaluations, which belong to the package, and any other name: a program in benchmarks/."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the evaluations."""
        return list(EVALUATIONS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return an evaluation; or a command that runs the program of this name."""
        if cmd_name not in EVALUATIONS:
            return program_command(cmd_name)
        module = importlib.import_module(f"app.commands.{EVALUATIONS[cmd_name][0]}")
        command: click.Command = getattr(module, f"bench_{cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and summaries for --help, without importing an evaluation."""
        if EVALUATIONS:
            with formatter.section("Evaluations"):
                formatter.write_dl([(name, summary) for name, (_, summary) in EVALUATIONS.items()])


@click.group(
    cls=Bench,
    invoke_without_command=True,
    epilog="""\b
Examples:
  prismsearch bench               list them
  prismsearch bench NAME --help   show the options of one
  prismsearch bench all           run all programs of benchmarks/ with their defaults

\b
Programs of benchmarks/ measure speed and memory; they come with the source tree only. Exit code 1 if one failed.""",
)
@click.pass_context
def bench(ctx: click.Context) -> None:
    """Measure quality on data sets or on your own questions, or run a benchmark of the source tree."""
    if ctx.invoked_subcommand is not None:
        return
    programs = find_programs(benchmarks_folder())
    for title, rows in (
        ("Evaluations", [(name, summary) for name, (_, summary) in EVALUATIONS.items()]),
        ("Programs of benchmarks/ (speed and memory)", [(name, first_line(path)) for name, path in programs.items()]),
    ):
        if rows:
            click.echo(f"{title}:")
            for line in table(rows, "<<"):
                click.echo(f"  {line}")


def program_command(name: str) -> click.Command:
    """Return a command that runs the program called `name`, or all of them."""

    @click.command(
        name,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        programs = find_programs(benchmarks_folder())
        if name != "all" and name not in programs:
            known = [*EVALUATIONS, *programs]
            raise click.UsageError(f"there is no benchmark {name!r}; choose one of: {', '.join(known)}")
        if not programs:
            raise CommandError("there is no folder benchmarks/ here: it comes with the source tree", MISSING)
        failed = [each for each in (programs if name == "all" else [name]) if run_program(programs[each], arguments)]
        if failed:
            print_note(f"failed: {', '.join(failed)}")
            raise click.exceptions.Exit(FAILED)

    return command


def benchmarks_folder() -> Path:
    """Return the folder of the programs, beside the packages in a source tree."""
    return Path(__file__).resolve().parents[2] / "benchmarks"


def find_programs(folder: Path) -> dict[str, Path]:
    """Return the programs by name. A file with a leading underscore or no `__main__` part belongs to others."""
    return {
        path.stem: path
        for path in sorted(folder.glob("*.py"))
        if not path.name.startswith("_") and "__main__" in path.read_text(encoding="utf-8")
    }


def first_line(path: Path) -> str:
    """Return the first line of a program's docstring, without running it."""
    import ast

    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def run_program(path: Path, arguments: tuple[str, ...]) -> int:
    """Run a program from the root of the source tree, so that it can import the packages. Return its exit code."""
    import subprocess

    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{path.stem}", *arguments], cwd=path.parent.parent
    ).returncode
