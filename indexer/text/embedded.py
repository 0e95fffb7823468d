"""Text tracks and closed captions of a video, read from its packets without decoding a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from av.stream import Disposition

from db.timed_text import TextSource
from indexer.media.opening import open_media
from indexer.text.found import ReadText, TextFound, TextProblem
from indexer.text.languages import language_tag
from indexer.text.lines import to_lines
from indexer.text.markup import tidy
from indexer.text.packet_pass import CAPTION_CODECS, PacketPass, Track

if TYPE_CHECKING:
    from av.subtitles.stream import SubtitleStream

    from indexer.media.probe import Source

_PICTURES = {
    "pgssub": "PGS",
    "hdmv_pgs_subtitle": "PGS",
    "dvdsub": "VobSub",
    "dvd_subtitle": "VobSub",
    "dvbsub": "DVB",
    "dvb_subtitle": "DVB",
    "xsub": "XSUB",
}
_HANDLERS = ("SubtitleHandler", "ClosedCaptionHandler", "Text Media Handler")  # programs' own, no titles


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
    start_ms = start_pts * source.time_base * 1000
    tracks, problems = _text_tracks(source)
    reading = PacketPass(source, tracks, start_ms=start_ms)
    reading.run(cancelled)
    if any(track.cut for track in tracks):
        tracks = _with_plain_edits(source, tracks, start_ms, cancelled)
    texts = []
    for track in tracks:
        if track.codec not in CAPTION_CODECS:
            lines = to_lines(track.cues, duration_ms=duration_ms, unit="packet")
            texts.append(ReadText(track.source, lines.lines))
            problems += [TextProblem(track.source.origin, problem) for problem in lines.problems]
    reading.captions.finish(duration_ms)
    language = next((track.source.language for track in tracks if track.codec in CAPTION_CODECS), "")
    for name, cues in sorted(reading.captions.cues.items()):
        found = to_lines(cues, duration_ms=duration_ms).lines
        if found:
            texts.append(ReadText(TextSource(kind="subtitle", origin=name, language=language, for_deaf=True), found))
    if reading.is_digital and not any(reading.captions.cues.values()):
        problems.append(TextProblem("captions", "they are in the digital form only (CEA-708), which is not read"))
    return TextFound(tuple(texts), tuple(problems))


def _text_tracks(source: Source) -> tuple[list[Track], list[TextProblem]]:
    tracks, problems = [], []
    for stream in source.container.streams.subtitles:
        origin = f"track {stream.index}"
        name = stream.codec_context.name if stream.codec_context is not None else None
        if name is None:
            problems.append(TextProblem(origin, "no decoder reads its subtitles"))
        elif name in _PICTURES:
            problems.append(TextProblem(origin, f"its subtitles are pictures ({_PICTURES[name]}), which are not read"))
        else:
            tracks.append(Track(stream.index, name, _described(stream, origin)))
    return tracks, problems


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


def _with_plain_edits(
    source: Source, tracks: Sequence[Track], start_ms: Fraction, cancelled: Callable[[], bool]
) -> list[Track]:
    """Read tracks again of which an edit list cuts a packet: see `open_media`."""
    again = [Track(track.index, track.codec, track.source) for track in tracks]
    with open_media(source.path, plain_edits=True) as container:
        PacketPass(replace(source, container=container), again, start_ms=start_ms, in_video=False).run(cancelled)
    return again
