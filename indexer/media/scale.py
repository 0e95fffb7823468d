"""Scaling of decoded frames: clip frames, planes for shot detection, pictures for display.

Large frames are halved first; libswscale does the rest. Distance from the reference (RGB, then PIL
Lanczos) on its 512x512 sample clip, in 8-bit levels, mean / 99th percentile / largest: Lanczos with full chroma
0.60 / 2 / 19, bicubic with full chroma 0.85 / 4 / 18, area 1.82 / 10 / 38, fast bilinear 4.6 / 36 / 141. (PIL bicubic
on RGB: 0.66 / 4 / 13.) Full chroma is what lowers the percentile, so clip frames are made that way: all three
planes to S x S, then to RGB. This takes two thirds of the time of doing both at once and is as close (1080p halved, 288
pixels: 0.51 / 2 / 22 at 1.0 ms; at once 0.39 / 2 / 22 at 2.1 ms; reduced to 576 by area instead of halved 0.42 / 2 / 17
at 1.8 ms).

Colour range and matrix are those stated by the frame, as in ffmpeg; the default is limited range and BT.601.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from indexer.media.colour_tags import BT709, ColourTags, matrix_of, shown_tags
from indexer.media.downscale import can_halve, halve, transform_planes
from indexer.media.interlacing import Interlacing
from indexer.media.orientation import Orientation
from indexer.media.reducing import LONGEST_CROP, Reducer
from indexer.media.tone_map import DEEP_RGB, tone_map_for

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from encoder import ClipSpec
    from indexer.media.probe import Source

    Pixels = NDArray[np.uint8]

_EXACT = int(Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP)
CLIP_SCALING = int(Interpolation.LANCZOS) | _EXACT
_PLANES = int(Interpolation.LANCZOS | Interpolation.ACCURATE_RND)  # YUV to YUV, where full chroma has no meaning
_AREA = int(Interpolation.AREA)
_FAST = int(Interpolation.FAST_BILINEAR)  # a third of the cost of area; detection is as good (benchmarks.detection)


def fit_within(width: float, height: float, longest: int) -> tuple[int, int]:
    """Return the largest even (width, height) of the same shape within `longest`, not enlarged; at least 2 x 2."""
    factor = min(1.0, longest / max(width, height))
    return max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2)


class Scaler:
    """Scales the frames of one video to every size needed. Not thread-safe. Frames may change size midway.

    Call `reduce` first, once per frame; for most frames, it is nearly all that is done. It halves a frame that is
    twice as large as needed (1080p: 0.5 ms), which makes everything after it cheap and the frame small enough to be
    buffered.
    """

    def __init__(
        self,
        spec: ClipSpec,
        *further: ClipSpec,
        orientation: Orientation,
        sample_aspect: Fraction,
        interlacing: Interlacing | None = None,
    ) -> None:
        """Create a scaler; call `start` with the first frame before anything else.

        Args:
            spec: The shape of clip frames.
            further: The shapes of those that are made of the same frames for further encoders.
            orientation: Orientation of the video.
            sample_aspect: Width of a pixel divided by its height.
            interlacing: Tells which frames are interlaced; of these, only the top field is used. None: none are.
        """
        self.specs = (spec, *further)
        self.orientation = orientation
        self._aspect = float(sample_aspect)
        self._reducer = Reducer(self.specs, interlacing)
        self._clip = VideoReformatter()
        self._colour = VideoReformatter()
        self._plane = VideoReformatter()
        self._show = VideoReformatter()
        self._preview = VideoReformatter()
        self._first_size: tuple[int, int] | None = None

    @classmethod
    def of(cls, source: Source, first: VideoFrame, *specs: ClipSpec) -> Scaler:
        """Return the scaler of an open video, started with its first frame."""
        orientation, interlacing = Orientation.of(first), Interlacing(source)
        scaler = cls(*specs, orientation=orientation, sample_aspect=source.sample_aspect, interlacing=interlacing)
        scaler.start(first)
        return scaler

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) as shown for a decoded size: with square pixels (the width changes), then rotated."""
        return self.orientation.shown_size(width, height, self._aspect)

    def reduce(self, picture: VideoFrame) -> VideoFrame:
        """Return the picture, shrunk if much larger than needed, without combs.

        Its aspect ratio may change: sizes are computed from that of the frame.
        """
        return self._reducer.reduce(picture)[0]

    def reduce_and_look(self, picture: VideoFrame) -> tuple[VideoFrame, VideoFrame]:
        """Return the picture as `reduce` does, and as shot detection sees it, whatever the clip frames are."""
        return self._reducer.reduce(picture)

    def start(self, picture: VideoFrame) -> None:
        """Fix the sizes of planes and shown pictures from the first decoded frame, even if frames change size later."""
        self._first_size = picture.width, picture.height

    @property
    def first_size(self) -> tuple[int, int]:
        """(width, height) of the first frame as decoded."""
        if self._first_size is None:
            raise RuntimeError("Scaler.start() must be given the first frame before anything is scaled")
        return self._first_size

    def plane(self, picture: VideoFrame, longest: int) -> Pixels:
        """Return BGR (h, w, 3) for shot detection: not rotated, long side at most `longest`, one size for the video."""
        width, height = self.first_size
        factor = min(1.0, longest / max(width, height))
        to = max(1, round(width * factor)), max(1, round(height * factor))
        if tone_map_for(picture) is not None:
            return np.ascontiguousarray(_rgb(self._plane, picture, *to, _FAST)[..., ::-1])
        return _pixels(self._plane.reformat(picture, *to, "bgr24", interpolation=_FAST, threads=1))

    def clip_frame(self, picture: VideoFrame, *, coded_size: tuple[int, int], spec: ClipSpec | None = None) -> Pixels:
        """Return a clip frame, (S, S, 3) RGB as shown, made square by the spec's `fit`.

        Args:
            picture: The frame, from `reduce`.
            coded_size: (width, height) before `reduce`.
            spec: One of those of the scaler; by default the first.
        """
        spec = spec or self.specs[0]
        size, fit = spec.size, spec.fit
        picture = self._reducer.for_spec(picture, spec, coded_size)
        if fit == "stretch":
            return self.orientation.apply(self._clip_to(picture, size, size))
        width, height = coded_size[0] * self._aspect, float(coded_size[1])
        if fit == "pad":
            to = tuple(max(1, round(side * size / max(width, height))) for side in (width, height))
            square = np.zeros((size, size, 3), np.uint8)
            top, left = (size - to[1]) // 2, (size - to[0]) // 2
            square[top : top + to[1], left : left + to[0]] = self._clip_to(picture, to[0], to[1])
            return self.orientation.apply(square)
        shape = max(width, height) / min(width, height)
        if shape > LONGEST_CROP:
            picture = _crop_middle(picture, width >= height, LONGEST_CROP / shape)
            if width >= height:
                width = LONGEST_CROP * height
            else:
                height = LONGEST_CROP * width
        to = tuple(max(size, round(side * size / min(width, height))) for side in (width, height))
        top, left = (to[1] - size) // 2, (to[0] - size) // 2
        return self.orientation.apply(self._clip_to(picture, to[0], to[1])[top : top + size, left : left + size])

    def shown(self, picture: VideoFrame, longest: int) -> Pixels:
        """Return (h, w, 3) RGB as shown: true shape, rotated, even sides, long side at most `longest`, not enlarged.

        The size is the same for the whole video, so that pictures can follow each other in a preview.
        """
        size = self._fitted(longest)
        matrix = matrix_of(picture, self.first_size)
        return self.orientation.apply(_rgb(self._show, _halve_towards(picture, *size), *size, _AREA, matrix))

    def shown_planes(self, picture: VideoFrame, longest: int) -> VideoFrame:
        """Like `shown`, but as YUV 4:2:0 with 8 bits, for a video encoder; its colours are those of `shown_tags`."""
        if not can_halve(picture) or tone_map_for(picture) is not None:
            shown = VideoFrame.from_ndarray(self.shown(picture, longest), format="rgb24")
            return shown.reformat(format="yuv420p", dst_colorspace=BT709.matrix, dst_color_range=BT709.range)
        size = self._fitted(longest)
        small = self._preview.reformat(_halve_towards(picture, *size), *size, "yuv420p", interpolation=_AREA, threads=1)
        return small if self.orientation == Orientation() else transform_planes(small, self.orientation.apply)

    def shown_tags(self, picture: VideoFrame) -> ColourTags:
        """Return the colour tags of the pictures from `shown_planes`."""
        return shown_tags(picture, self.first_size)

    def _fitted(self, longest: int) -> tuple[int, int]:
        return fit_within(self.first_size[0] * self._aspect, self.first_size[1], longest)

    def _clip_to(self, picture: VideoFrame, width: int, height: int) -> Pixels:
        if picture.format.name.startswith("yuv") and tone_map_for(picture) is None:
            picture = self._clip.reformat(picture, width, height, "yuv444p", interpolation=_PLANES, threads=1)
        return _rgb(self._colour, picture, width, height, CLIP_SCALING)


