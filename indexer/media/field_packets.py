"""Packets that hold one field each, of which two are a frame: H.264 of camcorders, broadcasts and Blu-ray discs (PAFF).

In transport streams the second of them has no time; ffmpeg gives it one, half a frame later, where it copies them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_PROGRESSIVE = 1  # FFmpeg's AV_FIELD_PROGRESSIVE


def may_have_field_packets(stream: VideoStream) -> bool:
    """Return whether packets may hold one field each. Only decoding tells whether they do."""
    context = stream.codec_context
    if context is None or context.name != "h264":
        return False
    return int(getattr(context, "field_order", _PROGRESSIVE)) != _PROGRESSIVE  # PyAV before 16 does not know
