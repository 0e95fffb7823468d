"""`prismsearch probe test`: how good a head is on labelled videos that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.evaluation_run import evaluation_errors
from app.commands.probe_session import head_path, probe_session, read_head_for, unread_lines, unread_record
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

    from app.evaluation.feature_maker import FeatureMaker
    from app.evaluation.labelled import LabelledStretch
    from app.evaluation.task import ProbeTask
    from encoder.head_files import StoredHead


@click.command(
    "test",
    epilog="""\b
Examples:
  prismsearch probe test behaviours.npz clips --labels labels.csv
  prismsearch probe test behaviours.npz clips --labels labels.csv --clips answers.csv

\b
Where labels.csv names splits, the clips of `test` are used. Intervals are 95 %, over groups: other videos,
or other animals, would give a figure within them.""",
)
@click.argument("head_file", metavar="HEAD.npz", type=PathWord())
@click.argument("folder", type=PathWord())
@click.option("--labels", required=True, type=PathWord(), metavar="FILE", help="Table of labels (CSV).")
@click.option(
    "--clips", "clips_file", type=PathWord(), metavar="FILE", help="Write what the head says of each clip (CSV)."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of the intervals; by default 0.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@work_option
@with_settings
def probe_test(
    settings: Settings,
    head_file: str,
    folder: str,
    labels: str,
    clips_file: str | None,
    seed: int,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Test a head on the labelled videos of FOLDER."""
    from app.evaluation.head_scores import measure_scores
    from app.evaluation.label_files import read_labels
    from app.evaluation.task import ProbeTask, TaskError
    from encoder.head_files import read_head, sidecar_of

    require_result_file("--clips", clips_file, (labels, head_file, sidecar_of(Path(head_file))))
    with evaluation_errors():  # before a model is opened, or downloaded
        facts = read_head(head_path(head_file)).facts
        task = ProbeTask(read_labels(labels, folder), facts.classes, facts.multi_label)
        asked = task.of_split("test")
        known = [each for each in asked if _is_answerable(each, task)]
        if not known:
            raise TaskError(f"no line of {labels} tests a class of {head_file}: {', '.join(facts.classes)}")
    with probe_session(settings, work, yes=yes, paths=[folder]) as session:
        stored = read_head_for(session.encoder, head_file)
        maker = session.maker
        tested, scores = scored(maker, stored, known)
        if not tested:
            raise TaskError("nothing of the test can be read")
        groups = [each.group for each in tested]
        targets = task.targets(tested)
        report = measure_scores(targets, scores, groups, multi_label=task.multi_label, seed=seed)
        if clips_file:
            _write_clips(Path(clips_file), tested, task, scores, folder)
    others = sorted({label for each in asked for label in each.labels} - set(facts.classes))
    if as_json:
        more = {"other_labels": others, "unread": unread_record(maker.unread)}
        print_json({"head": head_file} | report_record(task, report, session) | more)
    else:
        print_report(task, report, session)
    if others:
        print_note(f"not classes of this head: {', '.join(map(printable, others))}")
    if len(known) < len(asked):
        print_note(f"left out: {count_text(len(asked) - len(known), 'clip')} without exactly one class of this head")
    if not any(each.split for each in task.stretches):
        print_note(f"{labels} names no splits: if the head was trained on these clips, this says little about others")
    for line in unread_lines(maker.unread):
        print_note(line)
    if maker.unread:
        raise click.exceptions.Exit(FAILED)


def scored(
    maker: FeatureMaker, stored: StoredHead, stretches: Sequence[LabelledStretch]
) -> tuple[list[LabelledStretch], NDArray[np.float32]]:
    """Return the stretches that can be read, and the logits of a head for them, float32 (n, classes)."""
    import numpy as np

    wanted = [each.stretch for each in stretches]
    if stored.facts.kind == "map":
        places, _, [logits] = maker.scores(wanted, [stored.head])  # type: ignore[list-item]
        kept = [each for each in stretches if each.stretch in places]
        return kept, logits[np.array([places[each.stretch] for each in kept], np.intp)]
    rows = maker.rows(wanted)
    kept = [each for each in stretches if each.stretch in rows]
    if not kept:
        return [], np.zeros((0, len(stored.facts.classes)), np.float32)
    return kept, stored.head.logits(np.stack([rows[each.stretch] for each in kept]))


def _is_answerable(each: LabelledStretch, task: ProbeTask) -> bool:
    return task.multi_label or len(each.labels & set(task.classes)) == 1 == len(each.labels)


def _write_clips(
    target: Path, tested: Sequence[LabelledStretch], task: ProbeTask, scores: NDArray[np.float32], folder: str
) -> None:
    """Write a line for each clip: truth, best class, and the probability of every class."""
    from app.evaluation.head_scores import probabilities
    from app.timelines.table_file import csv_bytes
    from files.replace import replace_file

    rows: list[dict[str, Any]] = []
    for each, chances in zip(tested, probabilities(scores, task.multi_label), strict=True):
        best = task.classes[int(chances.argmax())]
        answer = {"best": best, "right": int(best in each.labels)}
        rows.append(clip_cells(each, folder) | answer | chance_cells(task.classes, chances))
    columns = ("file", "start", "end", "group", "label", "best", "right", *chance_columns(task.classes))
    replace_file(target, csv_bytes(rows, columns))


def chance_columns(classes: Sequence[str]) -> list[str]:
    """Return the columns of a table with the probability of each class."""
    return [f"p({name})" for name in classes]


def chance_cells(classes: Sequence[str], chances: NDArray[np.float64]) -> dict[str, str]:
    """Return the probability of each class by its column."""
    return {column: f"{chance:.6f}" for column, chance in zip(chance_columns(classes), chances, strict=True)}
