"""One decode of one video: shots, segments, clips, posters and previews come out as soon as each is final."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from db.records import Segment, Shot, Video
from indexer.media.errors import Cancelled, UnreadableVideo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from indexer.media.decode import Decoding, Frame
    from indexer.media.probe import Source
    from indexer.media.scale import Scaler
    from indexer.settings import IndexSettings
    from indexer.shots.detector import CutDetector
    from indexer.shots.shot_buffer import OpenShot, Part, Settled

_UNSETTLED_FRAMES = 32
"""Frames that wait before they count as part of the open shot. With the default detector a hard cut comes out 0.3 s
late, the middle of a long dissolve or fade up to 1.2 s; a cut later than this finds frames that may have been thinned,
which costs a little exactness of the sampled frames."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentClip:
    """What one segment gives: the frames to encode and the pictures to show."""

    segment: Segment
    clip: NDArray[np.uint8]  # (T, S, S, 3) RGB
    poster: bytes  # JPEG
    preview: bytes  # MP4, no sound


class VideoPass:
    """Iterate once, from one thread; afterwards `video`, `shots` and `segments` are there.

    path: absolute. fingerprint: goes into `video` as it is. cancelled: asked at every frame.

    Raises UnreadableVideo when the file cannot be indexed, also midway (a disk unplugged, a file still being written):
    what was given until then must be thrown away. Raises Cancelled when `cancelled()` says so. A video of which at
    least one frame decodes is indexed.

    Where only reference frames are decoded, `video` and the times are those of all frames; clips, posters and previews
    take the nearest decoded ones, and a cut lies on a decoded frame: at most as late as frames may be skipped in a row.

    Memory: `candidate_frames` frames or KEPT_BYTES, whichever is less, and the decoder's own. A cut that becomes
    known only after its place has left in a flushed segment (a fade to black that lasts longer than eight segments)
    is moved to where the next segment begins.
    """

    def __init__(
        self,
        path: str,
        spec: ClipSpec,
        settings: IndexSettings,
        *,
        fingerprint: str,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.path = path
        self.spec = spec
        self.settings = settings
        self.fingerprint = fingerprint
        self.shots: list[Shot] = []
        self.segments: list[Segment] = []
        self.frames = 0  # decoded so far
        self.seconds_done = 0.0  # of the video, so far
        self.seconds_expected: float | None = None  # its length as the container tells it, once opened: for an ETA
        self.seconds_decoding = 0.0  # spent in the decoder
        self.seconds_preparing = 0.0  # spent on scaling, detection, posters and previews
        self.fell_back = False  # hardware was to decode and the processor did
        self._cancelled = cancelled
        self._video: Video | None = None
        self._begun = False

    @property
    def video(self) -> Video:
        """The video as it was indexed; RuntimeError before the iteration has come to its end."""
        if self._video is None:
            raise RuntimeError(f"{self.path} has not been read to its end")
        return self._video

    def __iter__(self) -> Iterator[SegmentClip]:
        if self._begun:
            raise RuntimeError("a VideoPass can be iterated once; make another one")
        self._begun = True
        import cv2

        from indexer.media.hardware import choose
        from indexer.media.probe import open_source

        # Of the whole process: waking OpenCV's threads takes longer than its work here.
        cv2.setNumThreads(1)
        device = choose(self.settings.hardware)
        with open_source(self.path, threads=self.settings.decode_threads, device=device) as source:
            duration = source.container.duration  # microseconds, or None
            self.seconds_expected = duration / 1e6 if duration and duration > 0 else None
            yield from self._timed(self._read(source))

    def _read(self, source: Source) -> Iterator[SegmentClip]:
        from indexer.media.decode import Decoding, end_of, no_frames

        decoding = Decoding(source, reference_only=self.settings.decode == "reference")
        run: _Run | None = None
        last: Frame | None = None
        for frame in self._decoded(decoding):
            if run is None:
                run = _Run(source, frame, self.spec, self.settings)
            if run.feed(frame):
                last = frame
                self.frames = run.frames
                self.seconds_done = float((frame.pts - run.start_pts) * source.time_base)
                yield from self._named(run)
        self.fell_back = self.settings.hardware != "none" and not source.on_device
        if run is None or last is None:
            raise no_frames(source, decoding.damaged)
        if run.frames == 1 and source.may_be_picture:
            raise UnreadableVideo(self.path, "still_image", "This is a single still picture, not a video.")
        source.check_unchanged()
        run.skip(decoding.skipped_after)
        last_pts, duration = last.pts, last.duration
        if decoding.skipped_after:
            last_pts, duration = decoding.skipped_after[-1], 0
        end = end_of(last_pts, duration, start_pts=run.start_pts, frames=run.frames, step=source.step)
        run.finish(end)
        yield from self._named(run)
        self.seconds_done = float((end - run.start_pts) * source.time_base)
        self._video = self._describe(source, run, end, decoding.damaged)

    def _decoded(self, decoding: Decoding) -> Iterator[Frame]:
        frames = iter(decoding)
        while True:
            if self._cancelled is not None and self._cancelled():
                raise Cancelled(self.path)
            began = perf_counter()
            frame = next(frames, None)
            self.seconds_decoding += perf_counter() - began
            if frame is None:
                return
            yield frame

    def _timed(self, results: Iterator[SegmentClip]) -> Iterator[SegmentClip]:
        """Count the time spent in here and not in the decoder, without the time the caller takes."""
        while True:
            began, decoding = perf_counter(), self.seconds_decoding
            result = next(results, None)
            self.seconds_preparing += perf_counter() - began - (self.seconds_decoding - decoding)
            if result is None:
                return
            yield result

    def _named(self, run: _Run) -> Iterator[SegmentClip]:
        for shot_number, part in run.take_parts():
            segment = Segment(
                number=len(self.segments), shot_number=shot_number, start_pts=part.start, end_pts=part.end
            )
            self.segments.append(segment)
            yield SegmentClip(segment=segment, clip=part.clip, poster=part.poster, preview=part.preview)
        self.shots = run.shots

    def _describe(self, source: Source, run: _Run, end: int, damaged: int) -> Video:
        width, height = run.scaler.shown_size(*run.scaler.first_size)
        exact = run.frames / ((end - run.start_pts) * source.time_base)
        return Video(
            path=os.path.abspath(self.path),
            fingerprint=self.fingerprint,
            size_bytes=source.size_bytes,
            modified_ns=source.modified_ns,
            time_base=source.time_base,
            start_pts=run.start_pts,
            end_pts=end,
            frame_rate=exact.limit_denominator(1001) or exact,  # 30000/1001 also where times are in milliseconds
            frames=run.frames,
            width=width,
            height=height,
            codec=source.codec,
            rotation=run.scaler.orientation.clockwise_degrees,
            has_audio=source.has_audio,
            damaged=damaged + run.unusable,
            timecode=source.timecode,
        )


class _Run:
    """Everything that begins with the first frame: sizes, detector, the open shot, the frames not settled yet."""

    def __init__(self, source: Source, first: Frame, spec: ClipSpec, settings: IndexSettings) -> None:
        from indexer.media.scale import Orientation, Scaler
        from indexer.shots.detector import CutDetector
        from indexer.shots.shot_buffer import OpenShot

        self.start_pts = first.pts
        self.frames = 0
        self.unusable = 0
        self.shots: list[Shot] = []
        self.scaler: Scaler = Scaler(
            spec,
            orientation=Orientation.of(first.picture),
            sample_aspect=source.sample_aspect,
        )
        self.scaler.start(first.picture)
        self._detector: CutDetector = CutDetector(
            settings.detector,
            settings.detector_options,
            time_base=source.time_base,
            frame_rate=source.nominal_rate,
            start_pts=first.pts,
        )
        self._shot: OpenShot = OpenShot(self.scaler, settings, source.time_base, first.pts)
        self._waiting: deque[Settled] = deque()
        self._parts: list[tuple[int, Part]] = []

    def feed(self, frame: Frame) -> bool:
        """The next frame; False if its pixels cannot be converted, which is counted in `unusable`."""
        from av.error import FFmpegError

        from indexer.shots.shot_buffer import Settled

        try:
            picture = self.scaler.reduce(frame.picture)
            plane = self.scaler.plane(picture, self._detector.plane_pixels)
        except FFmpegError:
            self.unusable += 1
            return False
        self.skip(frame.skipped)
        size = frame.picture.width, frame.picture.height
        self._waiting.append(Settled(self.frames, frame.pts, picture, size))
        self.frames += 1
        for cut in self._detector.feed(frame.pts, plane):
            self._cut(cut)
        if len(self._waiting) > _UNSETTLED_FRAMES:
            self._settle()
        return True

    def skip(self, times: tuple[int, ...]) -> None:
        """Frames that follow the last one and were not decoded: they count, and segments may begin with them."""
        if times and self._waiting:
            self._waiting[-1].skipped.extend(times)
            self.frames += len(times)

    def finish(self, end: int) -> None:
        """No frame follows; the video ends at `end`."""
        for cut in self._detector.finish():
            self._cut(cut)
        while self._waiting:
            self._settle()
        self._close(end)

    def take_parts(self) -> Iterator[tuple[int, Part]]:
        """The finished segments with the number of their shot."""
        parts, self._parts = self._parts, []
        yield from parts

    def _settle(self) -> None:
        self._parts += [(len(self.shots), part) for part in self._shot.settle(self._waiting.popleft())]

    def _cut(self, cut: int) -> None:
        at = self._frame_time(max(cut, self._shot.start))
        if at is None or at <= self._shot.shot_start or at < self._shot.start:
            return
        while self._waiting and self._waiting[0].pts < at:
            self._settle()
        self._close(at)

    def _frame_time(self, pts: int) -> int | None:
        """The time of the frame nearest to `pts`, of those that the open shot holds or that wait to go there."""
        times = [frame.pts for frame in self._waiting]
        settled = self._shot.nearest_time(pts)
        if settled is not None:
            times.append(settled)
        return min(times, key=lambda time: abs(time - pts), default=None)

    def _close(self, end: int) -> None:
        begin = self._shot.shot_start
        self._parts += [(len(self.shots), part) for part in self._shot.close(end)]
        self.shots.append(Shot(number=len(self.shots), start_pts=begin, end_pts=end))
