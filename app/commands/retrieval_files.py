"""Results of `bench retrieval` for programs: a JSON object, and a CSV with a row for each question."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.timelines.table_file import csv_bytes

if TYPE_CHECKING:
    from app.commands.retrieval_report import Evaluated
    from app.evaluation.retrieval import Direction

_COLUMNS = ("direction", "question", "true", "rank", "best_wrong", "score_true", "score_wrong", "own_way_rank")


def result_record(evaluated: Evaluated) -> dict[str, Any]:
    """Return the JSON object of --json: shares from 0 to 1, ranks from 1."""
    result, published, own = evaluated.result, evaluated.published, evaluated.own_way
    why_not = evaluated.not_comparable
    return {
        "dataset": evaluated.name,
        "title": evaluated.dataset.title,
        "videos": {
            "wanted": evaluated.wanted,
            "evaluated": len(result.videos),
            "missing": len(evaluated.missing),
            "missing_file": None if evaluated.missing_file is None else str(evaluated.missing_file),
            "without_caption": evaluated.uncaptioned,
            "in_several_files": evaluated.several,
            "kept_rows": result.kept,
        },
        "questions": {"count": len(result.questions.texts), "truncated": result.questions.truncated},
        "text_to_video": _direction_record(result.text_to_video),
        "video_to_text": _direction_record(result.video_to_text),
        "own_way": None
        if own is None
        else {
            **_direction_record(own.direction),
            "videos": own.videos,
            "segments": own.segments,
            "library": own.library,
        },
        "published": None
        if published is None
        else {
            "text_to_video": published.text_to_video / 100,
            "video_to_text": published.video_to_text / 100,
            "source": published.source,
            "comparable": why_not is None,
            "why_not": why_not,
        },
        "protocol": {
            "frames": evaluated.frames,
            "size": evaluated.size,
            "reading": "floor(k * frames / T), middle square, Lanczos",
        },
        "seed": evaluated.seed,
        "seconds": {name: round(value, 3) for name, value in evaluated.seconds.items()},
        "machine": evaluated.machine.record(),
        "encoder": evaluated.encoder_id,
        "notice": evaluated.notice,
    }


def questions_table(evaluated: Evaluated) -> bytes:
    """Return the CSV file of --questions: a row for each question in each direction, as spreadsheets read it."""
    return csv_bytes([dict(zip(_COLUMNS, row, strict=True)) for row in _question_rows(evaluated)], _COLUMNS)


def _question_rows(evaluated: Evaluated) -> Iterator[tuple[Any, ...]]:
    result = evaluated.result
    ids, questions = [each.id for each in result.videos], result.questions
    own = _own_way_ranks(evaluated)
    for at, row in enumerate(_ranked(result.text_to_video, ids)):
        yield "text to video", questions.texts[at], ids[questions.videos[at]], *row, own.get(at)
    for at, row in enumerate(_ranked(result.video_to_text, questions.texts)):
        yield "video to text", ids[at], " | ".join(result.videos[at].captions), *row, None


def _ranked(
    direction: Direction, items: list[str] | tuple[str, ...]
) -> Iterator[tuple[float, str, float, float | None]]:
    for at, rank in enumerate(direction.ranks.expected):
        wrong = direction.best_wrong[at]
        score = direction.wrong_score[at]
        yield (
            round(float(rank), 6),
            items[wrong] if wrong >= 0 else "",
            round(float(direction.true_score[at]), 6),  # numbers: text with a minus would be kept from spreadsheets
            None if math.isnan(score) else round(float(score), 6),
        )


def _own_way_ranks(evaluated: Evaluated) -> dict[int, float]:
    own = evaluated.own_way
    if own is None:
        return {}
    return {at: round(float(rank), 6) for at, rank in zip(own.asked, own.direction.ranks.expected, strict=True)}


def _direction_record(direction: Direction) -> dict[str, Any]:
    summary = direction.summary
    return {
        "questions": summary.queries,
        **{f"recall_at_{k}": value for k, value in summary.recall.items()},
        "intervals": {f"recall_at_{k}": interval for k, interval in direction.intervals.items()},
        "median_rank": summary.median_rank,
        "mean_rank": summary.mean_rank,
        "tied": summary.tied,
    }
