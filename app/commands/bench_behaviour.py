"""`prismsearch bench probe --dataset`: heads on a data set of animal behaviour, by windows, frames and bouts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.behaviour_output import BehaviourFindings, findings_record, print_findings
from app.commands.probe_session import Session, probe_session, unread_lines
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.options import PathWord, Whole
from app.shell.terminal import count_text, print_json, print_note, printable

if TYPE_CHECKING:
    from app.evaluation.behaviour import Recording
    from app.evaluation.behaviour_sets import BehaviourSet
    from app.evaluation.frame_labels import LabelledVideos
    from app.evaluation.probing import ProbePlan

DATASETS = ("calms21", "chimpact", "kabr", "flyvsfly")
_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourOrder:
    """What to measure: a data set by the name of the option, its files, and its windows (None: as published)."""

    name: str
    videos: Path
    labels: Path
    span: int | None
    stride: int | None


def labelled_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add FOLDER with --labels, or --dataset with --videos and the windows of these; see `order_of`."""
    for option in (
        click.option("--stride", type=Whole(1, 1_000_000), metavar="N", help="Frames from one window to the next."),
        click.option("--window", type=Whole(1, 10_000), metavar="N", help="Frames of a window of --dataset."),
        click.option("--videos", type=PathWord(), metavar="DIR", help="The videos of --dataset."),
        click.option(
            "--dataset", type=click.Choice(DATASETS), help="A public data set, in place of FOLDER and a table."
        ),
        click.option(
            "--labels", required=True, type=PathWord(), metavar="FILE", help="Table of labels (CSV), or of --dataset."
        ),
        click.argument("folder", type=PathWord(), required=False),
    ):
        command = option(command)
    return command


def order_of(
    folder: str | None, dataset: str | None, videos: str | None, labels: str, window: int | None, stride: int | None
) -> BehaviourOrder | None:
    """Return what the options of a command order; None if they are those of a folder and a table of labels.

    Raises:
        click.UsageError: They are mixed, or incomplete.
    """
    if dataset is not None and videos is not None and folder is None:
        return BehaviourOrder(name=dataset, videos=Path(videos), labels=Path(labels), span=window, stride=stride)
    if dataset is not None or folder is None:
        raise click.UsageError("give FOLDER and --labels, or --dataset, --videos and --labels")
    if videos or window or stride:
        raise click.UsageError("--videos, --window and --stride belong to --dataset")
    return None


def bench_behaviour(
    settings: Settings, order: BehaviourOrder, plan: ProbePlan, *, work: Path, yes: bool, as_json: bool
) -> None:
    """Measure heads on a data set, and print the figures.

    Args:
        settings: The encoder's settings.
        order: What to measure.
        plan: Which heads to train, on how much.
        work: The folder of evaluations.
        yes: Do not ask before a download.
        as_json: Print JSON.

    Raises:
        CommandError: The labels are wrong, or no video is there.
        click.exceptions.Exit: A video is missing or could not be read; the figures of the others were printed.
    """
    began = time.monotonic()
    with probe_session(settings, work, yes=yes, paths=[str(order.videos)]) as session:
        findings = _measured(session, order, plan, work)
        about = session.record()
        machine = session.machine.text()
    seconds = time.monotonic() - began
    if as_json:
        print_json(findings_record(findings, order.name, plan) | {"seconds": round(seconds, 1), **about})
    else:
        print_findings(findings, plan)
        click.echo(f"encoder {about['encoder']}; {machine}; {seconds:.0f} s")
    unread = list(findings.bench.unread)
    for line in (*findings.notes, *missing_lines(findings.found), *unread_lines(unread)):
        print_note(line)
    if unread or findings.found.missing or len(findings.recordings) < len(findings.found.videos):
        raise click.exceptions.Exit(FAILED)


def read_set(
    session: Session, order: BehaviourOrder
) -> tuple[BehaviourSet, LabelledVideos, list[Recording], list[str]]:
    """Return a data set with its windows, and what is to be said of its files.

    Raises:
        CommandError: No video is there.
        TextFileError: A file of labels is wrong.
        OSError: A file cannot be read.
        Cancelled: It was cancelled.
    """
    from app.evaluation.behaviour import recordings_of
    from app.evaluation.behaviour_sets import BEHAVIOUR_SETS

    about = BEHAVIOUR_SETS[order.name]
    about = replace(about, span=order.span or about.span, stride=order.stride or order.span or about.stride)
    found = about.read(order.labels, order.videos, session.workers)
    if not found.videos:
        raise CommandError(
            f"no video that the labels name is in {order.videos}: {count_text(len(found.missing), 'video')} missing, "
            f"such as {printable(found.missing[0])}",
            MISSING,
        )
    total = len(found.videos)
    recordings, notes = recordings_of(
        found,
        session.workers,
        span=about.span,
        stride=about.stride,
        on_progress=lambda done: session.watch.on_progress("frames", done, total),
        cancelled=session.watch.cancelled,
    )
    return about, found, recordings, [*found.notes, *notes]


def missing_lines(found: LabelledVideos) -> list[str]:
    """Return a line for each video that is not there, up to a limit."""
    more = len(found.missing) - _NAMED
    return [f"missing: {printable(name)}" for name in found.missing[:_NAMED]] + (
        [f"missing: {more:,} more"] if more > 0 else []
    )


def _measured(session: Session, order: BehaviourOrder, plan: ProbePlan, work: Path) -> BehaviourFindings:
    from app.evaluation.behaviour import behaviour_figures, of_classes, stretches_of, with_learnable_classes
    from app.evaluation.probing import run_probe_bench
    from app.evaluation.task import ProbeTask, TaskError, train_and_test
    from app.evaluation.windows import ReadWindow

    about, found, recordings, notes = read_set(session, order)
    windows = stretches_of(recordings)
    train, test = train_and_test(ProbeTask(windows, found.classes, not found.exclusive, found.background), plan.seed)
    # Drawn once: a set without splits would be halved otherwise where fewer classes leave out recordings.
    windows = [replace(each, split=split) for split, some in (("train", train), ("test", test)) for each in some]
    found, others = with_learnable_classes(found, train)
    if len(found.classes) < (2 if found.exclusive else 1):
        raise TaskError(
            f"the {count_text(len(train), 'window')} to train on show no two classes that can be told apart"
        )
    if others:
        notes.append(f"left out, as no window to train on shows them: {', '.join(map(printable, others))}")
    task = ProbeTask(of_classes(windows, found), found.classes, not found.exclusive, found.background)
    bench = run_probe_bench(
        task,
        session.encoder,
        ReadWindow(session.workers),
        replace(plan, intervals=False),
        work=work,
        precision=session.machine.precision,
        watch=session.watch,
    )
    figures = [
        (trial, behaviour_figures(found, recordings, bench.test, trial.scores, seed=plan.seed))
        for trial in bench.trials
    ]
    return BehaviourFindings(about, found, recordings, notes, bench, figures)
