"""Measurement at the end of an index run: how near an encoder puts copies of shots, and pretended takes of them.

It is done once for each encoder of a library, with 24 shots. Until then, search uses usual values.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.media_workers import MediaWorkers, ReadMedia
from db.records import Filters
from indexer.identity import Identity, IdentityCheck, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from db.library import Library
    from db.records import Segment, Video
    from encoder import Encoder

SHOTS = 24
FEWEST = 12
"""Shots that must have been read, else nothing is stored, and the next run tries again."""

MAX_SECONDS = 90.0
"""No further shot is read after so long. 24 shots take some 3 s of CPU time with the demo encoder."""

_BATCH = 4  # clips between two looks at the clock; it is also asked before each is read


def measure_near_copies(
    library: Library,
    encoder: Encoder,
    *,
    on_progress: Callable[[int], None],
    cancelled: Callable[[], bool],
    read: ReadMedia | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> float | None:
    """Measure the thresholds of near-duplicates and of takes, and store them, unless that was done before.

    Args:
        library: Its videos are read.
        encoder: Encodes the copies.
        on_progress: Receives how many of SHOTS are done.
        cancelled: Ends the measurement, which stores nothing then.
        read: Reads media; by default in worker processes.
        clock: Returns seconds, for tests.

    Returns:
        The threshold of near-duplicates; None if it is known already, or fewer than FEWEST shots could be read.

    Raises:
        EncoderError: A clip cannot be encoded.
        LibraryError: The library cannot be read.
        OSError: A threshold could not be stored.
    """
    from indexer.media.pretended_take import pretended_take
    from indexer.media.reencoded import reencoded
    from search.duplicate_threshold import DuplicateThreshold
    from search.take_threshold import TakeThreshold

    copies, takes = DuplicateThreshold(library.directory, encoder.id), TakeThreshold(library.directory, encoder.id)
    kinds = [(threshold, made) for threshold, made in ((copies, reencoded), (takes, pretended_take))
             if threshold.load() is None]  # fmt: skip
    if library.stamp(encoder.id).count < SHOTS or not kinds:
        return None
    workers = None if read is not None else MediaWorkers()
    try:
        made = [each for _, each in kinds]
        cosines = _cosines(library, encoder, read or workers, on_progress, cancelled, clock, made)
    finally:
        if workers is not None:
            workers.close()
    stored = {
        threshold: threshold.save(np.asarray(found, dtype=np.float32))
        for (threshold, _), found in zip(kinds, cosines, strict=True)
        if len(found) >= FEWEST
    }
    return stored.get(copies)


def _cosines(
    library: Library,
    encoder: Encoder,
    read: ReadMedia | None,
    on_progress: Callable[[int], None],
    cancelled: Callable[[], bool],
    clock: Callable[[], float],
    kinds: Sequence[Callable[[NDArray[np.uint8]], NDArray[np.uint8]]],
) -> list[list[float]]:
    """Return for each way to make another clip of one how near the rows of these are to those of their shots."""
    from indexer.media.clip import read_clip
    from indexer.media.errors import UnreadableVideo

    assert read is not None
    ends = clock() + MAX_SECONDS
    chosen = _spread(library, encoder.id)
    cosines: list[list[float]] = [[] for _ in kinds]
    for start in range(0, len(chosen), _BATCH):
        clips, ids = [], []
        for segment, video in chosen[start : start + _BATCH]:
            if cancelled():
                return [[] for _ in kinds]
            if clock() > ends:
                return cosines
            times = {
                "start_seconds": video.seconds(segment.start_pts),
                "end_seconds": video.seconds(segment.end_pts),
            }
            try:
                clip = read(read_clip, video.path, encoder.clip_spec, path=video.path, **times)
            except (UnreadableVideo, OSError, ValueError):
                continue
            clips.append(clip)
            ids.append(segment.id or 0)
        if clips:
            try:
                rows = library.embedding_rows(encoder.id, ids)
            except KeyError:  # another process removes videos meanwhile
                continue
            for kind, found in zip(kinds, cosines, strict=True):
                others = encoder.encode_clips(np.stack([kind(clip) for clip in clips]))
                near = (rows * others).sum(axis=1) / np.linalg.norm(rows, axis=1)
                found += near[np.isfinite(near)].tolist()
        on_progress(min(len(chosen), start + _BATCH))
    return cosines


def _spread(library: Library, encoder_id: str) -> list[tuple[Segment, Video]]:
    """Return up to SHOTS segments, spread over those of videos whose file is there and is the one that was indexed."""
    from search.even import even_places, evenly

    wanted = evenly(library.segment_ids(Filters(), encoder_id), 4 * SHOTS).tolist()
    there, check = {}, IdentityCheck()
    for segment_id, (segment, video) in library.segments(wanted).items():
        try:
            if check.known(Identity.of(video), os.stat(video.path)) is Verdict.SAME:
                there[segment_id] = (segment, video)
        except OSError:
            continue
    usable = [there[each] for each in wanted if each in there]
    return [usable[at] for at in even_places(len(usable), SHOTS)]
