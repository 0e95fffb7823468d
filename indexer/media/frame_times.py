"""Presentation times of frames from packets alone, a hundred times cheaper than decoding.

This works only where packets are reliable: each has its own time, in a container and codec in which one packet is
one frame shown. For anything else the result is None, and the frames must be decoded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

from indexer.media.clock_map import may_jump
from indexer.media.field_packets import may_have_field_packets
from indexer.media.probe import Source, open_source

_STEPS_BACK = (Fraction(0), Fraction(2), Fraction(10), Fraction(40))  # seconds, for seeks that land too late
_ONE_PACKET_A_FRAME = frozenset(
    ("h264", "hevc", "vp9", "av1", "prores", "dnxhd", "mjpeg", "ffv1", "png", "qtrle", "rawvideo", "cfhd")
)
"""Codecs with one shown frame per packet; not vp8 (hidden frames), mpeg2video or mpeg4 (half a frame, or two)."""
_CONTAINERS = frozenset(("mov", "mp4", "matroska", "webm"))
"""Containers with a time for every frame. Transport streams may omit some, or begin within a group of pictures."""
_MAX_REORDERED = 32  # twice what H.264 and HEVC allow: frames stored before one that is shown earlier
_MAX_FRAMES = 500_000  # per range; a file that claims more is not trusted


def packet_times(
    path: str, first_pts: int, start_seconds: Fraction, end_seconds: Fraction, *, frames: int | None = None
) -> list[int] | None:
    """Return the pts of the frames within a range of time, without decoding.

    Args:
        path: Path of the video.
        first_pts: pts of the first frame shown (Video.start_pts), unknown from packets, as earlier frames may be lost.
        start_seconds: Start of the range, from the first frame shown; inclusive.
        end_seconds: End of the range, exclusive.
        frames: Number of frames that the whole video had when it was decoded. If the container states another number,
            some are lost.

    Returns:
        The pts, ascending; None if the packets are not reliable and the frames must be decoded.

    Raises:
        UnreadableVideo: If the file cannot be opened.
    """
    from av.error import FFmpegError

    for back in (*_STEPS_BACK, None):
        with open_source(path) as source:
            if (
                not has_frame_times(source)
                or may_jump(source)
                or (frames is not None and source.stream.frames not in (0, frames))
            ):
                return None
            low = first_pts + math.ceil(start_seconds / source.time_base)
            high = first_pts + math.ceil(end_seconds / source.time_base)
            seek = None if back is None else max(first_pts, low - int(back / source.time_base))
            try:
                if seek is not None and seek > first_pts:
                    source.container.seek(seek, stream=source.stream, backward=True)
                else:
                    back = None
                found = _read(source, low, high, from_key_frame=back is not None)
            except FFmpegError:  # damaged, or not seekable after all
                return None
        if found is not None:
            return [pts for pts in found if pts >= first_pts]
        if back is None:
            return None
    return None


def has_frame_times(source: Source) -> bool:
    """Return whether each packet of the source is one frame with the time at which it is shown."""
    names = set(source.container.format.name.split(","))
    if may_have_field_packets(source.stream):
        return False
    return source.codec in _ONE_PACKET_A_FRAME and bool(names & _CONTAINERS)


def _read(source: Source, low: int, high: int, *, from_key_frame: bool) -> list[int] | None:
    """Return the times in [low, high), sorted; None if reading began too late or packets lack times."""
    times: list[int] = []
    begun, past = not from_key_frame, 0
    for pts, key in _packets(source):
        if pts is None:  # or the packet is damaged
            return None
        if not begun:
            if not key or pts > low:
                return None
            begun = True
        past = past + 1 if pts >= high else 0
        if past > _MAX_REORDERED:
            break
        if low <= pts < high:
            times.append(pts)
            if len(times) > _MAX_FRAMES:
                return None
    times.sort()
    # If a time occurs twice, decoding moves the second one.
    return None if any(a == b for a, b in itertools.pairwise(times)) else times


def _packets(source: Source) -> Iterator[tuple[int | None, bool]]:
    """Yield (pts, key frame) of the packets whose frames are shown."""
    for packet in source.container.demux(source.stream):
        if packet.size and not packet.is_discard:
            yield (None if packet.is_corrupt else packet.pts), packet.is_keyframe
