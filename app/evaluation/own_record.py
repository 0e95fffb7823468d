"""Result of a run over a person's own questions, as JSON and as a table of questions; and such a JSON, read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.evaluation.own_measures import Outcome, measures_of
from app.timelines.table_file import csv_bytes
from app.times import format_timestamp
from files.json_file import read_json
from metrics.retrieval import Ranks
from search.strength import LEVELS

if TYPE_CHECKING:
    from app.evaluation.own_measures import Measure
    from app.evaluation.own_search import OwnResult
    from app.evaluation.shot_ranks import Found, PlaceRank

EVALUATION = "mine"
MAX_BYTES = 200_000_000
_PLACES = ("right", "wrong")
_FIELDS = ("file", "start", "end", "score")
COLUMNS = (
    *("question", "kind", "answers", "rank", "rank_of_video", "good_match", "level", "strength", "chance", "seconds"),
    *(f"best_{place}_{name}" for place in _PLACES for name in _FIELDS),
)
"""Columns of the table of questions."""


def result_record(results: Sequence[OwnResult], measures: Sequence[Measure], seed: int) -> dict[str, Any]:
    """Return measures, levels, seconds and questions as JSON values.

    Args:
        results: Of all questions.
        measures: Over all of them.
        seed: Of the bootstrap.
    """
    import numpy as np

    kinds = sorted({each.kind for each in results if each.kind})
    seconds = [each.seconds for each in results]
    return {
        "questions": len(results),
        "with_answers": sum(each.rank is not None for each in results),
        "without_answers": sum(each.rank is None for each in results),
        "seed": seed,
        "measures": {each.name: each.record() for each in measures},
        "kinds": {
            kind: {
                each.name: each.record()
                for each in measures_of([Outcome.of(one) for one in results if one.kind == kind], seed)
            }
            for kind in kinds
        },
        "levels": {
            name: {level: found.get(level, 0) for level in LEVELS}
            for name, found in (
                ("with_answers", Counter(each.verdict.level for each in results if each.verdict and each.rank)),
                ("without_answers", Counter(each.verdict.level for each in results if each.verdict and not each.rank)),
            )
        },
        "seconds_per_question": {
            "p50": round(float(np.percentile(seconds, 50)), 4),
            "p95": round(float(np.percentile(seconds, 95)), 4),
        }
        if seconds
        else None,
        "results": [_record(each) for each in results],
    }


def table_of(results: Sequence[OwnResult]) -> bytes:
    """Return a CSV with one line for each question: its rank, its strength, and the best right and wrong hit."""
    rows = []
    for each in results:
        record = _record(each)
        row = {name: record[name] for name in ("question", "kind", "answers", "level", "strength", "chance", "seconds")}
        row["good_match"] = "" if record["good"] is None else "yes" if record["good"] else "no"
        row["rank"] = None if record["shots"] is None else f"{record['shots']['rank']:g}"
        row["rank_of_video"] = None if record["videos"] is None else f"{record['videos']['rank']:g}"
        for place in _PLACES:
            found = record[f"best_{place}"] or {}
            row |= {f"best_{place}_{name}": found.get(name) for name in _FIELDS}
            for name in ("start", "end"):
                if found:
                    row[f"best_{place}_{name}"] = format_timestamp(found[name])
        rows.append(row)
    return csv_bytes(rows, COLUMNS)


def read_outcomes(path: Path) -> tuple[dict[str, Outcome], dict[str, Any]]:
    """Read the result of another run.

    Returns:
        Its outcomes by question, and the whole record.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not the result of such a run.
    """
    record = read_json(path, max_bytes=MAX_BYTES)
    if not isinstance(record, dict) or record.get("evaluation") != EVALUATION:
        raise ValueError("it is not what `prismsearch bench mine --json` prints")
    outcomes: dict[str, Outcome] = {}
    try:
        for each in record["results"]:
            text, group, good = each["question"], each["group"], each["good"]
            if not (isinstance(text, str) and isinstance(group, str) and good in (True, False, None)):
                raise TypeError
            outcomes[text] = Outcome(text, group, _pair(each["shots"]), _pair(each["videos"]), good)
    except (KeyError, TypeError) as error:
        raise ValueError("it is not a whole result of `prismsearch bench mine --json`") from error
    return outcomes, record


def _pair(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    above, equal = value["above"], value["equal"]
    if type(above) is not int or type(equal) is not int or above < 0 or equal < 0:
        raise TypeError
    return above, equal


def _record(result: OwnResult) -> dict[str, Any]:
    rank, verdict = result.rank, result.verdict
    return {
        "question": result.text,
        "kind": result.kind,
        "answers": result.answers,
        "group": result.group,
        "shots": None if rank is None else _rank(rank.shots),
        "videos": None if rank is None else _rank(rank.videos),
        "good": None if verdict is None else verdict.good,
        "level": None if verdict is None else verdict.level,
        "strength": None if verdict is None else round(verdict.strength, 3),
        "chance": None if verdict is None else float(f"{verdict.chance:.3g}"),
        "best_right": None if rank is None else _place(rank.right),
        "best_wrong": None if rank is None or rank.wrong is None else _place(rank.wrong),
        "seconds": round(result.seconds, 4),
    }


def _rank(rank: PlaceRank) -> dict[str, Any]:
    import numpy as np

    expected = Ranks(*(np.array([number]) for number in (rank.above, rank.equal, 1))).expected[0]
    return {"rank": round(float(expected), 3), "above": rank.above, "equal": rank.equal}


def _place(found: Found) -> dict[str, Any]:
    return {
        "file": found.path,
        "start": round(found.start_seconds, 6),
        "end": round(found.end_seconds, 6),
        "score": round(found.score, 6),
    }


def differences(record: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return what differs between two runs besides their questions, each as a sentence's part."""
    found = []
    for name, words in (("encoder", "encoder"), ("library_id", "library"), ("shots", "number of shots")):
        if record.get(name) != other.get(name):
            found.append(words)
    return found
