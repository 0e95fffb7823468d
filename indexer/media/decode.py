"""Decoding of all readable frames of a video, in presentation order and past any damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import av
import av.error

from indexer.media.clock import Clock
from indexer.media.errors import UnreadableVideo
from indexer.media.frame_times import has_frame_times
from indexer.media.packets import read_packets
from indexer.media.probe import Source, open_source
from indexer.media.timeline import Timeline, stamp_of, watched_streams

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded frame."""

    pts: int  # in the stream's time base, strictly increasing
    duration: int  # in the same unit, 0 if unknown
    picture: VideoFrame
    skipped: tuple[int, ...] = ()  # pts of undecoded frames since the previous one, ascending


class Decoding:
    """Decodes one source; iterate it once to get the frames.

    PyAV's own `container.decode()` ends at the first damaged packet, while ffmpeg continues. Here packets are decoded
    one by one, and an error costs that packet only.

    Attributes:
        damaged: Number of errors skipped so far.
        skips: Whether frames are skipped: `reference_only` was requested and packets state when they are shown.
        skipped_after: pts of the frames after the last decoded one, ascending; set at the end of the iteration. Where
            frames are skipped, one that was lost to damage counts as skipped, too.
        clock: Assigns the times; `clock.synthesized` if the file does not state them.
        read_bytes: Position in the file up to which packets were read, if the container has positions.
        timeline: Continues the times where the container's clock jumps; `timeline.jumps` counts that.
    """

    def __init__(
        self,
        source: Source,
        *,
        seek_pts: int | None = None,
        skip_packets: int = 0,
        reference_only: bool = False,
        on_packet: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to decode; nothing is read before the iteration.

        Args:
            source: An open source, at its beginning unless `seek_pts` is given.
            seek_pts: Start at the key frame before this time. Frames are yielded from there on, including those before
                `seek_pts`.
            skip_packets: Number of packets of the video to read without decoding them, from the beginning: the way to
                a place in a file whose clock jumps, which cannot be sought by time.
            reference_only: Skip frames that no other frame is decoded from, if the packets state when these are shown
                (see `frame_times`); otherwise all frames are decoded.
            on_packet: Called for every packet that was read; its exceptions end the iteration.

        Raises:
            UnreadableVideo: During the iteration, if the file cannot be read any further ("missing" or "error"). Damage
                does not raise.
        """
        self.source = source
        self.skips = reference_only and has_frame_times(source)
        self.skipped_after: tuple[int, ...] = ()
        self._undecoded: list[int] = []  # a heap: times of packets without a frame yet
        self._raw: int | None = None  # time of the last frame, as stated by the file
        self._moved = 0  # shift of the last frame by the clock
        self.damaged = 0
        self.clock = Clock(step=source.step, second=round(1 / source.time_base), prefer_dts=source.decoding_times_only)
        self.timeline = Timeline.of(source)
        self.read_bytes = 0
        self._seek_pts = seek_pts
        self._skip_packets = skip_packets
        self._on_packet = on_packet
        self._fed_to: int | None = None  # latest time among the packets
        self._shown_to: int | None = None  # latest time among the frames
        self._half_shown = 0  # how much later the packet of a frame's second field may be
        self._damaged_to: int | None = None  # time of the last packet that the decoder refused
        self._flush_failed = False  # an error ended the flush at the end

    def __iter__(self) -> Iterator[Frame]:
        if self._seek_pts is not None:
            self.source.container.seek(self._seek_pts, stream=self.source.stream, backward=True)
        for picture in self._pictures(self.source):
            yield self._to_frame(picture)
        for picture in self._recover_end():
            yield self._to_frame(picture)
        if self._raw is not None and self._moved == 0:
            self.skipped_after = tuple(self._skipped_times(before=None))

    def first(self) -> Frame:
        """Return the first frame, in place of the iteration.

        Raises:
            UnreadableVideo: No frame can be decoded, or the file cannot be read.
        """
        frame = next(iter(self), None)
        if frame is None:
            raise no_frames_error(self.source, self.damaged)
        return frame

    def _skipped_times(self, before: int | None) -> list[int]:
        """Return the times after the last frame of packets without a frame; decoding follows presentation order."""
        times: list[int] = []
        while self._undecoded and (before is None or self._undecoded[0] <= before):
            time = heappop(self._undecoded)
            if self._raw is not None and self._raw < time != before and time not in times[-1:]:
                times.append(time)
        return times

    def _to_frame(self, picture: VideoFrame) -> Frame:
        self.source.colours.complete(picture)
        if picture.pts is not None and (self._shown_to is None or picture.pts > self._shown_to):
            self._shown_to = picture.pts
        duration = picture.duration or 0
        if picture.interlaced_frame and abs(2 * duration - self.source.step) <= 1:
            duration = self.source.step  # it is that of the first of two packets, one for each field
            self._half_shown = duration // 2
        pts = self.clock.next_pts(picture.pts, picture.dts, duration)
        if not self.skips or picture.pts is None:
            return Frame(pts, duration, picture)
        skipped = self._skipped_times(before=picture.pts)
        self._raw, self._moved = picture.pts, pts - picture.pts
        # Where the clock had to move times, as after a jump, the times of skipped frames are unknown.
        return Frame(pts, duration, picture, () if self._moved else tuple(skipped))

    def _pictures(self, source: Source) -> Iterator[VideoFrame]:
        context = source.stream.codec_context
        if self.skips:
            context.skip_frame = "NONREF"
        for packet in self._packets(source):
            try:
                pictures = context.decode(packet)
            except MemoryError:
                raise
            except av.error.FFmpegError:
                self.damaged += 1
                self._damaged_to = packet.pts
                continue
            yield from pictures
        try:
            pictures = context.decode(None)
        except MemoryError:
            raise
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            self.damaged += 1
            self._flush_failed = True
            return
        yield from pictures

    def _packets(self, source: Source) -> Iterator[Packet[Any]]:
        """Yield the packets of the video, with continued times."""
        timeline = self.timeline if source is self.source else Timeline.of(source)
        to_skip = self._skip_packets
        for packet in read_packets(source, watched_streams(source), on_damage=self._count_damage):
            self._on_packet()
            stamp = stamp_of(packet, source.time_base)
            if packet.stream_index != source.stream.index:
                timeline.sound(packet.stream_index, stamp)
                continue
            self.read_bytes = max(self.read_bytes, (packet.pos or 0) + packet.size)
            placed = timeline.picture(stamp)
            packet.pts, packet.dts = placed.pts, placed.dts
            if timeline.jumps:
                self.clock.synthesized = True  # a seek would find other frames
            if to_skip:
                to_skip -= 1
                continue
            if packet.pts is not None and not packet.is_discard:
                self._fed_to = packet.pts if self._fed_to is None else max(self._fed_to, packet.pts)
                if self.skips:
                    heappush(self._undecoded, packet.pts)
            yield packet

    def _count_damage(self) -> None:
        self.damaged += 1

    def _recover_end(self) -> Iterator[VideoFrame]:
        """Recover frames that the decoder's threads still held when an error ended the flush.

        PyAV cannot request them again, and reports no error if the flush returned any frame before it. A sign of the
        loss is packets later than the last frame shown (which may also be skipped ones, if frames are skipped). So the
        end is decoded again without frame threads, which hold nothing back. This is rare: a file that is
        damaged or cut off in its last packets.
        """
        done = self._shown_to
        if done is None or self._fed_to is None or self._fed_to <= done + self._half_shown:
            return
        if self.source.stream.codec_context.thread_count == 1:
            return
        before, loss_counted = self.damaged, self._flush_failed
        self._damaged_to = None
        with open_source(self.source.path, threads=1) as again:
            again.stream.codec_context.thread_type = "SLICE"
            if not self.timeline.jumps:
                try:
                    again.container.seek(done, stream=again.stream, backward=True)
                except av.error.FFmpegError:
                    return
            for picture in self._pictures(again):
                if picture.pts is not None and picture.pts > done:
                    yield picture
        # The second pass meets the same damage again: count the loss once, and do not count skipped frames.
        only_skipped = self.skips and (self._damaged_to is None or self._damaged_to <= done)
        self.damaged = before if only_skipped or loss_counted else before + 1


def video_end(last_pts: int, duration: int, *, start_pts: int, frames: int, step: int) -> int:
    """Return the end of a video: the pts of its last frame plus the duration of that frame.

    Args:
        last_pts: pts of the last frame shown.
        duration: Duration of that frame; if 0 (unknown), the average distance of frames is used, or else `step`.
        start_pts: pts of the first frame shown.
        frames: Number of frames shown.
        step: Distance of frames at the nominal rate.

    Returns:
        A pts, in the same time base as all arguments but `frames`.
    """
    if duration > 0:
        return last_pts + duration
    if frames > 1:
        return last_pts + max(1, round((last_pts - start_pts) / (frames - 1)))
    return last_pts + step


def no_frames_error(source: Source, damaged: int) -> UnreadableVideo:
    """Return the error for a video without any decodable frame.

    Args:
        source: The source, still open.
        damaged: Number of errors counted by Decoding.

    Raises:
        UnreadableVideo: If the file has changed or disappeared since it was opened.
    """
    source.check_unchanged()
    why = f"all {damaged} packets are damaged" if damaged else "it contains no frames"
    return UnreadableVideo(source.path, "broken", f"No frame of this video can be decoded: {why}.")
