"""Final Cut Pro 7 XML (xmeml 5), which Premiere Pro, DaVinci Resolve, Avid and many others read.

Written here, because the OTIO adapter takes every timecode at 29.97 for drop-frame, gives no linked sound and knows no
size, while the writer of PySceneDetect knows one source only and rounds in floating point.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from app.timelines.placing import Event, Placed, name_notes
from app.timelines.plain_text import file_url, legal, one_line
from app.timelines.timecode import format_timecode, is_ntsc, timebase
from app.timelines.xml_text import child, document

CHANNELS = 2


def fcp7(placed: Placed) -> tuple[bytes, list[str]]:
    """The file and what a person should know about it.

    One video track and, where a file has sound, its first two channels linked with it, as the two halves of one stereo
    track; without the attributes that say so Premiere makes two mono tracks of them. `in` and `out` count frames
    of the file from its first one, at its own rate; `start` and `end` those of the timeline. The file's timecode stands
    with the file. Notes are markers at the beginning of their clips.
    """
    root = ElementTree.Element("xmeml", version="5")
    sequence = child(root, "sequence", id="sequence-1", explodedTracks="true")
    child(sequence, "name", placed.name)
    child(sequence, "duration", placed.frames)
    _rate(sequence, placed.rate)
    _timecode(sequence, placed.rate, placed.first_label, placed.drop)
    media = child(sequence, "media")
    video = child(media, "video")
    _size(child(video, "format"), placed.rate, placed.width, placed.height)
    track = child(video, "track")
    files = _files(placed)
    told: set[str] = set()
    with_sound = [event for event in placed.events if event.clip.has_audio]
    places = {event.number: place for place, event in enumerate(with_sound, start=1)}
    for event in placed.events:
        _clip(track, event, files[event.number], told, 0, places.get(event.number))
    _switches(track)
    if with_sound:
        audio = _stereo(media)
        for channel in range(1, CHANNELS + 1):
            half = {"currentExplodedTrackIndex": channel - 1, "totalExplodedTrackCount": CHANNELS}
            track = child(audio, "track", premiereTrackType="Stereo", **half)
            for event in with_sound:
                _clip(track, event, files[event.number], told, channel, places[event.number])
            _switches(track)
            child(track, "outputchannelindex", channel)
    return document(root), name_notes(placed)


def _stereo(media: ElementTree.Element) -> ElementTree.Element:
    """The sound of the timeline: two channels, each its own way out."""
    audio = child(media, "audio")
    child(audio, "numOutputChannels", CHANNELS)
    outputs = child(audio, "outputs")
    for channel in range(1, CHANNELS + 1):
        group = child(outputs, "group")
        child(group, "index", channel)
        child(group, "numchannels", 1)
        child(group, "downmix", 0)
        child(child(group, "channel"), "index", channel)
    return audio


def _files(placed: Placed) -> dict[int, str]:
    """Of each event's number, the id of its file: one a file, however many clips are made of it."""
    ids: dict[tuple[object, ...], str] = {}
    return {
        event.number: ids.setdefault((event.clip.path, event.rate, event.first_label), f"file-{len(ids) + 1}")
        for event in placed.events
    }


def _clip(track: ElementTree.Element, event: Event, file: str, told: set[str], channel: int, place: int | None) -> None:
    """A clip on a track; channel 0 is the picture. Only the first mention of a file describes it.

    place: the clip's number among those with sound, None where it has none.
    """
    item = child(track, "clipitem", id=_item(event, channel), premiereChannelType="stereo" if channel else None)
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
    if file not in told:
        told.add(file)
        _describe(element, event)
    if channel:
        source = child(item, "sourcetrack")
        child(source, "mediatype", "audio")
        child(source, "trackindex", channel)
    if place is not None:
        for linked in range(CHANNELS + 1):
            _link(item, event, linked, place)
    if not channel:
        _note(item, event)


def _item(event: Event, channel: int) -> str:
    return f"clipitem-{event.number}" + (f"-a{channel}" if channel else "")


def _link(item: ElementTree.Element, event: Event, channel: int, place: int) -> None:
    link = child(item, "link")
    child(link, "linkclipref", _item(event, channel))
    child(link, "mediatype", "audio" if channel else "video")
    child(link, "trackindex", max(1, channel))
    child(link, "clipindex", place if channel else event.number)


def _describe(element: ElementTree.Element, event: Event) -> None:
    clip = event.clip
    child(element, "name", event.file_name)
    child(element, "pathurl", file_url(clip.path, host="localhost"))
    _rate(element, event.rate)
    child(element, "duration", event.file_frames)
    _timecode(element, event.rate, event.first_label, event.drop)
    media = child(element, "media")
    video = child(media, "video")
    child(video, "duration", event.file_frames)
    _size(video, event.rate, clip.width, clip.height)
    if clip.has_audio:
        child(child(media, "audio"), "channelcount", CHANNELS)


def _note(item: ElementTree.Element, event: Event) -> None:
    note = legal(event.clip.note).strip()
    if not note:
        return
    marker = child(item, "marker")
    child(marker, "comment", note)
    child(marker, "name", one_line(note)[:60])
    child(marker, "in", event.in_frame)
    child(marker, "out", -1)


def _size(parent: ElementTree.Element, rate: Fraction, width: int, height: int) -> None:
    if width <= 0 or height <= 0:
        return
    described = child(parent, "samplecharacteristics")
    _rate(described, rate)
    child(described, "width", width)
    child(described, "height", height)
    child(described, "pixelaspectratio", "square")
    child(described, "fielddominance", "none")


def _switches(track: ElementTree.Element) -> None:
    child(track, "enabled", "TRUE")
    child(track, "locked", "FALSE")


def _rate(parent: ElementTree.Element, rate: Fraction) -> None:
    """30000/1001 is 30 with `ntsc`."""
    element = child(parent, "rate")
    child(element, "timebase", timebase(rate))
    child(element, "ntsc", "TRUE" if is_ntsc(rate) else "FALSE")


def _timecode(parent: ElementTree.Element, rate: Fraction, first_label: int, drop: bool) -> None:
    element = child(parent, "timecode")
    _rate(element, rate)
    child(element, "string", format_timecode(first_label, rate, drop))
    child(element, "frame", first_label)
    child(element, "displayformat", "DF" if drop else "NDF")
