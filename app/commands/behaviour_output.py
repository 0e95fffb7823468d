"""Figures of heads on a data set of animal behaviour, as a table and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from app.commands.probe_session import unread_record
from app.commands.score_report import figure_text
from app.shell.terminal import count_text, printable, table

if TYPE_CHECKING:
    from app.evaluation.behaviour import BehaviourFigures, Recording
    from app.evaluation.behaviour_sets import BehaviourSet
    from app.evaluation.figure import Figure
    from app.evaluation.frame_labels import LabelledVideos
    from app.evaluation.probe_figures import Trial
    from app.evaluation.probing import ProbeBench, ProbePlan


@dataclass(frozen=True, slots=True)
class BehaviourFindings:
    """What heads are worth on a data set.

    Attributes:
        about: The data set, with the windows that were taken.
        found: Its labels.
        recordings: Its videos with their windows.
        notes: Sentences on its files.
        bench: The heads and their scores.
        figures: Of each head that was trained.
    """

    about: BehaviourSet
    found: LabelledVideos
    recordings: list[Recording]
    notes: list[str]
    bench: ProbeBench
    figures: list[tuple[Trial, BehaviourFigures]]


def findings_record(findings: BehaviourFindings, name: str, plan: ProbePlan) -> dict[str, Any]:
    """Return JSON values of findings on the data set of this name."""
    from app.evaluation.task import groups_of

    found, bench = findings.found, findings.bench
    return {
        "dataset": name,
        "classes": list(found.classes),
        "background": found.background,
        "exclusive": found.exclusive,
        "window": {"frames": findings.about.span, "stride": findings.about.stride, "label": "centre"},
        "videos": len(findings.recordings),
        "missing": list(found.missing),
        "notes": findings.notes,
        "train": {"windows": len(bench.train), "videos": groups_of(bench.train)},
        "test": {"windows": len(bench.test), "videos": groups_of(bench.test)},
        "seed": plan.seed,
        "trials": [
            {
                "head": trial.head,
                "examples_a_class": trial.shots,
                "draw": trial.draw,
                "examples": trial.examples,
                "seconds": round(trial.seconds, 3),
                "mean_average_precision": figures.mean_average_precision.record(),
                "average_precision": dict(zip(found.classes, figures.average_precision, strict=True)),
                "test_windows": dict(zip(found.classes, figures.windows, strict=True)),
                "class_averaged": None if figures.class_averaged is None else figures.class_averaged.record(),
                "frames": None if figures.frames is None else figures.frames.record(found.classes),
            }
            for trial, figures in findings.figures
        ],
        "unread": unread_record(list(bench.unread)),
    }


def print_findings(findings: BehaviourFindings, plan: ProbePlan) -> None:
    """Print findings as tables."""
    from app.evaluation.task import groups_of

    about, found, bench = findings.about, findings.found, findings.bench
    click.echo(
        f"{about.title}: {count_text(len(bench.train), 'window')} of {count_text(groups_of(bench.train), 'video')} to "
        f"train on, {count_text(len(bench.test), 'window')} of {count_text(groups_of(bench.test), 'video')} to test; "
        f"{about.span} frames each, {about.stride} apart"
    )
    if found.background is not None:
        click.echo(f"means over classes leave out {printable(found.background)}; intervals are 95 %, over videos")
    else:
        click.echo("intervals are 95 %, over videos")
    rows = []
    for trial, figures in findings.figures:
        frames = figures.frames
        rows.append(
            (
                trial.head,
                "all" if trial.shots is None else f"{trial.shots:,}",
                f"{trial.examples:,}",
                _figure(figures.mean_average_precision),
                _figure(figures.class_averaged),
                _figure(None if frames is None else frames.f1),
                _figure(None if frames is None else frames.kappa),
                _figure(None if frames is None else frames.bout_f1),
            )
        )
    header = ("head", "a class", "windows", "mAP", "class-averaged top-1", "frame F1", "kappa", "bout F1")
    for line in table(rows, "<>><<<<<", header=header):
        click.echo(line)
    for trial, figures in findings.figures:
        if trial.draw == 0 and trial.shots == plan.shots[-1]:
            click.echo(f"\n{trial.head}, each class:")
            for line in _by_class(found, figures):
                click.echo(line)


def _by_class(found: LabelledVideos, figures: BehaviourFigures) -> list[str]:
    rows = []
    for at, name in enumerate(found.classes):
        row = [printable(name), f"{figures.windows[at]:,}", _number(figures.average_precision[at])]
        if figures.frames is not None:
            bouts = figures.frames.bouts[at]
            row += [
                _number(figures.frames.f1_by_class[at]),
                f"{bouts.true:,}",
                f"{bouts.predicted:,}",
                _number(bouts.f1),
                _number(bouts.onset_seconds, "+.2f"),
                _number(bouts.offset_seconds, "+.2f"),
            ]
        if figures.windows[at]:
            rows.append(tuple(row))
    header = ["class", "windows", "AP"]
    if figures.frames is not None:
        header += ["frame F1", "bouts", "predicted", "bout F1", "start, s", "end, s"]
    return table(rows, "<" + ">" * (len(header) - 1), header=tuple(header))


def _figure(figure: Figure | None) -> str:
    return "-" if figure is None else figure_text(figure)


def _number(value: float | None, form: str = ".3f") -> str:
    return "-" if value is None else format(value, form)
