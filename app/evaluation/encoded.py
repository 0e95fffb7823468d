"""What an encoder makes of many stretches of video: read in worker processes, in batches, kept for the next run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from app.evaluation.labelled import Stretch
from app.evaluation.picture_folder import listing_digest
from indexer.fingerprint import fingerprint
from indexer.media.errors import Cancelled, UnreadableVideo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec

    Clip = NDArray[np.uint8]

_READERS = 2

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class EncodesClips(Protocol):
    """Makes an array of every clip: an Encoder its rows, `app.evaluation.features` what heads are trained on."""

    @property
    def clip_spec(self) -> ClipSpec:
        """The shape of its clips."""
        ...

    @property
    def batch(self) -> int:
        """Clips of one call."""
        ...

    def encode_clips(self, clips: Clip) -> NDArray[np.float32]:
        """Take uint8 (B, T, S, S, 3) and return float32 (B, ...)."""
        ...


class Store(Protocol[T_co]):
    """Keeps an array of every stretch by key, and gives it or where it is; a RowStore is one."""

    def __contains__(self, key: str) -> bool:
        """Return whether the key has an array."""
        ...

    def __getitem__(self, key: str) -> T_co:
        """Return what is kept of a key."""
        ...

    def add(self, key: str, row: NDArray[np.float32]) -> None:
        """Keep an array."""
        ...


class ReadStretch(Protocol):
    """Reads a stretch as a clip. `name` is part of the keys of rows: another way of reading has another name."""

    @property
    def name(self) -> str:
        """A short name of the way of reading."""
        ...

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> Clip:
        """Return uint8 (T, S, S, 3). Raises UnreadableVideo, OSError or ValueError."""
        ...


@dataclass(frozen=True, slots=True)
class Unread:
    """A stretch of which nothing could be made, and why, as a sentence."""

    stretch: Stretch
    reason: str


def encode_stretches(
    stretches: Sequence[Stretch],
    encoder: EncodesClips,
    store: Store[T],
    read: ReadStretch,
    *,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[dict[Stretch, T], list[Unread]]:
    """Return what the store has of every stretch that can be read: with a RowStore, its row.

    Args:
        stretches: In any order; equal ones are read once.
        encoder: Makes what the store does not have.
        store: Of earlier runs, with this encoder; receives what is new at once.
        read: Reads a stretch as a clip.
        on_progress: Called with the number of stretches that are done.
        cancelled: Polled between batches; True ends the run with Cancelled.

    Returns:
        By stretch; and what could not be read, in the order given.

    Raises:
        Cancelled: `cancelled` returned True.
        OSError: The store could not be written.
    """
    import numpy as np

    rows: dict[Stretch, T] = {}
    keys: dict[Stretch, str] = {}
    failed: dict[Stretch, str] = {}
    prints: dict[str, str] = {}
    for stretch in dict.fromkeys(stretches):
        try:
            key = key_of(stretch, read, prints)
        except OSError as error:
            failed[stretch] = error.strerror or str(error)
            continue
        if key in store:
            rows[stretch] = store[key]
        else:
            keys[stretch] = key
    on_progress(len(rows) + len(failed))
    for batch in _in_batches(_clips(list(keys), encoder.clip_spec, read, failed, cancelled), encoder.batch):
        for (stretch, _), row in zip(batch, encoder.encode_clips(np.stack([clip for _, clip in batch])), strict=True):
            store.add(keys[stretch], row)
            rows[stretch] = store[keys[stretch]]
        on_progress(len(rows) + len(failed))
    return rows, [Unread(each, failed[each]) for each in dict.fromkeys(stretches) if each in failed]


def key_of(stretch: Stretch, read: ReadStretch, prints: dict[str, str]) -> str:
    """Return what a row of a stretch is kept under: the content of the file, the part of it, and the way of reading.

    Args:
        stretch: Where. Its path may be a folder of pictures.
        read: The way of reading.
        prints: Fingerprints of the files seen so far, by path; gets that of this one.

    Raises:
        OSError: The file cannot be read.
    """
    path = stretch.path
    if path not in prints:
        prints[path] = listing_digest(path) if os.path.isdir(path) else fingerprint(path)
    return f"{prints[path]} {stretch.start_seconds} {stretch.end_seconds} {read.name}"


def _clips(
    stretches: Sequence[Stretch],
    spec: ClipSpec,
    read: ReadStretch,
    failed: dict[Stretch, str],
    cancelled: Callable[[], bool],
) -> Iterator[tuple[Stretch, Clip]]:
    """Yield clips in order, read ahead by a few; note in `failed` what cannot be read."""
    with ThreadPoolExecutor(_READERS) as pool:
        ahead: list[tuple[Stretch, Future[Clip]]] = []
        waiting = iter(stretches)
        try:
            while True:
                if cancelled():
                    raise Cancelled
                while len(ahead) <= 2 * _READERS and (following := next(waiting, None)) is not None:
                    ahead.append((following, pool.submit(read, following, spec)))
                if not ahead:
                    return
                stretch, future = ahead.pop(0)
                try:
                    yield stretch, future.result()
                except UnreadableVideo as error:
                    failed[stretch] = error.reason
                except (OSError, ValueError) as error:
                    failed[stretch] = str(error)
        finally:
            for _, future in ahead:
                future.cancel()


def _in_batches(clips: Iterator[tuple[Stretch, Clip]], size: int) -> Iterator[list[tuple[Stretch, Clip]]]:
    batch: list[tuple[Stretch, Clip]] = []
    for each in clips:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
