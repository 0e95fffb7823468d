"""Times of the frames in a range of a file, by decoding or from packets alone, and its key frames."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.media.decode import Decoding
    from indexer.media.interlacing import FieldsSeen

STEPS_BACK = (Fraction(0), Fraction(2), Fraction(10), Fraction(40))
"""Seconds by which seeks go back, one per attempt; after the last, reading starts at the beginning."""


def keyframe_before(path: str, pts: int) -> int | None:
    """Return the pts of the last key frame at or before `pts`, from packets, or None if not found."""
    from indexer.media.probe import open_source

    for back in STEPS_BACK:
        with open_source(path) as source:
            source.container.seek(pts - int(back / source.time_base), stream=source.stream, backward=True)
            found = None
            for packet in source.container.demux(source.stream):
                if packet.dts is not None and packet.dts > pts:
                    break
                if packet.is_keyframe and packet.pts is not None and packet.pts <= pts:
                    found = packet.pts
            if found is not None:
                return int(found)
    return None


def times_by_seeking(
    path: str, low: int, high: int, first_pts: int, base: Fraction, fields: FieldsSeen
) -> list[tuple[int, int]] | None:
    """Return (pts, duration) of the frames in a range, and of the first one after it.

    A seek may land too late (transport streams have no index); it then goes further back, at last to the beginning.

    Args:
        path: The file.
        low: Start of the range, in pts of the video stream; frames before it may come along.
        high: End of the range, exclusive.
        first_pts: pts of the first frame shown.
        base: Seconds for each unit of pts.
        fields: Looks at the frames in the range.

    Returns:
        The frames; None if the times of the stream are made up, so that it cannot be sought.
    """
    from indexer.media.decode import Decoding
    from indexer.media.probe import open_source

    for back in (*STEPS_BACK, None):
        seek_pts = None if back is None else low - int(back / base)
        if seek_pts is not None and seek_pts <= first_pts:
            seek_pts = None
        with open_source(path) as source:
            decoding = Decoding(source, seek_pts=seek_pts)
            found = list(times_until(decoding, fields, low, high))
            if decoding.clock.synthesized:
                return None
            if seek_pts is None or (found and found[0][0] <= low):
                return found
    return []


def times_by_packets(path: str, low: int, high: int, first_pts: int, base: Fraction) -> list[tuple[int, int]] | None:
    """Do the same as `times_by_seeking` from packets alone; return None if these do not say when frames are shown."""
    from indexer.media.probe import open_source

    for back in (*STEPS_BACK, None):
        seek_pts = None if back is None else low - int(back / base)
        found: dict[int, int] = {}
        with open_source(path) as source:
            if seek_pts is not None and seek_pts > first_pts:
                source.container.seek(seek_pts, stream=source.stream, backward=True)
            else:
                seek_pts = None
            for packet in source.container.demux(source.stream):
                if not packet.size or packet.is_discard:
                    continue
                if packet.pts is None or packet.dts is None or packet.pts in found:
                    return None
                if seek_pts is not None and not found:
                    # Only from a key frame on are the frames that are shown after it complete.
                    if packet.dts > low or (packet.is_keyframe and packet.pts > low):
                        break  # a seek that landed too late
                    if not packet.is_keyframe:
                        continue
                found[packet.pts] = packet.duration or 0
                if packet.dts >= high:
                    break
            if seek_pts is None or found:
                return sorted((pts, duration) for pts, duration in found.items() if pts >= first_pts)
    return None


def times_until(decoding: Decoding, fields: FieldsSeen, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield (pts, duration) of frames up to the first one at or past `high`, that one included."""
    for frame in decoding:
        yield frame.pts, frame.duration
        if frame.pts >= high:
            return
        if frame.pts >= low:
            fields.look(frame.picture)
