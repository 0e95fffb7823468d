"""Deepening of single quick shots: a hit that somebody looks at is encoded in full before its video's turn comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer.identity import Identity, IdentityCheck, Verdict
from indexer.media.clip import read_clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.library import Library
    from encoder import Encoder


def deepen(
    library: Library, encoder: Encoder, segment_id: int, *, read: Callable[..., NDArray[np.uint8]] = read_clip
) -> bool:
    """Encode a quick shot in full. Its row stays until the full pass replaces the shot.

    Args:
        library: The library. In one that can only be read, nothing is deepened.
        encoder: The full encoder.
        segment_id: The shot, or a part of one.
        read: Reads its clip, as `read_clip` does.

    Returns:
        Whether the shot has a row of the full encoder now. False if there is no such shot any more, if it is no quick
        one of this encoder, if its file is away or not the one that was indexed, or while a run makes the full pass.

    Raises:
        UnreadableVideo: The file cannot be decoded.
        ValueError: The file ends before the shot.
        EncoderError, LibraryError: The shot cannot be encoded, or its row not be stored.
    """
    found = library.segments([segment_id]).get(segment_id)
    if library.read_only or found is None:
        return False
    segment, video = found
    try:
        if len(library.embedding_rows(encoder.id, [segment_id])):
            return True
    except KeyError:
        pass
    if not library.quick.is_waiting(segment_id, encoder.id):
        return False
    try:
        if IdentityCheck().compare(Identity.of(video), video.path) is not Verdict.SAME:
            return False
    except OSError:  # its drive may not be connected
        return False
    start, end = (video.seconds(pts) for pts in (segment.start_pts, segment.end_pts))
    with library.claims("deepen") as claims, claims.holding(video.fingerprint, video.path) as free:
        if not free:
            return False
        clip = read(video.path, encoder.clip_spec, start_seconds=start, end_seconds=end)
        [row] = encoder.encode_clips(clip[None])
        return library.quick.deepen(segment_id, row, encoder_id=encoder.id)
