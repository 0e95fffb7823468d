"""Decoded frames to the sizes that are needed: clip frames, planes for shot detection, pictures to show.

Large frames are halved first, the rest of the scaling is libswscale's. Distance from the reference (RGB, then PIL
Lanczos) on its 512x512 sample clip, in 8-bit levels, mean / 99th percentile / largest: Lanczos with full chroma
0.60 / 2 / 19, bicubic with full chroma 0.85 / 4 / 18, area 1.82 / 10 / 38, fast bilinear 4.6 / 36 / 141. (PIL bicubic
on RGB stands at 0.66 / 4 / 13.) Full chroma is what brings the percentile down, so clip frames are made that way: all
three planes to S x S, then to RGB, which takes two thirds of the time of doing both at once and stands as near
(1080p halved, 288 pixels: 0.51 / 2 / 22 at 1.0 ms; at once 0.39 / 2 / 22 at 2.1 ms; reduced to 576 by areas instead
of halved 0.42 / 2 / 17 at 1.8 ms).

Range and matrix are those that the frame names, as ffmpeg does: unnamed means limited range and BT.601.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from indexer.media.downscale import can_halve, halved, turned
from indexer.settings import MAX_SHOWN_PIXELS

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from encoder import ClipSpec

    Pixels = NDArray[np.uint8]

_EXACT = int(Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP)
CLIP_SCALING = int(Interpolation.LANCZOS) | _EXACT
_PLANES = int(Interpolation.LANCZOS | Interpolation.ACCURATE_RND)  # YUV to YUV: full chroma means nothing there
_AREA = int(Interpolation.AREA)
_FAST = int(Interpolation.FAST_BILINEAR)  # a third of the cost of areas; detection is as good (benchmarks.detection)
_ENOUGH = 1.35  # times the size of a clip frame, on both axes, are left when frames are halved
_WORTH_REDUCING = 1.5  # times the size needed, on one axis, for pictures that cannot be halved
_LONGEST_CROP = 4.0  # times the short side: beyond this, crop before scaling


@dataclass(frozen=True, slots=True)
class Orientation:
    """How the container wants decoded pictures turned: mirrored left to right first, then turned counterclockwise."""

    quarter_turns: int = 0  # counterclockwise, 0 to 3
    mirrored: bool = False

    @classmethod
    def of(cls, picture: VideoFrame) -> Orientation:
        """From the display matrix that comes with a frame; angles between right angles go to the nearest one."""
        data = picture.side_data.get("DISPLAYMATRIX")
        if data is None:
            return cls()
        a, b, _, c, d, _, _, _, _ = struct.unpack("=9i", bytes(cast("Any", data)))
        mirrored = a * d - b * c < 0
        if mirrored:
            a, b = -a, -b
        return cls(round(math.degrees(math.atan2(-b, a)) / 90) % 4, mirrored)

    @property
    def clockwise_degrees(self) -> int:
        return -self.quarter_turns % 4 * 90

    @property
    def swaps_sides(self) -> bool:
        return self.quarter_turns % 2 == 1

    def apply(self, pixels: Pixels) -> Pixels:
        """(H, W, 3) or (H, W) as decoded -> as shown, contiguous."""
        turned = np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.quarter_turns)
        return np.ascontiguousarray(turned)


def fit_within(width: float, height: float, longest: int) -> tuple[int, int]:
    """The largest even sizes of the same shape within `longest` that do not enlarge; at least 2 x 2."""
    factor = min(1.0, longest / max(width, height))
    return max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2)


class Scaler:
    """Turns the frames of one video into every size needed of them. Not thread-safe; frames may change size midway.

    `reduce` goes first, once a frame, and is nearly all that is done with most frames: a frame twice as large as needed
    is halved (1080p: 0.5 ms), which makes everything after it cheap and the frame small enough to be kept a while.
    """

    def __init__(self, spec: ClipSpec, *, orientation: Orientation, sample_aspect: Fraction) -> None:
        self.spec = spec
        self.orientation = orientation
        self._aspect = float(sample_aspect)
        self._reducer = VideoReformatter()
        self._unpack = VideoReformatter()
        self._clip = VideoReformatter()
        self._colour = VideoReformatter()
        self._plane = VideoReformatter()
        self._show = VideoReformatter()
        self._preview = VideoReformatter()
        self._first_size: tuple[int, int] | None = None

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) as shown of a decoded size: pixels made square by changing the width, then turned."""
        size = max(1, round(width * self._aspect)), height
        return (size[1], size[0]) if self.orientation.swaps_sides else size

    def reduce(self, picture: VideoFrame) -> VideoFrame:
        """The same picture, smaller where it is much larger than any use of it. Keeps its shape only roughly."""
        if picture.format.name == "nv12":  # of hardware decoders: the chroma of both in one plane
            picture = self._unpack.reformat(picture, format="yuv420p", threads=1)
        if not can_halve(picture):
            return self._reduce_by_areas(picture)
        enough = max(4, math.ceil(_ENOUGH * self.spec.size))
        while (
            min(picture.width, picture.height) >= 2 * enough
            and max(picture.width, picture.height) >= 2 * MAX_SHOWN_PIXELS
        ):
            picture = halved(picture)
        return picture

    def _reduce_by_areas(self, picture: VideoFrame) -> VideoFrame:
        """RGB, palettes and the like, to about twice the size of a clip frame."""
        width, height = picture.width, picture.height
        enough = max(2 * self.spec.size, MAX_SHOWN_PIXELS)
        if self.spec.fit == "crop":  # the short side becomes S
            enough = math.ceil(enough * min(_LONGEST_CROP, max(width, height) / min(width, height)))
        enough += enough % 2
        to_width = enough if width > _WORTH_REDUCING * enough else width
        to_height = enough if height > _WORTH_REDUCING * enough else height
        if (to_width, to_height) == (width, height):
            return picture
        return self._reducer.reformat(picture, to_width, to_height, "rgb24", interpolation=_AREA, threads=1)

    def start(self, picture: VideoFrame) -> None:
        """Settle sizes from the first frame as decoded: planes and shown pictures keep them if frames change midway."""
        self._first_size = picture.width, picture.height

    @property
    def first_size(self) -> tuple[int, int]:
        """(width, height) of the first frame as decoded."""
        if self._first_size is None:
            raise RuntimeError("Scaler.start() must be given the first frame before anything is scaled")
        return self._first_size

    def plane(self, picture: VideoFrame, longest: int) -> Pixels:
        """BGR (h, w, 3) for shot detection: not turned, long side `longest` or less, one size for the whole video."""
        width, height = self.first_size
        factor = min(1.0, longest / max(width, height))
        to = max(1, round(width * factor)), max(1, round(height * factor))
        return _pixels(self._plane.reformat(picture, *to, "bgr24", interpolation=_FAST, threads=1))

    def clip_frame(self, picture: VideoFrame, *, coded_size: tuple[int, int]) -> Pixels:
        """(S, S, 3) RGB as shown, made square by the spec's `fit`. coded_size: (width, height) before `reduce`."""
        size, fit = self.spec.size, self.spec.fit
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
        if shape > _LONGEST_CROP:
            picture = _middle(picture, width >= height, _LONGEST_CROP / shape)
            if width >= height:
                width = _LONGEST_CROP * height
            else:
                height = _LONGEST_CROP * width
        to = tuple(max(size, round(side * size / min(width, height))) for side in (width, height))
        top, left = (to[1] - size) // 2, (to[0] - size) // 2
        return self.orientation.apply(self._clip_to(picture, to[0], to[1])[top : top + size, left : left + size])

    def shown(self, picture: VideoFrame, longest: int) -> Pixels:
        """(h, w, 3) RGB as shown: true shape, turned, even sides, long side at most `longest`, not enlarged.

        One size for the whole video, so that pictures of it can follow each other in a preview.
        """
        size = self._fitted(longest)
        small = self._show.reformat(_near(picture, *size), *size, "rgb24", interpolation=_AREA, threads=1)
        return self.orientation.apply(_pixels(small))

    def shown_planes(self, picture: VideoFrame, longest: int) -> VideoFrame:
        """As `shown`, but YUV 4:2:0 of 8 bits with the matrix and range of `picture`, as a video encoder takes it."""
        if not can_halve(picture):
            return VideoFrame.from_ndarray(self.shown(picture, longest), format="rgb24").reformat(format="yuv420p")
        size = self._fitted(longest)
        small = self._preview.reformat(_near(picture, *size), *size, "yuv420p", interpolation=_AREA, threads=1)
        return small if self.orientation == Orientation() else turned(small, self.orientation.apply)

    def _fitted(self, longest: int) -> tuple[int, int]:
        return fit_within(self.first_size[0] * self._aspect, self.first_size[1], longest)

    def _clip_to(self, picture: VideoFrame, width: int, height: int) -> Pixels:
        if picture.format.name.startswith("yuv"):
            picture = self._clip.reformat(picture, width, height, "yuv444p", interpolation=_PLANES, threads=1)
        return _pixels(self._colour.reformat(picture, width, height, "rgb24", interpolation=CLIP_SCALING, threads=1))


def _pixels(picture: VideoFrame, format: str | None = None) -> Pixels:
    return np.asarray(picture.to_ndarray(format=format), np.uint8)


def _near(picture: VideoFrame, width: int, height: int) -> VideoFrame:
    """Halved as long as it stays at least so large: averaging areas is the same either way, and halving is cheaper."""
    while can_halve(picture) and picture.width >= 2 * width and picture.height >= 2 * height:
        picture = halved(picture)
    return picture


def _middle(picture: VideoFrame, across: bool, part: float) -> VideoFrame:
    """The middle `part` of a very long picture, so that scaling its short side up does not make millions of pixels."""
    pixels = _pixels(picture, "rgb24")
    side = pixels.shape[1] if across else pixels.shape[0]
    kept = max(1, round(side * part))
    first = (side - kept) // 2
    cut = pixels[:, first : first + kept] if across else pixels[first : first + kept]
    return VideoFrame.from_ndarray(np.ascontiguousarray(cut), format="rgb24")
