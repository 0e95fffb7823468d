"""`prismsearch train status`: how far a run is, read from its folder, whether it runs or not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.train_outcome import outcome_lines
from app.commands.train_session import existing_run, train_errors
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.options import PathWord, json_option
from app.shell.terminal import print_json, printable
from app.times import format_duration

if TYPE_CHECKING:
    from training.run_folder import RunFolder


@click.command(
    "status",
    epilog="""\b
Examples:
  prismsearch train status zorps
  prismsearch train status zorps --json

\b
The journal of the run is RUN/journal.jsonl, a JSON object a line, for other programs that follow it.""",
)
@click.argument("run", metavar="RUN", type=PathWord())
@json_option()
def train_status(run: str, as_json: bool) -> None:
    """Show whether RUN is running, its step, rate, time left and last validation."""
    with train_errors():
        folder = existing_run(run)
        status = status_of(folder)
    if as_json:
        print_json(status)
        return
    click.echo(f"{printable(run)}: {_state_text(status)}")
    step, steps = status["step"], status["steps"]
    parts = [f"step {step:,} of {steps:,}"]
    if status["loss"] is not None:
        parts.append(f"loss {status['loss']:.4f}")
    if status["seconds_per_step"]:
        parts.append(f"{status['seconds_per_step']:.3g} s a step")
    if status["eta_seconds"] is not None:
        parts.append(f"{format_duration(status['eta_seconds'])} left")
    click.echo(", ".join(parts))
    for name, told in (("validation", "last validation"), ("best", "best validation")):
        if (found := status[name]) is not None:
            figures = ", ".join(f"{figure} {_number(value)}" for figure, value in found["figures"].items())
            click.echo(f"{told}, after step {found['step']:,}: {figures}")
    if status["outcome"] is not None:
        for text in outcome_lines(status["outcome"]):
            click.echo(text)
    if status["reason"]:
        click.echo(f"why it ended: {printable(status['reason'])}")


def status_of(folder: RunFolder) -> dict[str, Any]:
    """Return what is known of a run, as JSON values.

    Raises:
        CommandError: Its journal or its settings cannot be read.
    """
    from app.tuning.outcome import read_outcome
    from training.journal import FAILED, FINISHED, RESUMED, SAVED, STARTED, STEP, STOPPED, VALIDATED, effective
    from training.run_folder import SETTINGS_FILE

    try:
        lines = effective(folder.journal.read())
    except (OSError, ValueError) as error:
        raise CommandError(f"the journal of {printable(str(folder.path))} cannot be read: {error}", MISSING) from error
    running = folder.is_locked()
    events = [line for line in lines if line["event"] in (STARTED, RESUMED, STOPPED, FINISHED, FAILED)]
    last = events[-1]["event"] if events else "new"
    steps = [line for line in lines if line["event"] == STEP]
    validations = [line for line in lines if line["event"] == VALIDATED and isinstance(line.get("figures"), dict)]
    best = [line for line in validations if line.get("best")]
    step, of = max((line.get("step", 0) for line in lines), default=0), folder.settings.get("loop.steps")
    if type(of) is not int or not isinstance(folder.settings.get("stage"), str):
        place = printable(str(folder.path / SETTINGS_FILE))
        raise CommandError(f"{place} is not what `prismsearch train run` wrote; begin another run", MISSING)
    latest = steps[-1] if steps else {}
    figures = latest.get("figures")
    pace = _finite(latest.get("seconds_per_step"))
    state = "running" if running else "interrupted" if last in (STARTED, RESUMED) else last
    return {
        "run": str(folder.path),
        "stage": folder.settings.get("stage"),
        "state": state,
        "running": running,
        "step": step,
        "steps": of,
        "loss": _finite(figures.get("loss")) if isinstance(figures, dict) else None,
        "learning_rate": _finite(latest.get("learning_rate")),
        "seconds_per_step": pace,
        "eta_seconds": (of - step) * pace if running and pace is not None else None,
        "validation": _validation(validations[-1]) if validations else None,
        "best": _validation(best[-1]) if best else None,
        "saved_step": max((line.get("step", 0) for line in lines if line["event"] == SAVED), default=None),
        "updated": lines[-1].get("time") if lines else None,
        "outcome": read_outcome(folder.path) if state == "finished" else None,
        "reason": str(events[-1].get("reason", "")) if last == FAILED and not running else None,
    }


def _validation(line: dict[str, Any]) -> dict[str, Any]:
    return {"step": line.get("step", 0), "figures": {name: _finite(value) for name, value in line["figures"].items()}}


def _finite(value: Any) -> float | None:
    """Return a number of the journal, which anybody may have edited; None for what is none."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.4f}"


def _state_text(status: dict[str, Any]) -> str:
    goes_on = f"; `prismsearch train run {printable(Path(status['run']).name)}` goes on"
    saved = "nothing saved yet" if status["saved_step"] is None else f"saved after step {status['saved_step']:,}"
    texts = {
        "running": "running",
        "finished": "finished",
        "stopped": f"stopped, {saved}{goes_on}",
        "interrupted": f"interrupted, {saved}{goes_on}",
        "failed": f"failed, {saved}",
        "new": f"begun, {saved}{goes_on}",
    }
    return f"{status['stage']}, {texts.get(status['state'], status['state'])}"
