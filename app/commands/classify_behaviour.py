"""`prismsearch bench classify --dataset`: behaviours by their names alone, on a data set of animal behaviour."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.bench_behaviour import BehaviourOrder, missing_lines, read_set
from app.commands.probe_session import Session, probe_session, unread_lines, unread_record
from app.commands.score_report import figure_text
from app.compose import Settings
from app.shell.exit_codes import FAILED
from app.shell.terminal import count_text, print_json, print_note, printable, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.figure import Figure
    from app.evaluation.frame_labels import LabelledVideos


def classify_behaviour(
    settings: Settings,
    order: BehaviourOrder,
    prompts: str,
    *,
    seed: int,
    work: Path,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure how well sentences about behaviours find the windows that show them, and print the figures.

    A behaviour is scored by the cosine of a window with sentences about its name, in which _ is a space. Windows of
    the background are wrong for every one. Only mean average precision is measured: cosines say which of two windows
    shows a behaviour rather, and not whether one does.

    Args:
        settings: The encoder's settings.
        order: What to measure.
        prompts: Name or file of the templates.
        seed: Of the intervals.
        work: The folder of evaluations.
        yes: Do not ask before a download.
        as_json: Print JSON.

    Raises:
        CommandError: The labels or templates are wrong, or no video is there.
        click.exceptions.Exit: A video is missing or could not be read; the figures of the others were printed.
    """
    from app.evaluation.behaviour import stretches_of
    from app.evaluation.class_names import named_prompts
    from app.evaluation.feature_maker import FeatureMaker
    from app.evaluation.head_scores import measure_scores
    from app.evaluation.task import ProbeTask, TaskError
    from app.evaluation.windows import ReadWindow

    began = time.monotonic()
    with probe_session(settings, work, yes=yes, needs_text=True, paths=[str(order.videos)]) as session:
        templates = named_prompts(prompts)
        about, found, recordings, notes = read_set(session, order)
        windows = stretches_of(recordings)
        shown = {name for each in windows for name in each.labels}
        names = tuple(name for name in found.classes if name in shown and name != found.background)
        task = ProbeTask(windows, names, multi_label=True)
        asked = task.of_split("test")
        if not asked or not names:
            raise TaskError(f"{count_text(len(asked), 'window')} to test, with {count_text(len(names), 'behaviour')}")
        maker = FeatureMaker(
            session.encoder,
            ReadWindow(session.workers),
            work=work,
            precision=session.machine.precision,
            watch=session.watch,
        )
        rows = maker.rows([each.stretch for each in asked])
        tested = [each for each in asked if each.stretch in rows]
        if not tested:
            raise TaskError("nothing of the test can be read")
        scores = _stacked(rows, [each.stretch for each in tested]) @ _class_rows(session, names, templates).T
        targets = task.targets(tested)
        report = measure_scores(targets, scores, [each.group for each in tested], multi_label=True, seed=seed)
        about_run = session.record()
        machine = session.machine.text()
    seconds = time.monotonic() - began
    by_class = dict(zip(names, report.by_class, strict=True))
    counts = dict(zip(names, report.count_by_class, strict=True))
    if as_json:
        print_json(
            {
                "dataset": order.name,
                "classes": list(names),
                "background": found.background,
                "prompts": templates,
                "window": {"frames": about.span, "stride": about.stride, "label": "centre"},
                "test": {"windows": report.examples, "videos": report.groups},
                "mean_average_precision": _value(report.mean_average_precision),
                "average_precision": by_class,
                "test_windows": counts,
                "missing": list(found.missing),
                "notes": notes,
                "unread": unread_record(maker.unread),
                "seed": seed,
                "seconds": round(seconds, 1),
                **about_run,
            }
        )
    else:
        click.echo(
            f"{about.title}: {count_text(report.examples, 'window')} of {count_text(report.groups, 'video')}, "
            f"{about.span} frames each, {about.stride} apart; no example was learnt from"
        )
        mean = report.mean_average_precision
        click.echo(f"mAP {'-' if mean is None else figure_text(mean)}; intervals are 95 %, over videos")
        for line in _by_class(by_class, counts):
            click.echo(line)
        click.echo(
            f"{count_text(len(templates), 'sentence')} a class; encoder {about_run['encoder']}; {machine}; "
            f"{seconds:.0f} s"
        )
    _print_notes(found, notes, maker.unread)
    if maker.unread or found.missing or len(recordings) < len(found.videos):
        raise click.exceptions.Exit(FAILED)


def _class_rows(session: Session, names: Sequence[str], templates: Sequence[str]) -> NDArray[np.float32]:
    from app.evaluation.row_store import RowStore, names_file
    from app.evaluation.zero_shot import class_rows

    encoder = session.encoder
    spoken = [name.replace("_", " ") for name in names]
    with RowStore(names_file(session.work, encoder), encoder.dim) as store:
        return class_rows(encoder, spoken, templates, store, cancelled=session.watch.cancelled)


def _stacked(rows: dict[Any, NDArray[np.float32]], stretches: Sequence[Any]) -> NDArray[np.float32]:
    import numpy as np

    return np.stack([rows[each] for each in stretches])


def _by_class(precision: dict[str, float | None], counts: dict[str, int]) -> list[str]:
    rows = [
        (printable(name), f"{counts[name]:,}", "-" if value is None else f"{value:.3f}")
        for name, value in precision.items()
    ]
    return table(rows, "<>>", header=("class", "windows", "AP"))


def _value(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else figure.record()


def _print_notes(found: LabelledVideos, notes: Sequence[str], unread: Sequence[Any]) -> None:
    for line in (*notes, *missing_lines(found), *unread_lines(list(unread))):
        print_note(line)
