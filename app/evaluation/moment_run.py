"""Moments as the product finds them: the best hits of a question in its video, in the order of their moments."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.moment_questions import MomentQuestion
from indexer.media.errors import Cancelled, UnreadableVideo

if TYPE_CHECKING:
    from db.records import Video
    from search.engine import SearchEngine
    from search.moments.finder import MomentFinder
    from search.query import Query

HITS = 3
"""Hits of a question whose moments are found: the best is the answer, the others count for average precision."""
SAME_OVERLAP = 0.7
"""Intersection over union from which two moments are one: hits in one shot often lead to the same."""

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class MomentAnswer:
    """What was found for a question, best first.

    Attributes:
        question: The question.
        moments: Start and end of moments, in seconds; none if its video has no segment.
        segments: Start and end of the hits themselves.
        seconds: Time that each moment took.
    """

    question: MomentQuestion
    moments: tuple[Range, ...]
    segments: tuple[Range, ...]
    seconds: tuple[float, ...]


def find_answers(
    engine: SearchEngine,
    finder: MomentFinder,
    questions: Sequence[MomentQuestion],
    paths: Mapping[str, str],
    *,
    hits: int = HITS,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[list[MomentAnswer], list[tuple[str, str]]]:
    """Answer questions, each in its own video.

    Args:
        engine: Over a library with the videos.
        finder: Of this engine.
        questions: About them.
        paths: The file of each video, by id.
        hits: Hits whose moments are found.
        on_progress: Called with the number of questions answered.
        cancelled: Polled before each moment; True ends the run with Cancelled.

    Returns:
        The answers, in the order of the questions; id and reason of videos whose file could not be read.

    Raises:
        Cancelled: `cancelled` returned True.
        EncoderError, LibraryError: Nothing can be encoded, or read.
    """
    from db.records import Filters
    from search.query import Query, TextTerm

    known = {os.path.realpath(video.path): video for video in engine.library.videos()}
    answers: list[MomentAnswer] = []
    unread: dict[str, str] = {}

    def go_on(_: float) -> None:
        if cancelled():
            raise Cancelled

    for done, question in enumerate(questions):
        on_progress(done)
        video = known.get(os.path.realpath(paths[question.video]))
        if video is None:
            unread.setdefault(question.video, "it could not be indexed")
            answers.append(MomentAnswer(question, (), (), ()))
            continue
        query = Query((TextTerm(question.sentence),), filters=Filters(folder=video.path), k=hits)
        try:
            answers.append(_answer(engine, finder, question, query, video, go_on))
        except UnreadableVideo as error:
            unread.setdefault(question.video, error.reason)
            answers.append(MomentAnswer(question, (), (), ()))
    on_progress(len(questions))
    return answers, list(unread.items())


def _answer(
    engine: SearchEngine,
    finder: MomentFinder,
    question: MomentQuestion,
    query: Query,
    video: Video,
    go_on: Callable[[float], None],
) -> MomentAnswer:
    from metrics.ranges import intersection_over_union
    from search.moments.ranking import by_moments

    moments: list[Range] = []
    segments: list[Range] = []
    seconds: list[float] = []
    hits = engine.search(query)
    found_in = {hit.segment.id or 0: finder.find(hit.segment, hit.video, query, go_on) for hit in hits}
    for hit in by_moments(hits, found_in):
        found = found_in[hit.segment.id or 0]
        seconds.append(found.seconds)
        segments.append((video.seconds(hit.segment.start_pts), video.seconds(hit.segment.end_pts)))
        moment = (video.seconds(found.start_pts), video.seconds(found.end_pts))
        if not moments or intersection_over_union([moment], moments).max() < SAME_OVERLAP:
            moments.append(moment)
    return MomentAnswer(question, tuple(moments), tuple(segments), tuple(seconds))
