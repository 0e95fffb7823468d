"""Finding of takes after indexing: new shots are compared with those that are near them in the space.

What is near is decided by what was measured for the space; whether it is a take, by how the shots look. Looks are made
of the stored previews, so that no video is decoded again, and are not kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from db.records import Filters
from search.takes.look import Look
from search.takes.pair_file import Found, PairFile
from search.takes.relations import Placed, Relation, may_be_related, relation_of
from search.takes.set_ups import Pair
from search.vectors.vector_index import Ids, RowsOf, VectorIndex

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Shot, Video

NEIGHBOURS = 50
"""Shots that each one is compared with, at most: the nearest."""
PATIENCE = 8
"""Of these, so many in a row that have nothing in common with it end the comparison."""

_FURTHER = 4.0  # times as far apart as those that show the same, takes may be
_BLOCK = 64  # shots looked for at a time
_KEPT_LOOKS, _KEPT_PLACES = 300, 10_000  # 170 KB and 1 KB each
_SAVED_EVERY = 2_000  # shots, so that a run that is stopped has not worked in vain

Content = TypeVar("Content")

ReadLook = Callable[["Segment", "Video"], "NDArray[np.uint8] | None"]
"""Returns the small pictures of a shot, as `Look.of` takes them; None if it has none that can be read."""


def pending_shots(library: Library, encoder_id: str) -> Ids:
    """Return the segments with a row in a space that were not looked at yet, int64 (n,), ascending.

    Raises:
        LibraryError: The library cannot be read.
    """
    there = library.segment_ids(Filters(), encoder_id)
    return np.setdiff1d(there, PairFile(library.directory, encoder_id).load().looked_at, assume_unique=True)


def furthest_take(near: float) -> float:
    """Return the cosine from which shots may be takes at all; see `search.take_threshold`."""
    return 1 - _FURTHER * (1 - near)


class TakeFinder:
    """Finds the takes of one space."""

    def __init__(
        self, library: Library, encoder_id: str, index: VectorIndex, rows_of: RowsOf, read: ReadLook, *, near: float
    ) -> None:
        """Create a finder.

        Args:
            library: Keeps what is found.
            encoder_id: The encoder of the space.
            index: Its rows, up to date: they tell which shots are near each other.
            rows_of: Returns (ids, float32 (n, D)) in order, without ids that have no row.
            read: Reads small pictures of shots.
            near: Cosine from which shots of one set show the same; see `search.take_threshold`.
        """
        self._library, self._encoder_id, self._read = library, encoder_id, read
        self._index, self._rows_of = index, rows_of
        self._file = PairFile(library.directory, encoder_id)
        self._nearest, self._furthest = near, furthest_take(near)
        self._places: _Recent[Placed] = _Recent(_KEPT_PLACES)
        self._looks: _Recent[Look] = _Recent(_KEPT_LOOKS)
        self._shots: _Recent[list[Shot]] = _Recent(_KEPT_LOOKS)  # by video

    def find(self, *, on_progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> int:
        """Look at every shot that was not looked at yet, and keep what is found.

        Args:
            on_progress: Receives how many shots are done, and of how many.
            cancelled: Ends the work; what was found so far is kept.

        Returns:
            The number of shots that were looked at.

        Raises:
            LibraryError: The library cannot be read.
            OSError: What was found could not be stored.
        """
        there = self._library.segment_ids(Filters(), self._encoder_id)
        found = self._file.load()
        looked_at = found.looked_at[np.isin(found.looked_at, there)]
        pending = np.setdiff1d(there, looked_at, assume_unique=True)
        if not len(pending):
            return 0
        alive = set(there.tolist())
        related = {pair: what for pair, what in found.related.items() if alive.issuperset(pair)}
        saved = done = 0
        while done < len(pending) and not cancelled():
            on_progress(done, len(pending))
            block = pending[done : done + _BLOCK].tolist()
            for segment_id, neighbours in self._near(block).items():
                related |= self._related(segment_id, neighbours, related)
            done += len(block)
            if done - saved >= _SAVED_EVERY:
                self._file.save(Found(np.union1d(looked_at, pending[:done]), related))
                saved = done
        self._file.save(Found(np.union1d(looked_at, pending[:done]), related))
        return done

    def _near(self, ids: list[int]) -> dict[int, dict[int, float]]:
        """Return the shots that may be takes of each of these, nearest first, with their cosines."""
        ids, rows = self._rows_of(ids)
        sound = np.flatnonzero(np.isfinite(rows).all(axis=1))
        ids, rows = [ids[at] for at in sound.tolist()], rows[sound].astype(np.float32)
        if not ids:
            return {}
        found, scores = self._index.search(rows, NEIGHBOURS + 1)
        near: dict[int, dict[int, float]] = {}
        for at, each in enumerate(ids):
            cosines = zip(found[at].tolist(), scores[at].tolist(), strict=True)
            near[each] = {other: cosine for other, cosine in cosines if other != each and cosine >= self._furthest}
        return near

    def _related(
        self, segment_id: int, neighbours: dict[int, float], known: dict[Pair, tuple[Relation, float]]
    ) -> dict[Pair, tuple[Relation, float]]:
        """Return the pairs of a shot with its neighbours that have something in common."""
        self._place([segment_id, *neighbours])
        first = self._places.get(segment_id)
        found: dict[Pair, tuple[Relation, float]] = {}
        in_vain = 0
        for other, cosine in neighbours.items():
            pair, second = (min(segment_id, other), max(segment_id, other)), self._places.get(other)
            if pair in known:
                in_vain = 0
                continue
            if first is None or second is None or not may_be_related(first, second):
                continue
            look, other_look = self._look(first), self._look(second)
            if look is None or other_look is None:
                continue
            near = cosine >= self._nearest
            relation = relation_of(first, second, (look, other_look), is_same_actor=near)
            if relation is not None:
                found[pair] = relation
            in_vain = 0 if relation is not None else in_vain + 1
            if in_vain == PATIENCE:
                break
        return found

    def _place(self, ids: list[int]) -> None:
        """Look up those of these shots that are not in memory."""
        for segment_id, (segment, video) in self._library.segments([i for i in ids if i not in self._places]).items():
            assert video.id is not None, "what comes from the library has an id"
            if video.id not in self._shots:
                self._shots.put(video.id, self._library.shots(video.id))
            shots = self._shots.get(video.id) or []
            start = next((shot.start_pts for shot in shots if shot.number == segment.shot_number), segment.start_pts)
            self._places.put(
                segment_id,
                Placed(
                    segment,
                    video,
                    begins=video.seconds(segment.start_pts) - video.seconds(start),
                    starts_file=segment.shot_number == 0,
                    ends_file=segment.shot_number == max((shot.number for shot in shots), default=0),
                ),
            )

    def _look(self, shot: Placed) -> Look | None:
        segment_id = shot.segment.id
        assert segment_id is not None, "what comes from the library has an id"
        if segment_id not in self._looks:
            pictures = self._read(shot.segment, shot.video)
            self._looks.put(segment_id, None if pictures is None else Look.of(pictures, shot.seconds))
        return self._looks.get(segment_id)


class _Recent(Generic[Content]):
    """What was used last, by id; the rest is forgotten."""

    def __init__(self, most: int) -> None:
        self._kept: OrderedDict[int, Content | None] = OrderedDict()
        self._most = most

    def __contains__(self, key: int) -> bool:
        return key in self._kept

    def get(self, key: int) -> Content | None:
        """Return what is kept, and keep it longer; None if nothing is."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: int, content: Content | None) -> None:
        """Keep something."""
        self._kept[key] = content
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
