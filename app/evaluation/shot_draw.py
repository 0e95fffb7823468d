"""Shots in a random order, to write questions for: spread over videos, and none twice until all were seen.

The order depends on a seed and on the contents of videos alone, so what is added to a library or leaves it changes
nothing for the other shots. Searches have no part in it: shots that are found easily are not drawn more often.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video

MAX_SEED = 2**31 - 1
_MOST_MISSING = 200  # shots of missing files that are passed over


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shot that was drawn.

    Attributes:
        segment_id: Its first part.
        seed: Of the order that it is from.
        number, count: Its place in the order, from 1, and the number of shots.
    """

    segment_id: int
    seed: int
    number: int
    count: int


class ShotDraw:
    """Draws shots of one library. Thread-safe."""

    def __init__(self, library: Library) -> None:
        """Prepare; nothing is read yet."""
        self._library = library
        self._lock = threading.Lock()
        self._order: tuple[str, int, NDArray[np.int64]] = ("", -1, np.empty(0, np.int64))

    def draw(self, seed: int, after: int | None = None) -> Drawn | None:
        """Return the first shot of an order, or the one that follows another; None from an empty library.

        After the last one, the order of the next seed begins. Shots whose file is missing are passed over.

        Args:
            seed: From 0 to MAX_SEED.
            after: The first part of the shot that was drawn last; one that is gone begins the order anew.

        Raises:
            LibraryError: The library cannot be read.
        """
        order = self._ordered(seed)
        at = 0 if after is None else _after(order, after)
        if at >= len(order):
            seed, at = (seed + 1) % (MAX_SEED + 1), 0
            order = self._ordered(seed)
        if not len(order):
            return None
        some = order[at : at + _MOST_MISSING].tolist()
        found = self._library.segments(some)
        chosen = next((each for each in some if each in found and os.path.exists(found[each][1].path)), some[0])
        return Drawn(chosen, seed, at + some.index(chosen) + 1, len(order))

    def _ordered(self, seed: int) -> NDArray[np.int64]:
        """Return the first part of every shot, int64 (n,), in the order of a seed."""
        with self._lock:
            token = self._library.change_token()
            if self._order[:2] != (token, seed):
                self._order = token, seed, shot_order(self._library, seed)
            return self._order[2]


def shot_order(library: Library, seed: int) -> NDArray[np.int64]:
    """Return the first part of every shot, int64 (n,): one shot of each video, then a second one, and so on.

    Copies of one content count once.

    Raises:
        LibraryError: The library cannot be read.
    """
    videos = _one_of_each(library.videos())
    times = library.segment_times(videos)
    pairs = np.stack([times.video_ids, times.shots], axis=1).reshape(-1, 2)
    if not len(pairs):
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.any(np.diff(pairs, axis=0, prepend=-1), axis=1))  # rows are in order of video and shot
    ids, owners = times.ids[first], times.video_ids[first]
    rounds, keys = np.empty(len(ids), np.int64), np.empty(len(ids), np.float64)
    begins = np.flatnonzero(np.diff(owners, prepend=-1))
    for begin, end in zip(begins, [*begins[1:], len(ids)], strict=True):
        digest = hashlib.blake2b(videos[int(owners[begin])].fingerprint.encode(), digest_size=8).digest()
        rng = np.random.default_rng([seed, int.from_bytes(digest, "big")])
        rounds[begin:end] = rng.permutation(end - begin)
        keys[begin:end] = rng.random(end - begin)
    ordered: NDArray[np.int64] = ids[np.lexsort((ids, keys, rounds))]
    return ordered


def _one_of_each(videos: list[Video]) -> dict[int, Video]:
    """Return one video of each content, by id; one whose file is there, if any is."""
    chosen: dict[str, Video] = {}
    for video in videos:
        known = chosen.get(video.fingerprint)
        if known is None or (not os.path.exists(known.path) and os.path.exists(video.path)):
            chosen[video.fingerprint] = video
    return {video.id: video for video in chosen.values() if video.id is not None}


def _after(order: NDArray[np.int64], segment_id: int) -> int:
    found = np.flatnonzero(order == segment_id)
    return int(found[0]) + 1 if found.size else 0
