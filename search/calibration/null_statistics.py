"""Null statistics: what every shot of a library gets from null questions and null shots, made in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from db.records import Filters, Stamp
from search.calibration.shot_null import ShotNull, best_beyond_kin
from search.calibration.shot_scores import ShotScores
from search.calibration.word_null import WordNull
from search.even import evenly

Floats = NDArray[np.float32]

NULL_SHOTS = 256
_SAMPLE = 16_384  # shots whose cosines show what shots get from each other: 17 MB with NULL_SHOTS

OnProgress = Callable[[float], None]
"""Called with the finished fraction, 0 to 1. What it raises ends the work."""


class Rows(Protocol):
    """The rows of an encoder, as a Library has them; see there."""

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]: ...
    def embedding_rows(self, encoder_id: str, ids: Iterable[int]) -> Floats: ...
    def embeddings(self, encoder_id: str, after: int = 0) -> Iterator[tuple[NDArray[np.int64], Floats]]: ...


@dataclass(frozen=True, slots=True, eq=False)
class NullStatistics:
    """What the rows of one encoder get from null questions and null shots.

    Attributes:
        stamp: The library's stamp of the rows that are covered.
        ids: int64 (N,), segments, ascending.
        words, shots: What each segment gets from null questions and from null shots.
        questions: float32 (n, D), the rows of null questions.
        best_words: float32 (n,), the corrected cosine of the best hit of each.
        shot_ids, shot_rows: int64 (m,) and float32 (m, D), null shots.
        best_shots: float32 (m,), the corrected cosine of the best hit of each, kin set aside.
        made_from: Number of rows when it was last made from nothing.
    """

    stamp: Stamp
    ids: NDArray[np.int64]
    words: ShotScores
    shots: ShotScores
    questions: Floats
    best_words: Floats
    shot_ids: NDArray[np.int64]
    shot_rows: Floats
    best_shots: Floats
    made_from: int

    def word_null(self, shares: NDArray[np.float64]) -> WordNull:
        """Return the null of words; `shares` are the forms of the null questions."""
        return WordNull.fitted(shares, self.best_words.astype(np.float64))

    def shot_null(self) -> ShotNull | None:
        """Return the null of examples; None if there are too few shots for one."""
        return ShotNull.fitted(self.best_shots.astype(np.float64))


def calibrate(library: Rows, stamp: Stamp, questions: Floats, on_progress: OnProgress) -> NullStatistics:
    """Calibrate all rows of an encoder.

    Args:
        library: The rows.
        stamp: Its current stamp.
        questions: The rows of null questions.
        on_progress: Called after every batch.

    Raises:
        KeyError: A row was removed meanwhile.
        LibraryError: The library cannot be read.
    """
    ids = library.segment_ids(Filters(), stamp.encoder_id)
    sample_ids = evenly(ids, _SAMPLE)
    sample = library.embedding_rows(stamp.encoder_id, sample_ids)
    good = np.isfinite(sample).all(axis=1)
    sample_ids, sample = sample_ids[good], sample[good]
    at = evenly(np.arange(len(sample_ids)), NULL_SHOTS)
    shot_ids, shot_rows = sample_ids[at], sample[at]
    words = ShotScores.of(sample @ questions.T)
    between = sample @ shot_rows.T
    apart = sample_ids[:, None] == shot_ids
    shots = ShotScores.of(between, apart)
    best = best_beyond_kin(np.where(apart, np.float32(np.nan), shots.corrected(between)))
    none = np.zeros(0, np.float32)
    empty = NullStatistics(
        stamp=replace(stamp, count=0, last_id=0),
        ids=np.zeros(0, np.int64),
        words=ShotScores(none, none, words.variance),
        shots=ShotScores(none, none, shots.variance),
        questions=questions,
        best_words=np.full(len(questions), -np.inf, np.float32),
        shot_ids=shot_ids,
        shot_rows=shot_rows,
        best_shots=best.astype(np.float32),
        made_from=0,
    )
    made = grown(empty, library, stamp, on_progress)
    return replace(made, made_from=made.stamp.count)


def grown(before: NullStatistics, library: Rows, stamp: Stamp, on_progress: OnProgress) -> NullStatistics:
    """Return the statistics with the rows above their last id. Arguments and exceptions are those of `calibrate`."""
    count, last_id, wanted = before.stamp.count, before.stamp.last_id, max(1, stamp.count - before.stamp.count)
    parts, best = [before], before.best_words
    for ids, rows in library.embeddings(stamp.encoder_id, after=last_id):
        count, last_id = count + len(ids), int(ids[-1])
        good = np.isfinite(rows).all(axis=1)
        ids, rows = ids[good], rows[good]
        cosines = rows @ before.questions.T
        words = ShotScores.of(cosines, variance=before.words.variance)
        if len(ids):
            best = np.maximum(best, words.corrected(cosines).max(axis=0))
        shots = ShotScores.of(
            rows @ before.shot_rows.T, ids[:, None] == before.shot_ids, variance=before.shots.variance
        )
        parts.append(replace(before, ids=ids, words=words, shots=shots))
        on_progress(min(1.0, (count - before.stamp.count) / wanted))
    return replace(
        before,
        # Rows may be newer than `stamp`, so count and last_id are those of the rows, as in the vector index.
        stamp=replace(stamp, count=count, last_id=last_id),
        ids=np.concatenate([part.ids for part in parts]),
        words=ShotScores.joined([part.words for part in parts]),
        shots=ShotScores.joined([part.shots for part in parts]),
        best_words=best,
    )
