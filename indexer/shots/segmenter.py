"""Segmentation of a video: frames in, finished segments out, with shots from the detector."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from av.error import FFmpegError

from db.records import Shot
from indexer.media.scale import Scaler
from indexer.shots.detector import CutDetector
from indexer.shots.shot_buffer import BufferedFrame, SegmentDraft, ShotBuffer

if TYPE_CHECKING:
    from encoder import ClipSpec
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.media.decode import Frame
    from indexer.media.probe import Source
    from indexer.settings import IndexSettings


MAX_HELD_BYTES = 160 * 1024 * 1024
"""Limit per video for the frames held back, as `Scaler.reduce` returns them: 121 of 720p, 60 of 720p with 10 bits."""


class Segmenter:
    """Divides the frames of one video into shots and segments. Created with the first frame.

    Frames are held back before they go to the buffer of the current shot, as many as cuts are late. Of pictures, no
    more are held than fit in MAX_HELD_BYTES: the others are in the buffer early, where some may be decimated, which
    makes the sampled ones slightly less exact. Shots and segments do not depend on that, nor on the encoders.

    Attributes:
        start_pts: pts of the first frame.
        frames: Number of frames so far, skipped ones included.
        unusable: Number of frames that could not be converted.
        shots: Shots finished so far.
        scaler: Scales the frames of this video.
    """

    def __init__(
        self,
        source: Source,
        first: Frame,
        specs: Sequence[ClipSpec],
        settings: IndexSettings,
        scorer: ShotBoundaryScorer | None = None,
    ) -> None:
        self.start_pts = first.pts
        self.frames = 0
        self.unusable = 0
        self.shots: list[Shot] = []
        self.scaler = Scaler.of(source, first.picture, *specs)
        self._detector = CutDetector(
            settings.detector,
            settings.detector_options,
            time_base=source.time_base,
            frame_rate=source.nominal_rate,
            start_pts=first.pts,
            scorer=scorer,
        )
        self._shot = ShotBuffer(self.scaler, settings, source.time_base, first.pts)
        self._waiting: deque[BufferedFrame] = deque()
        self._held: deque[BufferedFrame] = deque()  # those of them whose pictures are held
        self._held_bytes = 0
        self._drafts: list[tuple[int, SegmentDraft]] = []

    def feed(self, frame: Frame) -> bool:
        """Add the next frame; return False if its pixels cannot be converted, which counts in `unusable`."""
        try:
            picture, seen = self.scaler.reduce_and_look(frame.picture)
            plane = self.scaler.plane(seen, self._detector.plane_pixels)
        except MemoryError:
            raise
        except FFmpegError:
            self.unusable += 1
            return False
        self.skip(frame.skipped)
        size = frame.picture.width, frame.picture.height
        self._waiting.append(BufferedFrame(self.frames, frame.pts, picture, size))
        self._held.append(self._waiting[-1])
        self._held_bytes += _bytes_of(self._waiting[-1])
        self.frames += 1
        for cut in self._detector.feed(frame.pts, plane):
            self._cut(cut)
        while len(self._waiting) > self._detector.lookahead_frames:
            self._append_oldest()
        while self._held_bytes > MAX_HELD_BYTES:
            self._shot.take_picture(self._no_longer_held())
        return True

    def skip(self, times: tuple[int, ...]) -> None:
        """Add skipped frames after the last one. They count as frames, and segments may begin with them."""
        if times and self._waiting:
            self._waiting[-1].skipped.extend(times)
            self.frames += len(times)

    def finish(self, end: int) -> None:
        """End the video at `end`."""
        for cut in self._detector.finish():
            self._cut(cut)
        while self._waiting:
            self._append_oldest()
        self._close(end)

    def take_drafts(self) -> Iterator[tuple[int, SegmentDraft]]:
        """Yield the finished segments with the numbers of their shots, once."""
        drafts, self._drafts = self._drafts, []
        yield from drafts

    def _append_oldest(self) -> None:
        frame = self._waiting.popleft()
        if self._held and self._held[0] is frame:
            self._no_longer_held()
        self._drafts += [(len(self.shots), draft) for draft in self._shot.append(frame)]

    def _no_longer_held(self) -> BufferedFrame:
        frame = self._held.popleft()
        self._held_bytes -= _bytes_of(frame)
        return frame

    def _cut(self, cut: int) -> None:
        at = self._frame_time(max(cut, self._shot.start))
        if at is None or at <= self._shot.shot_start or at < self._shot.start:
            return
        while self._waiting and self._waiting[0].pts < at:
            self._append_oldest()
        self._close(at)

    def _frame_time(self, pts: int) -> int | None:
        """Return the time of the frame nearest to `pts`, among those in the shot buffer or waiting for it."""
        times = [frame.pts for frame in self._waiting]
        buffered = self._shot.nearest_time(pts)
        if buffered is not None:
            times.append(buffered)
        return min(times, key=lambda time: abs(time - pts), default=None)

    def _close(self, end: int) -> None:
        begin = self._shot.shot_start
        self._drafts += [(len(self.shots), draft) for draft in self._shot.close(end)]
        self.shots.append(Shot(number=len(self.shots), start_pts=begin, end_pts=end))


def _bytes_of(frame: BufferedFrame) -> int:
    return 0 if frame.picture is None else sum(plane.buffer_size for plane in frame.picture.planes)
