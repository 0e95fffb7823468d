"""Facts that the header of an open file states: the only place that reads them. Nothing is decoded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from av.video.reformatter import ColorTrc

from db.media_facts import AudioTrack, MediaFacts
from indexer.media.alpha import has_alpha
from indexer.media.interlacing import FieldsSeen
from indexer.media.tone_map import HDR_TRANSFERS

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

    from indexer.media.probe import Source

_TRANSFERS: dict[int, str] = {
    ColorTrc.BT709: "bt709",
    ColorTrc.SMPTE170M: "smpte170m",
    ColorTrc.BT2020_10: "bt2020-10",
    ColorTrc.BT2020_12: "bt2020-12",
    ColorTrc.IEC61966_2_1: "iec61966-2-1",
    ColorTrc.SMPTE2084: "smpte2084",
    ColorTrc.ARIB_STD_B67: "arib-std-b67",
}
_REEL_KEYS = ("reel_name", "reel", "reelname", "tape", "tape_name")
_MAKE_KEYS = ("make", "manufacturer", "camera_make", "device_manufacturer")
_MODEL_KEYS = ("model", "camera_model", "device_model")
_MAX_CAMERA = 100  # characters of a make or model
_TIME_KEYS = ("creationdate", "date_recorded", "creation_time", "date")  # QuickTime's, Matroska's, FFmpeg's, AVI's
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSET_YEARS = ("1904-01-01", "1970-01-01", "0000")  # what a clock that was never set says


def read_facts(source: Source, fields: FieldsSeen | None = None) -> MediaFacts:
    """Return what the header of an open file states.

    Args:
        source: The file.
        fields: What decoded frames say of their field order, which is surer; None if none has been decoded.
    """
    return MediaFacts(
        nominal_rate=source.nominal_rate,
        field_order=(fields or FieldsSeen(source)).field_order,
        sample_aspect=source.sample_aspect,
        transfer=_TRANSFERS.get(source.colours.transfer, ""),
        audio=audio_tracks(source),
        reel=_reel(source),
        recorded_at=_recorded_at(source),
        camera_make=_camera(source, _MAKE_KEYS),
        camera_model=_camera(source, _MODEL_KEYS),
    )


def audio_tracks(source: Source) -> tuple[AudioTrack, ...]:
    """Return the sound tracks of an open file, in its order."""
    return tuple(_track(stream) for stream in source.container.streams.audio)


def header_kinds(source: Source, fields: FieldsSeen | None = None) -> frozenset[str]:
    """Return the kinds of a video that its header shows; decoding may show more. See `db.media_facts.VideoKind`.

    Args:
        source: The file.
        fields: As in `read_facts`.
    """
    kinds = set()
    if source.colours.transfer in HDR_TRANSFERS:
        kinds.add("hdr")
    if (fields or FieldsSeen(source)).order is not None:
        kinds.add("interlaced")
    pixels = source.stream.codec_context.format
    if pixels is not None and has_alpha(pixels.name):
        kinds.add("alpha")
    if source.high_bit_depth:
        kinds.add("deep")
    return frozenset(kinds)


def _track(stream: AudioStream) -> AudioTrack:
    context = stream.codec_context
    language = stream.language or ""
    return AudioTrack(
        codec="" if context is None else context.codec.canonical_name,
        channels=0 if context is None else context.channels,
        layout="" if context is None else _layout(context.layout.name, context.channels),
        language="" if language == "und" else language,
        title=_stated(stream.metadata, ("title", "name")),  # MP4 has it under the second name
    )


def _layout(name: str, channels: int) -> str:
    """Return the name of a layout; of an order that is not stated (`1 channels`), only that of a single channel."""
    return {1: "mono"}.get(channels, "") if name.endswith(" channels") else name


def _reel(source: Source) -> str:
    """Return the name of the tape or reel.

    QuickTime has it with the timecode track, MXF with the video, Matroska and RIFF among the tags of the file.
    """
    others = (stream.metadata for stream in source.container.streams if stream.index != source.stream.index)
    for metadata in (source.stream.metadata, source.container.metadata, *others):
        found = _stated(metadata, _REEL_KEYS)
        if found:
            return found
    return ""


def _recorded_at(source: Source) -> str:
    """Return the time of recording as a text that begins with a date: where possible with the local time's zone."""
    for key in _TIME_KEYS:
        for metadata in (source.container.metadata, source.stream.metadata):
            found = _stated(metadata, (key,))
            if _DATE.match(found) and not found.startswith(_UNSET_YEARS):
                return found
    return ""


def _camera(source: Source, keys: tuple[str, ...]) -> str:
    """Return the make or the model of the camera, which phones state for the file and few cameras for the video."""
    for metadata in (source.container.metadata, source.stream.metadata):
        of_camera = {key: value for key, value in metadata.items() if "lens" not in key.lower()}
        found = " ".join(_stated(of_camera, keys).split())
        if found:
            return found[:_MAX_CAMERA].rstrip()
    return ""


def _stated(metadata: Mapping[str, str], keys: tuple[str, ...]) -> str:
    """Return the first value of one of these keys, which may have capitals or a prefix such as `com.apple.proapps.`."""
    for key, value in metadata.items():
        name = key.lower()
        if (name in keys or name.rpartition(".")[2] in keys) and value.strip():
            return value.strip()
    return ""
