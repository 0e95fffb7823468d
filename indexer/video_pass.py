"""The decode pass over a video, which yields each segment, with clip, poster and preview, as soon as it is final."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

from db.records import Segment, Video
from indexer.describing import describe_video
from indexer.media.errors import Cancelled, UnreadableVideo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.records import Shot
    from encoder import ClipSpec
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.media.decode import Decoding, Frame
    from indexer.media.probe import Source
    from indexer.settings import IndexSettings
    from indexer.shots.key_segmenter import KeySegmenter
    from indexer.shots.segmenter import Segmenter


_FRAMES_TO_ESTIMATE = 25
_ABSURD = 10  # a container that states a length so many times that of its share of the bytes is not believed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentClip:
    """A segment with its clips to encode and its pictures for display."""

    segment: Segment
    clips: tuple[NDArray[np.uint8], ...]  # (T, S, S, 3) RGB, one for each encoder
    poster: bytes  # JPEG
    preview: bytes  # MP4, no sound

    @property
    def clip(self) -> NDArray[np.uint8]:
        """The clip of the first encoder."""
        return self.clips[0]


class VideoPass:
    """One pass over a video. Iterate it once, from one thread, to get its segments as SegmentClip.

    A video can be indexed if at least one frame decodes.

    If only reference frames are decoded, `video` and all times are still those of all frames. Clips, posters and
    previews take the nearest decoded frames, and a cut lies on a decoded frame: late by at most the number of frames
    that are skipped in a row.

    Memory is bounded by `candidate_frames` frames or MAX_BUFFER_BYTES, whichever is less, the frames held back for a
    detector (MAX_HELD_BYTES), and the decoder's own. A cut may become known only after its position was flushed with a
    segment (a fade to black longer than eight segments); it is moved to the start of the next segment.

    Attributes:
        notes: What a person should know about the file, after the iteration.
        shots: The shots finished so far; all after the iteration.
        segments: The segments yielded so far; all after the iteration.
        video: The video's record, after the iteration.
    """

    def __init__(
        self,
        path: str,
        spec: ClipSpec,
        settings: IndexSettings,
        *,
        fingerprint: str,
        cancelled: Callable[[], bool] | None = None,
        scorer: ShotBoundaryScorer | None = None,
        further: Sequence[ClipSpec] = (),
    ) -> None:
        """Prepare a pass; the file is opened by the iteration.

        Args:
            path: Absolute path of the video.
            spec: Shape of the clips.
            settings: Settings of segments, clips and pictures.
            fingerprint: Fingerprint of the content, copied to `video`.
            cancelled: Called for every packet and frame, so a sign of progress; True stops the pass.
            scorer: Needed by the detectors in indexer.settings.LEARNED only. Passes in several threads may share it.
            further: Shapes of the clips of further encoders. No shot, segment or time depends on any shape.

        Raises:
            UnreadableVideo: During the iteration, if the file cannot be indexed. This may happen midway (a disk
                unplugged, a file still being written); segments yielded before must then be discarded.
            Cancelled: During the iteration, if `cancelled()` returns True.
        """
        self.path = path
        self.specs = (spec, *further)
        self.settings = settings
        self.fingerprint = fingerprint
        self.shots: list[Shot] = []
        self.segments: list[Segment] = []
        self.frames = 0  # so far, skipped ones included
        self.seconds_done = 0.0  # seconds of video decoded so far
        self.seconds_expected: float | None = None  # length stated by the container, or estimated; for an ETA
        self.seconds_decoding = 0.0  # spent in the decoder
        self.seconds_preparing = 0.0  # spent on scaling, detection, posters and previews
        self.seconds_hashing = 0.0  # spent on reading the whole content again
        self.fell_back = False  # decoded on the CPU although hardware was requested
        self.notes: tuple[str, ...] = ()
        self._estimates = False  # the container's length is not believed
        self._cancelled = cancelled
        self._scorer = scorer
        self._video: Video | None = None
        self._begun = False

    @property
    def video(self) -> Video:
        """The video as indexed; RuntimeError before the end of the iteration."""
        if self._video is None:
            raise RuntimeError(f"{self.path} has not been read to the end")
        return self._video

    def __iter__(self) -> Iterator[SegmentClip]:
        if self._begun:
            raise RuntimeError("a VideoPass can be iterated once; make another one")
        self._begun = True
        import cv2

        # For the whole process, because waking OpenCV's threads takes longer than its work here.
        cv2.setNumThreads(1)
        yield from self._passes()

    def _passes(self) -> Iterator[SegmentClip]:
        from indexer.media.hardware import choose_device

        yield from self._pass(self._read, choose_device(self.settings.hardware))

    def _pass(
        self, read: Callable[[Source], Iterator[SegmentClip]], device: str | None = None
    ) -> Iterator[SegmentClip]:
        from indexer.media.probe import open_source

        with open_source(self.path, threads=self.settings.decode_threads, device=device) as source:
            self.seconds_expected = None if source.stated_seconds is None else float(source.stated_seconds)
            yield from self._timed(read(source))
            self._hash_content(source)

    def _hash_content(self, source: Source) -> None:
        from indexer.content_hash import content_hash, is_read_again

        if is_read_again(self.path, self.settings.hash_content):
            began = perf_counter()
            self._video = replace(self.video, content_hash=content_hash(self.path, cancelled=self._cancelled))
            self.seconds_hashing = perf_counter() - began
            source.check_unchanged()

    def _read(self, source: Source) -> Iterator[SegmentClip]:
        from indexer.media.decode import Decoding
        from indexer.shots.segmenter import Segmenter

        def segmenter_for(first: Frame) -> Segmenter:
            return Segmenter(source, first, self.specs, self.settings, self._scorer)

        only_reference = self.settings.decode == "reference"
        decoding = Decoding(source, reference_only=only_reference, on_packet=self._raise_if_cancelled)
        yield from self._segmented(decoding, segmenter_for)
        self.fell_back = self.settings.hardware != "none" and not source.on_device

    def _segmented(
        self, decoding: Decoding, segmenter_for: Callable[[Frame], Segmenter | KeySegmenter]
    ) -> Iterator[SegmentClip]:
        from indexer.media.decode import no_frames_error, video_end
        from indexer.media.interlacing import FieldsSeen
        from indexer.notes import file_notes

        source = decoding.source
        fields = FieldsSeen(source)
        segmenter: Segmenter | KeySegmenter | None = None
        last: Frame | None = None
        longest = 0
        for frame in self._decoded(decoding):
            if segmenter is None:
                segmenter = segmenter_for(frame)
            fields.look(frame.picture)
            if segmenter.feed(frame):
                longest = max(longest, 0 if last is None else _longest_wait(last, frame))
                last = frame
                self.frames = segmenter.frames
                self.seconds_done = float((frame.pts - segmenter.start_pts) * source.time_base)
                self._estimate_length(decoding)
                yield from self._segment_clips(segmenter)
        if segmenter is None or last is None:
            raise no_frames_error(source, decoding.damaged)
        if segmenter.frames == 1 and source.may_be_picture:
            raise UnreadableVideo(self.path, "still_image", "This is a single still picture, not a video.")
        source.check_unchanged()
        segmenter.skip(decoding.skipped_after)
        last_pts, duration = last.pts, last.duration
        if decoding.skipped_after:
            last_pts, duration = decoding.skipped_after[-1], 0
        end = video_end(last_pts, duration, start_pts=segmenter.start_pts, frames=segmenter.frames, step=source.step)
        segmenter.finish(end)
        yield from self._segment_clips(segmenter)
        self.seconds_done = float((end - segmenter.start_pts) * source.time_base)
        longest_seconds = float(max(longest, end - last_pts) * source.time_base)
        self.notes = file_notes(decoding, seconds=self.seconds_done, longest_seconds=longest_seconds)
        self._video = describe_video(decoding, segmenter, fields, end, path=self.path, fingerprint=self.fingerprint)

    def _estimate_length(self, decoding: Decoding) -> None:
        """Estimate the length by the bytes read so far where the container states an absurd one."""
        if self.frames < _FRAMES_TO_ESTIMATE or not decoding.read_bytes:
            return
        estimate = self.seconds_done * max(1.0, decoding.source.size_bytes / decoding.read_bytes)
        absurd = (self.seconds_expected or 0.0) > _ABSURD * estimate
        self._estimates = self._estimates or absurd or decoding.timeline.jumps > 0
        if self._estimates:
            self.seconds_expected = estimate

    def _decoded(self, decoding: Decoding) -> Iterator[Frame]:
        frames = iter(decoding)
        while True:
            self._raise_if_cancelled()
            began = perf_counter()
            frame = next(frames, None)
            self.seconds_decoding += perf_counter() - began
            if frame is None:
                return
            yield frame

    def _raise_if_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled(self.path)

    def _timed(self, results: Iterator[SegmentClip]) -> Iterator[SegmentClip]:
        """Count the time spent here but not in the decoder or in the caller."""
        while True:
            began, decoding = perf_counter(), self.seconds_decoding
            result = next(results, None)
            self.seconds_preparing += perf_counter() - began - (self.seconds_decoding - decoding)
            if result is None:
                return
            yield result

    def _segment_clips(self, segmenter: Segmenter | KeySegmenter) -> Iterator[SegmentClip]:
        for shot_number, draft in segmenter.take_drafts():
            segment = Segment(
                number=len(self.segments), shot_number=shot_number, start_pts=draft.start, end_pts=draft.end
            )
            self.segments.append(segment)
            yield SegmentClip(segment=segment, clips=draft.clips, poster=draft.poster, preview=draft.preview)
        self.shots = segmenter.shots


def _longest_wait(last: Frame, frame: Frame) -> int:
    """Return the longest time between two frames, decoded or not, from one decoded frame to the next one."""
    times = (last.pts, *frame.skipped, frame.pts)
    return max(after - before for before, after in pairwise(times))
