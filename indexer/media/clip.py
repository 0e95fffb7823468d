"""Clips for search by example: a range of any video, or a picture, sampled and scaled exactly as in indexing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from indexer.media.errors import UnreadableVideo
from indexer.settings import CANDIDATE_FRAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from indexer.media.decode import Frame
    from indexer.media.frame_buffer import FrameBuffer
    from indexer.media.probe import Source
    from indexer.media.scale import Scaler

    Clip = NDArray[np.uint8]

_SEEK_EARLIER_SECONDS = (0, 4, 30)  # some containers land after the requested time; then request an earlier one


def read_clip(
    path: str,
    spec: ClipSpec,
    *,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
    max_frames: int = CANDIDATE_FRAMES,
) -> Clip:
    """Read a clip of a range of a video; of the whole video without times.

    The clip is sampled from the frames that begin within [start, end), or else from the one shown at `start`. The times
    of an indexed segment give the frames that were indexed, bit for bit, unless its shot had more frames than
    `max_frames` (or than fit in MAX_BUFFER_BYTES), or only reference frames were decoded. From a longer range the
    nearest of evenly spaced buffered frames are taken, so memory is bounded. If the container can be sought, only the
    range is decoded.

    Args:
        path: Path of the video.
        spec: Shape of the clip, T frames of S x S pixels, and how frames become square.
        start_seconds: Start, from the first frame shown; None for the beginning.
        end_seconds: End, exclusive; None for the end of the video.
        max_frames: Maximum number of buffered frames.

    Returns:
        uint8 (T, S, S, 3), RGB.

    Raises:
        UnreadableVideo: If the file cannot be decoded.
        ValueError: If the times are not within the video.
    """
    return read_range(path, spec, start_seconds=start_seconds, end_seconds=end_seconds, max_frames=max_frames).clip()


class RangeFrames(NamedTuple):
    """The frames of a range.

    Attributes:
        buffer: All of them, or evenly spaced ones, by their position in the range.
        pts: Of every frame, ascending; at least one.
    """

    buffer: FrameBuffer
    pts: list[int]

    def clip(self) -> Clip:
        """Return the clip of the range, uint8 (T, S, S, 3)."""
        return self.buffer.clip(0, len(self.pts))


def read_range(
    path: str,
    spec: ClipSpec,
    *,
    start_seconds: float | Fraction | None,
    end_seconds: float | Fraction | None,
    max_frames: int = CANDIDATE_FRAMES,
) -> RangeFrames:
    """Read the frames of a range. Arguments and exceptions are those of `read_clip`; Fractions are exact."""
    from indexer.media.clock_map import clock_map
    from indexer.media.decode import Decoding
    from indexer.media.probe import open_source
    from indexer.media.scale import Scaler

    start = 0.0 if start_seconds is None else start_seconds
    if not 0 <= start < math.inf:
        raise ValueError(f"a clip cannot start at {start:g} s")
    if end_seconds is not None and not start < end_seconds:
        raise ValueError(f"a clip must end after it starts: {start:g} s to {end_seconds:g} s")
    clock = clock_map(path) if start else None
    with open_source(path) as source:
        decoding = Decoding(source)
        first = decoding.first()
        frame_range = _Range(
            Scaler.of(source, first.picture, spec),
            begin=first.pts + round(Fraction(start) / source.time_base),
            end=None if end_seconds is None else first.pts + round(Fraction(end_seconds) / source.time_base),
            step=source.step,
            max_frames=max_frames,
        )
        seekable = clock is None and source.seeks_exactly and not decoding.clock.synthesized
        if seekable and frame_range.begin - first.pts > source.step:
            found = _seek_and_collect(source, frame_range)
            if found is not None:
                return found
    number, _ = (None if clock is None else clock.key_before(frame_range.begin)) or (0, 0)
    with open_source(path) as source:  # again, since raw streams cannot even be sought to their beginning
        return frame_range.collect(Decoding(source, skip_packets=number))


def read_image(path: str, spec: ClipSpec) -> Clip:
    """Read a picture as a clip that shows it T times; of a video, its first frame.

    Transparent parts become white.

    Args:
        path: Path of a picture in a format of Pillow or FFmpeg, or of a video.
        spec: Shape of the clip.

    Returns:
        uint8 (T, S, S, 3), RGB.

    Raises:
        UnreadableVideo: If the file cannot be read.
    """
    from av.video.frame import VideoFrame

    from indexer.media.orientation import Orientation
    from indexer.media.probe import read_error
    from indexer.media.scale import Scaler
    from indexer.media.still import read_picture

    try:
        known = read_picture(path)
    except FileNotFoundError:
        raise UnreadableVideo(path, "missing", "There is no file with this name.") from None
    except PermissionError:
        raise UnreadableVideo(path, "permission", "The file cannot be read; change its permissions.") from None
    except OSError as problem:
        raise read_error(path, problem) from problem
    if known is None:
        return _first_frame(path, spec)
    picture = VideoFrame.from_ndarray(np.asarray(known[0]), format="rgb24")
    scaler = Scaler(spec, orientation=Orientation(), sample_aspect=Fraction(1))
    scaler.start(picture)
    frame = scaler.clip_frame(scaler.reduce(picture), coded_size=(picture.width, picture.height))
    return np.repeat(frame[None], spec.frames, axis=0)


def _first_frame(path: str, spec: ClipSpec) -> Clip:
    """Return the first frame of a video, or a picture in a format that only FFmpeg supports."""
    try:
        return read_clip(path, spec, start_seconds=0.0, end_seconds=1e-9)
    except UnreadableVideo as problem:
        if problem.kind not in ("broken", "not_video"):
            raise
        raise UnreadableVideo(path, "not_video", "This is neither a readable picture nor a video.") from problem


def _seek_and_collect(source: Source, frame_range: _Range) -> RangeFrames | None:
    """Decode the range from the key frame before it; None if this container cannot be sought reliably."""
    from av.error import FFmpegError

    from indexer.media.decode import Decoding

    for earlier in _SEEK_EARLIER_SECONDS:
        decoding = Decoding(source, seek_pts=frame_range.begin - round(earlier / source.time_base))
        frames = iter(decoding)
        try:
            landed = next(frames, None)
        except FFmpegError:  # no index, no way to seek
            return None
        if landed is None or decoding.clock.synthesized:
            return None
        if landed.pts <= frame_range.begin:
            return frame_range.collect(_chain(landed, frames))
    return None


def _chain(first: Frame, rest: Iterable[Frame]) -> Iterable[Frame]:
    yield first
    yield from rest


class _Range:
    """A range [begin, end) in pts of a video, and the collection of its frames."""

    def __init__(self, scaler: Scaler, *, begin: int, end: int | None, step: int, max_frames: int) -> None:
        self.begin = begin
        self._end = None if end is None else max(begin + 1, end)
        self._scaler = scaler
        self._step = step
        self._max_frames = max_frames

    def collect(self, frames: Iterable[Frame]) -> RangeFrames:
        """Collect from frames that start at or before the range. ValueError if the video ends before it."""
        from indexer.media.frame_buffer import FrameBuffer

        buffer = FrameBuffer(self._scaler, self._max_frames)
        pts: list[int] = []
        before: Frame | None = None
        continues = False
        for frame in frames:
            if self._end is not None and frame.pts >= self._end:
                continues = True
                break
            if frame.pts < self.begin:
                before = frame
                continue
            buffer.push(len(pts), self._scaler.reduce(frame.picture), (frame.picture.width, frame.picture.height))
            pts.append(frame.pts)
        if pts:
            return RangeFrames(buffer, pts)
        if before is None or not (continues or before.pts + (before.duration or self._step) > self.begin):
            raise ValueError("the video ends before the clip starts; choose an earlier start")
        buffer.push(0, self._scaler.reduce(before.picture), (before.picture.width, before.picture.height))
        return RangeFrames(buffer, [before.pts])
