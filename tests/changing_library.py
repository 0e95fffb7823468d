"""Libraries that change at random, for tests of the vector index: a stand-in, and the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from db_samples import make_parts, make_video
from numpy.typing import NDArray
from vector_states import Ids, State

from db.library import Library
from db.records import Filters, Stamp, Video

ENCODER = "an encoder"


def clustered(random: np.random.Generator, count: int, dim: int) -> NDArray[np.float32]:
    """Rows around twenty centres, of length 1 within 1e-3: float16 values in float32."""
    centres = np.random.default_rng(dim).normal(size=(20, dim))
    rows = centres[random.integers(0, 20, count)] + 0.8 * random.normal(size=(count, dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float16).astype(np.float32)


class World(Protocol):
    """A library, and what a walk needs of it."""

    @property
    def library(self) -> Any: ...

    def change(self, random: np.random.Generator) -> str:
        """Change something at random, and say what."""
        ...

    def state(self) -> State:
        """The rows that can be found now."""
        ...


class Shelf:
    """Stands in for a library, with the stamps that db.records.Stamp promises. Every change is atomic."""

    id = "shelf"

    def __init__(self, batch: int) -> None:
        self._held = State.empty(), 0  # rows, generation
        self._batch = batch

    @property
    def rows(self) -> State:
        return self._held[0]

    def put(self, more: State) -> None:
        """Add rows, or replace those with the same ids, one after the other by ascending id."""
        rows, generation = self._held
        last = int(rows.ids[-1]) if len(rows) else 0
        bumps = np.count_nonzero(np.isin(more.ids, rows.ids) | (more.ids < last))
        self._held = rows.with_rows(more), generation + int(bumps)

    def remove(self, ids: Ids) -> None:
        rows, generation = self._held
        left = rows.without(ids)
        self._held = left, generation + len(rows) - len(left)

    def stamp(self, encoder_id: str) -> Stamp:
        rows, generation = self._held
        return Stamp(
            library_id=self.id,
            encoder_id=encoder_id,
            dim=rows.rows.shape[1],
            count=len(rows),
            last_id=int(rows.ids[-1]) if len(rows) else 0,
            generation=generation,
        )

    def segment_ids(self, filters: Filters, encoder_id: str) -> Ids:
        assert not filters
        return self.rows.ids

    def embedding_rows(self, encoder_id: str, ids: Iterable[int]) -> NDArray[np.float32]:
        rows, wanted = self.rows, np.array(list(ids), dtype=np.int64)
        at = np.searchsorted(rows.ids, wanted)
        if not np.isin(wanted, rows.ids).all():
            raise KeyError("an id without a row")
        return rows.rows[at]

    def embeddings(self, encoder_id: str, after: int = 0, batch: int = 0) -> Iterator[tuple[Ids, NDArray[np.float32]]]:
        while True:
            rows = self.rows
            chosen = slice(first := int(np.searchsorted(rows.ids, after, side="right")), first + self._batch)
            if not rows.ids[chosen].size:
                return
            yield rows.ids[chosen], rows.rows[chosen]
            after = int(rows.ids[chosen][-1])


class ShelfWorld:
    """A Shelf, with about `most` rows at most."""

    def __init__(self, *, most: int, many: int, dims: tuple[int, ...], spoilt: bool, batch: int = 700) -> None:
        self.library = Shelf(batch)
        self._most, self._many, self._dims, self._spoilt = most, many, dims, spoilt
        self._removed = State.empty()  # the last ones
        self._top = 0  # the highest id ever
        self._changes: list[tuple[float, Callable[[np.random.Generator, int], str]]] = [
            (4, self.add),
            (3, self.remove),
            (1, self.remove_run),
            (1, self.add_again),
            (2, self.replace_rows),
            (2, self.add_between),
            (2, self.add_copies),
            (1, self.change_into_copies),
            (0.3, self.write_again),
            (0.2 if spoilt else 0, self.spoil),
            (0.1, self.empty),
            (0.03, self.skip_ids),
        ]

    def state(self) -> State:
        return self.library.rows.finite()

    def change(self, random: np.random.Generator) -> str:
        size = len(self.library.rows)
        few = int(random.integers(1, 6))
        count = few if random.random() < 0.8 else int(random.integers(1, self._many))
        if size == 0:
            return self.add(random, count)
        if size + count > self._most:
            return (self.remove if random.random() < 0.5 else self.remove_run)(random, size // 3)
        if size < self._most // 3 and random.random() < 0.3:
            return self.add(random, self._many)
        weights = np.array([weight for weight, _ in self._changes])
        return self._changes[random.choice(len(weights), p=weights / weights.sum())][1](random, count)

    def add(self, random: np.random.Generator, count: int) -> str:
        return self._put(self._new_ids(random, count), self._new_rows(random, count))

    def remove(self, random: np.random.Generator, count: int) -> str:
        return self._remove(self._some(random, count))

    def remove_run(self, random: np.random.Generator, count: int) -> str:
        """Of consecutive rows, often the first or the last ones."""
        ids = self.library.rows.ids
        first = int(random.choice([0, random.integers(0, ids.size), max(0, ids.size - count)]))
        return self._remove(ids[first : first + count])

    def add_again(self, random: np.random.Generator, count: int) -> str:
        """Of rows that were removed: the same ids with the same or other content, or the content with other ids."""
        rows = self._removed.without(self.library.rows.ids)
        rows = rows.where(random.random(len(rows)) < count / max(1, len(rows)))
        if not len(rows) or rows.rows.shape[1] != self._dim():
            return self.add(random, count)
        how = random.choice(["same", "content", "ids"])
        if how == "same":
            return self._put(rows.ids, rows.rows)
        if how == "content":
            return self._put(rows.ids, self._new_rows(random, len(rows)))
        return self._put(self._new_ids(random, len(rows)), rows.rows)

    def replace_rows(self, random: np.random.Generator, count: int) -> str:
        ids = self._some(random, count)
        return self._put(ids, self._new_rows(random, ids.size))

    def add_between(self, random: np.random.Generator, count: int) -> str:
        ids = self._free_ids(random, count)
        return self._put(ids, self._new_rows(random, ids.size))

    def add_copies(self, random: np.random.Generator, count: int) -> str:
        """Of one row or of several, under lower ids or under higher ones."""
        ids = self._free_ids(random, count) if random.random() < 0.5 else self._new_ids(random, count)
        return self._put(ids, self._copied(random, ids.size))

    def change_into_copies(self, random: np.random.Generator, count: int) -> str:
        ids = self._some(random, count)
        return self._put(ids, self._copied(random, ids.size))

    def write_again(self, random: np.random.Generator, count: int) -> str:
        """The content stays, but the generation rises."""
        rows = self.library.rows
        chosen = rows.where(np.isin(rows.ids, self._some(random, count)))
        return self._put(chosen.ids, chosen.rows)

    def spoil(self, random: np.random.Generator, count: int) -> str:
        """Rows that are not finite: left out until they are removed or replaced."""
        ids = self._some(random, 1) if random.random() < 0.5 else self._new_ids(random, 1)
        return self._put(ids, np.full((1, self._dim()), np.nan, np.float32))

    def empty(self, random: np.random.Generator, count: int) -> str:
        return self._remove(self.library.rows.ids)

    def skip_ids(self, random: np.random.Generator, count: int) -> str:
        self._top += int(random.integers(1, 10**7))
        return self.add(random, count)

    def _put(self, ids: Ids, rows: NDArray[np.float32]) -> str:
        self.library.put(State.of(ids, rows))
        return f"put {ids.size}"

    def _remove(self, ids: Ids) -> str:
        rows = self.library.rows
        self._removed = rows.where(np.isin(rows.ids, ids))
        self.library.remove(ids)
        return f"remove {ids.size}"

    def _dim(self) -> int:
        return int(self.library.rows.rows.shape[1])

    def _new_rows(self, random: np.random.Generator, count: int) -> NDArray[np.float32]:
        return clustered(random, count, self._dim() if len(self.library.rows) else int(random.choice(self._dims)))

    def _copied(self, random: np.random.Generator, count: int) -> NDArray[np.float32]:
        rows = self.library.rows.rows
        return np.resize(rows[random.integers(0, len(rows), random.choice([1, count]))], (count, rows.shape[1]))

    def _some(self, random: np.random.Generator, count: int) -> Ids:
        return random.choice(self.library.rows.ids, min(count, len(self.library.rows)), replace=False)

    def _new_ids(self, random: np.random.Generator, count: int) -> Ids:
        ids = self._top + np.cumsum(random.integers(1, 4, count))
        self._top = int(ids[-1])
        return ids

    def _free_ids(self, random: np.random.Generator, count: int) -> Ids:
        """Below the last one, or new ones where none is free."""
        ids = self.library.rows.ids
        drawn = np.setdiff1d(random.integers(1, int(ids[-1]) + 1, 2 * count), ids)
        return random.permutation(drawn)[:count] if drawn.size else self._new_ids(random, count)


class LibraryWorld:
    """A library of videos, as indexing changes it."""

    OTHER = "another encoder"
    DIM = 48

    def __init__(self, library: Library, *, most: int, many: int) -> None:
        self.library = library
        self._most, self._many = most, many
        self._videos: list[tuple[Video, int]] = []  # and its number of segments
        self._waiting: list[tuple[Video, int]] = []  # embedded by another encoder only
        self._number = 0

    def state(self) -> State:
        batches = list(self.library.embeddings(ENCODER))
        if not batches:
            return State.empty()
        return State.of(np.concatenate([ids for ids, _ in batches]), np.concatenate([rows for _, rows in batches]))

    def change(self, random: np.random.Generator) -> str:
        size = sum(count for _, count in self._videos)
        if size > self._most:
            return self.remove(random, len(self._videos) // 2)
        if not self._videos or size < self._most // 3:
            return self.add(random)
        if random.random() < 0.02:
            return self.remove(random, len(self._videos))
        changes = [
            self.add,
            self.add,
            self.remove,
            self.again,
            self.change_rows,
            self.change_rows,
            self.copy,
            self.wait,
        ]
        changes += [self.arrive] if self._waiting else []
        return changes[random.integers(len(changes))](random)

    def add(self, random: np.random.Generator) -> str:
        video, count = self._new_video(random)
        self._videos.append((video, count))
        return self._put(video, clustered(random, count, self.DIM))

    def remove(self, random: np.random.Generator, count: int = 1) -> str:
        at = set(random.choice(len(self._videos), max(1, count), replace=False).tolist())
        gone = [self.library.video_at(self._videos[i][0].path) for i in at]
        self._videos = [each for i, each in enumerate(self._videos) if i not in at]
        self.library.remove_videos([video.id for video in gone if video is not None and video.id is not None])
        return f"remove {len(gone)} videos"

    def again(self, random: np.random.Generator) -> str:
        """Another content at the same path: other segments, with new ids."""
        at = int(random.integers(len(self._videos)))
        video, count = self._new_video(random, path=self._videos[at][0].path)
        self._videos[at] = video, count
        return self._put(video, clustered(random, count, self.DIM))

    def change_rows(self, random: np.random.Generator) -> str:
        """Other rows of the same segments, some of them copies of others."""
        video, count = self._videos[random.integers(len(self._videos))]
        stored = self.library.video_at(video.path)
        assert stored is not None
        assert stored.id is not None
        ids = np.array([segment.id for segment in self.library.segments_of(stored.id)])
        rows = self.library.embedding_rows(ENCODER, ids)
        at = random.choice(count, int(random.integers(1, min(count, 5) + 1)), replace=False)
        rows[at] = clustered(random, at.size, self.DIM) if random.random() < 0.5 else rows[random.integers(0, count)]
        return self._put(video, rows)

    def copy(self, random: np.random.Generator) -> str:
        video, count = self._videos[random.integers(len(self._videos))]
        stored = self.library.video_at(video.path)
        assert stored is not None
        assert stored.id is not None
        self._number += 1
        second = replace(video, path=f"/films/{self._number}.mp4")
        self.library.copy_video(stored.id, path=second.path, size_bytes=1000, modified_ns=1)
        self._videos.append((second, count))
        return f"copy {count}"

    def wait(self, random: np.random.Generator) -> str:
        """Segments take their ids now, but their rows come later."""
        video, count = self._new_video(random)
        self._waiting.append((video, count))
        return self._put(video, clustered(random, count, 8), encoder_id=self.OTHER)

    def arrive(self, random: np.random.Generator) -> str:
        video, count = self._waiting.pop(random.integers(len(self._waiting)))
        self._videos.append((video, count))
        return self._put(video, clustered(random, count, self.DIM))

    def _new_video(self, random: np.random.Generator, path: str = "") -> tuple[Video, int]:
        self._number += 1
        count = int(random.integers(1, 8 if random.random() < 0.6 else self._many))
        return make_video(path or f"/films/{self._number}.mp4", f"content{self._number}", seconds=400), count

    def _put(self, video: Video, rows: NDArray[np.float32], encoder_id: str = ENCODER) -> str:
        self.library.add_video(video, *make_parts(video, len(rows)), rows, encoder_id=encoder_id, recipe="r")
        return f"put {len(rows)} by {encoder_id}"
