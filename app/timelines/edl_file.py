"""CMX3600 edit decision lists (EDL): one cut per clip, in timecode.

This is our own writer, because the OTIO adapter treats every list at 29.97 as drop-frame, writes no FCM, and lets names
break lines, and PySceneDetect's writer supports only one source and counts frames in floating point.
"""

from __future__ import annotations

from collections import Counter

from app.timelines.markers import on_timeline, placed_markers
from app.timelines.placing import Event, PlacedTimeline, clips_text, source_timecodes
from app.timelines.plain_text import file_url, one_line, one_line_path, xml_safe
from app.timelines.reels import plain_reel, reel_names
from app.timelines.timecode import timebase

MAX_EVENTS = 999
MAX_CHANNELS = 4
_MAX_COMMENTS = 50  # lines of one note
_MARKER_TEXT = 200  # characters: a marker is one line, and lines are short in this format


def render_edl(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file, UTF-8 with CRLF, and notes for the user.

    Each source has a reel of its own (see `reels`), and comments at the end say which is which. Programs find files by
    their reels or by `FROM CLIP NAME`, the file's own name. `SOURCE FILE` is its path, or its URL if the path cannot be
    written on one line of text; OpenTimelineIO reads the URL behind `OTIO REFERENCE`. An event takes the picture and
    the channels of sound that its file has, up to the four that the format can name. A list has one frame rate: the
    source timecode of a clip at another rate keeps its hours, minutes and seconds, and its frames are converted.
    """
    lines = [f"TITLE: {placed.name}", f"FCM: {'DROP FRAME' if placed.drop else 'NON-DROP FRAME'}", ""]
    reels = reel_names(event.clip for event in placed.events)
    for event in placed.events:
        start, end = source_timecodes(event, placed)
        channels, *more_channels = _channels(sum(event.clip.channels))
        record = f"{placed.timecode(event.record_in)} {placed.timecode(event.record_out)}"
        lines.append(f"{event.number:03}  {reels[event.clip.path]:8} {channels:5} C        {start} {end} {record}")
        lines += [*more_channels, *_comments(event), *_locators(event, placed), ""]
    lines += [f"* REEL {reel} IS: {one_line_path(path)}" for path, reel in reels.items()]
    return "\r\n".join([*lines, ""]).encode(), _notes(placed)


def _channels(channels: int) -> list[str]:
    """Return the channels of an event, and the line below it that names a third and a fourth one."""
    first = {0: "V", 1: "B"}.get(channels, "AA/V")
    return [first] + ([f"AUD  3{'    4' if channels > MAX_CHANNELS - 1 else ''}"] if channels > 2 else [])


def _comments(event: Event) -> list[str]:
    clip = event.clip
    texts = [event.name] if event.name != event.file_name else []
    texts += [one_line(line) for line in xml_safe(clip.note).split("\n")]
    comments = [line for line in texts if line][:_MAX_COMMENTS]
    return [
        f"* FROM CLIP NAME: {event.file_name}",
        f"* SOURCE FILE: {one_line_path(clip.path)}",
        f"* OTIO REFERENCE FROM: {file_url(clip.path)}",
        *(f"* COMMENT: {line}" for line in comments),
    ]


def _locators(event: Event, placed: PlacedTimeline) -> list[str]:
    """Return the markers as comments that Avid, Resolve and OpenTimelineIO read as such, in record timecode."""
    return [
        f"* LOC: {placed.timecode(on_timeline(event, marker.first, placed.rate))} WHITE   {marker.line[:_MARKER_TEXT]}"
        for marker in placed_markers(event)
    ]


def _notes(placed: PlacedTimeline) -> list[str]:
    notes = []
    total = len(placed.events)
    if total > MAX_EVENTS:
        notes.append(
            f"an EDL holds {MAX_EVENTS} events and this one has {total}; programs that observe this limit read only "
            f"the first {MAX_EVENTS}"
        )
    if timebase(placed.rate) > 100:
        notes.append(f"timecode at {timebase(placed.rate)} frames per second has three digits, which few programs read")
    wanted = Counter(plain_reel(clip) for clip in {event.clip.path: event.clip for event in placed.events}.values())
    shared = [name for name, sources in wanted.items() if sources > 1]
    if shared:
        names = ", ".join(shared[:3]) + (" and others" if len(shared) > 3 else "")
        notes.append(
            f"sources that share a reel name in an EDL ({names}) are numbered; comments at its end say which is which"
        )
    many = [event.number for event in placed.events if sum(event.clip.channels) > MAX_CHANNELS]
    if many:
        have = "has" if len(many) == 1 else "have"
        notes.append(f"an EDL names {MAX_CHANNELS} sound channels at most: {clips_text(many, total)} {have} more")
    other = [event.number for event in placed.events if event.rate != placed.rate]
    if other:
        notes.append(
            f"an EDL has one frame rate: the source timecode of {clips_text(other, total)} keeps its hours, minutes "
            "and seconds, and its frames are converted"
        )
    return notes
