"""The map of a library: a place in the plane for every segment that one encoder has embedded, near shots near together.

Derived from the library as the vector index is, and kept in a stamped cache file. What is indexed later is placed
among what is there, so that a map that a person knows stays as it is. It is made anew once too much is new, or as soon
as anything went or changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.errors import LibraryBusy
from db.records import Filters, Stamp
from search.cache_file import CacheFile
from search.layout import LAYOUT, Landmarks, Points, Rows, choose_landmarks, lay_out

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

MOST_NEW = 0.2
"""A map is made anew once more than this share of what it was made from has come since."""
_POOL = 20_000  # rows that landmarks are chosen from: what bounds the memory, 60 MB at 768 columns
_TRIES = 3  # readings of a library that another process is changing

Progress = Callable[[float, str], None]
"""Is told the share done (0 to 1) and what is being done."""


class ProjectionCancelled(Exception):
    """The map was no longer wanted. What was there before is as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """ids: int64 (N,), ascending. points: float32 (N, 2), about -1..1 (what is far outside that does not occur).

    stamp: the embeddings that it shows. landmarks: ids of those that the others are placed among. made_from: how many
    there were when it was made anew.
    """

    stamp: Stamp
    ids: NDArray[np.int64]
    points: Points
    landmarks: NDArray[np.int64]
    made_from: int


class ProjectionStore:
    """The map of one encoder's rows and its file. Holds no map itself; not for several threads at once."""

    def __init__(self, library: Library, encoder_id: str, directory: Path) -> None:
        """directory: where the file is kept, usually `<library>/map`; nothing is read or written yet."""
        self._library = library
        self._encoder_id = encoder_id
        self._cache = CacheFile(Path(directory), encoder_id, ".npz")

    def kept(self) -> Projection | None:
        """The map in the file if it shows what the library holds now, else None. Quick."""
        held = self._load()
        return held if held is not None and held.stamp == self._library.stamp(self._encoder_id) else None

    def update(
        self, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None, anew: bool = False
    ) -> Projection:
        """The map of what the library holds now: the kept one, with new segments placed in it, or one made anew.

        About 15 s for 100 000 rows of 768 columns on two cores, one or two for a thousand. Memory does not grow with
        their number, but for the places themselves. cancelled: asked often; a stretch of some seconds cannot be
        stopped. anew: do not look at the kept one.
        Raises ProjectionCancelled, and LibraryError where the library cannot be read.
        """
        work = _Work(progress or (lambda share, text: None), cancelled or (lambda: False))
        held = None if anew else self._load()
        for _ in range(_TRIES):
            stamp = self._library.stamp(self._encoder_id)
            if held is not None and held.stamp == stamp:
                return held
            try:
                if held is not None and _may_grow(held, stamp):
                    made = self._grown(held, stamp, work)
                else:
                    made = self._made(stamp, work)
            except KeyError:  # a landmark went between two readings
                held = None
                continue
            self._cache.save(made.stamp, lambda path, made=made: _write(path, made))  # type: ignore[misc]
            return made
        raise LibraryBusy("The library is being changed by another process; open the map again in a moment.")

    def _made(self, stamp: Stamp, work: _Work) -> Projection:
        """All anew: landmarks from an even sample of all, then the others batch by batch."""
        work.tell(0.0, "Choosing landmarks")
        ids = self._library.segment_ids(Filters(), self._encoder_id)
        pool = ids[np.unique(np.linspace(0, max(0, ids.size - 1), min(ids.size, _POOL)).astype(np.int64))]
        pool, rows = self._rows(pool)
        chosen = choose_landmarks(rows)
        landmark_ids, landmark_rows = pool[chosen], rows[chosen]
        del rows
        work.tell(0.1, "Finding which shots are alike")
        landmarks = Landmarks(landmark_rows, lay_out(landmark_rows))
        empty = Projection(
            stamp=replace(stamp, count=0, last_id=0),
            ids=np.zeros(0, np.int64),
            points=np.zeros((0, 2), np.float32),
            landmarks=landmark_ids,
            made_from=0,
        )
        made = self._placed(empty, landmarks, stamp, work, 0.4)
        at = np.searchsorted(made.ids, landmark_ids)
        there = np.flatnonzero(made.ids[np.minimum(at, max(0, made.ids.size - 1))] == landmark_ids)
        made.points[at[there]] = landmarks.points[there]
        return replace(made, made_from=made.stamp.count)

    def _grown(self, held: Projection, stamp: Stamp, work: _Work) -> Projection:
        """The kept map with the rows above its last id placed in it. KeyError where a landmark has gone."""
        rows = self._library.embedding_rows(self._encoder_id, held.landmarks)
        points = held.points[np.searchsorted(held.ids, held.landmarks)]
        return self._placed(held, Landmarks(rows, points), stamp, work, 0.0)

    def _placed(self, before: Projection, landmarks: Landmarks, stamp: Stamp, work: _Work, done: float) -> Projection:
        ids, points = [before.ids], [before.points]
        count, wanted = before.stamp.count, max(1, stamp.count - before.stamp.count)
        last_id = before.stamp.last_id
        for batch_ids, batch in self._library.embeddings(self._encoder_id, after=last_id):
            count, last_id = count + len(batch_ids), int(batch_ids[-1])
            good = np.isfinite(batch).all(axis=1)
            if len(landmarks.rows):
                ids.append(batch_ids[good])
                points.append(landmarks.place(batch_ids[good], batch[good]))
            share = min(1.0, (count - before.stamp.count) / wanted)
            work.tell(done + (1 - done) * share, "Placing the shots")
        return replace(
            before,
            # What was read may be newer than `stamp`, so count and last_id are our own, as in the vector index.
            stamp=replace(stamp, count=count, last_id=last_id),
            ids=np.concatenate(ids),
            points=np.concatenate(points),
        )

    def _rows(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], Rows]:
        """(ids, rows) of those that are finite: damaged ones cannot be compared."""
        if not ids.size:
            return ids, np.zeros((0, 1), np.float32)
        rows = self._library.embedding_rows(self._encoder_id, ids)
        good = np.isfinite(rows).all(axis=1)
        return ids[good], rows[good]

    def _load(self) -> Projection | None:
        loaded = self._cache.load(_read)
        if loaded is None:
            return None
        stamp, held = loaded
        ours = (stamp.library_id, stamp.encoder_id) == (self._library.id, self._encoder_id)
        fits = ours and held.ids.shape == (len(held.points),) and np.isin(held.landmarks, held.ids).all()
        return replace(held, stamp=stamp) if fits else None


