"""Final Cut Pro 7 XML (xmeml 5), which Premiere Pro, DaVinci Resolve, Avid and many others read.

This is our own writer, because the OTIO adapter treats every timecode at 29.97 as drop-frame, and writes no linked
audio and no size, and PySceneDetect's writer supports only one source and rounds in floating point.
"""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from app.timelines.placing import Event, PlacedTimeline, name_notes
from app.timelines.plain_text import file_url, one_line, xml_safe
from app.timelines.timecode import format_timecode, is_ntsc, timebase
from app.timelines.xml_text import child, xml_bytes

CHANNELS = 2


def render_fcp7(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file and notes for the user.

    There is one video track. If a file has audio, its first two channels are linked with the video as the two halves of
    one stereo track; without the attributes that state this, Premiere makes two mono tracks of them. `in` and `out`
    count frames of the file from its first one, at its own rate; `start` and `end` those of the timeline. The file's
    timecode is stored with the file. Notes are markers at the start of their clips.
    """
    root = ElementTree.Element("xmeml", version="5")
    sequence = child(root, "sequence", id="sequence-1", explodedTracks="true")
    child(sequence, "name", placed.name)
    child(sequence, "duration", placed.frames)
    _rate(sequence, placed.rate)
    _timecode(sequence, placed.rate, placed.timecode_offset, placed.drop)
    media = child(sequence, "media")
    video = child(media, "video")
    _size(child(video, "format"), placed.rate, placed.width, placed.height)
    track = child(video, "track")
    files = _files(placed)
    described: set[str] = set()
    with_audio = [event for event in placed.events if event.clip.has_audio]
    audio_indices = {event.number: index for index, event in enumerate(with_audio, start=1)}
    for event in placed.events:
        _clip(track, event, files[event.number], described, 0, audio_indices.get(event.number))
    _switches(track)
    if with_audio:
        audio = _stereo(media)
        for channel in range(1, CHANNELS + 1):
            half = {"currentExplodedTrackIndex": channel - 1, "totalExplodedTrackCount": CHANNELS}
            track = child(audio, "track", premiereTrackType="Stereo", **half)
            for event in with_audio:
                _clip(track, event, files[event.number], described, channel, audio_indices[event.number])
            _switches(track)
            child(track, "outputchannelindex", channel)
    return xml_bytes(root), name_notes(placed)


def _stereo(media: ElementTree.Element) -> ElementTree.Element:
    """Add the timeline's audio: two channels with an output each."""
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


def _files(placed: PlacedTimeline) -> dict[int, str]:
    """Return the file id of each event, by its number. Events of the same file share an id."""
    ids: dict[tuple[object, ...], str] = {}
    return {
        event.number: ids.setdefault((event.clip.path, event.rate, event.timecode_offset), f"file-{len(ids) + 1}")
        for event in placed.events
    }


def _clip(
    track: ElementTree.Element, event: Event, file: str, described: set[str], channel: int, audio_index: int | None
) -> None:
    """Add a clip to a track; channel 0 is the video. A file is described only where it is first mentioned.

    `audio_index` is the clip's number among those with audio, from 1; None if it has none.
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
    if file not in described:
        described.add(file)
        _describe(element, event)
    if channel:
        source = child(item, "sourcetrack")
        child(source, "mediatype", "audio")
        child(source, "trackindex", channel)
    if audio_index is not None:
        for linked in range(CHANNELS + 1):
            _link(item, event, linked, audio_index)
    if not channel:
        _note(item, event)


def _item(event: Event, channel: int) -> str:
    return f"clipitem-{event.number}" + (f"-a{channel}" if channel else "")


def _link(item: ElementTree.Element, event: Event, channel: int, audio_index: int) -> None:
    link = child(item, "link")
    child(link, "linkclipref", _item(event, channel))
    child(link, "mediatype", "audio" if channel else "video")
    child(link, "trackindex", max(1, channel))
    child(link, "clipindex", audio_index if channel else event.number)


def _describe(element: ElementTree.Element, event: Event) -> None:
    clip = event.clip
    child(element, "name", event.file_name)
    child(element, "pathurl", file_url(clip.path, host="localhost"))
    _rate(element, event.rate)
    child(element, "duration", event.file_frames)
    _timecode(element, event.rate, event.timecode_offset, event.drop)
    media = child(element, "media")
    video = child(media, "video")
    child(video, "duration", event.file_frames)
    _size(video, event.rate, clip.width, clip.height)
    if clip.has_audio:
        child(child(media, "audio"), "channelcount", CHANNELS)


def _note(item: ElementTree.Element, event: Event) -> None:
    note = xml_safe(event.clip.note).strip()
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
    characteristics = child(parent, "samplecharacteristics")
    _rate(characteristics, rate)
    child(characteristics, "width", width)
    child(characteristics, "height", height)
    child(characteristics, "pixelaspectratio", "square")
    child(characteristics, "fielddominance", "none")


def _switches(track: ElementTree.Element) -> None:
    child(track, "enabled", "TRUE")
    child(track, "locked", "FALSE")


def _rate(parent: ElementTree.Element, rate: Fraction) -> None:
    """Add a rate: 30000/1001 is 30 with `ntsc`."""
    element = child(parent, "rate")
    child(element, "timebase", timebase(rate))
    child(element, "ntsc", "TRUE" if is_ntsc(rate) else "FALSE")


def _timecode(parent: ElementTree.Element, rate: Fraction, timecode_offset: int, drop: bool) -> None:
    element = child(parent, "timecode")
    _rate(element, rate)
    child(element, "string", format_timecode(timecode_offset, rate, drop))
    child(element, "frame", timecode_offset)
    child(element, "displayformat", "DF" if drop else "NDF")
