"""Text of a run over a person's own questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from app.shell.terminal import count_text, display_path, printable, table

if TYPE_CHECKING:
    from app.evaluation.own_measures import Measure


def show_result(record: dict[str, Any], measures: Sequence[Measure]) -> None:
    """Print what was asked of what, all measures, and seconds."""
    from app.evaluation.machine import Machine

    asked = f"{count_text(record['with_answers'], 'question')} with answers, {record['without_answers']:,} without"
    click.echo(f"{asked}; {count_text(record['shots'], 'shot')} of {count_text(record['videos'], 'video')}")
    click.echo(f"{record['encoder']}; {printable(Machine(**record['machine']).text())}")
    _show_table("value", [_row(measure) for measure in measures])
    for kind, of_kind in record["kinds"].items():
        found = of_kind["shots_r1"]
        if found["value"] is not None:
            asked = f"{found['questions']:,} with answers"
            click.echo(f"R@1 shots of kind {printable(kind)}: {100 * found['value']:.1f} % ({asked})")
    for name, words in (("with_answers", "with answers"), ("without_answers", "without")):
        levels = {level: count for level, count in record["levels"][name].items() if count}
        if levels:
            click.echo(f"best hit, {words}: {', '.join(f'{count:,} {level}' for level, count in levels.items())}")
    if seconds := record["seconds_per_question"]:
        click.echo(f"seconds per question: {seconds['p50']:.3f} (p50), {seconds['p95']:.3f} (p95)")


def show_comparison(against: dict[str, Any], measures: Sequence[Measure]) -> None:
    """Print the differences to another run."""
    differing = f"; another {' and '.join(against['differs_in'])}" if against["differs_in"] else ""
    click.echo("")
    click.echo(f"this run minus {display_path(against['file'])}, by {printable(str(against['encoder']))}{differing}")
    _show_table("difference", [_row(measure, signed=True) for measure in measures])


def _show_table(value: str, rows: Sequence[Sequence[str]]) -> None:
    for line in table(rows, "<>>>", header=("", value, "95 % interval", "questions")):
        click.echo(line)


def _row(measure: Measure, *, signed: bool = False) -> tuple[str, str, str, str]:
    share = measure.kind == "share"
    form = f"{'+' if signed else ''}.1f"
    values = [None if each is None else (100 if share else 1) * each for each in (measure.value, *measure.bounds)]
    value, low, high = ("-" if each is None else f"{each:{form}}" for each in values)
    unit = " %" if share and measure.value is not None and not signed else ""
    interval = "-" if measure.interval is None else f"{low} to {high}"
    return measure.label, value + unit, interval, f"{measure.questions:,}"
