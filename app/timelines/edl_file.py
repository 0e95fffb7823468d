"""A CMX3600 edit decision list: one cut a clip, in timecode.

Written here, because the OTIO adapter takes every list at 29.97 for drop-frame, says no FCM, and lets names break
lines, while the writer of PySceneDetect knows one source only and counts frames in floating point.
"""

from __future__ import annotations

from fractions import Fraction

from app.timelines.placing import Event, Placed, which
from app.timelines.plain_text import file_url, is_whole, legal, one_line
from app.timelines.timecode import format_timecode, parse_timecode, timebase

MOST_EVENTS = 999
_MOST_COMMENTS = 50  # lines of one note; a list is no place for a book


def edl(placed: Placed) -> tuple[bytes, list[str]]:
    """The file, UTF-8 with CRLF, and what a person should know about it.

    Reel AX, as for files that never were on a tape: programs find them by `FROM CLIP NAME`, the file's own name.
    `SOURCE FILE` is its path, or its URL where the path would not fit on a line of text. Video and, where the file has
    sound, two channels of it (`AA/V`). A list has one frame rate: the source timecode of a clip at another one keeps
    hours, minutes and seconds, and its frames are converted.
    """
    lines = [f"TITLE: {placed.name}", f"FCM: {'DROP FRAME' if placed.drop else 'NON-DROP FRAME'}", ""]
    for event in placed.events:
        start, end = _source(event, placed)
        channels = "AA/V" if event.clip.has_audio else "V"
        record = f"{placed.label(event.record_in)} {placed.label(event.record_out)}"
        lines += [f"{event.number:03}  AX       {channels:5} C        {start} {end} {record}", *_comments(event), ""]
    return "\r\n".join(lines).encode(), _notes(placed)


def _source(event: Event, placed: Placed) -> tuple[str, str]:
    """Timecode in the file of the first frame and the one after the last, as many frames apart as in the timeline."""
    own = event.label(event.in_frame)
    if event.rate == placed.rate:
        return own, event.label(event.out_frame)
    base = timebase(placed.rate)
    frame = round(Fraction(int(own[9:]), timebase(event.rate)) * base)
    shown = min(frame, base - 1)  # the rest carries into the next second
    at, drop = parse_timecode(f"{own[:9]}{shown:02}", placed.rate)
    at += frame - shown
    length = event.record_out - event.record_in
    return format_timecode(at, placed.rate, drop), format_timecode(at + length, placed.rate, drop)


def _comments(event: Event) -> list[str]:
    clip = event.clip
    path = clip.path
    if not is_whole(path) or one_line(path) != path:
        path = file_url(path)
    said = [event.name] if event.name != event.file_name else []
    said += [one_line(line) for line in legal(clip.note).split("\n")]
    comments = [line for line in said if line][:_MOST_COMMENTS]
    return [
        f"* FROM CLIP NAME: {event.file_name}",
        f"* SOURCE FILE: {path}",
        *(f"* COMMENT: {line}" for line in comments),
    ]


def _notes(placed: Placed) -> list[str]:
    notes = []
    total = len(placed.events)
    if total > MOST_EVENTS:
        notes.append(
            f"an EDL holds {MOST_EVENTS} events and this one has {total}; programs that keep to that take only the "
            f"first {MOST_EVENTS}"
        )
    if timebase(placed.rate) > 100:
        notes.append(f"timecode at {timebase(placed.rate)} frames a second has three digits, which few programs read")
    other = [event.number for event in placed.events if event.rate != placed.rate]
    if other:
        notes.append(
            f"an EDL has one frame rate: the source timecode of {which(other, total)} keeps its hours, minutes and "
            "seconds, and its frames are converted"
        )
    return notes
