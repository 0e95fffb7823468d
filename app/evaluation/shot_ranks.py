"""Ranks of the places that answer a question, among all shots of a library and among all its videos.

A hit is the part of a shot that is embedded. It is right if it and an answer share at least half of the shorter of the
two. Every shot counts once among what comes before the best right hit, by its best wrong part, and copies of a file
are one video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.evaluation.answer_places import Place

if TYPE_CHECKING:
    from db.library import Library
    from search.engine import SearchEngine

SHARED = 0.5
"""Share of the shorter one, of a hit and an answer, from which the hit is right."""

_SLACK_SECONDS = 1e-6  # times are cut to milliseconds where they are written, and halves of them are not exact
_DIGITS = 6  # sums in another order differ by less: equal rows have equal scores wherever they stand
_SCORES = 30_000_000  # that are in memory at once


@dataclass(frozen=True, slots=True)
class PlaceRank:
    """What comes before the best right item.

    Attributes:
        above, equal: Numbers of wrong items that score above it, and the same.
    """

    above: int
    equal: int


@dataclass(frozen=True, slots=True)
class Found:
    """A hit: a part of a shot.

    Attributes:
        path: Its video.
        start_seconds, end_seconds: From the first frame shown.
        score: As searches show it.
    """

    path: str
    start_seconds: float
    end_seconds: float
    score: float


@dataclass(frozen=True, slots=True)
class AnswerRank:
    """Where the answers of a question stand.

    Attributes:
        shots, videos: The rank among shots, and among videos.
        right, wrong: The best right hit, and the best wrong one; None if there is no wrong one.
    """

    shots: PlaceRank
    videos: PlaceRank
    right: Found
    wrong: Found | None


class ShotTable:
    """All parts of shots that an encoder has embedded, as they are now.

    Attributes:
        ids: int64 (n,), ascending.
        shots, videos: Number of different shots and videos, copies counted once.
    """

    def __init__(self, library: Library, encoder_id: str) -> None:
        """Read where the parts are.

        Raises:
            LibraryError: The library cannot be read.
        """
        known = {video.id: video for video in library.videos() if video.id is not None}
        times = library.segment_times(known).of(library.owners(encoder_id)[0])
        order = np.argsort(times.ids)
        self.ids = times.ids[order]
        owners = times.video_ids[order]
        begins = {each: float(video.start_pts * video.time_base) for each, video in known.items()}
        offsets = np.array([begins[each] for each in owners.tolist()], dtype=np.float64)
        self.starts, self.ends = times.starts[order] - offsets, times.ends[order] - offsets
        self._paths = {each: video.path for each, video in known.items()}
        self._owners = owners
        self._contents: dict[str, int] = {}
        content_of = {
            each: self._contents.setdefault(video.fingerprint, len(self._contents)) for each, video in known.items()
        }
        self._content = np.array([content_of[each] for each in owners.tolist()], dtype=np.int64)
        pairs = np.stack([self._content, times.shots[order]], axis=1).reshape(-1, 2)
        distinct, shot = np.unique(pairs, axis=0, return_inverse=True)
        self._by_shot, self._by_video = _Groups(shot.reshape(-1)), _Groups(self._content)
        self.shots, self.videos = len(distinct), len(np.unique(self._content))

    def right(self, places: Sequence[Place]) -> NDArray[np.bool_]:
        """Return which parts are right hits for these places, bool (n,)."""
        right = np.zeros(len(self.ids), dtype=np.bool_)
        for place in places:
            content = self._contents.get(place.content, -1)
            shared = np.minimum(self.ends, place.end_seconds) - np.maximum(self.starts, place.start_seconds)
            shorter = np.minimum(self.ends - self.starts, place.end_seconds - place.start_seconds)
            right |= (self._content == content) & (shared > 0) & (shared + _SLACK_SECONDS >= SHARED * shorter)
        return right

    def rank(self, scores: NDArray[np.float32], places: Sequence[Place]) -> AnswerRank | None:
        """Return where these places stand in a ranking; None if no right hit is embedded.

        Args:
            scores: float32 (n,), of all parts, without NaN.
            places: At least one.
        """
        right = self.right(places)
        if not right.any():
            return None
        best = int(np.flatnonzero(right)[scores[right].argmax()])
        wrong = np.where(right, np.float32(-np.inf), scores)
        contents = [self._contents[place.content] for place in places if place.content in self._contents]
        of_videos = np.where(np.isin(self._content, contents), np.float32(-np.inf), scores)
        best_in_videos = scores[np.isin(self._content, contents)].max()
        worst = int(wrong.argmax())
        return AnswerRank(
            shots=_rank(self._by_shot.largest(wrong), scores[best]),
            videos=_rank(self._by_video.largest(of_videos), best_in_videos),
            right=self._found(best, scores),
            wrong=None if right.all() else self._found(worst, scores),
        )

    def _found(self, at: int, scores: NDArray[np.float32]) -> Found:
        path = self._paths[int(self._owners[at])]
        return Found(path, float(self.starts[at]), float(self.ends[at]), float(scores[at]))


def scores_of_all(
    engine: SearchEngine,
    texts: Sequence[str],
    table: ShotTable,
    *,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Iterator[NDArray[np.float32]]:
    """Yield the scores of all parts for each text, float32 (n,), in the order of `table.ids`.

    Rows are read once for as many texts as fit into memory.

    Args:
        engine: Scores as its searches do.
        texts: The questions.
        table: The parts; one that is removed meanwhile scores 0.
        on_progress: Called with the finished fraction.

    Raises:
        QueryError, EncoderError, LibraryError: See `SearchEngine.answer`.
    """
    from search.query import TextTerm

    count = max(1, _SCORES // max(1, len(table.ids)))
    for first in range(0, len(texts), count):
        directions = [engine.direction([TextTerm(text)]) for text in texts[first : first + count]]
        scores = np.zeros((len(directions), len(table.ids)), dtype=np.float32)
        for ids, rows in engine.library.embeddings(engine.encoder.id):
            at = np.searchsorted(table.ids, ids)
            there = table.ids[np.minimum(at, len(table.ids) - 1)] == ids
            for each, direction in zip(scores, directions, strict=True):
                each[at[there]] = np.nan_to_num(direction.scores(rows[there]), nan=0.0)  # of damaged rows
        np.round(scores, _DIGITS, out=scores)
        for done, each in enumerate(scores, first + 1):
            on_progress(done / len(texts))
            yield each


class _Groups:
    """Items in groups, for the largest value of each group."""

    def __init__(self, groups: NDArray[np.int64]) -> None:
        self._order = np.argsort(groups, kind="stable")
        self._starts = np.flatnonzero(np.diff(groups[self._order], prepend=-1))

    def largest(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the largest value of each group, float32 (groups,)."""
        if not len(self._starts):
            return values[:0]
        found: NDArray[np.float32] = np.maximum.reduceat(values[self._order], self._starts)
        return found


def _rank(wrong: NDArray[np.float32], best: np.float32) -> PlaceRank:
    return PlaceRank(int((wrong > best).sum()), int((wrong == best).sum()))
