"""When the frames of a stretch are shown, from the packets alone: a hundred times cheaper than decoding them.

Only where packets say it reliably: every packet has its own time, in a container and codec in which one packet is one
frame shown. Anywhere else the answer is None, and the frames must be decoded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

from indexer.media.probe import Source, open_source

_STEPS_BACK = (Fraction(0), Fraction(2), Fraction(10), Fraction(40))  # seconds; where seeking lands too late
_ONE_PACKET_A_FRAME = frozenset(
    ("h264", "hevc", "vp9", "av1", "prores", "dnxhd", "mjpeg", "ffv1", "png", "qtrle", "rawvideo", "cfhd")
)
"""Not vp8, which has packets that show nothing; nor mpeg2video and mpeg4, whose packets may be half a frame or two."""
_CONTAINERS = frozenset(("mov", "mp4", "matroska", "webm"))
"""With times of their own for every frame. Transport streams may leave some out or begin amid a group of pictures."""
_MOST_REORDERED = 32  # twice what H.264 and HEVC allow: no frame is stored later than so many that are shown after it
_MOST_FRAMES = 500_000  # of a stretch: a file that claims more is not believed


def packet_times(
    path: str, first_pts: int, start_seconds: Fraction, end_seconds: Fraction, *, frames: int | None = None
) -> list[int] | None:
    """The pts of the frames with start <= time < end in seconds from the first frame shown, in order; None: decode.

    first_pts: of the first frame shown (Video.start_pts), never asked of the packets, because frames may be lost before
    it. frames: how many the whole video gave when it was decoded; where the container counts others, some are lost.
    Raises UnreadableVideo where the file cannot be opened.
    """
    from av.error import FFmpegError

    for back in (*_STEPS_BACK, None):
        with open_source(path) as source:
            if not tells_times(source) or (frames is not None and source.stream.frames not in (0, frames)):
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


def tells_times(source: Source) -> bool:
    """Whether each packet is one frame and has the time at which it is shown."""
    names = set(source.container.format.name.split(","))
    return source.codec in _ONE_PACKET_A_FRAME and bool(names & _CONTAINERS)


def _read(source: Source, low: int, high: int, *, from_key_frame: bool) -> list[int] | None:
    """Times in [low, high), sorted; None where reading began too late, or the packets do not tell."""
    times: list[int] = []
    begun, past = not from_key_frame, 0
    for pts, key in _packets(source):
        if pts is None:  # or damaged
            return None
        if not begun:
            if not key or pts > low:
                return None
            begun = True
        past = past + 1 if pts >= high else 0
        if past > _MOST_REORDERED:
            break
        if low <= pts < high:
            times.append(pts)
            if len(times) > _MOST_FRAMES:
                return None
    times.sort()
    # The same time twice: decoding moves the second one.
    return None if any(a == b for a, b in itertools.pairwise(times)) else times


def _packets(source: Source) -> Iterator[tuple[int | None, bool]]:
    """(pts, key frame) of packets whose frames are shown."""
    for packet in source.container.demux(source.stream):
        if packet.size and not packet.is_discard:
            yield (None if packet.is_corrupt else packet.pts), packet.is_keyframe
