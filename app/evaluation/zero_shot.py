"""Zero-shot classification: a class is what sentences about its name have in common; no example is needed.

A name is put into each template, the unit rows of the sentences are averaged, and the mean is made a unit row again.
The score of a video for a class is the cosine of both rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.class_names import PLACE
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.row_store import RowStore
    from encoder import Encoder

TEMPERATURE = 0.01
"""Cosines are divided by it before the softmax, as the official example does. Nothing calibrates it: a share tells how
far a class is ahead of the others on the list, and not how probable it is."""

_SENTENCES = 64  # encoded at once
_FEW = 8


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The best classes of each row, best first; equal cosines in the order of the classes.

    Attributes:
        classes: int64 (n, top), positions of classes.
        cosines: float32 (n, top).
        shares: float32 (n, top), of the softmax over all classes at TEMPERATURE.
    """

    classes: NDArray[np.int64]
    cosines: NDArray[np.float32]
    shares: NDArray[np.float32]


def sentences(name: str, templates: Sequence[str]) -> list[str]:
    """Return what each template says of a class."""
    return [each.replace(PLACE, name) for each in templates]


def class_rows(
    encoder: Encoder,
    names: Sequence[str],
    templates: Sequence[str],
    store: RowStore,
    *,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> NDArray[np.float32]:
    """Return the unit row of each class.

    Args:
        encoder: Makes the rows that the store does not have.
        names: Names of the classes.
        templates: Each with PLACE once; at least one.
        store: Rows of earlier runs, of this encoder; receives new ones.
        on_progress: Called with the number of classes that are done.
        cancelled: Polled between batches; True ends the run with Cancelled.

    Returns:
        float32 (classes, D).

    Raises:
        Cancelled: `cancelled` returned True.
        EncoderError: The encoder cannot be loaded.
        OSError: The store could not be written.
    """
    import numpy as np

    keys = {name: _key(name, templates) for name in names}
    missing = [name for name, key in keys.items() if key not in store]
    at_once = max(1, _SENTENCES // len(templates))
    for start in range(0, len(missing), at_once):
        on_progress(len(keys) - len(missing) + start)
        if cancelled():
            raise Cancelled
        some = missing[start : start + at_once]
        rows = encoder.encode_texts([text for name in some for text in sentences(name, templates)])
        means = rows.reshape(len(some), len(templates), -1).mean(axis=1, dtype=np.float64)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        for name, row in zip(some, means.astype(np.float32), strict=True):
            store.add(keys[name], row)
    on_progress(len(keys))
    return np.stack([store[keys[name]] for name in names]) if names else np.zeros((0, encoder.dim), np.float32)


def best_classes(rows: NDArray[np.float32], classes: NDArray[np.float32], top: int) -> Best:
    """Return the best classes of each row.

    Args:
        rows: float32 (n, D), unit rows.
        classes: float32 (classes, D), unit rows; at least one.
        top: How many; all of them if there are fewer.
    """
    import numpy as np

    cosines = rows @ classes.T
    order = _best_positions(cosines, min(top, len(classes)))
    best = np.take_along_axis(cosines, order, axis=1)
    weights = np.exp((cosines - best[:, :1]) / np.float32(TEMPERATURE))
    shares = np.take_along_axis(weights, order, axis=1) / weights.sum(axis=1, keepdims=True, dtype=np.float64)
    return Best(order, best, shares.astype(np.float32))


def _best_positions(cosines: NDArray[np.float32], top: int) -> NDArray[np.int64]:
    import numpy as np

    if top > _FEW:
        return np.argsort(-cosines, axis=1, kind="stable")[:, :top].astype(np.int64)
    left, every = cosines.copy(), np.arange(len(cosines))
    order = np.zeros((len(cosines), top), np.int64)
    for rank in range(top):  # several times as fast as sorting hundreds of classes
        order[:, rank] = left.argmax(axis=1)
        left[every, order[:, rank]] = -np.inf
    return order


def _key(name: str, templates: Sequence[str]) -> str:
    said = json.dumps([name, list(templates)]).encode()
    return f"class {hashlib.blake2b(said, digest_size=16).hexdigest()}"
