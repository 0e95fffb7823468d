"""Interlaced frames: which they are, and which of their two fields is the earlier one.

The even lines of an interlaced frame (the top field) and the odd ones (the bottom field) were taken one after the
other, so the whole frame shows what moves twice, as a comb.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import av.error
from av.filter import Graph

from indexer.media.field_packets import may_have_field_packets

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from db.media_facts import FieldOrder
    from indexer.media.probe import Source

    InterlacedOrder = Literal["tff", "bff"]

_STATED: dict[int, FieldOrder] = {1: "progressive", 2: "tff", 3: "bff", 4: "tff", 5: "bff"}
"""FFmpeg's AV_FIELD_*. Its TB and BT come from QuickTime and Matroska, where they stand for interleaved fields of which
the top or the bottom one is earlier."""
_STATED_BY_MXF: dict[int, FieldOrder] = _STATED | {4: "bff", 5: "tff"}
_FLAGGING = frozenset(
    ("mpeg1video", "mpeg2video", "mpeg4", "h264", "vc1", "wmv3", "dvvideo", "prores", "dnxhd", "ffv1", "rawvideo")
)
"""Codecs whose decoders say of each frame whether it is interlaced; of others, the container does."""


class Interlacing:
    """Tells the interlaced frames of one video."""

    def __init__(self, source: Source) -> None:
        self._codec = source.codec
        self._stated = _interlaced(stated_order(source))

    def applies(self, picture: VideoFrame) -> bool:
        """Return whether a frame is interlaced."""
        if self._codec == "hevc":  # flags pictures that are one field each; whole frames only the container can flag
            return self._stated is not None and not picture.interlaced_frame
        return picture.interlaced_frame or (self._stated is not None and self._codec not in _FLAGGING)

    def order(self, picture: VideoFrame) -> InterlacedOrder | None:
        """Return which field of a frame is the earlier one; None if the frame is not interlaced."""
        if not self.applies(picture):
            return None
        return _flagged_order(picture) or self._stated or "tff"


class FieldsSeen:
    """The field order of the first interlaced frame among those looked at; that of the header until one is.

    Attributes:
        flagged: Whether the frame itself says so, and not only the container.
        may_have_packets: Whether fields may have packets of their own; see `field_packets`.
    """

    def __init__(self, source: Source) -> None:
        self.flagged = True
        self.may_have_packets = may_have_field_packets(source.stream)
        self._interlacing = Interlacing(source)
        self._stated = stated_order(source)
        self._seen: InterlacedOrder | None = None
        self._looked = False

    @property
    def order(self) -> InterlacedOrder | None:
        """Which field is the earlier one; None if no frame was interlaced."""
        return self._seen if self._looked else _interlaced(self._stated)

    @property
    def field_order(self) -> FieldOrder:
        """The field order of the video, as far as it was looked at."""
        return self.order or ("progressive" if _interlaced(self._stated) else self._stated)

    def look(self, picture: VideoFrame) -> None:
        """Look at the next frame."""
        self._looked = True
        if self._seen is None:
            self._seen = self._interlacing.order(picture)
            self.flagged = self._seen is None or picture.interlaced_frame


def stated_order(source: Source) -> FieldOrder:
    """Return the field order that the header states, or FFmpeg's parser guesses; "" if it is silent."""
    orders = _STATED_BY_MXF if source.container.format.name == "mxf" else _STATED
    return orders.get(int(getattr(source.stream.codec_context, "field_order", 0)), "")  # PyAV before 16 has none


def _interlaced(order: FieldOrder) -> InterlacedOrder | None:
    return order if order == "tff" or order == "bff" else None


def _flagged_order(picture: VideoFrame) -> InterlacedOrder | None:
    """Return the order that the decoder found; None if the frame is not flagged as interlaced.

    Containers are often wrong about it. PyAV does not tell it, but FFmpeg's filter `select` does.
    """
    if not picture.interlaced_frame:
        return None
    orders: dict[str, InterlacedOrder] = {"TOPFIRST": "tff", "BOTTOMFIRST": "bff"}
    for name, order in orders.items():
        graph = Graph()
        source = graph.add_buffer(
            width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1, 1000)
        )
        select, sink = graph.add("select", f"eq(interlace_type,{name})"), graph.add("buffersink")
        source.link_to(select)
        select.link_to(sink)
        graph.configure()
        source.push(picture)
        try:
            graph.vpull()
        except (BlockingIOError, av.error.EOFError):
            continue
        return order
    return None
