"""A run of the retrieval protocol over a data set: rows of videos and texts, ranks in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.datasets.captioned import CaptionedVideo
from app.evaluation.encoded import ReadStretch, encode_stretches
from app.evaluation.labelled import Stretch
from app.evaluation.retrieval import Direction, dot_products, evaluate
from app.evaluation.row_store import RowStore
from app.evaluation.stopwatch import Stopwatch
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    from app.evaluation.own_way import Segments
    from app.evaluation.retrieval import Rows
    from encoder import Encoder

_TEXTS_AT_ONCE = 256

Progress = Callable[[str, int, int], None]
"""Called with what is being done (`videos`, `texts`), how many are done, and of how many."""


class NothingToEvaluate(Exception):
    """Of all videos, none is left to evaluate; the message says why."""


@dataclass(frozen=True, slots=True)
class Questions:
    """The texts of some videos, which ask for them.

    Attributes:
        texts: All of them, those of a video together.
        videos: The position of the video of each.
        rows: float32 (texts, D).
        truncated: How many are longer than the text tower takes.
    """

    texts: tuple[str, ...]
    videos: tuple[int, ...]
    rows: Rows
    truncated: int


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """What the protocol gives for a set.

    Attributes:
        videos: Those that were evaluated.
        unread: Id and reason of those that could not be read.
        kept: How many rows of videos an earlier run had made.
        questions: Their texts.
        text_to_video, video_to_text: The results.
    """

    videos: tuple[CaptionedVideo, ...]
    unread: tuple[tuple[str, str], ...]
    kept: int
    questions: Questions
    text_to_video: Direction
    video_to_text: Direction


def run_retrieval(
    videos: Sequence[CaptionedVideo],
    paths: Mapping[str, str],
    encoder: Encoder,
    store: RowStore,
    read: ReadStretch,
    *,
    seed: int,
    watch: Stopwatch,
    on_progress: Progress = lambda what, done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> RetrievalResult:
    """Evaluate an encoder on videos with captions.

    Args:
        videos: Those of the set that have a file.
        paths: Their files, by id.
        encoder: Makes the rows.
        store: Rows of videos from earlier runs; receives new ones.
        read: Reads a video as a clip.
        seed: Of the intervals.
        watch: Counts the seconds of `read`, `encode` and `texts`.
        on_progress: See Progress.
        cancelled: Polled between batches; True ends the run with Cancelled.

    Raises:
        Cancelled: `cancelled` returned True. Rows of videos are in the store.
        OSError: The store could not be written.
        NothingToEvaluate: No video could be read.
    """
    import numpy as np

    stretches = {each.id: Stretch(paths[each.id]) for each in videos}
    rows, failed = encode_stretches(
        list(stretches.values()),
        watch.encoding(encoder),
        store,
        watch.reading(read),
        on_progress=lambda done: on_progress("videos", done, len(set(stretches.values()))),
        cancelled=cancelled,
    )
    reasons = {each.stretch: each.reason for each in failed}
    there = tuple(each for each in videos if stretches[each.id] in rows)
    if not there:
        raise NothingToEvaluate(f"no video could be read; the first: {next(iter(reasons.values()), 'there are none')}")
    with watch.measured("texts"):
        questions = _questions(there, encoder, on_progress, cancelled)
    of_videos = np.stack([rows[stretches[each.id]] for each in there])
    return RetrievalResult(
        there,
        tuple((each.id, reasons[stretches[each.id]]) for each in videos if stretches[each.id] in reasons),
        len(rows) - watch.clips,
        questions,
        evaluate(
            questions.rows,
            lambda some: dot_products(some, of_videos),
            [[at] for at in questions.videos],
            questions.videos,
            items=len(there),
            seed=seed,
        ),
        evaluate(
            of_videos,
            lambda some: dot_products(some, questions.rows),
            _true_texts(questions, len(there)),
            range(len(there)),
            items=len(questions.texts),
            seed=seed,
        ),
    )


def own_way_result(result: RetrievalResult, segments: Segments, *, seed: int) -> tuple[Direction, list[int]]:
    """Return the result of the same questions where a video counts as its best segment, and their positions.

    Videos without a segment are left out, with their questions.

    Raises:
        NothingToEvaluate: No video has a segment.
    """
    place = {key: at for at, key in enumerate(segments.keys)}
    asked = [at for at, video in enumerate(result.questions.videos) if result.videos[video].id in place]
    if not asked:
        raise NothingToEvaluate("no video of the set is in its library")
    true = [place[result.videos[result.questions.videos[at]].id] for at in asked]
    rows = result.questions.rows[asked]
    return evaluate(rows, segments.scores, [[at] for at in true], true, items=len(segments.keys), seed=seed), asked


def _questions(
    videos: Sequence[CaptionedVideo], encoder: Encoder, on_progress: Progress, cancelled: Callable[[], bool]
) -> Questions:
    import numpy as np

    texts = [text for each in videos for text in each.captions]
    rows, truncated = [np.zeros((0, encoder.dim), np.float32)], 0
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        if cancelled():
            raise Cancelled
        on_progress("texts", start, len(texts))
        some = texts[start : start + _TEXTS_AT_ONCE]
        rows.append(encoder.encode_texts(some))
        truncated += sum(encoder.truncated(some))
    on_progress("texts", len(texts), len(texts))
    of_video = [at for at, each in enumerate(videos) for _ in each.captions]
    return Questions(tuple(texts), tuple(of_video), np.concatenate(rows), truncated)


def _true_texts(questions: Questions, videos: int) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(videos)]
    for text, video in enumerate(questions.videos):
        found[video].append(text)
    return found
