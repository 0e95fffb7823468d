"""Division of a video by its key frames: coarse shots and segments, of a few key frames each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from av.error import FFmpegError

from db.records import Shot
from indexer.media.frame_buffer import FrameBuffer
from indexer.media.scale import Scaler
from indexer.shots.shot_buffer import SegmentDraft
from indexer.shots.shot_pictures import poster_of, preview_of
from indexer.shots.thumbnails import colours, recoloured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from indexer.media.decode import Frame
    from indexer.media.probe import Source
    from indexer.settings import IndexSettings

_THUMBNAIL_PIXELS = 64
_OTHER_SHOT = 0.5
"""The share of pixels of another colour from which a key frame begins another shot. They are not compared in place,
because camera and things have moved since the last one."""


class KeySegmenter:
    """Divides the key frames of one video into shots and segments. Created with the first one.

    A shot begins with a key frame that has other colours than the one before: encoders put key frames where shots
    begin. A segment ends with its shot, or with the first key frame after `segment_seconds`, if it has two: it has
    two to four of them where these are 2 to 8 s apart, more where they are closer, and one where a shot has one.

    Memory holds the key frames of one segment. Attributes as in `Segmenter`.
    """

    def __init__(self, source: Source, first: Frame, specs: Sequence[ClipSpec], settings: IndexSettings) -> None:
        self.start_pts = first.pts
        self.frames = 0
        self.unusable = 0
        self.shots: list[Shot] = []
        self.scaler = Scaler.of(source, first.picture, *specs)
        self._settings = settings
        self._time_base = source.time_base
        self._longest = round(Fraction(settings.segment_seconds) / source.time_base)
        self._buffer = FrameBuffer(self.scaler, settings.candidate_frames)
        self._indices: list[int] = []  # of the key frames of the segment
        self._colours: NDArray[np.intp] | None = None  # of the last key frame
        self._shot_start = self._start = first.pts
        self._drafts: list[tuple[int, SegmentDraft]] = []

    def feed(self, frame: Frame) -> bool:
        """Add the next key frame; return False if its pixels cannot be converted, which counts in `unusable`."""
        try:
            picture, looked_at = self.scaler.reduce_and_look(frame.picture)
            seen = colours(self.scaler.plane(looked_at, _THUMBNAIL_PIXELS))
        except MemoryError:
            raise
        except FFmpegError:
            self.unusable += 1
            return False
        self.skip(frame.skipped)
        if self._colours is not None:
            if recoloured(self._colours, seen) > _OTHER_SHOT:
                self._end_shot(frame.pts)
            elif frame.pts - self._start >= self._longest and len(self._indices) > 1:
                self._end_segment(frame.pts)
        self._colours = seen
        self._indices.append(self.frames)
        self._buffer.push(self.frames, picture, (frame.picture.width, frame.picture.height))
        self.frames += 1
        return True

    def skip(self, times: tuple[int, ...]) -> None:
        """Count frames that were not decoded, after the last one that was."""
        if self._indices:
            self.frames += len(times)

    def finish(self, end: int) -> None:
        """End the video at `end`."""
        self._end_shot(end)

    def take_drafts(self) -> Iterator[tuple[int, SegmentDraft]]:
        """Yield the finished segments with the numbers of their shots, once."""
        drafts, self._drafts = self._drafts, []
        yield from drafts

    def _end_shot(self, end: int) -> None:
        self._end_segment(end)
        self.shots.append(Shot(number=len(self.shots), start_pts=self._shot_start, end_pts=end))
        self._shot_start = end

    def _end_segment(self, end: int) -> None:
        low, high = self._indices[0], self.frames
        seconds = float((end - self._start) * self._time_base)
        draft = SegmentDraft(
            self._start,
            end,
            self._buffer.clips(low, high),
            poster_of(self._buffer, self.scaler, self._settings, low, high),
            preview_of(
                self._buffer,
                self.scaler,
                self._settings,
                low,
                high,
                indices=self._indices,
                seconds=min(seconds, self._settings.preview_seconds),  # so that it is no flicker of a few pictures
            ),
        )
        self._drafts.append((len(self.shots), draft))
        self._buffer.restart(high)
        self._start = end
        self._indices.clear()
