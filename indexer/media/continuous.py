"""Copies of stretches of files whose clock jumps, with continuous times: what ffmpeg and players can seek in.

Packets are copied as they are, pictures and sound of a piece by the same shift, so that they stay together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from heapq import heappushpop
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av.error

from indexer.media.clock_map import ClockMap
from indexer.media.opening import create_media
from indexer.media.packets import read_packets
from indexer.media.probe import Source, open_source
from indexer.media.timeline import BACK_SECONDS, JUMP_SECONDS, Stamp, Timeline, stamp_of

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

LEAD_SECONDS = 5
"""Seconds copied before the range, at least: sound may precede its picture in the file, and so do key frames."""
_AFTER_SECONDS = 3
_SKEW_SECONDS = 2  # by which the sound of a piece may begin before or end after its pictures
_MAX_HELD = 16  # pictures decoded before one that is shown earlier
_BEGIN_SECONDS = 10  # time of the first picture of the copy, so that no time is negative


def write_continuous(path: str, clock: ClockMap, start_pts: int, end_pts: int, target: Path) -> Fraction:
    """Copy the packets of a stretch, video and sound, into a new file with continuous times.

    Args:
        path: The file.
        clock: Its map.
        start_pts: Start of the stretch, a continued time in pts of the video.
        end_pts: End of the stretch.
        target: File to write; see copy_format.

    Returns:
        What to add to the container's times in the copy for the continued times in the file, in seconds.

    Raises:
        UnreadableVideo: The file cannot be opened.
        OSError: The copy cannot be written.
    """
    with open_source(path) as source:
        second = round(1 / source.time_base)
        number, begin = clock.key_before(start_pts - LEAD_SECONDS * second) or (0, clock.pieces[0].start)
        moved = begin - _BEGIN_SECONDS * second
        end = end_pts + _AFTER_SECONDS * second
        kind = copy_format(source)
        options = {"mpegts_copyts": "1"} if kind == "mpegts" else {}
        with create_media(target, kind, options) as out:
            copies = _Copies(out, source, moved)
            for packet, stamp, count in _all_timed(_continued(source, clock), source):
                if packet.stream_index != source.stream.index:
                    wanted = stamp.pts is None or stamp.pts >= begin - _SKEW_SECONDS * second
                elif stamp.dts is not None and stamp.dts > end:
                    break
                else:
                    wanted = count >= number
                if wanted and packet.stream_index in copies.streams:
                    copies.add(packet, stamp)
        return moved * source.time_base


def copy_format(source: Source) -> str:
    """Return FFmpeg's name of the container of copies: transport streams stay such, and so does Matroska."""
    return "mpegts" if "mpeg" in source.container.format.name else "matroska"


_Placed = tuple["Packet[Any]", Stamp, int]
"""A packet, its continued times, and the number of video packets before it."""


class _Copies:
    """The streams of a copy. Packets that would go back in time are left out, or moved if they are pictures."""

    def __init__(self, out: OutputContainer, source: Source, moved: int) -> None:
        self._out = out
        self._video = source.stream.index
        self._base = source.time_base
        self._moved = moved
        self._presentation_only = copy_format(source) == "matroska"
        self._step = source.step
        self._reordered = source.stream.codec_context.has_b_frames + 1
        self._waiting: list[int] = []  # a heap: pts of pictures that are decoded, and not yet shown
        self._last: dict[int, int] = {}
        self.streams: dict[int, Any] = {self._video: out.add_stream_from_template(source.stream, opaque=True)}
        for stream in _beside(source):
            with suppress(ValueError, av.error.FFmpegError):  # a codec that this container cannot hold
                copy: Any = out.add_stream_from_template(stream)
                copy.metadata.update(stream.metadata)  # language, title
                self.streams[stream.index] = copy

    def add(self, packet: Packet[Any], stamp: Stamp) -> None:
        index = packet.stream_index
        ratio = self._base / (packet.time_base or self._base)
        pts, dts = (None if time is None else round((time - self._moved) * ratio) for time in (stamp.pts, stamp.dts))
        last = self._last.get(index)
        if self._presentation_only and pts is not None:
            dts = self._decoding_time(pts) if index == self._video else pts
        if dts is None:
            dts = pts if last is None else last + 1
        if dts is None:
            return
        if last is not None and dts <= last:
            if index != self._video:
                return
            dts = last + 1
        packet.dts, packet.pts = dts, None if pts is None else max(pts, dts)
        self._last[index] = dts
        packet.stream = self.streams[index]
        self._out.mux(packet)

    def _decoding_time(self, pts: int) -> int:
        """Return when a picture must be decoded, as Matroska does not say and FFmpeg's guess is wrong after a jump."""
        if not self._waiting:
            self._waiting = [pts - number * self._step for number in range(self._reordered, 0, -1)]
        return heappushpop(self._waiting, pts)


