"""Figures of the scores of classes, as text and as JSON values, for `probe test` and the benches of classes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from app.commands.probe_session import Session
from app.shell.terminal import count_text, printable, table

if TYPE_CHECKING:
    from app.evaluation.figure import Figure
    from app.evaluation.head_scores import ScoreReport
    from app.evaluation.labelled import LabelledStretch
    from app.evaluation.task import ProbeTask

NAMES = {
    "top_1": "top-1",
    "top_5": "top-5",
    "class_averaged": "class-averaged top-1",
    "kappa": "Cohen's kappa",
    "mean_average_precision": "mean average precision",
}


def report_record(task: ProbeTask, report: ScoreReport, session: Session) -> dict[str, Any]:
    """Return what scores are worth as JSON values."""
    measure = "average_precision" if task.multi_label else "accuracy"
    each = zip(task.classes, report.count_by_class, report.by_class, strict=True)
    return {
        "multi_label": task.multi_label,
        "examples": report.examples,
        "groups": report.groups,
        **{name: figure.record() for name, figure in report.figures().items()},
        "classes": [{"name": name, "examples": count, measure: value} for name, count, value in each],
        "confusions": [
            {"truth": task.classes[one.truth], "predicted": task.classes[one.predicted], "count": one.count}
            for one in report.confusions
        ],
        **session.record(),
    }


def clip_cells(clip: LabelledStretch, folder: str) -> dict[str, object]:
    """Return the cells of a table that say which clip it is, its file relative to `folder`, and what it is."""
    return {
        "file": os.path.relpath(clip.stretch.path, os.path.abspath(folder)),
        "start": clip.stretch.start_seconds,
        "end": clip.stretch.end_seconds,
        "group": clip.group,
        "label": "|".join(sorted(clip.labels)),
    }


def figure_text(figure: Figure) -> str:
    """Return `0.912 (0.880 to 0.940)`."""
    if figure.value is None:
        return "not defined"
    interval = "" if figure.interval is None else f" ({figure.interval[0]:.3f} to {figure.interval[1]:.3f})"
    return f"{figure.value:.3f}{interval}"


def print_report(task: ProbeTask, report: ScoreReport, session: Session) -> None:
    """Print what scores are worth."""
    click.echo(f"{count_text(report.examples, 'clip')} of {count_text(report.groups, 'group')}")
    for line in table([(NAMES[name], figure_text(figure)) for name, figure in report.figures().items()], "<<"):
        click.echo(f"  {line}")
    click.echo("average precision of each class:" if task.multi_label else "accuracy of each class:")
    each = sorted(
        zip(report.by_class, report.count_by_class, task.classes, strict=True), key=lambda one: (one[0] is None, one[0])
    )
    rows = [
        (printable(name), "no example" if value is None else f"{value:.3f}", f"of {count:,}")
        for value, count, name in each
    ]
    for line in table(rows, "<>>"):
        click.echo(f"  {line}")
    if report.confusions:
        click.echo("taken for another most often:")
        for one in report.confusions:
            truth, predicted = printable(task.classes[one.truth]), printable(task.classes[one.predicted])
            click.echo(f"  {truth} for {predicted}: {one.count:,} of {report.count_by_class[one.truth]:,}")
    click.echo(f"encoder {session.encoder.id}; {session.machine.text()}")
