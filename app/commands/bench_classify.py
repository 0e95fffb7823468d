"""`prismsearch bench classify`: what zero-shot classification is worth on labelled videos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.bench_behaviour import labelled_options, order_of
from app.commands.classify_behaviour import classify_behaviour
from app.commands.evaluation_run import evaluation_errors
from app.commands.probe_session import Session, probe_session, unread_lines, unread_record
from app.commands.score_report import clip_cells, print_report, report_record
from app.compose import Settings
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import FAILED
from app.shell.options import PathWord, json_option, with_settings
from app.shell.result_file import require_result_file
from app.shell.terminal import count_text, print_json, print_note, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.labelled import LabelledStretch
    from app.evaluation.task import ProbeTask


@click.command(
    "classify",
    epilog="""\b
Examples:
  prismsearch bench classify clips --labels labels.csv
  prismsearch bench classify clips --labels labels.csv --prompts kinetics --clips answers.csv
  prismsearch bench classify clips --labels labels.csv --classes all_400.txt --json

  prismsearch bench classify --dataset calms21 --videos task1_videos_mp4 --labels task1_classic_classification

\b
LABELS is a table with the columns file and label, and if you like start, end, split and group; several
labels of a clip are separated by |. Where it names splits, the clips of `test` are used. The names of the
classes are put into the sentences of PROMPTS: write them as one would say them.
Intervals are 95 %, over groups: other videos would give a figure within them. With --dataset, each window
of the videos of a public data set of animal behaviour is a clip (docs/evaluation.md).""",
)
@labelled_options
@click.option(
    "--classes",
    "classes_file",
    type=PathWord(),
    metavar="FILE",
    help="Names of the classes to choose from, one per line; by default the labels in the table.",
)
@click.option(
    "--prompts",
    default="default",
    metavar="default|kinetics|FILE",
    help="Sentences about a class, as for `prismsearch classify`; by default `a video of {}.`.",
)
@click.option("--background", metavar="CLASS", help="A class that is left out of means over classes.")
@click.option("--multi-label", is_flag=True, help="A clip may have several labels, or none, though here each has one.")
@click.option(
    "--clips", "clips_file", type=PathWord(path_type=Path), metavar="FILE", help="Write a line for each clip (CSV)."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of the intervals; by default 0.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@work_option
@with_settings
def bench_classify(
    settings: Settings,
    folder: str | None,
    labels: str,
    dataset: str | None,
    videos: str | None,
    window: int | None,
    stride: int | None,
    classes_file: str | None,
    prompts: str,
    background: str | None,
    multi_label: bool,
    clips_file: Path | None,
    seed: int,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Measure zero-shot classification on the labelled videos of FOLDER: top-1, top-5, class-averaged, or mAP."""
    from app.evaluation.class_names import named_prompts
    from app.evaluation.head_scores import measure_scores
    from app.evaluation.task import TaskError

    order = order_of(folder, dataset, videos, labels, window, stride)
    if order is not None:
        if classes_file or background or multi_label or clips_file:
            raise click.UsageError("--classes, --background, --multi-label and --clips do not go with --dataset")
        classify_behaviour(settings, order, prompts, seed=seed, work=work, yes=yes, as_json=as_json)
        return
    assert folder is not None
    require_result_file("--clips", clips_file, (labels, classes_file, prompts))
    began = time.monotonic()
    with evaluation_errors():  # before a model is opened, or downloaded
        task, others = labelled_task(folder, labels, classes_file, multi_label=multi_label)
        if background is not None and background not in task.classes:
            raise click.UsageError(f"--background: {background!r} is none of the classes")
        templates = named_prompts(prompts)
        asked = task.of_split("test")
        known = [each for each in asked if task.multi_label or len(each.labels & set(task.classes)) == 1]
        if not known:
            raise TaskError(f"no line of {labels} tests a class: it needs one in a split `test`, or no splits at all")
    with probe_session(settings, work, yes=yes, needs_text=True) as session:
        maker = session.maker
        tested, scores = zero_shot_scores(session, maker.rows([each.stretch for each in known]), known, task, templates)
        if not tested:
            raise TaskError("nothing of the test can be read")
        at = None if background is None else task.classes.index(background)
        report = measure_scores(
            task.targets(tested),
            scores,
            [each.group for each in tested],
            multi_label=task.multi_label,
            background=at,
            seed=seed,
        )
        if clips_file is not None:
            write_clips(clips_file, tested, task, scores, folder)
        record: dict[str, Any] = report_record(task, report, session)
        if not as_json:
            print_report(task, report, session)
    seconds = round(time.monotonic() - began, 1)
    unread = maker.unread
    if as_json:
        more = {"prompts": templates, "background": background, "seed": seed, "seconds": seconds}
        print_json(record | more | {"other_labels": others, "unread": unread_record(unread)})
    else:
        click.echo(f"{count_text(len(templates), 'sentence')} a class; {seconds:.0f} s")
    if others:
        print_note(f"labels that are no classes: {', '.join(map(printable, others))}")
    if len(known) < len(asked):
        print_note(f"left out: {count_text(len(asked) - len(known), 'clip')} without exactly one of the classes")
    for line in unread_lines(unread):
        print_note(line)
    if unread:
        raise click.exceptions.Exit(FAILED)


