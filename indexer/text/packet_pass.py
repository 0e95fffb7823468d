"""One pass over the packets of an open video, which collects the cues of its text tracks and its closed captions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import av.error
from av.stream import Discard

from db.timed_text import TextSource
from indexer.media.errors import Cancelled
from indexer.media.packets import read_packets
from indexer.media.timeline import Timeline, stamp_of, watched_streams
from indexer.text.a53 import CAPTIONED_CODECS, Pair, caption_pairs, has_captions
from indexer.text.cea608 import CaptionChannels
from indexer.text.cues import MAX_CUES, MAX_TEXT, Cue, Damage
from indexer.text.markup import plain_substation

if TYPE_CHECKING:
    from av.packet import Packet

    from indexer.media.probe import Source

CAPTION_CODECS = frozenset(("cc_dec", "eia_608"))
"""FFmpeg's names for a track of closed captions, which are read by our own decoder."""
_FIRST_PACKETS, _FIRST_BYTES = 250, 16 << 20
"""Of the video, in which the place for captions must be found: broadcasters put it into every frame."""
_REORDERED = 64
"""Packets that are held back to put captions in the order in which they are shown; H.264 and HEVC reorder 16."""


@dataclass(slots=True)
class Track:
    """A text track and its cues so far.

    Attributes:
        cut: Whether an edit list begins within one of its packets.
    """

    index: int
    codec: str
    source: TextSource
    cues: list[Cue | Damage] = field(default_factory=list)
    packets: int = 0
    cut: bool = False


class PacketPass:
    """Reads an open file from its beginning, as far as it must.

    Attributes:
        captions: The closed captions, of packets of the video and of tracks.
        is_digital: Whether there are any in the form of CEA-708.
    """

    def __init__(self, source: Source, tracks: Sequence[Track], *, start_ms: Fraction, in_video: bool = True) -> None:
        """Prepare to read.

        Args:
            source: The file.
            tracks: Its text tracks, whose cues are collected.
            start_ms: When the first frame is shown, on the clock of the file.
            in_video: Whether to look for captions in the packets of the video.
        """
        self.captions = CaptionChannels()
        self.is_digital = False
        self._source = source
        self._tracks = {track.index: track for track in tracks}
        self._start_ms = start_ms
        self._timeline = Timeline.of(source)
        self._held: list[tuple[Fraction, int, list[Pair]]] = []  # a heap: captions whose turn has not come
        self._last_ms = Fraction(0)
        self._seen_packets = self._seen_bytes = 0
        # None: not known yet.
        self._has_captions: bool | None = None if in_video and source.codec in CAPTIONED_CODECS else False

    def run(self, cancelled: Callable[[], bool]) -> None:
        """Read the file. Raises UnreadableVideo and Cancelled as `embedded.read_embedded` does."""
        source = self._source
        if not self._tracks and self._has_captions is False:
            return
        watched = watched_streams(source) if source.free_running_clock or self._has_captions is None else ()
        wanted = sorted({*watched, *self._tracks})
        for stream in source.container.streams:
            if stream.index not in wanted:
                stream.discard = Discard.all
        for packet in read_packets(source, wanted):
            if cancelled():
                raise Cancelled
            if packet.stream_index in self._tracks:
                self._text(self._tracks[packet.stream_index], packet)
            elif packet.stream_index != source.stream.index:
                self._timeline.sound(packet.stream_index, stamp_of(packet, source.time_base))
            else:
                self._video(packet)
                if self._has_captions is False and not self._tracks:
                    return
        while self._held:
            self._take()

    def _video(self, packet: Packet[Any]) -> None:
        source = self._source
        placed = self._timeline.picture(stamp_of(packet, source.time_base))
        if self._has_captions is False:
            return
        content = bytes(packet)
        self._seen_packets += 1
        self._seen_bytes += len(content)
        if self._has_captions is None and has_captions(content):
            self._has_captions = True
        if self._has_captions is None:
            if self._seen_packets >= _FIRST_PACKETS or self._seen_bytes >= _FIRST_BYTES:
                self._has_captions = False
                if not source.free_running_clock:
                    source.stream.discard = Discard.all
            return
        pairs, is_digital = caption_pairs(content, source.codec)
        self.is_digital |= is_digital
        at = placed.pts if placed.pts is not None else placed.dts
        if at is not None:
            self._last_ms = at * source.time_base * 1000 - self._start_ms
        heappush(self._held, (self._last_ms, self._seen_packets, pairs))
        if len(self._held) > _REORDERED:
            self._take()

    def _take(self) -> None:
        at, _, pairs = heappop(self._held)
        for number, first, second in pairs:
            self.captions.feed(number, first, second, max(0, round(at)))

    def _text(self, track: Track, packet: Packet[Any]) -> None:
        track.packets += 1
        if packet.is_discard:
            track.cut = True
            return
        if packet.pts is None or packet.time_base is None or len(track.cues) >= MAX_CUES:
            return
        shift = self._timeline.shift * self._source.time_base
        start = round((packet.pts * packet.time_base + shift) * 1000 - self._start_ms)
        if track.codec in CAPTION_CODECS:
            self._caption_track(bytes(packet), start)
            return
        try:
            text = "\n".join(_texts(packet))
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            track.cues.append(Damage(track.packets, "it cannot be decoded"))
            return
        if text:
            end = start + round(packet.duration * packet.time_base * 1000) if packet.duration else None
            track.cues.append(Cue(track.packets, start, end, text))

    def _caption_track(self, content: bytes, at_ms: int) -> None:
        """Read a packet of a caption track of QuickTime, which FFmpeg hands over in triples as in A/53."""
        for at in range(0, len(content) - 2, 3):
            if content[at] & 4 and content[at] & 3 < 2:
                self.captions.feed(content[at] & 3, content[at + 1], content[at + 2], max(0, at_ms))


def _texts(packet: Packet[Any]) -> Iterator[str]:
    """Yield the texts of a packet. Every decoder of text hands them over as dialogues of SubStation."""
    for subtitle in packet.stream.codec_context.decode2(packet) or ():
        dialogue: bytes = getattr(subtitle, "ass", b"")
        cells = dialogue[: 4 * MAX_TEXT].decode("utf-8", "replace").split(",", 8)
        if len(cells) == 9 and (text := plain_substation(cells[8])):
            yield text
