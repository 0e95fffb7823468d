"""Text tracks and closed captions of a video, read from its packets in one pass, without decoding a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import av.error
from av.stream import Discard, Disposition

from db.timed_text import TextSource
from indexer.media.errors import Cancelled
from indexer.media.packets import read_packets
from indexer.media.timeline import Timeline, stamp_of, watched_streams
from indexer.text.a53 import CAPTIONED_CODECS, Pair, caption_pairs, has_captions
from indexer.text.cea608 import CaptionChannels
from indexer.text.cues import MAX_CUES, MAX_TEXT, Cue, Damage
from indexer.text.found import ReadText, TextFound, TextProblem
from indexer.text.languages import language_tag
from indexer.text.lines import to_lines
from indexer.text.markup import plain_substation, tidy

if TYPE_CHECKING:
    from av.packet import Packet
    from av.subtitles.stream import SubtitleStream

    from indexer.media.probe import Source

_PICTURES = frozenset(("dvbsub", "dvb_subtitle", "dvdsub", "dvd_subtitle", "pgssub", "hdmv_pgs_subtitle", "xsub"))
_CAPTIONS = frozenset(("cc_dec", "eia_608"))
_HANDLERS = ("SubtitleHandler", "ClosedCaptionHandler", "SoundHandler", "VideoHandler")  # FFmpeg's own, no titles
_FIRST_PACKETS, _FIRST_BYTES = 250, 16 << 20
"""Of the video, in which the place for captions must be found: broadcasters put it into every frame."""
_REORDERED = 64
"""Packets that are held back to put captions in the order in which they are shown; H.264 and HEVC reorder 16."""


@dataclass(slots=True)
class _Track:
    """A text track and its cues so far."""

    stream: SubtitleStream
    source: TextSource
    cues: list[Cue | Damage] = field(default_factory=list)
    packets: int = 0


def read_embedded(
    source: Source, *, start_pts: int, duration_ms: int, cancelled: Callable[[], bool] = lambda: False
) -> TextFound:
    """Return the text tracks and the closed captions of an open file, from its beginning.

    A file with neither is read for a few seconds of video at most, any other to its end.

    Args:
        source: The file.
        start_pts: pts of the first frame shown, from which times count.
        duration_ms: Length of the video.
        cancelled: Called for every packet; True stops.

    Raises:
        UnreadableVideo: The file cannot be read any further.
        Cancelled: `cancelled()` returned True.
    """
    tracks, problems = _text_tracks(source)
    reading = _Reading(source, tracks, start_ms=_ms(start_pts, source.time_base))
    reading.run(cancelled)
    texts = []
    for track in tracks:
        if track.stream.codec_context.name in _CAPTIONS:
            continue
        lines = to_lines(track.cues, duration_ms=duration_ms, unit="packet")
        texts.append(ReadText(track.source, lines.lines))
        problems += [TextProblem(track.source.origin, problem) for problem in lines.problems]
    reading.captions.finish(duration_ms)
    language = next((track.source.language for track in tracks if track.stream.codec_context.name in _CAPTIONS), "")
    for name, cues in sorted(reading.captions.cues.items()):
        found = to_lines(cues, duration_ms=duration_ms).lines
        if found:
            texts.append(ReadText(TextSource(kind="subtitle", origin=name, language=language, for_deaf=True), found))
    if reading.is_digital and not any(reading.captions.cues.values()):
        problems.append(TextProblem("captions", "they are in the digital form only (CEA-708), which is not read"))
    return TextFound(tuple(texts), tuple(problems))


def _text_tracks(source: Source) -> tuple[list[_Track], list[TextProblem]]:
    tracks, problems = [], []
    for stream in source.container.streams.subtitles:
        origin = f"track {stream.index}"
        context = stream.codec_context
        if context is None:
            problems.append(TextProblem(origin, "no decoder reads its subtitles"))
        elif context.name in _PICTURES:
            reason = f"its subtitles are pictures ({_codec(context.name)}), which are not read"
            problems.append(TextProblem(origin, reason))
        else:
            tracks.append(_Track(stream, _described(stream, origin)))
    return tracks, problems


def _codec(name: str) -> str:
    return {"pgssub": "PGS", "dvdsub": "VobSub", "dvbsub": "DVB"}.get(name, name)


def _described(stream: SubtitleStream, origin: str) -> TextSource:
    metadata = {key.lower(): value for key, value in stream.metadata.items()}
    titles = [metadata.get(key, "").strip() for key in ("title", "name", "handler_name")]
    flags = stream.disposition
    return TextSource(
        kind="subtitle",
        origin=origin,
        language=language_tag(stream.language or metadata.get("language", "")),
        title=next((tidy(title[:200]) for title in titles if title and title not in _HANDLERS), ""),
        default=bool(flags & Disposition.default),
        forced=bool(flags & Disposition.forced),
        for_deaf=bool(flags & (Disposition.hearing_impaired | Disposition.captions)),
    )


class _Reading:
    """One pass over the packets of an open file."""

    def __init__(self, source: Source, tracks: list[_Track], *, start_ms: Fraction) -> None:
        self.captions = CaptionChannels()
        self.is_digital = False
        self._source = source
        self._tracks = {track.stream.index: track for track in tracks}
        self._start_ms = start_ms
        self._timeline = Timeline.of(source)
        self._held: list[tuple[Fraction, int, list[Pair]]] = []  # a heap: captions whose turn has not come
        self._last_ms = Fraction(0)
        self._seen_packets = self._seen_bytes = 0
        self._has_captions: bool | None = None if source.codec in CAPTIONED_CODECS else False

    def run(self, cancelled: Callable[[], bool]) -> None:
        source = self._source
        clock = set(watched_streams(source)) if source.free_running_clock or self._has_captions is None else set()
        wanted = clock | set(self._tracks)
        for stream in source.container.streams:
            if stream.index not in wanted:
                stream.discard = Discard.all
        if not self._tracks and self._has_captions is False:
            return
        for packet in read_packets(source, sorted(wanted)):
            if cancelled():
                raise Cancelled
            track = self._tracks.get(packet.stream_index)
            if track is not None:
                self._text(track, packet)
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
        if self._has_captions is None:
            self._seen_packets += 1
            self._seen_bytes += len(content)
            if has_captions(content):
                self._has_captions = True
            elif self._seen_packets >= _FIRST_PACKETS or self._seen_bytes >= _FIRST_BYTES:
                self._has_captions = False
                if not source.free_running_clock:
                    source.stream.discard = Discard.all
                return
        pairs, is_digital = caption_pairs(content, source.codec)
        self.is_digital |= is_digital
        at = placed.pts if placed.pts is not None else placed.dts
        if at is not None:
            self._last_ms = _ms(at, source.time_base) - self._start_ms
        heappush(self._held, (self._last_ms, self._seen_packets, pairs))
        self._seen_packets += 1
        if len(self._held) > _REORDERED:
            self._take()

    def _take(self) -> None:
        at, _, pairs = heappop(self._held)
        for field_number, first, second in pairs:
            self.captions.feed(field_number, first, second, max(0, round(at)))

    def _text(self, track: _Track, packet: Packet[Any]) -> None:
        track.packets += 1
        if packet.pts is None or packet.time_base is None or len(track.cues) >= MAX_CUES:
            return
        shift = _ms(self._timeline.shift, self._source.time_base)
        start = round(_ms(packet.pts, packet.time_base) + shift - self._start_ms)
        if track.stream.codec_context.name in _CAPTIONS:
            self._caption_track(bytes(packet), start)
            return
        try:
            text = "\n".join(_texts(track.stream, packet))
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError, UnicodeError):
            track.cues.append(Damage(track.packets, "it cannot be decoded"))
            return
        if text:
            length = round(_ms(packet.duration, packet.time_base)) if packet.duration else None
            track.cues.append(Cue(track.packets, start, None if length is None else start + length, text))

    def _caption_track(self, content: bytes, at_ms: int) -> None:
        """Read a packet of a caption track of QuickTime, which FFmpeg hands over in triples as in A/53."""
        for at in range(0, len(content) - 2, 3):
            if content[at] & 4 and content[at] & 3 < 2:
                self.captions.feed(content[at] & 3, content[at + 1], content[at + 2], max(0, at_ms))


def _texts(stream: SubtitleStream, packet: Packet[Any]) -> Iterator[str]:
    """Yield the texts of a packet. Every decoder of text hands them over as dialogues of SubStation."""
    for subtitle in stream.codec_context.decode2(packet) or ():
        dialogue = getattr(subtitle, "ass", b"")
        cells = dialogue[: 4 * MAX_TEXT].decode("utf-8", "replace").split(",", 8)
        if len(cells) == 9 and (text := plain_substation(cells[8])):
            yield text


def _ms(units: int, time_base: Fraction) -> Fraction:
    return units * time_base * 1000
