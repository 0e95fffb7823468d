"""Placement of clips on a timeline, in whole frames of their files and of the timeline, for all formats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from app.timelines.model import Timeline, TimelineClip, frame_range
from app.timelines.plain_text import file_name, is_unicode, one_line
from app.timelines.timecode import (
    format_timecode,
    frames_per_day,
    is_standard_rate,
    nominal_rate,
    parse_timecode,
    supports_drop_frame,
    timebase,
)

if TYPE_CHECKING:
    from db.media_facts import FieldOrder

MOST_MARKERS = 500
"""Markers of one clip: more is no help to a person, and slows editing programs down."""
_OFF_GRID = Fraction(1, 4)
"""Frames by which a cut may deviate from a constant rate. Times in milliseconds deviate less, up to 250 frames/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A clip on the timeline. Ranges are half-open; those in the file count from its first frame shown, at `rate`."""

    number: int  # from 1
    clip: TimelineClip
    rate: Fraction  # of the file's timecode
    timecode_offset: int  # start timecode of the file in frames; 0 if it has none
    drop: bool  # the file's timecode is drop-frame
    in_frame: int
    out_frame: int
    file_frames: int  # length of the whole file, as far as known
    record_in: int  # in frames of the timeline, from its start
    record_out: int

    @property
    def name(self) -> str:
        """The clip's name on one line, never empty."""
        return one_line(self.clip.name) or self.file_name

    @property
    def file_name(self) -> str:
        """Name of the source without its folder, on one line."""
        return one_line(file_name(self.clip.path)) or "clip"

    def timecode(self, frame: int) -> str:
        """Return the timecode of a frame of the file."""
        return format_timecode(self.timecode_offset + frame, self.rate, self.drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedTimeline:
    """A timeline with all clips placed. `notes` for the user apply to every format."""

    name: str
    rate: Fraction
    drop: bool
    timecode_offset: int  # start timecode of the timeline, in frames
    width: int
    height: int
    field_order: FieldOrder  # of most clips that have its size and rate; "" if unknown
    events: tuple[Event, ...]
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Length of the timeline in frames."""
        return self.events[-1].record_out

    def timecode(self, frame: int) -> str:
        """Return the timecode of a frame of the timeline."""
        return format_timecode(self.timecode_offset + frame, self.rate, self.drop)


def place_clips(timeline: Timeline) -> PlacedTimeline:
    """Place the clips one after the other. Raises ValueError if the start timecode is not valid at this rate."""
    rate = _timeline_rate(timeline)
    drop = timeline.drop_frame and supports_drop_frame(rate)
    timecode_offset = _timeline_start(timeline.start_timecode, rate, drop)
    events: list[Event] = []
    invalid: list[int] = []
    at = 0
    for number, clip in enumerate(timeline.clips, start=1):
        event, valid = _event(number, clip, rate, at)
        events.append(event)
        at = event.record_out
        if not valid:
            invalid.append(number)
    sizes = Counter((clip.width, clip.height) for clip in timeline.clips if clip.width > 0 and clip.height > 0)
    width, height = sizes.most_common(1)[0][0] if sizes else (1920, 1080)
    orders = Counter(
        event.clip.field_order
        for event in events
        if (event.clip.width, event.clip.height, event.rate) == (width, height, rate)
    )
    return PlacedTimeline(
        name=one_line(timeline.name) or "Timeline",
        rate=rate,
        drop=drop,
        timecode_offset=timecode_offset,
        width=width,
        height=height,
        field_order=orders.most_common(1)[0][0] if orders else "",
        events=tuple(events),
        notes=tuple(_notes(timeline, rate, drop, timecode_offset, events, invalid)),
    )


def source_timecodes(event: Event, placed: PlacedTimeline) -> tuple[str, str]:
    """Return the source timecodes of the in and out frames, as many frames apart as on the timeline.

    They are at the rate of the timeline, for formats that have one rate only.
    """
    own = event.timecode(event.in_frame)
    if event.rate == placed.rate:
        return own, event.timecode(event.out_frame)
    base = timebase(placed.rate)
    frame = round(Fraction(int(own[9:]), timebase(event.rate)) * base)
    shown = min(frame, base - 1)  # larger values would carry into the next second
    at, drop = parse_timecode(f"{own[:9]}{shown:02}", placed.rate)
    at += frame - shown
    length = event.record_out - event.record_in
    return format_timecode(at, placed.rate, drop), format_timecode(at + length, placed.rate, drop)


def rate_text(rate: Fraction) -> str:
    """Format a frame rate for people: `25`, `29.97`, `23.976`."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def clips_text(numbers: Sequence[int], total: int) -> str:
    """Name clips for people: `clip 3`, `clips 2, 5 and 7`, `12 of 40 clips`, `all clips`."""
    if len(numbers) == total > 1:
        return "all clips"
    if len(numbers) > 6:
        return f"{len(numbers)} of {total} clips"
    *first, last = [str(number) for number in numbers]
    return f"clips {', '.join(first)} and {last}" if first else f"clip {last}"


def name_notes(placed: PlacedTimeline) -> list[str]:
    """Return the note on file names that are not UTF-8, for formats with Unicode text and URL paths."""
    odd = [event.number for event in placed.events if not is_unicode(event.clip.path)]
    if not odd:
        return []
    return [
        f"{clips_text(odd, len(placed.events))}: the file's name is not UTF-8; the list finds it by its bytes and "
        "shows \ufffd in their place"
    ]


def _timeline_rate(timeline: Timeline) -> Fraction:
    if timeline.frame_rate is not None:
        return nominal_rate(timeline.frame_rate)
    return Counter(clip.rate for clip in timeline.clips).most_common(1)[0][0]


def _timeline_start(text: str, rate: Fraction, drop: bool) -> int:
    """Parse the start timecode: the same hours, minutes and seconds, whichever way the timeline counts."""
    return parse_timecode(re.sub(r"[:;.,](?=\d+\s*$)", ";" if drop else ":", text), rate)[0]


def _event(number: int, clip: TimelineClip, timeline_rate: Fraction, at: int) -> tuple[Event, bool]:
    """Place a clip at frame `at` of the timeline; also return whether its timecode is valid at its rate."""
    rate = clip.rate
    each = clip.labels_per_frame
    in_frame, out_frame = (each * at for at in frame_range(clip.start_seconds, clip.end_seconds, rate / each))
    timecode_offset, drop, valid = 0, False, True
    if clip.timecode.strip():
        try:
            timecode_offset, drop = parse_timecode(clip.timecode, rate)
        except ValueError:
            valid = False
    length = max(1, round((out_frame - in_frame) / rate * timeline_rate))
    event = Event(
        number=number,
        clip=clip,
        rate=rate,
        timecode_offset=timecode_offset,
        drop=drop,
        in_frame=in_frame,
        out_frame=out_frame,
        file_frames=max(out_frame, round(clip.video_seconds * rate)),
        record_in=at,
        record_out=at + length,
    )
    return event, valid


def _notes(
    timeline: Timeline, rate: Fraction, drop: bool, timecode_offset: int, events: list[Event], invalid: list[int]
) -> list[str]:
    notes = []
    total = len(events)
    other = [event.number for event in events if event.rate != rate]
    if other:
        rates = ", ".join(dict.fromkeys(rate_text(event.rate) for event in events if event.rate != rate))
        notes.append(
            f"the timeline has {rate_text(rate)} frames per second, {clips_text(other, total)} another rate ({rates}): "
            "lengths in the timeline are rounded to its frames"
        )
    variable = [event.number for event in events if _is_variable(event)]
    if variable:
        notes.append(
            f"{clips_text(variable, total)}: the frame rate of the file varies or is unusual; frames are counted at a "
            "constant rate beside it, so a cut may be a frame off in an editing program"
        )
    between = [event.number for event in events if event.number not in variable and _is_off_grid(event)]
    if between:
        notes.append(f"{clips_text(between, total)}: the range begins between two frames; the list has the nearest one")
    if invalid:
        notes.append(
            f"{clips_text(invalid, total)}: the start timecode of the file is not valid at its frame rate and was "
            "left out"
        )
    many = [event.number for event in events if len(event.clip.markers) > MOST_MARKERS]
    if many:
        notes.append(f"{clips_text(many, total)}: only the first {MOST_MARKERS} markers were written")
    if timeline.drop_frame and not drop:
        notes.append(f"there is no drop-frame timecode at {rate_text(rate)} frames per second; non-drop was written")
    if timecode_offset + events[-1].record_out > frames_per_day(rate, drop):
        notes.append("the timeline goes past 24 hours of timecode, which then starts again at 00:00:00:00")
    return notes


def _is_variable(event: Event) -> bool:
    clip = event.clip
    if clip.variable_rate or not is_standard_rate(clip.nominal_rate or clip.frame_rate):
        return True
    return clip.nominal_rate is None and _is_off_grid(event)  # then only the times of its frames can show it


def _is_off_grid(event: Event) -> bool:
    start = event.clip.start_seconds * event.rate  # not the end, which may be the video's own and lie between frames
    return abs(start - round(start)) > _OFF_GRID
