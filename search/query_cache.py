"""Cache of the rows of recent query terms, so that changing a weight or a filter encodes nothing."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from encoder import Encoder

Item = TypeVar("Item")

CAPACITY_ROWS = 256
"""Number of most recently used rows to keep: 1 MiB at 1024 columns."""


class QueryCache:
    """LRU cache of the rows of one encoder. Thread-safe; two threads may encode the same item at once."""

    def __init__(self, encoder: Encoder, capacity: int = CAPACITY_ROWS) -> None:
        self._encoder = encoder
        self._capacity = capacity
        self._lock = threading.Lock()
        self._rows: OrderedDict[Hashable, NDArray[np.float32]] = OrderedDict()

    def of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the rows of texts, float32 (n, D); those that are not cached are encoded in one batch."""
        return self._of(texts, [("text", text) for text in texts], self._encoder.encode_texts)

    def of_clips(self, clips: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the rows of clips, uint8 (T, S, S, 3) each, as float32 (n, D).

        The cache key is a digest of the pixels, which takes a few milliseconds instead of the encoder's seconds, and
        avoids keeping clips.
        """
        keys = [("clip", clip.shape, _digest(clip)) for clip in clips]
        return self._of(clips, keys, lambda missing: self._encoder.encode_clips(np.stack(missing)))

    def _of(
        self,
        items: Sequence[Item],
        keys: Sequence[Hashable],
        encode: Callable[[list[Item]], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        with self._lock:
            found = {key: self._rows[key] for key in keys if key in self._rows}
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in found}
        if missing:  # outside the lock, because encoding is slow
            fresh = np.array(encode(list(missing.values())), dtype=np.float32)
            found.update(zip(missing, fresh, strict=True))
        with self._lock:
            for key in keys:
                self._rows[key] = found[key]
                self._rows.move_to_end(key)
            while len(self._rows) > self._capacity:
                self._rows.popitem(last=False)
        return np.stack([found[key] for key in keys])


def _digest(clip: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(clip).data, digest_size=20).digest()