def _rgb(
    reformatter: VideoReformatter,
    picture: VideoFrame,
    width: int,
    height: int,
    interpolation: int,
    matrix: int | None = None,
) -> Pixels:
    """Scale to 8-bit RGB. HDR is tone mapped here, because its pixels are fewest after scaling.

    Args:
        reformatter: The one of this purpose.
        picture: The frame.
        width: Width of the result.
        height: Height of the result.
        interpolation: Flags of libswscale.
        matrix: The matrix of YUV; None for that of the frame, or ffmpeg's default, BT.601.
    """
    tone_map = tone_map_for(picture)
    pixels = "rgb24" if tone_map is None else DEEP_RGB
    if tone_map is not None:
        matrix = matrix_of(picture)
    scaled = reformatter.reformat(
        picture, width, height, pixels, src_colorspace=matrix, interpolation=interpolation, threads=1
    )
    return _pixels(scaled) if tone_map is None else tone_map(scaled)


def _pixels(picture: VideoFrame) -> Pixels:
    return np.asarray(picture.to_ndarray(), np.uint8)


def _halve_towards(picture: VideoFrame, width: int, height: int) -> VideoFrame:
    """Halve while the picture stays at least that large: the same average as by area scaling, but cheaper."""
    while can_halve(picture) and picture.width >= 2 * width and picture.height >= 2 * height:
        picture = halve(picture)
    return picture


def _crop_middle(picture: VideoFrame, across: bool, share: float) -> VideoFrame:
    """Crop a very long picture to its middle, so that enlarging its short side does not create millions of pixels."""
    pixels = _rgb(VideoReformatter(), picture, picture.width, picture.height, CLIP_SCALING)
    side = pixels.shape[1] if across else pixels.shape[0]
    kept = max(1, round(side * share))
    first = (side - kept) // 2
    cut = pixels[:, first : first + kept] if across else pixels[first : first + kept]
    return VideoFrame.from_ndarray(np.ascontiguousarray(cut), format="rgb24")
