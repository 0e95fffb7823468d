"""`prismsearch runs`: list the jobs of a library, however they were started, and stop one."""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime

import click

from app.compose import Settings
from app.jobs.jobs import Jobs
from app.jobs.state import JobState
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import json_option, with_settings
from app.shell.terminal import count_text, print_json, print_note, printable, table
from app.times import format_duration


@click.command(
    epilog="""\b
Examples:
  prismsearch runs
  prismsearch runs --stop 20260301-101500-3fa2c1
  prismsearch runs --json

\b
The last 50 runs of `index`, `retry`, `transcribe`, `export` and `fetch-model` are kept, whether started in
the shell or on the page. A stopped run keeps what was finished.""",
)
@click.option("--stop", "stop_id", metavar="ID", help="Ask a run to stop; the first characters of its id are enough.")
@json_option()
@with_settings
def runs(settings: Settings, stop_id: str | None, as_json: bool) -> None:
    """List current and past runs in this library, newest first."""
    jobs = Jobs(settings.library)
    states = jobs.all()
    if stop_id is not None:
        state = find_job(states, stop_id)
        if not state.running:
            raise CommandError(f"{state.id} has already ended ({state.outcome})", MISSING)
        jobs.stop(state.id)
        print_note(f"{state.id} was asked to stop; what is finished is kept")
        states = jobs.all() if as_json else []
    if as_json:
        print_json([dataclasses.asdict(state) for state in states])
    elif states:
        for state in states:
            print_job(state)
    elif stop_id is None:
        print_note("no runs yet")


def find_job(states: list[JobState], id_start: str) -> JobState:
    """Return the job whose id starts with `id_start`. Raise CommandError unless there is exactly one."""
    found = [state for state in states if state.id == id_start] or [
        state for state in states if id_start and state.id.startswith(id_start)
    ]
    if len(found) != 1:
        problem = "there is no run" if not found else f"{count_text(len(found), 'run')} begin with"
        raise CommandError(f"{problem} {printable(id_start)}; prismsearch runs lists them", MISSING)
    return found[0]


def print_job(state: JobState) -> None:
    """Print a job's title, start time, and progress or outcome."""
    began = datetime.fromtimestamp(state.started_at).strftime("%Y-%m-%d %H:%M")
    [line] = table([(state.id, began, state_word(state), state.kind, printable(state.title))], "<<<<<")
    click.echo(line)
    detail = state.progress.text if state.running else state.message
    if detail:
        click.echo(f"  {printable(detail)}")
    if state.running and time.time() - state.updated_at > 60:
        click.echo(f"  no news for {format_duration(time.time() - state.updated_at)}")


def state_word(state: JobState) -> str:
    """Return `running`, `stopping`, or the outcome."""
    if state.running:
        return "stopping" if state.stopping else "running"
    return str(state.outcome)
