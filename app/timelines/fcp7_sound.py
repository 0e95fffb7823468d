"""Sound in Final Cut Pro 7 XML, where each channel of a file is an item on an audio track of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree

from app.timelines.placing import Event, PlacedTimeline
from app.timelines.xml_text import child

MASTER_CHANNELS = 2  # of the timeline's output, at least


class Lane(NamedTuple):
    """The audio track that a channel lies on: mono, half of a stereo pair, or one channel of more."""

    channels: int  # of the channel's sound track, so that stereo pairs, mono and 5.1 never share a lane
    number: int  # of the sound track, among those of its file with as many channels, from 0
    channel: int  # within the sound track, from 0


class LinkedItem(NamedTuple):
    """A clip item of an event, as the items that are linked with it name it."""

    item: str
    track: int  # of its medium, from 1
    number: int  # on its track, from 1


def lanes_of(channels: Sequence[int]) -> list[Lane]:
    """Return the lane of each channel of a file, in the file's order, from the channels of its sound tracks."""
    lanes: list[Lane] = []
    for at, count in enumerate(channels):
        lanes += [Lane(count, list(channels[:at]).count(count), channel) for channel in range(count)]
    return lanes


def track_type(lane: Lane) -> dict[str, object]:
    """Return the attributes by which Premiere knows the type of a track; without them, it takes it for a mono one."""
    if lane.channels > 2:
        return {}
    return {
        "premiereTrackType": "Stereo" if lane.channels == 2 else "Mono",
        "currentExplodedTrackIndex": lane.channel,
        "totalExplodedTrackCount": lane.channels,
    }


def audio_output(media: ElementTree.Element, channels: int) -> ElementTree.Element:
    """Add the timeline's audio: channels with an output each."""
    audio = child(media, "audio")
    child(audio, "numOutputChannels", channels)
    outputs = child(audio, "outputs")
    for channel in range(1, channels + 1):
        group = child(outputs, "group")
        child(group, "index", channel)
        child(group, "numchannels", 1)
        child(group, "downmix", 0)
        child(child(group, "channel"), "index", channel)
    return audio


def item_id(event: Event, channel: int) -> str:
    """Return the id of an event's clip item: of its video (0), or of a channel of sound from 1."""
    return f"clipitem-{event.number}" + (f"-a{channel}" if channel else "")


def linked_items(
    placed: PlacedTimeline, lanes: Mapping[int, Sequence[Lane]], tracks: Sequence[Lane]
) -> dict[int, list[LinkedItem]]:
    """Return the items of each event by its number: its video, then its channels in the file's order.

    Args:
        placed: The timeline.
        lanes: The lanes of each event by its number.
        tracks: The lanes that exist, in the order of their tracks.
    """
    on_track: Counter[Lane] = Counter()
    items: dict[int, list[LinkedItem]] = {}
    for event in placed.events:
        items[event.number] = [LinkedItem(item_id(event, 0), 1, event.number)]
        for channel, lane in enumerate(lanes[event.number], start=1):
            on_track[lane] += 1
            items[event.number].append(LinkedItem(item_id(event, channel), tracks.index(lane) + 1, on_track[lane]))
    return items
