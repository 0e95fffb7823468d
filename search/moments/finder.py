"""Finder of moments: the stretch of a hit's shot that answers a question.

The stored rows of the shot's parts choose what is looked through; windows over its frames make a curve; the run of
windows that stands out is the moment, if it scores higher than all of it. Frames come from the caller, who may read
them in a worker process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from encoder.frame_features import by_frame
from search.moments.backwards import backwards
from search.moments.contrast import corrected, find_run, gains
from search.moments.edges import edges_of
from search.moments.look_through import Stretch, stretch_of
from search.moments.moment import Moment
from search.moments.moment_cache import MomentCache, moment_key
from search.moments.questions import Question, question_of
from search.moments.windows import MOST_FRAMES, MOST_WINDOWS, Window, WindowRows, even_windows

if TYPE_CHECKING:
    from db.records import Segment, Video
    from search.engine import SearchEngine
    from search.query import Query

OnProgress = Callable[[float], None]
"""Called with the finished fraction of a moment, 0 to 1, before each call of the encoder. What it raises ends the
work."""


class Frames(Protocol):
    """Frames of a stretch: uint8 (M, S, S, 3), the position of each among all its frames, and the pts of all."""

    @property
    def frames(self) -> NDArray[np.uint8]: ...
    @property
    def at(self) -> Sequence[int]: ...
    @property
    def pts(self) -> Sequence[int]: ...


class ReadFrames(Protocol):
    """Reads at most `most` evenly spaced frames of a stretch of a video, of the encoder's size."""

    def __call__(self, video: Video, start_pts: int, end_pts: int, most: int) -> Frames:
        """Return them. Its exceptions pass through `MomentFinder.find`."""
        ...


class MomentFinder:
    """Finds moments of hits of one engine. Thread-safe if reading is."""

    def __init__(self, engine: SearchEngine, read: ReadFrames, cache: MomentCache | None = None) -> None:
        """Create a finder.

        Args:
            engine: Its encoder encodes windows; its calibration has unrelated questions.
            read: Reads frames.
            cache: Keeps moments; None keeps none.
        """
        self._engine = engine
        self._read = read
        self._cache = cache

    def find(
        self, segment: Segment, video: Video, query: Query, on_progress: OnProgress = lambda share: None
    ) -> Moment:
        """Return the moment of a hit.

        Args:
            segment, video: The hit.
            query: What it was found by; its filters and limits do not matter.
            on_progress: See OnProgress.

        Raises:
            QueryError, EncoderError, LibraryError: See `SearchEngine.answer`.
            Exception: What `read` and `on_progress` raise.
        """
        question = question_of(self._engine, query)
        key = moment_key(segment, self._engine.encoder, question.key)
        known = None if self._cache is None else self._cache.get(key)
        if known is not None and video.start_pts <= known.start_pts and known.end_pts <= video.end_pts:
            return known
        found = self._found(segment, video, question, on_progress)
        if self._cache is not None:
            self._cache.put(key, found)
        return found

    def _found(self, segment: Segment, video: Video, question: Question, on_progress: OnProgress) -> Moment:
        began = time.monotonic()
        on_progress(0.0)
        stretch = self._stretch(segment, video, question)
        read = self._read(video, stretch.start_pts, stretch.end_pts, MOST_FRAMES)
        rows = WindowRows(
            by_frame(self._engine.encoder), read.frames, lambda done: on_progress(min(1.0, done / MOST_WINDOWS))
        )
        count = len(read.frames)
        windows = even_windows(count)
        compared = rows.rows(windows, fewer=True)
        scores = question.scores(compared)
        whole = Window(0, count)
        start, end = self._run(windows, compared, scores, question, rows, count) or (0.0, float(count))
        start_pts, end_pts = (pts_at(read, place, stretch.end_pts) for place in (start, end))
        moment = Window(int(start), min(count, max(int(start) + 1, round(end))))
        both = rows.rows([whole, moment])
        whole_score, score = question.scores(both).tolist()
        better = gains(question.scores(both), question.null_scores(both))
        is_whole = moment == whole or not better or end_pts <= start_pts
        if is_whole:
            moment, score, start_pts, end_pts = whole, whole_score, stretch.start_pts, stretch.end_pts
        gain = None
        if question.ordered:
            gain = backwards(both[0 if is_whole else 1], rows.rows([moment], reverse=True)[0], question)
        return Moment(
            start_pts=start_pts,
            end_pts=end_pts,
            is_whole=is_whole,
            score=score,
            whole_score=whole_score,
            curve=tuple(
                (pts_at(read, (each.first + each.end) / 2, stretch.end_pts), float(score))
                for each, score in zip(windows, scores, strict=True)
            ),
            backwards=gain,
            seconds=time.monotonic() - began,
        )

    def _stretch(self, segment: Segment, video: Video, question: Question) -> Stretch:
        """Return what is looked through; the segment alone if it is not known what its neighbours show."""
        library, encoder_id = self._engine.library, self._engine.encoder.id
        assert video.id is not None, "what comes from the library has an id"
        parts = [each for each in library.segments_of(video.id) if each.shot_number == segment.shot_number]
        parts.sort(key=lambda each: each.start_pts)
        try:
            stored = library.embedding_rows(encoder_id, [each.id for each in parts if each.id is not None])
        except KeyError:
            return Stretch(segment.start_pts, segment.end_pts)
        stored = np.nan_to_num(stored, nan=0.0)  # of damaged rows
        return stretch_of(segment, parts, question.scores(stored), question.null_scores(stored), video.time_base)

    @staticmethod
    def _run(
        windows: Sequence[Window],
        compared: NDArray[np.float32],
        scores: NDArray[np.float64],
        question: Question,
        rows: WindowRows,
        count: int,
    ) -> tuple[float, float] | None:
        """Return start and end, in frames, of the run of windows that stands out."""
        nulls = question.null_scores(compared)
        run = find_run(scores, nulls)
        if run is None:
            return None

        def score(further: Sequence[Window]) -> NDArray[np.float64]:
            found = rows.rows(further, fewer=True)
            return corrected(question.scores(found), question.null_scores(found))

        return edges_of(run, windows, corrected(scores, nulls), count, score)


def pts_at(read: Frames, place: float, end_pts: int) -> int:
    """Return the pts of the frame at a place among the frames that were read, which need not be a whole number.

    Args:
        read: The frames.
        place: Position among `frames`; their number or more is the end.
        end_pts: End of the stretch.
    """
    if place >= len(read.at):
        return end_pts
    every = float(np.interp(place, np.arange(len(read.at) + 1), [*read.at, len(read.pts)]))
    number = round(every)
    return read.pts[number] if number < len(read.pts) else end_pts
