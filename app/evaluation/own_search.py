"""Answers of a library to a person's own questions: ranks of what they meant, and what a search would have said."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.answer_places import PlacedQuestion
from app.evaluation.shot_ranks import AnswerRank, ShotTable, scores_of_all

if TYPE_CHECKING:
    from search.engine import SearchEngine
    from search.strength import Level

SHOWN = 10
"""Hits that a search shows: it says "no good match" if all of these are weak."""

_WARM_UP = "a video"  # the first search loads what the later ones need


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search says of its best hits.

    Attributes:
        good: Whether one of them is better than weak.
        level, strength, chance: Of the strongest; see `search.strength`.
    """

    good: bool
    level: Level
    strength: float
    chance: float


@dataclass(frozen=True, slots=True)
class OwnResult:
    """What became of a question.

    Attributes:
        text, kind: The question.
        answers: Number of places that answer it; 0 if nothing in the library does.
        group: The video of its first answer: questions about one video resemble each other.
        rank: Where its answers stand; None without answers.
        verdict: None if the library has no calibration.
        seconds: That a search took, its words encoded.
    """

    text: str
    kind: str
    answers: int
    group: str
    rank: AnswerRank | None
    verdict: Verdict | None
    seconds: float


def search_own(
    engine: SearchEngine,
    asked: Sequence[PlacedQuestion],
    table: ShotTable,
    *,
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[list[OwnResult], list[str]]:
    """Search for every question, as the shell and the page do, and rank what answers it among all shots.

    Args:
        engine: Of the library and encoder.
        asked: Questions; those with answers have a place at least.
        table: All parts of shots.
        on_progress: Called with the number of questions that are done.

    Returns:
        The results, and the questions that are left out because no part of their answers is embedded by this encoder.

    Raises:
        QueryError, EncoderError, LibraryError: See `SearchEngine.answer`.
    """
    searched = _searched(engine, [each.question.text for each in asked], on_progress)
    results, left_out = [], []
    all_scores = scores_of_all(engine, [each.question.text for each in asked if each.places], table)
    for each, (verdict, seconds) in zip(asked, searched, strict=True):
        question, rank = each.question, None
        if each.places:
            rank = table.rank(next(all_scores), each.places)
            if rank is None:
                left_out.append(question.text)
                continue
        group = each.places[0].content if each.places else f"none: {question.text}"
        results.append(OwnResult(question.text, question.kind, len(each.places), group, rank, verdict, seconds))
    return results, left_out


def _searched(
    engine: SearchEngine, texts: Sequence[str], on_progress: Callable[[int], None]
) -> list[tuple[Verdict | None, float]]:
    """Return the verdict on each text, and the seconds that its search took."""
    from search.query import Query, TextTerm

    if texts:
        engine.search(Query([TextTerm(_WARM_UP)], k=SHOWN, duplicates="stack"))
    found = []
    for done, text in enumerate(texts, 1):
        began = time.perf_counter()
        hits = engine.search(Query([TextTerm(text)], k=SHOWN, duplicates="stack"))
        seconds = time.perf_counter() - began
        strengths = [hit.strength for hit in hits if hit.strength is not None]
        verdict = None
        if strengths:
            best = min(strengths, key=lambda each: (each.chance, -each.value))
            good = any(each.level != "weak" for each in strengths)
            verdict = Verdict(good, best.level, best.value, best.chance)
        found.append((verdict, seconds))
        on_progress(done)
    return found