def labelled_task(
    folder: str, labels: str, classes_file: str | None, *, multi_label: bool
) -> tuple[ProbeTask, list[str]]:
    """Return the task, and labels that are none of its classes.

    Raises:
        TextFileError, TaskError, OSError: A file is wrong or not there.
    """
    from app.evaluation.class_names import read_class_names
    from app.evaluation.label_files import read_labels
    from app.evaluation.task import task_of

    task = task_of(read_labels(labels, folder), multi_label=multi_label)
    if classes_file is None:
        return task, []
    names = read_class_names(classes_file)
    return replace(task, classes=tuple(names)), sorted(set(task.classes) - set(names))


def zero_shot_scores(
    session: Session,
    rows: dict[Any, NDArray[np.float32]],
    stretches: Sequence[LabelledStretch],
    task: ProbeTask,
    templates: Sequence[str],
) -> tuple[list[LabelledStretch], NDArray[np.float32]]:
    """Return the stretches that have a row, and their cosines with all classes, float32 (n, classes)."""
    import numpy as np

    from app.evaluation.row_store import RowStore, names_file
    from app.evaluation.zero_shot import class_rows

    encoder, watch, total = session.encoder, session.watch, len(task.classes)
    with RowStore(names_file(session.work, encoder), encoder.dim) as store:
        classes = class_rows(
            encoder,
            task.classes,
            templates,
            store,
            on_progress=lambda done: watch.on_progress("classes", done, total),
            cancelled=watch.cancelled,
        )
    there = [each for each in stretches if each.stretch in rows]
    if not there:
        return [], np.zeros((0, total), np.float32)
    return there, np.stack([rows[each.stretch] for each in there]) @ classes.T


def write_clips(
    target: Path, tested: Sequence[LabelledStretch], task: ProbeTask, scores: NDArray[np.float32], folder: str
) -> None:
    """Write a line for each clip: its truth, its best class, and how the true class ranks.

    Files are named relative to `folder`, as in the table of labels.

    Raises:
        OSError: It could not be written.
    """
    import numpy as np

    from app.timelines.table_file import csv_bytes
    from files.replace import replace_file

    columns = ("file", "start", "end", "group", "label", "best", "cosine", "right", "rank")
    rows: list[dict[str, Any]] = []
    for each, row in zip(tested, scores, strict=True):
        best = int(row.argmax())
        true = [row[task.classes.index(name)] for name in each.labels if name in task.classes]
        rank = 1 + int(np.count_nonzero(row > max(true))) if true else None
        rows.append(
            clip_cells(each, folder)
            | {
                "best": task.classes[best],
                "cosine": round(float(row[best]), 6),  # a number: text with a minus would be kept from spreadsheets
                "right": int(task.classes[best] in each.labels),
                "rank": rank,
            }
        )
    replace_file(target, csv_bytes(rows, columns))
