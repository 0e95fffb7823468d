"""Results of `bench moments`: the table for people, JSON, and a CSV with a row for each question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from app.evaluation.moment_figures import LEVELS, MomentFigures, figures_of
from app.shell.terminal import count_text, print_note, printable, table
from app.timelines.table_file import csv_bytes
from app.times import format_duration

if TYPE_CHECKING:
    from app.evaluation.figure import Figure
    from app.evaluation.machine import Machine
    from app.evaluation.moment_choice import ChoiceResult
    from app.evaluation.moment_run import MomentAnswer

_COLUMNS = ("question", "video", "true", "start", "end", "iou", "hit_start", "hit_end", "seconds", "picked")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedMoments:
    """A set, and what was found.

    Attributes:
        name, one_shot: The set, and whether each video was taken for one shot.
        questions, wanted: Questions that were asked, of how many in the file.
        left_out: Lines of the file that state no moment.
        missing: Id and reason of videos without a file, and of those that could not be read.
        encoder_id, text_id, notice, machine, seed, seconds: With what, where, and how long.
        answers, choice: What was found; one of them is there.
    """

    name: str
    one_shot: bool
    questions: int
    wanted: int
    left_out: int
    missing: tuple[tuple[str, str], ...]
    encoder_id: str
    text_id: str
    notice: str | None
    machine: Machine
    seed: int
    seconds: float = 0.0
    answers: tuple[MomentAnswer, ...] = ()
    choice: ChoiceResult | None = None

    def with_answers(self, answers: Sequence[MomentAnswer], unread: Sequence[tuple[str, str]]) -> EvaluatedMoments:
        """Return it with moments that were found."""
        return replace(self, answers=tuple(answers), missing=(*self.missing, *unread))

    def with_choice(self, choice: ChoiceResult) -> EvaluatedMoments:
        """Return it with the result of multiple choice."""
        return replace(self, choice=choice, missing=(*self.missing, *choice.unread))

    @property
    def moments(self) -> MomentFigures:
        """What moments are worth as answers."""
        return figures_of(self.answers, lambda answer: answer.moments, seed=self.seed)

    @property
    def hits(self) -> MomentFigures:
        """What the hits themselves, whole shots or parts of long ones, are worth."""
        return figures_of(self.answers, lambda answer: answer.segments, seed=self.seed)

    @property
    def seconds_each(self) -> list[float]:
        """Seconds of each moment, ascending."""
        return sorted(each for answer in self.answers for each in answer.seconds)

    def record(self) -> dict[str, Any]:
        """Return the JSON object of --json."""
        each = self.seconds_each
        found: dict[str, Any] = {
            "dataset": self.name,
            "task": "moments" if self.choice is None else "multiple choice",
            "one_shot": self.one_shot,
            "questions": {"asked": self.questions, "wanted": self.wanted, "lines_left_out": self.left_out},
            "missing": [list(pair) for pair in self.missing],
        }
        if self.choice is None:
            found |= {"moments": self.moments.record(), "hits": self.hits.record()}
            found["seconds_per_moment"] = {"p50": _at(each, 0.5), "p95": _at(each, 0.95)} if each else None
        else:
            found["choice"] = {
                "accuracy": self.choice.accuracy.record(), "clips": self.choice.clips, "alone": self.choice.alone,
            }  # fmt: skip
        return found | {
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "machine": self.machine.record(),
            "encoder": self.encoder_id,
            "text_id": self.text_id,
            "notice": self.notice,
        }


def print_moments(evaluated: EvaluatedMoments) -> None:
    """Print what moments are worth, beside the hits that they were found in."""
    rows = [("moments", *_cells(evaluated.moments)), ("hits alone", *_cells(evaluated.hits))]
    header = ["", *(text for level in LEVELS for text in (f"R@1 at {level:g}", "95 %")), "mIoU", "mAP at 0.5"]
    click.echo(_title(evaluated))
    for line in table(rows, "<" + ">" * (len(header) - 1), header=header):
        click.echo(line)
    click.echo("In percent, at an intersection over union with the true moment; intervals over videos.")
    if each := evaluated.seconds_each:
        click.echo(f"A moment takes {_at(each, 0.5):.1f} s (half of them), {_at(each, 0.95):.1f} s (95 %).")
    _print_rest(evaluated)


def print_choice(evaluated: EvaluatedMoments) -> None:
    """Print the accuracy of multiple choice."""
    choice = evaluated.choice
    assert choice is not None, "this is the result of multiple choice"
    click.echo(_title(evaluated))
    click.echo(f"MC Acc: {_percent(choice.accuracy.value)}  95 %: {_interval(choice.accuracy)}")
    click.echo(
        f"{count_text(choice.clips, 'clip')}, cut by the true times, each among the sentences of its video"
        + (f"; {choice.alone:,} whose video has no other sentence left out." if choice.alone else ".")
    )
    _print_rest(evaluated)


def answers_table(evaluated: EvaluatedMoments) -> bytes:
    """Return the CSV file of --answers, as spreadsheets read it."""
    return csv_bytes([dict(zip(_COLUMNS, row, strict=True)) for row in _answer_rows(evaluated)], _COLUMNS)


def _answer_rows(evaluated: EvaluatedMoments) -> Iterator[tuple[Any, ...]]:
    from metrics.ranges import intersection_over_union

    for answer in evaluated.answers:
        true = answer.question.moments
        moment = answer.moments[0] if answer.moments else None
        hit = answer.segments[0] if answer.segments else (None, None)
        overlap = None if moment is None else round(float(intersection_over_union([moment], true).max()), 4)
        start, end = (None, None) if moment is None else (round(each, 3) for each in moment)
        yield (
            answer.question.sentence, answer.question.video, _ranges(true), start, end, overlap,
            *(None if each is None else round(each, 3) for each in hit),
            round(answer.seconds[0], 3) if answer.seconds else None, "",
        )  # fmt: skip
    for question, picked in () if evaluated.choice is None else evaluated.choice.picked:
        yield (question.sentence, question.video, _ranges(question.moments), *(None,) * 6, picked)


def _ranges(ranges: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{start:g}-{end:g}" for start, end in ranges)


def _title(evaluated: EvaluatedMoments) -> str:
    one = ", each video one shot" if evaluated.one_shot else ""
    return f"{evaluated.name}: {evaluated.questions:,} of {count_text(evaluated.wanted, 'question')}{one}"


def _print_rest(evaluated: EvaluatedMoments) -> None:
    click.echo(f"Time: {format_duration(evaluated.seconds)}")
    click.echo(f"Machine: {evaluated.machine.text()}")
    click.echo(f"Encoder: {evaluated.encoder_id}")
    if evaluated.left_out:
        print_note(f"{count_text(evaluated.left_out, 'line')} without a video, a start and a later end left out")
    for key, reason in evaluated.missing[:10]:
        print_note(f"missing: {printable(key)}: {reason}")
    if len(evaluated.missing) > 10:
        print_note(f"missing: {len(evaluated.missing) - 10:,} more")
    if evaluated.notice:
        print_note(f"note: {evaluated.notice}")


def _cells(figures: MomentFigures) -> list[str]:
    recall = [text for figure in figures.recall.values() for text in (_percent(figure.value), _interval(figure))]
    return [*recall, _percent(figures.overlap.value), _percent(figures.precision.value)]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _interval(figure: Figure) -> str:
    return "-" if figure.interval is None else f"{100 * figure.interval[0]:.1f} to {100 * figure.interval[1]:.1f}"


def _at(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of ascending values lies."""
    return round(values[min(len(values) - 1, int(share * len(values)))], 3)
