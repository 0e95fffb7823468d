"""Reduction of decoded frames to about the size needed, which makes everything after it cheap and frames small to keep.

How small depends on the clip frames of the encoders. What shot detection sees does not: cuts belong to the video.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from av.video.reformatter import Interpolation, VideoReformatter

from encoder import ClipSpec
from indexer.media.alpha import compose
from indexer.media.downscale import can_halve, halve, top_field
from indexer.media.tone_map import DEEP_RGB, tone_map_for
from indexer.settings import MAX_SHOWN_PIXELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.video.frame import VideoFrame

    from indexer.media.interlacing import Interlacing

LONGEST_CROP = 4.0
"""Times the short side: beyond this, crop before scaling."""

_CUT_SPEC = ClipSpec(1, 288)
"""The clip frames, VideoPrism's, for which frames are reduced before shot detection looks at them."""

_AREA = int(Interpolation.AREA)
_ENOUGH = 1.35  # frames are halved only if this many times a clip frame's size remains, on both axes
_WORTH_REDUCING = 1.5  # times the size needed, on one axis, for pictures that cannot be halved
_INTERLEAVED = {"nv12": "yuv420p", "p010le": "yuv420p10le"}  # of hardware decoders: both chroma channels in one plane


class Reducer:
    """Reduces the frames of one video: halves them, or scales by area those that cannot be halved. Not thread-safe."""

    def __init__(self, specs: Sequence[ClipSpec], interlacing: Interlacing | None) -> None:
        """Create a reducer.

        Args:
            specs: Shapes of the clip frames that are made of reduced ones.
            interlacing: Tells which frames are interlaced; of these, only the top field is used. None: none are.
        """
        self._specs = specs
        self._interlacing = interlacing
        self._unpack = VideoReformatter()
        self._areas = VideoReformatter()
        self._seen = VideoReformatter()

    def reduce(self, picture: VideoFrame) -> tuple[VideoFrame, VideoFrame]:
        """Return a frame without combs, as small as all clip frames allow, and as shot detection sees it.

        The aspect ratio of either may be another one. Mostly, they are the same frame.
        """
        interlaced = self._interlacing is not None and self._interlacing.applies(picture)
        if picture.format.name in _INTERLEAVED:
            picture = self._unpack.reformat(picture, format=_INTERLEAVED[picture.format.name], threads=1)
        picture = compose(picture)
        size = picture.width, picture.height
        if can_halve(picture):
            times, times_seen = self._times(size), _halvings(size, _CUT_SPEC)
            reduced = _halved(picture, times, interlaced=interlaced)
            if times_seen == times:
                return reduced, reduced
            if times_seen > times and not interlaced:
                return reduced, _halved(reduced, times_seen - times)
            return reduced, _halved(picture, times_seen, interlaced=interlaced)
        picture = top_field(picture) if interlaced else picture
        sides, sides_seen = max(_sides(picture, spec) for spec in self._specs), _sides(picture, _CUT_SPEC)
        reduced = _within(self._areas, picture, sides)
        return reduced, reduced if sides_seen == sides else _within(self._seen, picture, sides_seen)

    def for_spec(self, picture: VideoFrame, spec: ClipSpec, coded_size: tuple[int, int]) -> VideoFrame:
        """Return a reduced frame as it would be if it were reduced for the clip frames of one encoder only.

        That cannot be had of pictures that cannot be halved, nor of a field in full width: these are returned.

        Args:
            picture: From `reduce`.
            spec: One of those given.
            coded_size: (width, height) before.
        """
        times = self._times(coded_size)
        more = _halvings(coded_size, spec) - times
        is_field = times == 0 and picture.height < coded_size[1]
        return _halved(picture, more) if more and can_halve(picture) and not is_field else picture

    def _times(self, size: tuple[int, int]) -> int:
        return min(_halvings(size, spec) for spec in self._specs)


def _halvings(size: tuple[int, int], spec: ClipSpec) -> int:
    """Return how often a frame of that size is halved for clip frames."""
    (short, long), times = sorted(size), 0
    enough = max(4, math.ceil(_ENOUGH * spec.size))
    while short >= 2 * enough and long >= 2 * MAX_SHOWN_PIXELS:
        short, long, times = short // 4 * 2, long // 4 * 2, times + 1  # as `halve` does
    return times


def _halved(picture: VideoFrame, times: int, *, interlaced: bool = False) -> VideoFrame:
    for _ in range(times):
        picture = halve(picture, interlaced=interlaced)
        interlaced = False
    return top_field(picture) if interlaced else picture


def _sides(picture: VideoFrame, spec: ClipSpec) -> int:
    """Return the sides that suffice for clip frames: about twice theirs."""
    width, height = picture.width, picture.height
    enough = max(2 * spec.size, MAX_SHOWN_PIXELS)
    if spec.fit == "crop":  # the short side becomes S
        enough = math.ceil(enough * min(LONGEST_CROP, max(width, height) / min(width, height)))
    return enough + enough % 2


def _within(reformatter: VideoReformatter, picture: VideoFrame, sides: int) -> VideoFrame:
    """Reduce RGB, palettes and the like to a square of these sides, if that is worth it."""
    width, height = (sides if side > _WORTH_REDUCING * sides else side for side in (picture.width, picture.height))
    if (width, height) == (picture.width, picture.height):
        return picture
    pixels = "rgb24" if tone_map_for(picture) is None else DEEP_RGB
    return reformatter.reformat(picture, width, height, pixels, interpolation=_AREA, threads=1)