def _continued(source: Source, clock: ClockMap) -> Iterator[_Placed]:
    """Yield all packets in file order, with their continued times."""
    timeline = Timeline.of(source)
    back, forward = (round(seconds / source.time_base) for seconds in (BACK_SECONDS, JUMP_SECONDS))
    skew = round(_SKEW_SECONDS / source.time_base)
    tracks: dict[int, _Track] = {}
    count = 0
    for packet in read_packets(source, [source.stream.index, *(stream.index for stream in _beside(source))]):
        stamp = stamp_of(packet, source.time_base)
        if packet.stream_index == source.stream.index:
            yield packet, timeline.picture(stamp), count
            count += 1
            continue
        if source.free_running_clock and packet.stream.type == "audio":
            timeline.sound(packet.stream_index, stamp)
        track = tracks.setdefault(packet.stream_index, _Track(clock, back, forward, skew))
        yield packet, track.continued(stamp), count


def _all_timed(continued: Iterator[_Placed], source: Source) -> Iterator[_Placed]:
    """Give a picture without times its own: it is shown after those that follow it, up to the next later one."""
    held: list[_Placed] = []
    shown_to = 0  # end of the last picture
    for packet, stamp, count in continued:
        if packet.stream_index != source.stream.index:
            yield packet, stamp, count
            continue
        if held and (stamp.key or len(held) > _MAX_HELD or (stamp.pts or 0) > shown_to):
            yield from _release(held, shown_to)
            held = []
        if held or (stamp.pts is None and stamp.dts is None and shown_to):
            held.append((packet, stamp, count))
        else:
            yield packet, stamp, count
        if stamp.pts is not None:
            shown_to = max(shown_to, stamp.pts + (stamp.duration or source.step))
    yield from _release(held, shown_to)


def _release(held: list[_Placed], shown_to: int) -> Iterator[_Placed]:
    for packet, stamp, count in held:
        untimed = stamp.pts is None and stamp.dts is None
        yield packet, replace(stamp, pts=shown_to) if untimed else stamp, count


def _beside(source: Source) -> list[Any]:
    """Return the streams that are copied with the video: sound and subtitles."""
    return [*source.container.streams.audio, *source.container.streams.subtitles]


class _Track:
    """Finds the piece that each packet of another stream belongs to; near a jump, file order does not say."""

    def __init__(self, clock: ClockMap, back: int, forward: int, skew: int) -> None:
        self._pieces = clock.pieces
        self._back, self._forward, self._skew = back, forward, skew
        self._piece = 0
        self._expected: int | None = None

    def continued(self, stamp: Stamp) -> Stamp:
        """Return the continued times of a packet."""
        at = stamp.dts if stamp.dts is not None else stamp.pts
        if at is None:
            return stamp
        if self._expected is None or not -self._back <= at - self._expected <= self._forward:
            self._piece = self._find(at)
        self._expected = at + stamp.duration
        shift = self._pieces[self._piece].shift
        return replace(
            stamp,
            pts=None if stamp.pts is None else stamp.pts + shift,
            dts=None if stamp.dts is None else stamp.dts + shift,
        )

    def _find(self, at: int) -> int:
        """Return the first piece from the current one on that holds a time; after a step back, a later one."""
        back = self._expected is not None and at < self._expected
        for number in range(self._piece + back, len(self._pieces)):
            piece = self._pieces[number]
            if piece.start - self._skew <= at <= piece.end + self._skew:
                return number
        return self._piece
