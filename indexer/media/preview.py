"""Posters (JPEG) and short silent hover previews (MP4) of segments, both as bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.frame import PictureType, VideoFrame

from indexer.media.opening import create_media

if TYPE_CHECKING:
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

    from indexer.media.colour_tags import ColourTags

    Pixels = NDArray[np.uint8]

_POSTER_QUALITY = 82
_FLAT_ENOUGH = 0.6  # fraction of the best contrast below which the middle frame is not used

_PREVIEW_CODECS: tuple[tuple[str, dict[str, str]], ...] = (  # the first one in this build of FFmpeg is used
    ("libx264", {"preset": "superfast", "crf": "28", "threads": "1"}),
    ("libopenh264", {"b": "400k"}),
    ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "38", "b": "0"}),
    ("mpeg4", {"q": "6"}),
)


def choose_poster(contrast: Sequence[float]) -> int:
    """Choose the middle picture, or the one with most contrast if the middle is much flatter (black, blank).

    Args:
        contrast: Contrast of each picture, in order; at least one.

    Returns:
        The index of the chosen picture.
    """
    middle = len(contrast) // 2
    best = max(range(len(contrast)), key=contrast.__getitem__)
    return middle if contrast[middle] >= _FLAT_ENOUGH * contrast[best] else best


def encode_poster(picture: Pixels) -> bytes:
    """Encode a picture, uint8 (h, w, 3) RGB, as JPEG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=_POSTER_QUALITY)
    return out.getvalue()


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return at most `most` of `count` indices, evenly spaced, from the first to near the last."""
    taken = min(count, most)
    return [k * count // taken for k in range(taken)]


def encode_preview(pictures: Sequence[VideoFrame], rate: Fraction, colours: ColourTags) -> bytes:
    """Encode pictures as an MP4, H.264 4:2:0 without sound, playable while it loads.

    Without libx264 in FFmpeg, the next of _PREVIEW_CODECS is used.

    Args:
        pictures: yuv420p frames of one size with even sides.
        rate: Pictures per second.
        colours: What the file states about the colours of the pictures.

    Returns:
        The file.

    Raises:
        RuntimeError: If FFmpeg has none of the codecs.
    """
    name, options = next(_available(), (None, {}))
    if name is None:
        raise RuntimeError(
            "This build of PyAV can encode no preview (none of "
            f"{', '.join(codec for codec, _ in _PREVIEW_CODECS)}); install PyAV from its wheel."
        )
    first = pictures[0]
    out = io.BytesIO()
    # Space reserved for the index at the front lets a player start before it has the rest. Unlike `faststart`, this
    # needs no second pass over the output, which is in memory. A frame takes 4 to 28 bytes of index.
    room = {"moov_size": str(4096 + 32 * len(pictures))}
    with create_media(out, "mp4", room) as container:
        stream = cast("VideoStream", container.add_stream(name, rate=rate, options=options))
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_range = colours.matrix, colours.range
        context.color_primaries, context.color_trc = colours.primaries, colours.transfer
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = number, 1 / rate
            picture.pict_type = PictureType.NONE  # the decoded type must not force the encoder's
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return out.getvalue()


def preview_rate(count: int, seconds: float, *, longest: float, usual: int) -> Fraction:
    """Return the pictures per second of a preview, between 1 and 60.

    Args:
        count: Pictures in the preview.
        seconds: Length of the segment.
        longest: Maximum length of the preview in seconds; a shorter segment is shown at its own speed.
        usual: Rate for longer segments.
    """
    own = Fraction(count) / Fraction(max(seconds, 1e-3)) if seconds <= longest else Fraction(usual)
    return min(Fraction(60), max(Fraction(1), own)).limit_denominator(100)


def _available() -> Iterator[tuple[str, dict[str, str]]]:
    for name, options in _PREVIEW_CODECS:
        try:
            Codec(name, "w")
        except UnknownCodecError:
            continue
        yield name, options
