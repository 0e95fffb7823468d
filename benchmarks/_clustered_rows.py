"""Synthetic rows with the structure of video embeddings: topics, their videos, similar neighbouring shots; and queries.

Noise decreases over the directions as the spectrum of real embeddings does. Rows are stored as float16 and generated in
blocks; each query is near one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from db.records import Filters, Stamp

SHOTS_A_VIDEO = 50
ROWS_A_TOPIC = 5000
OF_VIDEO, OF_SHOT, OF_QUERY = 0.9, 1.3, 1.2  # lengths of what is added to a topic, a video, a shot
_DECAY = 0.35  # of the noise over the directions: (1 + i) ** -_DECAY
_BLOCK = 50_000


def clustered_rows(path: Path, count: int, dim: int, queries: int, seed: int = 7) -> NDArray[np.float32]:
    """Write float16 (count, dim) to `path` as a .npy file; return queries, float32 (queries, dim)."""
    chance = np.random.default_rng(seed)
    scale = ((1 + np.arange(dim)) ** -_DECAY).astype(np.float32)
    turned = np.linalg.qr(chance.normal(size=(dim, dim)))[0].astype(np.float32)
    shaped = (scale / np.linalg.norm(scale))[:, None] * turned

    def noise(rows: int) -> NDArray[np.float32]:
        return chance.standard_normal((rows, dim), dtype=np.float32) @ shaped

    topics = noise(max(20, count // ROWS_A_TOPIC))
    videos = -(-count // SHOTS_A_VIDEO)
    centres = topics[chance.integers(0, len(topics), videos)] + OF_VIDEO * noise(videos)
    stored = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(count, dim))
    for start in range(0, count, _BLOCK):
        stop = min(count, start + _BLOCK)
        stored[start:stop] = unit(centres[np.arange(start, stop) // SHOTS_A_VIDEO] + OF_SHOT * noise(stop - start))
    near = stored[np.sort(chance.integers(0, count, queries))].astype(np.float32)
    return unit(near + OF_QUERY * noise(queries))


def like_sentences(queries: NDArray[np.float32], seed: int = 11) -> NDArray[np.float32]:
    """Move queries away from all rows, as sentences are from shots: the best cosine with a row is then about 0.3.

    All sentences of an encoder lie in one direction from its shots (the modality gap), and each by itself.
    """
    chance = np.random.default_rng(seed)
    gap = unit(chance.standard_normal((1, queries.shape[1]), dtype=np.float32))
    return unit(queries + gap + 1.5 * unit(chance.standard_normal(queries.shape, dtype=np.float32)))


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class ArrayLibrary:
    """A stand-in for the library that answers FaissIndex from an array; the cost of SQLite is measured elsewhere.

    Segment ids are 1, 2, 3 ... in the order of the rows.
    """

    id = "benchmark"

    def __init__(self, rows: NDArray[np.float16], count: int) -> None:
        """Wrap rows, float16 (n, D), of which the first `count` are in the library so far."""
        self._rows = rows
        self.count = count
        self.gone = np.empty(0, dtype=np.int64)

    def stamp(self, encoder_id: str) -> Stamp:
        return Stamp(
            library_id=self.id,
            encoder_id=encoder_id,
            dim=int(self._rows.shape[1]),
            count=self.count - len(self.gone),
            last_id=self.count,
            generation=len(self.gone),
        )

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        return np.setdiff1d(np.arange(1, self.count + 1), self.gone, assume_unique=True)

    def embedding_rows(self, encoder_id: str, ids: Iterable[int]) -> NDArray[np.float32]:
        return np.asarray(self._rows[np.fromiter(ids, np.int64) - 1], dtype=np.float32)

    def embeddings(
        self, encoder_id: str, after: int = 0, batch: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        for start in range(after, self.count, batch):
            ids = np.arange(start + 1, min(self.count, start + batch) + 1)
            ids = ids[~np.isin(ids, self.gone)]
            yield ids, self._rows[ids - 1].astype(np.float32)
