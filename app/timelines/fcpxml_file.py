"""FCPXML 1.10, which Final Cut Pro 10.6 and DaVinci Resolve 18 and later read: one project with one storyline.

This is our own writer, because the OTIO adapter writes version 1.8, runs ffprobe on files, which must then exist, and
truncates 23.976 to 23 frames per second, and PySceneDetect's writer supports only one source and no timecode.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from app.timelines.placing import Event, PlacedTimeline, name_notes
from app.timelines.plain_text import file_url, xml_safe
from app.timelines.xml_text import child, xml_bytes

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


def render_fcpxml(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file and notes for the user.

    All times are whole frames of exactly 1/rate seconds: of the file for the start of a clip in it (counted from its
    timecode), of the timeline for the clip's offset and duration. A clip at another rate than the timeline's is
    conformed by sampling its frames in time, never by playing it faster or slower.
    """
    root = ElementTree.Element("fcpxml", version="1.10")
    resources = child(root, "resources")
    formats: dict[tuple[Fraction, int, int], str] = {}
    timeline_format = _format(resources, formats, placed.rate, placed.width, placed.height)
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
    formats: dict[tuple[Fraction, int, int], str],
    rate: Fraction,
    width: int,
    height: int,
) -> str:
    """Return the id of a format, adding it to the resources if it is new."""
    key = (rate, width, height)
    if key not in formats:
        formats[key] = f"r{len(resources) + 1}"
        named, shown = _NAMED.get((width, height)), _NAMED_RATES.get(_CONFORMED.get(rate, ""))
        child(
            resources,
            "format",
            id=formats[key],
            name=f"{named}{shown}" if named and shown else None,
            frameDuration=f"{rate.denominator}/{rate.numerator}s",
            width=width or None,
            height=height or None,
        )
    return formats[key]


def _asset(
    resources: ElementTree.Element,
    formats: dict[tuple[Fraction, int, int], str],
    assets: dict[tuple[object, ...], str],
    event: Event,
) -> tuple[str, str]:
    """Return the ids of a file's asset and of its format. Clips of the same file share an asset."""
    clip = event.clip
    clip_format = _format(resources, formats, event.rate, max(0, clip.width), max(0, clip.height))
    key = (clip.path, event.rate, event.timecode_offset, clip.video_seconds, clip.has_audio)
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
            hasAudio="1" if clip.has_audio else None,
            audioSources="1" if clip.has_audio else None,
        )
        child(asset, "media-rep", kind="original-media", src=file_url(clip.path))
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
        audioRole="dialogue" if event.clip.has_audio else None,
    )
    note = xml_safe(event.clip.note).strip()
    if note:
        child(element, "note", note)
    if event.rate != placed.rate:
        child(element, "conform-rate", scaleEnabled="0", srcFrameRate=_CONFORMED.get(event.rate))


def _time(frames: int, rate: Fraction) -> str:
    """Format whole frames as a fraction of seconds: `1001/24000s` is one frame at 23.976."""
    return f"{frames * rate.denominator}/{rate.numerator}s" if frames else "0s"
