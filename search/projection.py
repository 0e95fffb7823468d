"""Map of a library: a 2-D point for every segment embedded by one encoder, with similar shots close together.

A map is derived from the library, like the vector index, and saved in a stamped cache file. Segments indexed later are
placed among the existing ones, so that a familiar map keeps its shape. It is rebuilt once too many segments are new, or
as soon as a row was removed or changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.errors import LibraryBusy
from db.records import Filters, Stamp
from search.cache_file import CacheFile
from search.even import evenly
from search.layout import LAYOUT_VERSION, Landmarks, Points, Rows, choose_landmarks, lay_out

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

MAX_NEW_SHARE = 0.2
"""A map is rebuilt once the new segments exceed this fraction of those it was built from."""
_POOL = 20_000  # rows that landmarks are chosen from; bounds the memory: 60 MB at 768 columns
_TRIES = 3  # attempts while another process is changing the library

OnProgress = Callable[[float, str], None]
"""Called with the finished fraction (0 to 1) and a few words about the current step."""


class ProjectionCancelled(Exception):
    """The caller cancelled. A saved map is unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A map.

    Attributes:
        stamp: The library's stamp of the embeddings that the map shows.
        ids: int64 (N,), segment ids, ascending.
        points: float32 (N, 2), about -1 to 1 and never far outside.
        landmarks: int64 (M,), ids of the segments that the others are placed among.
        made_from: The number of segments when it was last rebuilt.
    """

    stamp: Stamp
    ids: NDArray[np.int64]
    points: Points
    landmarks: NDArray[np.int64]
    made_from: int


class ProjectionStore:
    """Builds and saves the map of one encoder's rows. Not thread-safe; keeps no map in memory."""

    def __init__(self, library: Library, encoder_id: str, directory: Path) -> None:
        """Create the store of an encoder's map.

        Args:
            library: The rows to lay out.
            encoder_id: The encoder whose rows are shown.
            directory: The folder of the saved map, usually `<library>/map`. Nothing is read or written yet.
        """
        self._library = library
        self._encoder_id = encoder_id
        self._cache = CacheFile(Path(directory), encoder_id, ".npz")

    def load_saved(self) -> Projection | None:
        """Return the saved map if it is up to date with the library, else None. Fast: no row is read.

        Raises:
            LibraryError: The library cannot be read.
        """
        saved = self._load()
        return saved if saved is not None and saved.stamp == self._library.stamp(self._encoder_id) else None

    def update(
        self, *, progress: OnProgress | None = None, cancelled: Callable[[], bool] | None = None, rebuild: bool = False
    ) -> Projection:
        """Return an up-to-date map of the library, and save it.

        This is the saved map with new segments added, or a rebuilt one. A rebuild takes about 15 s for 100 000
        rows of 768 columns on two cores, one or two for a thousand. Only the points take memory that grows with the
        number of rows.

        Args:
            progress: Called after every step.
            cancelled: Called often; True stops the work. Steps of a few seconds cannot be interrupted.
            rebuild: Ignore the saved map.

        Raises:
            ProjectionCancelled: `cancelled` returned True.
            LibraryBusy: Another process keeps changing the library.
            LibraryError: The library cannot be read.
        """
        steps = _Steps(progress or (lambda share, text: None), cancelled or (lambda: False))
        saved = None if rebuild else self._load()
        for _ in range(_TRIES):
            stamp = self._library.stamp(self._encoder_id)
            if saved is not None and saved.stamp == stamp:
                return saved
            try:
                if saved is not None and _may_grow(saved, stamp):
                    projection = self._grow(saved, stamp, steps)
                else:
                    projection = self._rebuild(stamp, steps)
            except KeyError:  # a landmark was removed between two reads
                saved = None
                continue
            self._cache.save(projection.stamp, partial(_write, projection))
            return projection
        raise LibraryBusy("The library is being changed by another process; open the map again in a moment.")

    def _rebuild(self, stamp: Stamp, steps: _Steps) -> Projection:
        """Choose landmarks from an even sample of all rows, lay them out, and place all rows batch by batch."""
        steps.report(0.0, "Choosing landmarks")
        ids = self._library.segment_ids(Filters(), self._encoder_id)
        pool = evenly(ids, _POOL)
        pool, rows = self._rows(pool)
        chosen = choose_landmarks(rows)
        landmark_ids, landmark_rows = pool[chosen], rows[chosen]
        del rows
        steps.report(0.1, "Finding which shots are alike")
        landmarks = Landmarks(landmark_rows, lay_out(landmark_rows))
        empty = Projection(
            stamp=replace(stamp, count=0, last_id=0),
            ids=np.zeros(0, np.int64),
            points=np.zeros((0, 2), np.float32),
            landmarks=landmark_ids,
            made_from=0,
        )
        projection = self._place(empty, landmarks, stamp, steps, 0.4)
        at = np.searchsorted(projection.ids, landmark_ids)
        there = np.flatnonzero(projection.ids[np.minimum(at, max(0, projection.ids.size - 1))] == landmark_ids)
        projection.points[at[there]] = landmarks.points[there]
        return replace(projection, made_from=projection.stamp.count)

    def _grow(self, saved: Projection, stamp: Stamp, steps: _Steps) -> Projection:
        """Add the rows above the last id of a saved map to it. Raise KeyError if a landmark was removed."""
        rows = self._library.embedding_rows(self._encoder_id, saved.landmarks)
        points = saved.points[np.searchsorted(saved.ids, saved.landmarks)]
        return self._place(saved, Landmarks(rows, points), stamp, steps, 0.0)

    def _place(self, before: Projection, landmarks: Landmarks, stamp: Stamp, steps: _Steps, done: float) -> Projection:
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
            steps.report(done + (1 - done) * share, "Placing the shots")
        return replace(
            before,
            # The rows read may be newer than `stamp`, so count and last_id are of the rows, as in the vector index.
            stamp=replace(stamp, count=count, last_id=last_id),
            ids=np.concatenate(ids),
            points=np.concatenate(points),
        )

    def _rows(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], Rows]:
        """Return (ids, rows) of the finite rows, because damaged ones cannot be compared."""
        if not ids.size:
            return ids, np.zeros((0, 1), np.float32)
        rows = self._library.embedding_rows(self._encoder_id, ids)
        good = np.isfinite(rows).all(axis=1)
        return ids[good], rows[good]

    def _load(self) -> Projection | None:
        loaded = self._cache.load(_read)
        if loaded is None:
            return None
        stamp, saved = loaded
        ours = (stamp.library_id, stamp.encoder_id) == (self._library.id, self._encoder_id)
        fits = ours and saved.ids.shape == (len(saved.points),) and np.isin(saved.landmarks, saved.ids).all()
        return replace(saved, stamp=stamp) if fits else None


