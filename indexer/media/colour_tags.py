"""Colour tags: matrix, primaries, transfer and range of a video, as numbers of ITU-T H.273, which FFmpeg uses too.

What a file does not state is filled in as browsers and players do it: BT.2020 for HDR, else BT.709 from 720 lines on
and BT.601 below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.media.stated_colours import UNSTATED
from indexer.media.tone_map import tone_map_for

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_HD_LINES, _HD_WIDTH = 720, 1280
_BT709, _BT601, _BT2020, _BT2020_CL, _BT2020_10 = 1, 6, 9, 10, 14
_LIMITED = 1


@dataclass(frozen=True, slots=True)
class ColourTags:
    """The four tags, all of them stated."""

    matrix: int
    primaries: int
    transfer: int
    range: int = _LIMITED  # FFmpeg's AVCOL_RANGE: 1 limited, 2 full


BT709 = ColourTags(_BT709, _BT709, _BT709)


def matrix_of(picture: VideoFrame, size: tuple[int, int] = (0, 0)) -> int:
    """Return the matrix of YUV as stated, or as it is assumed for a video of `size`, (width, height) as decoded."""
    if picture.colorspace not in UNSTATED:
        return int(picture.colorspace)
    if tone_map_for(picture) is not None:
        return _BT2020
    return _BT709 if size[0] >= _HD_WIDTH or size[1] >= _HD_LINES else _BT601


def source_tags(picture: VideoFrame, size: tuple[int, int]) -> ColourTags:
    """Return the tags of a decoded frame.

    Args:
        picture: A frame of the video.
        size: (width, height) of the video as decoded.
    """
    matrix = matrix_of(picture, size)
    primaries = transfer = matrix if matrix == _BT709 else _BT601
    if matrix in (_BT2020, _BT2020_CL):
        primaries, transfer = _BT2020, _BT2020_10
    return ColourTags(
        matrix,
        primaries if picture.color_primaries in UNSTATED else int(picture.color_primaries),
        transfer if picture.color_trc in UNSTATED else int(picture.color_trc),
        int(picture.color_range) or _LIMITED,
    )


def shown_tags(picture: VideoFrame, size: tuple[int, int]) -> ColourTags:
    """Return the tags of a frame as shown in 8-bit YUV: BT.709 of RGB and tone mapped HDR, otherwise its own."""
    is_mapped = picture.format.is_rgb or tone_map_for(picture) is not None
    return BT709 if is_mapped else source_tags(picture, size)
