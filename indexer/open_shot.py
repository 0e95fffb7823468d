"""The stretch of a video whose end is not known yet: it keeps what its segments will need, within bounds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from indexer.clip_frames import ClipFrames
from indexer.preview import choose_poster, encode_poster, encode_preview, preview_rate, spread
from indexer.segments import Span, join_empty, split
from indexer.settings import IndexSettings
from indexer.thinning import Thinned

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from indexer.scale import Scaler

    Pixels = NDArray[np.uint8]

FLUSHED_PARTS = 8
"""Full segments that leave a shot once it runs past FLUSHED_PARTS + 1 segment lengths."""

_POSTER_SECONDS = 0.5  # between the pictures from which a poster is chosen
_POSTER_CHOICES = 5
_POSTERS_KEPT = 48


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A decoded frame, reduced by Scaler.reduce. index: among all frames of the video. size: (w, h) as decoded."""

    index: int
    pts: int
    picture: VideoFrame
    size: tuple[int, int]


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
        self._clips = ClipFrames(scaler, settings.candidate_frames)
        self._previews: Thinned[Pixels] = Thinned(max(64, 6 * self._preview_frames))
        self._posters: Thinned[Pixels] = Thinned(_POSTERS_KEPT)
        self._preview_due: int | None = None
        self._poster_due: int | None = None
        self._preview_step = round(1 / (settings.preview_rate * time_base))
        self._poster_step = round(Fraction(_POSTER_SECONDS) / time_base)

    @property
    def kept(self) -> tuple[int, int, int]:
        """How many clip frames, preview frames and poster pictures are in memory now."""
        return len(self._clips), len(self._previews), len(self._posters)

    def settle(self, frame: Settled) -> Iterator[Part]:
        """The next frame that no cut is expected before any more."""
        if self._times and frame.pts - self._times[-1] > self._longest:
            yield from self._give_all(frame.pts)
        elif frame.pts - self.start > (FLUSHED_PARTS + 1) * self._longest:
            yield from self._give_full_parts()
        if not self._times:
            self._first_index = frame.index
        self._times.append(frame.pts)
        picture, scaler = frame.picture, self._scaler
        self._clips.offer(frame.index, picture, frame.size)
        if self._preview_due is None or frame.pts >= self._preview_due:
            self._previews.offer(frame.index, lambda: scaler.shown(picture, self._settings.preview_pixels))
            self._preview_due = frame.pts + self._preview_step
        if self._poster_due is None or frame.pts >= self._poster_due:
            self._posters.offer(frame.index, lambda: scaler.shown(picture, self._settings.poster_pixels))
            self._poster_due = frame.pts + self._poster_step

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
        index = self._first_index
        self._clips.restart(index)
        self._previews.restart(index)
        self._posters.restart(index)
        # The first frame of a shot is always kept for show, however short the shot.
        self._preview_due = self._poster_due = None

    def _give_full_parts(self) -> Iterator[Part]:
        step = self._longest - self._overlap
        starts = [self.start + k * step for k in range(FLUSHED_PARTS)]
        yield from self._parts(join_empty([(start, start + self._longest) for start in starts], self._times))
        self.start += FLUSHED_PARTS * step
        self._drop_before(self.start)
        self._clips.forget_before(self._first_index)
        self._previews.forget_before(self._first_index)
        self._posters.forget_before(self._first_index)

    def _drop_before(self, pts: int) -> None:
        gone = bisect_left(self._times, pts)
        del self._times[:gone]
        self._first_index += gone

    def _parts(self, spans: list[Span]) -> Iterator[Part]:
        for start, end in spans:
            low = self._first_index + bisect_left(self._times, start)
            high = self._first_index + bisect_left(self._times, end)
            clip = self._clips.clip(low, high)
            yield Part(start, end, clip, self._poster(low, high), self._preview(low, high, end - start))

    def _poster(self, low: int, high: int) -> bytes:
        margin = (high - low) // 5  # the ends of a shot are where it fades or has been cut a frame late
        choices = self._posters.within(low + margin, high - margin) or self._posters.within(low, high)
        if not choices:
            choices = [self._posters.nearest((low + high) // 2, low, high)]
        return encode_poster(choose_poster([choices[i] for i in spread(len(choices), _POSTER_CHOICES)]))

    def _preview(self, low: int, high: int, length: int) -> bytes:
        pictures = self._previews.within(low, high)
        if not pictures:
            pictures = [self._previews.nearest(low, low, high)]
        chosen = [pictures[i] for i in spread(len(pictures), self._preview_frames)]
        seconds = float(length * self._time_base)
        rate = preview_rate(
            len(chosen), seconds, longest=self._settings.preview_seconds, usual=self._settings.preview_rate
        )
        return encode_preview(chosen, rate)
