"""The stretch of a video whose end is not known yet: it keeps what its segments will need, within bounds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from indexer.media.frame_buffer import KeptFrames
from indexer.media.preview import choose_poster, encode_poster, encode_preview, preview_rate, spread
from indexer.settings import IndexSettings
from indexer.shots.segments import Span, join_empty, split

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from indexer.media.scale import Scaler

    Pixels = NDArray[np.uint8]

FLUSHED_PARTS = 8
"""Full segments that leave a shot once it runs past FLUSHED_PARTS + 1 segment lengths."""

_POSTER_CHOICES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A decoded frame, reduced by Scaler.reduce. index: among all frames of the video. size: (w, h) as decoded.

    skipped: times of the frames that follow it and were not decoded; they have indices of their own.
    """

    index: int
    pts: int
    picture: VideoFrame
    size: tuple[int, int]
    skipped: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A finished segment: [start, end) in pts, what is encoded of it and what is shown."""

    start: int
    end: int
    clip: Pixels  # (T, S, S, 3) RGB
    poster: bytes
    preview: bytes


class OpenShot:
    """Takes frames in order, gives finished segments.

    `settle` gives segments before the shot ends in two cases, so that memory never follows the length of a video:
    a shot that ran past nine segment lengths gives eight full segments and keeps the rest; and a picture that stays
    longer than a segment (slides, a camera that records changes only) ends the segment that holds it.
    """

    def __init__(self, scaler: Scaler, settings: IndexSettings, time_base: Fraction, start_pts: int) -> None:
        self._scaler = scaler
        self._settings = settings
        self._time_base = time_base
        self.shot_start = start_pts
        self.start = start_pts  # where the next segment begins: everything before has been given
        self._times: list[int] = []  # pts of the frames from `start` on
        self._first_index = 0  # of the first of them
        self._longest = max(2, round(Fraction(settings.segment_seconds) / time_base))
        self._overlap = min(self._longest // 2, round(Fraction(settings.overlap_seconds) / time_base))
        self._preview_frames = max(1, round(settings.preview_seconds * settings.preview_rate))
        self._kept = KeptFrames(scaler, settings.candidate_frames)

    @property
    def kept(self) -> int:
        """How many frames are in memory now."""
        return len(self._kept)

    def settle(self, frame: Settled) -> Iterator[Part]:
        """The next frame that no cut is expected before any more."""
        if self._times and frame.pts - self._times[-1] > self._longest:
            yield from self._give_all(frame.pts)
        elif frame.pts - self.start > (FLUSHED_PARTS + 1) * self._longest:
            yield from self._give_full_parts()
        if not self._times:
            self._first_index = frame.index
        self._times.append(frame.pts)
        self._times += frame.skipped
        self._kept.offer(frame.index, frame.picture, frame.size)

    def close(self, end: int) -> Iterator[Part]:
        """The shot ends at `end` and the next begins there; frames from `end` on that are here already go over."""
        yield from self._give_all(end)
        self.shot_start = end

    def nearest_time(self, pts: int) -> int | None:
        """The time of the frame here that is nearest to `pts`."""
        at = bisect_left(self._times, pts)
        around = self._times[max(0, at - 1) : at + 1]
        return min(around, key=lambda time: abs(time - pts), default=None)

    def _give_all(self, end: int) -> Iterator[Part]:
        times = self._times[: bisect_left(self._times, end)]
        if times and end > self.start:
            # A last picture that stays long belongs to the last segment, it makes no segments of its own.
            content_end = end if end - times[-1] <= self._longest else times[-1] + 1
            spans = join_empty(split(self.start, content_end, self._longest, self._overlap), times)
            spans[-1] = (spans[-1][0], end)
            yield from self._parts(spans)
        self._drop_before(end)
        self.start = end
        self._kept.restart(self._first_index)

    def _give_full_parts(self) -> Iterator[Part]:
        step = self._longest - self._overlap
        starts = [self.start + k * step for k in range(FLUSHED_PARTS)]
        yield from self._parts(join_empty([(start, start + self._longest) for start in starts], self._times))
        self.start += FLUSHED_PARTS * step
        self._drop_before(self.start)
        self._kept.forget_before(self._first_index)

    def _drop_before(self, pts: int) -> None:
        gone = bisect_left(self._times, pts)
        del self._times[:gone]
        self._first_index += gone

    def _parts(self, spans: list[Span]) -> Iterator[Part]:
        for start, end in spans:
            low = self._first_index + bisect_left(self._times, start)
            high = self._first_index + bisect_left(self._times, end)
            clip = self._kept.clip(low, high)
            yield Part(start, end, clip, self._poster(low, high), self._preview(low, high, start, end))

    def _poster(self, low: int, high: int) -> bytes:
        margin = (high - low) // 5  # the ends of a shot are where it fades or has been cut a frame late
        first, last = (low + margin, high - margin) if high - low > 2 * margin else (low, high)
        count = max(1, last - first)
        choices = self._kept.pictures((first + i for i in spread(count, _POSTER_CHOICES)), low, high)
        chosen = choose_poster([self._kept.contrast(picture) for picture in choices])
        return encode_poster(self._scaler.shown(choices[chosen], self._settings.poster_pixels))

    def _preview(self, low: int, high: int, start: int, end: int) -> bytes:
        seconds = float((end - start) * self._time_base)
        count = max(1, min(self._preview_frames, round(seconds * self._settings.preview_rate)))
        moments = (start + k * (end - start) // count for k in range(count))
        shown = (self._first_index + max(0, bisect_right(self._times, moment) - 1) for moment in moments)
        pictures = self._kept.pictures(shown, low, high)
        rate = preview_rate(
            len(pictures), seconds, longest=self._settings.preview_seconds, usual=self._settings.preview_rate
        )
        longest = self._settings.preview_pixels
        return encode_preview([self._scaler.shown_planes(picture, longest) for picture in pictures], rate)
