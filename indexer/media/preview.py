"""What is shown of a segment: a poster (JPEG) and a short silent hover preview (MP4), both as bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.frame import PictureType, VideoFrame

if TYPE_CHECKING:
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_POSTER_QUALITY = 82
_FLAT_ENOUGH = 0.6  # of the best contrast: the middle frame is kept unless it is flatter than this

_PREVIEW_CODECS: tuple[tuple[str, dict[str, str]], ...] = (  # the first that this build of FFmpeg has
    ("libx264", {"preset": "superfast", "crf": "28", "threads": "1"}),
    ("libopenh264", {"b": "400k"}),
    ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "38", "b": "0"}),
    ("mpeg4", {"q": "6"}),
)


def choose_poster(contrast: Sequence[float]) -> int:
    """Which picture: the middle one, or that with most contrast where the middle is much flatter (black, blank).

    contrast: of each picture, in order, at least one.
    """
    middle = len(contrast) // 2
    best = max(range(len(contrast)), key=contrast.__getitem__)
    return middle if contrast[middle] >= _FLAT_ENOUGH * contrast[best] else best


def encode_poster(picture: Pixels) -> bytes:
    """(h, w, 3) RGB -> JPEG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=_POSTER_QUALITY)
    return out.getvalue()


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` places, evenly spread, the first and near-last included, in order."""
    taken = min(count, most)
    return [k * count // taken for k in range(taken)]


def encode_preview(pictures: Sequence[VideoFrame], rate: Fraction) -> bytes:
    """yuv420p pictures of one size, even sides -> MP4, H.264 4:2:0, no sound, playable while it loads.

    Matrix and range are those that the first picture names. rate: pictures a second. Where FFmpeg was built without
    libx264, the next of _PREVIEW_CODECS is taken. Raises RuntimeError when none of them is there.
    """
    name, options = next(_available(), (None, {}))
    if name is None:
        raise RuntimeError(
            "This build of PyAV can encode no preview (none of "
            f"{', '.join(codec for codec, _ in _PREVIEW_CODECS)}); install PyAV from its wheel."
        )
    first = pictures[0]
    out = io.BytesIO()
    # Room kept for the index at the front: a player can start before it has the rest, and unlike `faststart` this
    # needs no second look at the output, which is memory. A frame takes 4 to 28 bytes of index.
    room = {"moov_size": str(4096 + 32 * len(pictures))}
    with av.open(out, "w", format="mp4", options=room) as container:
        stream = cast("VideoStream", container.add_stream(name, rate=rate, options=options))
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = first.colorspace, first.color_range
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = number, 1 / rate
            picture.pict_type = PictureType.NONE  # what it was when it was decoded is no order to the encoder
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return out.getvalue()


def preview_rate(count: int, seconds: float, *, longest: float, usual: int) -> Fraction:
    """Pictures a second: the segment's own speed where it fits in `longest` seconds, else `usual`; between 1 and 60."""
    own = Fraction(count) / Fraction(max(seconds, 1e-3)) if seconds <= longest else Fraction(usual)
    return min(Fraction(60), max(Fraction(1), own)).limit_denominator(100)


def _available() -> Iterator[tuple[str, dict[str, str]]]:
    for name, options in _PREVIEW_CODECS:
        try:
            Codec(name, "w")
        except UnknownCodecError:
            continue
        yield name, options
