"""`prismsearch runs`: what runs and what ran, wherever it was started, and stopping one."""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime

import click

from app.compose import Settings
from app.jobs.jobs import Jobs
from app.jobs.state import JobState
from app.shell.errors import CommandError
from app.shell.options import MISSING, with_settings
from app.shell.terminal import counted, print_json, printable, say, table
from app.times import format_duration


@click.command(
    short_help="Long jobs: how far they are, how they ended.",
    epilog="""\b
Examples:
  prismsearch runs
  prismsearch runs --stop 20260301-101500-3fa2c1
  prismsearch runs --json

\b
Jobs of `index`, `retry`, `export` and `fetch-model` are kept, from the shell and from the page alike;
the last 50 of them. A run that is stopped keeps what was finished.""",
)
@click.option("--stop", "stop_id", metavar="ID", help="Ask a run to stop; the beginning of its id will do.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
@with_settings
def runs(settings: Settings, stop_id: str | None, as_json: bool) -> None:
    """What runs and what ran in this library, the newest first."""
    kept = Jobs(settings.library)
    states = kept.all()
    if stop_id is not None:
        state = chosen(states, stop_id)
        if not state.running:
            raise CommandError(f"{state.id} is over already ({state.outcome})", MISSING)
        kept.stop(state.id)
        say(f"{state.id} was asked to stop; what is finished is kept")
        states = kept.all() if as_json else []
    if as_json:
        print_json([dataclasses.asdict(state) for state in states])
    elif states:
        for state in states:
            print_run(state)
    elif stop_id is None:
        say("no runs yet")


def chosen(states: list[JobState], run_id: str) -> JobState:
    """The one run whose id begins like this. CommandError where there is none, or more than one."""
    found = [state for state in states if state.id == run_id] or [
        state for state in states if run_id and state.id.startswith(run_id)
    ]
    if len(found) != 1:
        said = "there is no run" if not found else f"{counted(len(found), 'run')} begin with"
        raise CommandError(f"{said} {printable(run_id)}; prismsearch runs lists them", MISSING)
    return found[0]


def print_run(state: JobState) -> None:
    """One or two lines: what it is, when it began, how far it is or how it ended."""
    began = datetime.fromtimestamp(state.started_at).strftime("%Y-%m-%d %H:%M")
    [line] = table([(state.id, began, state_word(state), state.kind, printable(state.title))], "<<<<<")
    click.echo(line)
    detail = state.progress.text if state.running else state.message
    if detail:
        click.echo(f"  {printable(detail)}")
    if state.running and time.time() - state.updated_at > 60:
        click.echo(f"  no news for {format_duration(time.time() - state.updated_at)}")


def state_word(state: JobState) -> str:
    """`running`, `stopping`, or how it ended."""
    if state.running:
        return "stopping" if state.stopping else "running"
    return str(state.outcome)
