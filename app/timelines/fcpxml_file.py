"""FCPXML 1.10, which Final Cut Pro 10.6 and DaVinci Resolve 18 and later read: one project with one storyline.

This is our own writer, because the OTIO adapter writes version 1.8, runs ffprobe on files, which must then exist, and
truncates 23.976 to 23 frames per second, and PySceneDetect's writer supports only one source and no timecode.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias
from xml.etree import ElementTree

from app.timelines.markers import placed_markers
from app.timelines.placing import Event, PlacedTimeline, name_notes
from app.timelines.plain_text import file_url, one_line, xml_safe
from app.timelines.xml_text import child, xml_bytes

if TYPE_CHECKING:
    from db.media_facts import FieldOrder

# Values of conform-rate by nominal rate. At another rate a program derives it from the format.
_CONFORMED = {
    Fraction(24000, 1001): "23.98",
    Fraction(24): "24",
    Fraction(25): "25",
    Fraction(30000, 1001): "29.97",
    Fraction(30): "30",
    Fraction(48000, 1001): "47.95",
    Fraction(48): "48",
    Fraction(50): "50",
    Fraction(60000, 1001): "59.94",
    Fraction(60): "60",
}
_NAMED = {
    (1280, 720): "FFVideoFormat720p",
    (1920, 1080): "FFVideoFormat1080p",
    (3840, 2160): "FFVideoFormat3840x2160p",
    (4096, 2160): "FFVideoFormat4096x2160p",
}
_INTERLACED_1080 = {
    Fraction(25): "FFVideoFormat1080i50",
    Fraction(30000, 1001): "FFVideoFormat1080i5994",
    Fraction(30): "FFVideoFormat1080i60",
}
"""Final Cut's formats of 1920 x 1080 with the upper field first, by frame rate."""
_FIELD_ORDERS: dict[FieldOrder, str] = {"tff": "upper first", "bff": "lower first"}
_NAMED_RATES = {
    "23.98": "2398",
    "24": "24",
    "25": "25",
    "29.97": "2997",
    "30": "30",
    "50": "50",
    "59.94": "5994",
    "60": "60",
}


_Formats: TypeAlias = "dict[tuple[Fraction, int, int, FieldOrder, bool], str]"


def render_fcpxml(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file and notes for the user.

    All times are whole frames of exactly 1/rate seconds: of the file for the start of a clip in it (counted from its
    timecode), of the timeline for the clip's offset and duration. A clip at another rate than the timeline's is
    conformed by sampling its frames in time, never by playing it faster or slower.
    """
    root = ElementTree.Element("fcpxml", version="1.10")
    resources = child(root, "resources")
    formats: _Formats = {}
    timeline_format = _format(resources, formats, placed.rate, placed.width, placed.height, placed.field_order)
    assets: dict[tuple[object, ...], str] = {}
    references = [_asset(resources, formats, assets, event) for event in placed.events]
    project = child(child(child(root, "library"), "event", name=placed.name), "project", name=placed.name)
    sequence = child(
        project,
        "sequence",
        format=timeline_format,
        duration=_time(placed.frames, placed.rate),
        tcStart=_time(placed.timecode_offset, placed.rate),
        tcFormat="DF" if placed.drop else "NDF",
    )
    spine = child(sequence, "spine")
    for event, (asset, clip_format) in zip(placed.events, references, strict=True):
        _clip(spine, placed, event, asset, clip_format)
    return xml_bytes(root), name_notes(placed)


def _format(
    resources: ElementTree.Element,
    formats: _Formats,
    rate: Fraction,
    width: int,
    height: int,
    field_order: FieldOrder,
    square_pixels: bool = True,
) -> str:
    """Return the id of a format, adding it to the resources if it is new. The size is that with square pixels."""
    order = field_order if field_order in ("tff", "bff") else ""  # progressive, like any format without fieldOrder
    key = (rate, width, height, order, square_pixels)
    if key not in formats:
        formats[key] = f"r{len(resources) + 1}"
        child(
            resources,
            "format",
            id=formats[key],
            name=_format_name(rate, width, height, order) if square_pixels else None,
            fieldOrder=_FIELD_ORDERS.get(order),
            frameDuration=f"{rate.denominator}/{rate.numerator}s",
            width=width or None,
            height=height or None,
        )
    return formats[key]


def _format_name(rate: Fraction, width: int, height: int, field_order: FieldOrder) -> str | None:
    """Return Final Cut's name of exactly this format, or None if there is none."""
    if field_order:
        return _INTERLACED_1080.get(rate) if (width, height, field_order) == (1920, 1080, "tff") else None
    named, shown = _NAMED.get((width, height)), _NAMED_RATES.get(_CONFORMED.get(rate, ""))
    return f"{named}{shown}" if named and shown else None


def _asset(
    resources: ElementTree.Element,
    formats: _Formats,
    assets: dict[tuple[object, ...], str],
    event: Event,
) -> tuple[str, str]:
    """Return the ids of a file's asset and of its format. Clips of the same file share an asset."""
    clip = event.clip
    width, height, channels = max(0, clip.width), max(0, clip.height), clip.channels
    clip_format = _format(resources, formats, event.rate, width, height, clip.field_order, clip.square_pixels)
    reel = one_line(clip.reel)
    key = (clip.path, event.rate, event.timecode_offset, clip.video_seconds, channels, clip_format, reel)
    if key not in assets:
        assets[key] = f"r{len(resources) + 1}"
        asset = child(
            resources,
            "asset",
            id=assets[key],
            name=event.file_name,
            start=_time(event.timecode_offset, event.rate),
            duration=_time(event.file_frames, event.rate),
            hasVideo="1",
            format=clip_format,
            videoSources="1",
            hasAudio="1" if channels else None,
            audioSources=len(channels) or None,
            audioChannels=sum(channels) or None,
        )
        child(asset, "media-rep", kind="original-media", src=file_url(clip.path))
        if reel:
            child(child(asset, "metadata"), "md", key="com.apple.proapps.studio.reel", value=reel)
    return assets[key], clip_format


def _clip(spine: ElementTree.Element, placed: PlacedTimeline, event: Event, asset: str, clip_format: str) -> None:
    element = child(
        spine,
        "asset-clip",
        ref=asset,
        name=event.name,
        offset=_time(placed.timecode_offset + event.record_in, placed.rate),
        start=_time(event.timecode_offset + event.in_frame, event.rate),
        duration=_time(event.record_out - event.record_in, placed.rate),
        format=clip_format,
        tcFormat="DF" if event.drop else "NDF",
        audioRole="dialogue" if event.clip.channels else None,
    )
    note = xml_safe(event.clip.note).strip()
    if note:
        child(element, "note", note)
    if event.rate != placed.rate:
        child(element, "conform-rate", scaleEnabled="0", srcFrameRate=_CONFORMED.get(event.rate))
    _markers(element, event)


def _markers(element: ElementTree.Element, event: Event) -> None:
    """Add what is said, at times of the file, as those of the clip's start are."""
    for marker in placed_markers(event):
        child(
            element,
            "marker",
            start=_time(event.timecode_offset + marker.first, event.rate),
            duration=_time(marker.end - marker.first, event.rate),
            value=marker.name,
            note=marker.line if marker.line != marker.name else None,
        )


def _time(frames: int, rate: Fraction) -> str:
    """Format whole frames as a fraction of seconds: `1001/24000s` is one frame at 23.976."""
    return f"{frames * rate.denominator}/{rate.numerator}s" if frames else "0s"