@dataclass(frozen=True, slots=True)
class _Work:
    progress: Progress
    cancelled: Callable[[], bool]

    def tell(self, share: float, text: str) -> None:
        if self.cancelled():
            raise ProjectionCancelled
        self.progress(share, text)


def _may_grow(held: Projection, stamp: Stamp) -> bool:
    """Whether every place still stands and not too much is new."""
    same = (held.stamp.dim, held.stamp.generation) == (stamp.dim, stamp.generation)
    only_more = stamp.last_id > held.stamp.last_id and stamp.count > held.stamp.count
    return same and only_more and stamp.count - held.made_from <= MOST_NEW * held.made_from


def _write(path: Path, made: Projection) -> None:
    with path.open("wb") as stream:
        np.savez(
            stream,
            layout=LAYOUT,
            ids=made.ids,
            points=made.points,
            landmarks=made.landmarks,
            made_from=made.made_from,
        )


def _read(path: Path) -> Projection:
    """With a stamp that means nothing yet: the cache gives it beside."""
    nothing = Stamp(library_id="", encoder_id="", dim=0, count=0, last_id=0, generation=-1)
    with np.load(path, allow_pickle=False) as held:
        if int(held["layout"]) != LAYOUT:
            raise ValueError("a map of another layout")
        return Projection(
            stamp=nothing,
            ids=held["ids"].astype(np.int64),
            points=held["points"].astype(np.float32),
            landmarks=held["landmarks"].astype(np.int64),
            made_from=int(held["made_from"]),
        )
