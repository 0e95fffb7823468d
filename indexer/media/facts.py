"""Facts that the header of an open file states: the only place that reads them. Nothing is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from av.video.reformatter import ColorTrc

from db.media_facts import AudioTrack, FieldOrder, MediaFacts

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

    from indexer.media.probe import Source

_FIELD_ORDERS: dict[int, FieldOrder] = {1: "progressive", 2: "tff", 3: "bff", 4: "tff", 5: "bff"}
"""FFmpeg's AV_FIELD_*. Its TB and BT come from the `fiel` atom of QuickTime files, whose values 9 and 14 stand for
interleaved fields of which the top or the bottom one is earlier."""
_TRANSFERS: dict[int, str] = {
    ColorTrc.BT709: "bt709",
    ColorTrc.SMPTE170M: "smpte170m",
    ColorTrc.BT2020_10: "bt2020-10",
    ColorTrc.BT2020_12: "bt2020-12",
    ColorTrc.IEC61966_2_1: "iec61966-2-1",
    ColorTrc.SMPTE2084: "smpte2084",
    ColorTrc.ARIB_STD_B67: "arib-std-b67",
}
_HDR = frozenset(("smpte2084", "arib-std-b67"))


def read_facts(source: Source) -> MediaFacts:
    """Return what the header of an open file states."""
    metadata = {**source.container.metadata, **source.stream.metadata}
    return MediaFacts(
        nominal_rate=source.nominal_rate,
        field_order=_FIELD_ORDERS.get(int(getattr(source.stream.codec_context, "field_order", 0)), ""),
        sample_aspect=source.sample_aspect,
        transfer=_transfer(source),
        audio=tuple(_track(stream) for stream in source.container.streams.audio),
        reel=metadata.get("reel_name", ""),
        recorded_at=metadata.get("creation_time", ""),
    )


def header_kinds(source: Source) -> frozenset[str]:
    """Return the kinds of a video that its header shows; decoding may show more. See `db.media_facts.VideoKind`."""
    kinds = set()
    if _transfer(source) in _HDR:
        kinds.add("hdr")
    if _FIELD_ORDERS.get(int(getattr(source.stream.codec_context, "field_order", 0))) in ("tff", "bff"):
        kinds.add("interlaced")
    pixels = source.stream.codec_context.format
    if pixels is not None and any(part.is_alpha for part in pixels.components):
        kinds.add("alpha")
    if pixels is not None and any(part.bits > 8 for part in pixels.components):
        kinds.add("deep")
    return frozenset(kinds)


def _transfer(source: Source) -> str:
    return _TRANSFERS.get(int(source.stream.codec_context.color_trc), "")


def _track(stream: AudioStream) -> AudioTrack:
    context = stream.codec_context
    return AudioTrack(
        codec="" if context is None else context.name,
        channels=0 if context is None else context.channels,
        layout="" if context is None else context.layout.name,
        language=stream.language or "",
        title=stream.metadata.get("title", ""),
    )
