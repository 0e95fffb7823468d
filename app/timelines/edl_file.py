"""CMX3600 edit decision lists (EDL): one cut per clip, in timecode.

This is our own writer, because the OTIO adapter treats every list at 29.97 as drop-frame, writes no FCM, and lets names
break lines, and PySceneDetect's writer supports only one source and counts frames in floating point.
"""

from __future__ import annotations

from app.timelines.placing import Event, PlacedTimeline, clips_text, source_timecodes
from app.timelines.plain_text import one_line, one_line_path, xml_safe
from app.timelines.timecode import timebase

MAX_EVENTS = 999
_MAX_COMMENTS = 50  # lines of one note


def render_edl(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file, UTF-8 with CRLF, and notes for the user.

    The reel is AX, as for files that were never on tape: programs find them by `FROM CLIP NAME`, the file's own name.
    `SOURCE FILE` is its path, or its URL if the path cannot be written on one line of text. Clips have video and, if
    the file has audio, two channels of it (`AA/V`). A list has one frame rate: the source timecode of a clip at another
    rate keeps its hours, minutes and seconds, and its frames are converted.
    """
    lines = [f"TITLE: {placed.name}", f"FCM: {'DROP FRAME' if placed.drop else 'NON-DROP FRAME'}", ""]
    for event in placed.events:
        start, end = source_timecodes(event, placed)
        channels = "AA/V" if event.clip.has_audio else "V"
        record = f"{placed.timecode(event.record_in)} {placed.timecode(event.record_out)}"
        lines += [f"{event.number:03}  AX       {channels:5} C        {start} {end} {record}", *_comments(event), ""]
    return "\r\n".join(lines).encode(), _notes(placed)


def _comments(event: Event) -> list[str]:
    clip = event.clip
    texts = [event.name] if event.name != event.file_name else []
    texts += [one_line(line) for line in xml_safe(clip.note).split("\n")]
    comments = [line for line in texts if line][:_MAX_COMMENTS]
    return [
        f"* FROM CLIP NAME: {event.file_name}",
        f"* SOURCE FILE: {one_line_path(clip.path)}",
        *(f"* COMMENT: {line}" for line in comments),
    ]


def _notes(placed: PlacedTimeline) -> list[str]:
    notes = []
    total = len(placed.events)
    if total > MAX_EVENTS:
        notes.append(
            f"an EDL holds {MAX_EVENTS} events and this one has {total}; programs that keep to that take only the "
            f"first {MAX_EVENTS}"
        )
    if timebase(placed.rate) > 100:
        notes.append(f"timecode at {timebase(placed.rate)} frames a second has three digits, which few programs read")
    other = [event.number for event in placed.events if event.rate != placed.rate]
    if other:
        notes.append(
            f"an EDL has one frame rate: the source timecode of {clips_text(other, total)} keeps its hours, minutes "
            "and seconds, and its frames are converted"
        )
    return notes
