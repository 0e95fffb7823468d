"""Bounded buffer of the current shot, whose end is not known yet, with the frames that its segments need."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from indexer.media.frame_buffer import FrameBuffer
from indexer.settings import IndexSettings
from indexer.shots.segments import Span, merge_empty, split_shot
from indexer.shots.shot_pictures import poster_of, preview_of

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from indexer.media.scale import Scaler

    Pixels = NDArray[np.uint8]

FLUSHED_SEGMENTS = 8
"""Number of full segments finished together when a shot grows longer than FLUSHED_SEGMENTS + 1 segments."""

_SHORT_SECONDS = 1  # what moves for less, before a picture that stays longer than a segment, belongs to that one


@dataclass(slots=True, eq=False)
class BufferedFrame:
    """A decoded frame with the times of the skipped frames that follow it."""

    index: int  # among all frames of the video, skipped ones included
    pts: int
    picture: VideoFrame | None  # from Scaler.reduce; None once it is in the buffer
    size: tuple[int, int]  # (width, height) as decoded
    skipped: list[int] = field(default_factory=list)  # pts of the frames that follow and were not decoded


@dataclass(frozen=True, slots=True, eq=False)
class SegmentDraft:
    """A finished segment, [start, end) in pts, before it has a number: its clip and pictures."""

    start: int
    end: int
    clips: tuple[Pixels, ...]  # (T, S, S, 3) RGB, one for each encoder
    poster: bytes
    preview: bytes


class ShotBuffer:
    """Takes frames in order and yields finished segments.

    `append` yields segments before the shot ends in two cases, so that memory does not grow with the length of a video:
    a shot longer than nine segments yields eight full segments and keeps the rest; and a picture that stays longer than
    a segment (slides, a screen recording that writes changes only) is a segment of its own, as long as it stays.
    """

    def __init__(self, scaler: Scaler, settings: IndexSettings, time_base: Fraction, start_pts: int) -> None:
        self._scaler = scaler
        self._settings = settings
        self._time_base = time_base
        self.shot_start = start_pts
        self.start = start_pts  # start of the next segment; everything before has been yielded
        self._times: list[int] = []  # pts of the frames from `start` on
        self._first_index = 0  # index of the first of them
        self._longest = max(2, round(Fraction(settings.segment_seconds) / time_base))
        self._overlap = min(self._longest // 2, round(Fraction(settings.overlap_seconds) / time_base))
        self._short = min(self._longest, round(_SHORT_SECONDS / time_base))
        self._preview_frames = max(1, round(settings.preview_seconds * settings.preview_rate))
        self._frames = FrameBuffer(scaler, settings.candidate_frames)

    def __len__(self) -> int:
        """Return the number of frames in memory."""
        return len(self._frames)

    def append(self, frame: BufferedFrame) -> Iterator[SegmentDraft]:
        """Add the next frame; no cut before it may follow."""
        if self._times and frame.pts - self._times[-1] > self._longest:
            yield from self._finish_all(frame.pts)
        elif frame.pts - self.start > (FLUSHED_SEGMENTS + 1) * self._longest:
            yield from self._finish_full_segments()
        if not self._times:
            self._first_index = frame.index
        self._times.append(frame.pts)
        self._times += frame.skipped
        self.take_picture(frame)

    def take_picture(self, frame: BufferedFrame) -> None:
        """Take the picture of a frame that is appended later, to free memory. No segment begins or ends otherwise."""
        if frame.picture is not None:
            self._frames.push(frame.index, frame.picture, frame.size)
            frame.picture = None

    def close(self, end: int) -> Iterator[SegmentDraft]:
        """End the shot at `end` and begin the next one there, with the buffered frames from `end` on."""
        yield from self._finish_all(end)
        self.shot_start = end

    def nearest_time(self, pts: int) -> int | None:
        """Return the time of the buffered frame nearest to `pts`; None if the buffer is empty."""
        at = bisect_left(self._times, pts)
        around = self._times[max(0, at - 1) : at + 1]
        return min(around, key=lambda time: abs(time - pts), default=None)

    def _finish_all(self, end: int) -> Iterator[SegmentDraft]:
        times = self._times[: bisect_left(self._times, end)]
        if times and end > self.start:
            yield from self._drafts(self._spans(times, end))
        self._drop_before(end)
        self.start = end
        self._frames.restart(self._first_index)

    def _spans(self, times: list[int], end: int) -> list[Span]:
        """Return the segments of the shot up to `end`. A last picture that stays long is one segment, however long."""
        still = times[-1]
        if end - still <= self._longest:
            return merge_empty(split_shot(self.start, end, self._longest, self._overlap), times)
        if still - self.start < self._short:  # what moves before it is no segment of its own
            return [(self.start, end)]
        moving = merge_empty(split_shot(self.start, still, self._longest, self._overlap), times[:-1])
        return [*moving, (still, end)]

    def _finish_full_segments(self) -> Iterator[SegmentDraft]:
        step = self._longest - self._overlap
        starts = [self.start + k * step for k in range(FLUSHED_SEGMENTS)]
        yield from self._drafts(merge_empty([(start, start + self._longest) for start in starts], self._times))
        self.start += FLUSHED_SEGMENTS * step
        self._drop_before(self.start)
        self._frames.drop_before(self._first_index)

    def _drop_before(self, pts: int) -> None:
        gone = bisect_left(self._times, pts)
        del self._times[:gone]
        self._first_index += gone

    def _drafts(self, spans: list[Span]) -> Iterator[SegmentDraft]:
        for start, end in spans:
            low = self._first_index + bisect_left(self._times, start)
            high = self._first_index + bisect_left(self._times, end)
            clips = self._frames.clips(low, high)
            poster = poster_of(self._frames, self._scaler, self._settings, low, high)
            preview = self._preview(low, high, start, end)
            yield SegmentDraft(self._frame_at(start), self._frame_at(end), clips, poster, preview)

    def _frame_at(self, pts: int) -> int:
        """Return the time of the first frame at `pts` or later, so that a part begins where its first frame does.

        The bounds of the shot stay, and so does an end that no frame follows yet.
        """
        at = bisect_left(self._times, pts)
        return pts if pts == self.shot_start or at == len(self._times) else self._times[at]

    def _preview(self, low: int, high: int, start: int, end: int) -> bytes:
        seconds = float((end - start) * self._time_base)
        count = max(1, min(self._preview_frames, round(seconds * self._settings.preview_rate)))
        moments = (start + k * (end - start) // count for k in range(count))
        indices = (self._first_index + max(0, bisect_right(self._times, moment) - 1) for moment in moments)
        return preview_of(self._frames, self._scaler, self._settings, low, high, indices=indices, seconds=seconds)