@dataclass(frozen=True, slots=True)
class _Steps:
    progress: OnProgress
    cancelled: Callable[[], bool]

    def report(self, share: float, text: str) -> None:
        if self.cancelled():
            raise ProjectionCancelled
        self.progress(share, text)


def _may_grow(saved: Projection, stamp: Stamp) -> bool:
    """Return whether every point of the map still holds and few enough rows are new."""
    only_more = stamp.last_id > saved.stamp.last_id and stamp.count > saved.stamp.count
    few = stamp.count - saved.made_from <= MAX_NEW_SHARE * saved.made_from
    return saved.stamp.holds_at(stamp) and only_more and few


def _write(projection: Projection, file: IO[bytes]) -> None:
    np.savez(
        file,
        layout=LAYOUT_VERSION,
        ids=projection.ids,
        points=projection.points,
        landmarks=projection.landmarks,
        made_from=projection.made_from,
    )


def _read(path: Path) -> Projection:
    """Read a map without its stamp, which the cache returns beside it."""
    no_stamp = Stamp(library_id="", encoder_id="", dim=0, count=0, last_id=0, generation=-1)
    with np.load(path, allow_pickle=False) as saved:
        if int(saved["layout"]) != LAYOUT_VERSION:
            raise ValueError("a map of another layout")
        return Projection(
            stamp=no_stamp,
            ids=saved["ids"].astype(np.int64),
            points=saved["points"].astype(np.float32),
            landmarks=saved["landmarks"].astype(np.int64),
            made_from=int(saved["made_from"]),
        )
