"""Measurement of near-duplicates at the end of an index run: how near an encoder puts re-encoded copies of shots.

It is done once for each encoder of a library, with 24 shots. Until then, search uses a usual value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from app.media_workers import MediaWorkers, ReadMedia
from db.records import Filters
from indexer.identity import Identity, IdentityCheck, Verdict

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video
    from encoder import Encoder

SHOTS = 24
FEWEST = 12
"""Shots that must have been read, else nothing is stored, and the next run tries again."""

MAX_SECONDS = 90.0
"""No further shot is read after so long. 24 shots take some 2 s of CPU time with the demo encoder."""

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
    """Measure the threshold of near-duplicates, and store it, unless that was done before.

    Args:
        library: Its videos are read.
        encoder: Encodes the copies.
        on_progress: Receives how many of SHOTS are done.
        cancelled: Ends the measurement, which stores nothing then.
        read: Reads media; by default in worker processes.
        clock: Returns seconds, for tests.

    Returns:
        The threshold; None if it is known already, or fewer than FEWEST shots could be read.

    Raises:
        EncoderError: A clip cannot be encoded.
        LibraryError: The library cannot be read.
        OSError: The threshold could not be stored.
    """
    from search.duplicate_threshold import DuplicateThreshold

    threshold = DuplicateThreshold(library.directory, encoder.id)
    if library.stamp(encoder.id).count < SHOTS or threshold.load() is not None:
        return None
    workers = None if read is not None else MediaWorkers()
    try:
        cosines = _cosines(library, encoder, read or workers, on_progress, cancelled, clock)
    finally:
        if workers is not None:
            workers.close()
    return threshold.save(np.asarray(cosines, dtype=np.float32)) if len(cosines) >= FEWEST else None


def _cosines(
    library: Library,
    encoder: Encoder,
    read: ReadMedia | None,
    on_progress: Callable[[int], None],
    cancelled: Callable[[], bool],
    clock: Callable[[], float],
) -> list[float]:
    from indexer.media.clip import read_clip
    from indexer.media.errors import UnreadableVideo
    from indexer.media.reencoded import reencoded

    assert read is not None
    ends = clock() + MAX_SECONDS
    chosen = _spread(library, encoder.id)
    cosines: list[float] = []
    for start in range(0, len(chosen), _BATCH):
        clips, ids = [], []
        for segment, video in chosen[start : start + _BATCH]:
            if cancelled():
                return []
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
            clips.append(reencoded(clip))
            ids.append(segment.id or 0)
        if clips:
            try:
                rows = library.embedding_rows(encoder.id, ids)
            except KeyError:  # another process removes videos meanwhile
                continue
            near = (rows * encoder.encode_clips(np.stack(clips))).sum(axis=1) / np.linalg.norm(rows, axis=1)
            cosines += near[np.isfinite(near)].tolist()
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
