"""Orientation of pictures, from the display matrix among the side data of a frame."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from av.video.frame import VideoFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_MORE_TYPES = 64  # kinds of side data that FFmpeg may have one day; it had 33 in version 8


@dataclass(frozen=True, slots=True)
class Orientation:
    """Orientation of decoded pictures: mirror left to right first, then rotate counterclockwise."""

    quarter_turns: int = 0  # counterclockwise, 0 to 3
    mirrored: bool = False

    @classmethod
    def of(cls, picture: VideoFrame) -> Orientation:
        """Read the display matrix of a frame; angles are rounded to the nearest right angle."""
        matrix = display_matrix(picture)
        return cls() if matrix is None else cls.of_matrix(matrix)

    @classmethod
    def of_matrix(cls, matrix: tuple[int, ...]) -> Orientation:
        """Read the 9 numbers of a display matrix."""
        a, b, _, c, d, _, _, _, _ = matrix
        mirrored = a * d - b * c < 0
        if mirrored:
            a, b = -a, -b
        return cls(round(math.degrees(math.atan2(-b, a)) / 90) % 4, mirrored)

    @property
    def clockwise_degrees(self) -> int:
        """The rotation as 0, 90, 180 or 270 degrees clockwise."""
        return -self.quarter_turns % 4 * 90

    @property
    def is_upright(self) -> bool:
        """Whether decoded pictures are shown as they are."""
        return not self.mirrored and not self.quarter_turns

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height are exchanged."""
        return self.quarter_turns % 2 == 1

    def shown_size(self, width: int, height: int, sample_aspect: float) -> tuple[int, int]:
        """Return (width, height) as shown for a decoded size: with square pixels (the width changes), then rotated.

        `sample_aspect` is the width of a pixel divided by its height.
        """
        size = max(1, round(width * sample_aspect)), height
        return (size[1], size[0]) if self.swaps_sides else size

    def apply(self, pixels: Pixels) -> Pixels:
        """Turn pixels, (H, W, 3) or (H, W), from decoded to shown orientation; contiguous."""
        rotated = np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.quarter_turns)
        return np.ascontiguousarray(rotated)


def display_matrix(picture: VideoFrame) -> tuple[int, ...] | None:
    """Return the 9 numbers of a frame's display matrix, as in MP4; None if it has none."""
    data = _side_data(picture, "DISPLAYMATRIX")
    return None if data is None else struct.unpack("=9i", data)


def is_spherical(picture: VideoFrame) -> bool:
    """Return whether a frame is the projection of a sphere, as of 360-degree cameras."""
    return _side_data(picture, "SPHERICAL") is not None


def _side_data(picture: VideoFrame, kind: str) -> bytes | None:
    try:
        data = _copy(picture).side_data.get(kind)
    except ValueError:  # PyAV refuses all side data of a frame if it does not know the type of one, as EXIF
        data = _copy(picture, known_only=True).side_data.get(kind)
    return None if data is None else bytes(cast("Any", data))


def _copy(picture: VideoFrame, *, known_only: bool = False) -> VideoFrame:
    """Return a copy of a frame whose side data may be looked at; `known_only` leaves out types that PyAV does not know.

    A frame whose side data was looked at refers to itself, so that only the garbage collector frees it. A decoder's own
    frame would hold all frames of its decoder in memory until then, some 100 MB.
    """
    from av.filter import Graph
    from av.sidedata.sidedata import Type

    graph = Graph()
    last = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1, 1000)
    )
    for kind in range(len(Type), _MORE_TYPES) if known_only else ():  # known ones are numbered from 0
        follows = graph.add("sidedata", f"mode=delete:type={kind}")
        last.link_to(follows)
        last = follows
    copy = graph.add("copy")
    last.link_to(copy)
    last = copy
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    graph.vpush(picture)
    return graph.vpull()
