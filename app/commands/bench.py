"""`prismsearch bench`: list and run the programs in benchmarks/, which come with the source tree."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.terminal import print_note, table


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="""\b
Examples:
  prismsearch bench               list them

  prismsearch bench NAME --help   show the options of one

  prismsearch bench all           run all of them with their defaults

\b
Each is a separate program; exit code 1 if one of them failed.""",
)
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def bench(name: str | None, arguments: tuple[str, ...]) -> None:
    """List the benchmarks, or run the one called NAME ("all": every one) with ARGS."""
    programs = find_programs(benchmarks_folder())
    if not programs:
        raise CommandError(
            "there are no benchmarks here: they are in the folder benchmarks/ of the source tree", MISSING
        )
    if name is None:
        for line in table([(each, first_line(path)) for each, path in programs.items()], "<<"):
            click.echo(line)
        return
    if name != "all" and name not in programs:
        raise click.UsageError(f"there is no benchmark {name!r}; choose one of: {', '.join(programs)}")
    failed = [each for each in (programs if name == "all" else [name]) if run_program(programs[each], arguments)]
    if failed:
        print_note(f"failed: {', '.join(failed)}")
        raise click.exceptions.Exit(FAILED)


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
