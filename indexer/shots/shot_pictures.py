"""Poster and preview of a segment, from the buffered frames of its shot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from indexer.media.preview import choose_poster, encode_poster, encode_preview, evenly_spaced, preview_rate

if TYPE_CHECKING:
    from indexer.media.frame_buffer import FrameBuffer
    from indexer.media.scale import Scaler
    from indexer.settings import IndexSettings

_POSTER_CANDIDATES = 5


def poster_of(frames: FrameBuffer, scaler: Scaler, settings: IndexSettings, low: int, high: int) -> bytes:
    """Return the poster, JPEG, of the frames low <= index < high."""
    margin = (high - low) // 5  # the ends of a shot may fade, or be off by a frame
    first, last = (low + margin, high - margin) if high - low > 2 * margin else (low, high)
    count = max(1, last - first)
    candidates = frames.pictures((first + i for i in evenly_spaced(count, _POSTER_CANDIDATES)), low, high)
    chosen = choose_poster([frames.contrast(picture) for picture in candidates])
    return encode_poster(scaler.shown(candidates[chosen], settings.poster_pixels))


def preview_of(
    frames: FrameBuffer,
    scaler: Scaler,
    settings: IndexSettings,
    low: int,
    high: int,
    *,
    indices: Iterable[int],
    seconds: float,
) -> bytes:
    """Return the preview, MP4, of the frames low <= index < high.

    Args:
        frames: Buffered frames.
        scaler: Scales them.
        settings: Size and rate of the preview.
        low, high: The frames of the segment.
        indices: Those to show, ascending.
        seconds: Length of the segment.
    """
    pictures = frames.pictures(indices, low, high)
    rate = preview_rate(len(pictures), seconds, longest=settings.preview_seconds, usual=settings.preview_rate)
    shown = [scaler.shown_planes(picture, settings.preview_pixels) for picture in pictures]
    return encode_preview(shown, rate, scaler.shown_tags(pictures[0]))
