"""Composition of transparent pictures over mid grey, on which white titles are seen as well as black line art."""

from __future__ import annotations

from functools import lru_cache

from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from indexer.media.downscale import copy_colour_tags, plane_pixels
from indexer.media.tone_map import tone_map_for

GREY = 128
"""The level of the background, of 255."""


@lru_cache
def has_alpha(format: str) -> bool:
    """Return whether a pixel format of FFmpeg has an alpha channel. A palette counts as opaque."""
    return any(part.is_alpha for part in VideoFormat(format, 16, 16).components)


def compose(picture: VideoFrame) -> VideoFrame:
    """Return a picture over grey, as planar YUV or RGB without alpha; the same frame if it is opaque.

    This comes before scaling, because what is transparent may have any colour, which must not bleed into the rest.
    1080p: 10 ms, or 1 if it is opaque.
    """
    import cv2

    if not has_alpha(picture.format.name):
        return picture
    stated, name = picture, picture.format.name
    if not name.startswith(("yuva", "gbrap")) or name.endswith(("be", "f16le", "f32le")):
        name = "gbrap16le" if picture.format.components[0].bits > 8 else "gbrap"
        picture = picture.reformat(format=name, threads=1)
    bits = picture.format.components[0].bits
    *planes, alpha = (plane_pixels(plane, bits > 8) for plane in picture.planes)
    most = (1 << bits) - 1
    if int(alpha.min()) == most:
        return stated
    result = VideoFrame(picture.width, picture.height, name.replace("yuva", "yuv").replace("gbrap", "gbrp"))
    copy_colour_tags(picture, result)
    for pixels, target, level in zip(planes, result.planes, _background(picture, bits), strict=True):
        share = alpha
        if pixels.shape != alpha.shape:
            share = cv2.resize(alpha, pixels.shape[::-1], interpolation=cv2.INTER_AREA)
        behind = cv2.addWeighted(share, -level / most, share, 0, level)
        cv2.add(cv2.multiply(pixels, share, scale=1 / most), behind, dst=plane_pixels(target, bits > 8))
    return result


def _background(picture: VideoFrame, bits: int) -> tuple[float, float, float]:
    """Return the levels of the grey in the three planes."""
    level = GREY / 255
    tone_map = tone_map_for(picture)
    if tone_map is not None:
        level = tone_map.code_of(level)
    if picture.format.is_rgb:
        return (level * ((1 << bits) - 1),) * 3
    luma = level * 255 if picture.color_range == 2 else 16 + level * 219
    neutral = 1 << (bits - 1)
    return luma * (1 << (bits - 8)), neutral, neutral
