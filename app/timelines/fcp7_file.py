"""Final Cut Pro 7 XML (xmeml 5), which Premiere Pro, DaVinci Resolve, Avid and many others read.

This is our own writer, because the OTIO adapter treats every timecode at 29.97 as drop-frame, and writes no linked
audio and no size, and PySceneDetect's writer supports only one source and rounds in floating point.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from app.timelines.fcp7_sound import (
    MASTER_CHANNELS,
    Lane,
    LinkedItem,
    audio_output,
    item_id,
    lanes_of,
    linked_items,
    track_type,
)
from app.timelines.markers import placed_markers
from app.timelines.placing import Event, PlacedTimeline, name_notes
from app.timelines.plain_text import file_url, one_line, xml_safe
from app.timelines.timecode import format_timecode, is_ntsc, timebase
from app.timelines.xml_text import child, xml_bytes

if TYPE_CHECKING:
    from db.media_facts import FieldOrder


def render_fcp7(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file and notes for the user.

    There is one video track, and one audio track for each channel of sound: mono stays mono, and the channels of a
    stereo pair are marked as its two halves, without which Premiere makes two mono tracks of them. All are linked with
    the video. `in` and `out` count frames of the file from its first one, at its own rate; `start` and `end` those of
    the timeline. The file's timecode is stored with the file. Notes are markers at the start of their clips.
    """
    root = ElementTree.Element("xmeml", version="5")
    sequence = child(root, "sequence", id="sequence-1", explodedTracks="true")
    child(sequence, "name", placed.name)
    child(sequence, "duration", placed.frames)
    _rate(sequence, placed.rate)
    _timecode(sequence, placed.rate, placed.timecode_offset, placed.drop)
    media = child(sequence, "media")
    video = child(media, "video")
    _size(child(video, "format"), placed.rate, placed.width, placed.height, placed.field_order)
    track = child(video, "track")
    files = _files(placed)
    described: set[str] = set()
    lanes = {event.number: lanes_of(event.clip.channels) for event in placed.events}
    tracks = list(dict.fromkeys(lane for of_event in lanes.values() for lane in of_event))
    links = linked_items(placed, lanes, tracks)
    for event in placed.events:
        _clip(track, event, files[event.number], described, links[event.number])
    _switches(track)
    if tracks:
        audio = audio_output(media, max(MASTER_CHANNELS, *(lane.channels for lane in tracks)))
        for lane in tracks:
            track = child(audio, "track", **track_type(lane))
            for event in placed.events:
                if lane in lanes[event.number]:
                    channel = lanes[event.number].index(lane) + 1
                    _clip(track, event, files[event.number], described, links[event.number], channel, lane)
            _switches(track)
            child(track, "outputchannelindex", lane.channel + 1)
    return xml_bytes(root), name_notes(placed)


def _files(placed: PlacedTimeline) -> dict[int, str]:
    """Return the file id of each event, by its number. Events of the same file share an id."""
    ids: dict[tuple[object, ...], str] = {}
    return {
        event.number: ids.setdefault((event.clip.path, event.rate, event.timecode_offset), f"file-{len(ids) + 1}")
        for event in placed.events
    }


def _clip(
    track: ElementTree.Element,
    event: Event,
    file: str,
    described: set[str],
    links: list[LinkedItem],
    channel: int = 0,
    lane: Lane | None = None,
) -> None:
    """Add a clip to a track. A file is described only where it is first mentioned.

    `channel` is 0 for the video, else the channel's number among those of the file, and `lane` its place.
    """
    mark = None if lane is None else {1: "mono", 2: "stereo"}.get(lane.channels)
    item = child(track, "clipitem", id=item_id(event, channel), premiereChannelType=mark)
    child(item, "masterclipid", f"master-{file}")
    child(item, "name", event.name)
    child(item, "enabled", "TRUE")
    child(item, "duration", event.file_frames)
    _rate(item, event.rate)
    child(item, "start", event.record_in)
    child(item, "end", event.record_out)
    child(item, "in", event.in_frame)
    child(item, "out", event.out_frame)
    element = child(item, "file", id=file)
    if file not in described:
        described.add(file)
        _describe(element, event)
    if channel:
        source = child(item, "sourcetrack")
        child(source, "mediatype", "audio")
        child(source, "trackindex", channel)
    if len(links) > 1:
        for number, linked in enumerate(links):
            link = child(item, "link")
            child(link, "linkclipref", linked.item)
            child(link, "mediatype", "audio" if number else "video")
            child(link, "trackindex", linked.track)
            child(link, "clipindex", linked.number)
    if not channel:
        _note(item, event)
        _markers(item, event)


def _describe(element: ElementTree.Element, event: Event) -> None:
    clip = event.clip
    child(element, "name", event.file_name)
    child(element, "pathurl", file_url(clip.path, host="localhost"))
    _rate(element, event.rate)
    child(element, "duration", event.file_frames)
    timecode = _timecode(element, event.rate, event.timecode_offset, event.drop)
    if clip.reel:
        child(child(timecode, "reel"), "name", one_line(clip.reel))
    media = child(element, "media")
    video = child(media, "video")
    child(video, "duration", event.file_frames)
    _size(video, event.rate, clip.width, clip.height, clip.field_order)
    before = 0
    for channels in clip.channels:
        audio = child(media, "audio")
        child(audio, "channelcount", channels)
        layout = {1: "mono", 2: "stereo"}.get(channels)
        if layout is not None:
            child(audio, "layout", layout)
        for channel in range(channels):
            source = child(audio, "audiochannel")
            child(source, "sourcechannel", before + channel + 1)
            child(source, "channellabel", ("left", "right")[channel] if channels == 2 else "discrete")
        before += channels


def _note(item: ElementTree.Element, event: Event) -> None:
    note = xml_safe(event.clip.note).strip()
    if not note:
        return
    marker = child(item, "marker")
    child(marker, "comment", note)
    child(marker, "name", one_line(note)[:60])
    child(marker, "in", event.in_frame)
    child(marker, "out", -1)


def _markers(item: ElementTree.Element, event: Event) -> None:
    """Add what is said, as markers that last as long as it is said."""
    for each in placed_markers(event):
        marker = child(item, "marker")
        child(marker, "comment", each.text)
        child(marker, "name", each.name)
        child(marker, "in", each.first)
        child(marker, "out", each.end)


def _size(parent: ElementTree.Element, rate: Fraction, width: int, height: int, field_order: FieldOrder) -> None:
    if width <= 0 or height <= 0:
        return
    characteristics = child(parent, "samplecharacteristics")
    _rate(characteristics, rate)
    child(characteristics, "width", width)
    child(characteristics, "height", height)
    child(characteristics, "pixelaspectratio", "square")
    child(characteristics, "fielddominance", {"tff": "upper", "bff": "lower"}.get(field_order, "none"))


def _switches(track: ElementTree.Element) -> None:
    child(track, "enabled", "TRUE")
    child(track, "locked", "FALSE")


def _rate(parent: ElementTree.Element, rate: Fraction) -> None:
    """Add a rate: 30000/1001 is 30 with `ntsc`."""
    element = child(parent, "rate")
    child(element, "timebase", timebase(rate))
    child(element, "ntsc", "TRUE" if is_ntsc(rate) else "FALSE")


def _timecode(parent: ElementTree.Element, rate: Fraction, timecode_offset: int, drop: bool) -> ElementTree.Element:
    element = child(parent, "timecode")
    _rate(element, rate)
    child(element, "string", format_timecode(timecode_offset, rate, drop))
    child(element, "frame", timecode_offset)
    child(element, "displayformat", "DF" if drop else "NDF")
    return element
