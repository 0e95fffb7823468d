"""Where each clip of a timeline lies, in whole frames of its file and of the timeline. All formats are made from it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.timelines.model import Timeline, TimelineClip, frame_range
from app.timelines.plain_text import file_name, is_whole, one_line
from app.timelines.timecode import can_drop, format_timecode, frames_of_day, is_usual, nominal_rate, parse_timecode

_OFF_GRID = Fraction(1, 4)
"""Frames by which a cut may miss the constant rate: times in milliseconds miss it by less up to 250 frames a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A clip in its place. Ranges are half open; those in the file count from its first frame shown, at `rate`."""

    number: int  # from 1
    clip: TimelineClip
    rate: Fraction  # at which the file is counted
    first_label: int  # frames that the file's timecode says before its first frame; 0 without one
    drop: bool  # whether the file's timecode drops numbers
    in_frame: int
    out_frame: int
    file_frames: int  # in the whole file, as far as known
    record_in: int  # in the timeline, from its beginning, at the timeline's rate
    record_out: int

    @property
    def name(self) -> str:
        """On one line, never empty."""
        return one_line(self.clip.name) or self.file_name

    @property
    def file_name(self) -> str:
        """Of the source, without its folder, on one line."""
        return one_line(file_name(self.clip.path)) or "clip"

    def label(self, frame: int) -> str:
        """The timecode of a frame of the file."""
        return format_timecode(self.first_label + frame, self.rate, self.drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A timeline whose clips have their places. `notes`: what a person should know, true of every format."""

    name: str
    rate: Fraction
    drop: bool
    first_label: int  # frames that the timecode says at the beginning
    width: int
    height: int
    events: tuple[Event, ...]
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Length of the timeline."""
        return self.events[-1].record_out

    def label(self, frame: int) -> str:
        """The timecode of a frame of the timeline."""
        return format_timecode(self.first_label + frame, self.rate, self.drop)


def place(timeline: Timeline) -> Placed:
    """Put the clips one after the other. Raises ValueError where the timeline's own timecode is none at its rate."""
    rate = _timeline_rate(timeline)
    drop = timeline.drop_frame and can_drop(rate)
    first_label = _timeline_start(timeline.start_timecode, rate, drop)
    events: list[Event] = []
    unfit: list[int] = []
    at = 0
    for number, clip in enumerate(timeline.clips, start=1):
        event, fits = _event(number, clip, rate, at)
        events.append(event)
        at = event.record_out
        if not fits:
            unfit.append(number)
    sizes = Counter((clip.width, clip.height) for clip in timeline.clips if clip.width > 0 and clip.height > 0)
    width, height = sizes.most_common(1)[0][0] if sizes else (1920, 1080)
    return Placed(
        name=one_line(timeline.name) or "Timeline",
        rate=rate,
        drop=drop,
        first_label=first_label,
        width=width,
        height=height,
        events=tuple(events),
        notes=tuple(_notes(timeline, rate, drop, first_label, events, unfit)),
    )


def rate_text(rate: Fraction) -> str:
    """For people: `25`, `29.97`, `23.976`."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def which(numbers: Sequence[int], total: int) -> str:
    """`clip 3`, `clips 2, 5 and 7`, `12 of 40 clips`, `all clips`."""
    if len(numbers) == total > 1:
        return "all clips"
    if len(numbers) > 6:
        return f"{len(numbers)} of {total} clips"
    *first, last = [str(number) for number in numbers]
    return f"clips {', '.join(first)} and {last}" if first else f"clip {last}"


def name_notes(placed: Placed) -> list[str]:
    """For formats whose text is Unicode, and whose paths are URLs."""
    odd = [event.number for event in placed.events if not is_whole(event.clip.path)]
    if not odd:
        return []
    return [
        f"{which(odd, len(placed.events))}: the file's name is not UTF-8; the list finds it by its bytes and shows "
        "\ufffd in their place"
    ]


def _timeline_rate(timeline: Timeline) -> Fraction:
    if timeline.frame_rate is not None:
        return nominal_rate(timeline.frame_rate)
    return Counter(nominal_rate(clip.frame_rate) for clip in timeline.clips).most_common(1)[0][0]


def _timeline_start(text: str, rate: Fraction, drop: bool) -> int:
    """The label means the same hours, minutes and seconds in whichever way the timeline counts."""
    return parse_timecode(re.sub(r"[:;.,](?=\d+\s*$)", ";" if drop else ":", text), rate)[0]


def _event(number: int, clip: TimelineClip, timeline_rate: Fraction, at: int) -> tuple[Event, bool]:
    """The clip from frame `at` of the timeline, and whether its timecode could be read."""
    rate = nominal_rate(clip.frame_rate)
    in_frame, out_frame = frame_range(clip.start_seconds, clip.end_seconds, clip.frame_rate)
    first_label, drop, fits = 0, False, True
    if clip.timecode.strip():
        try:
            first_label, drop = parse_timecode(clip.timecode, rate)
        except ValueError:
            fits = False
    length = max(1, round((out_frame - in_frame) / rate * timeline_rate))
    event = Event(
        number=number,
        clip=clip,
        rate=rate,
        first_label=first_label,
        drop=drop,
        in_frame=in_frame,
        out_frame=out_frame,
        file_frames=max(out_frame, round(clip.video_seconds * rate)),
        record_in=at,
        record_out=at + length,
    )
    return event, fits


def _notes(
    timeline: Timeline, rate: Fraction, drop: bool, first_label: int, events: list[Event], unfit: list[int]
) -> list[str]:
    notes = []
    total = len(events)
    other = [event.number for event in events if event.rate != rate]
    if other:
        rates = ", ".join(dict.fromkeys(rate_text(event.rate) for event in events if event.rate != rate))
        notes.append(
            f"the timeline has {rate_text(rate)} frames a second, {which(other, total)} another rate ({rates}): "
            "lengths in the timeline are rounded to its frames"
        )
    variable = [event.number for event in events if _is_variable(event)]
    if variable:
        notes.append(
            f"{which(variable, total)}: the frame rate of the file varies or is unusual; frames are counted at a "
            "constant rate beside it, so a cut may be a frame off in an editing program"
        )
    if unfit:
        notes.append(
            f"{which(unfit, total)}: the start timecode of the file is none at its frame rate and was left out"
        )
    if timeline.drop_frame and not drop:
        notes.append(f"there is no drop-frame timecode at {rate_text(rate)} frames a second; non-drop was written")
    if first_label + events[-1].record_out > frames_of_day(rate, drop):
        notes.append("the timeline goes past 24 hours of timecode, which then begins anew at 00:00:00:00")
    return notes


def _is_variable(event: Event) -> bool:
    clip = event.clip
    if clip.variable_rate or not is_usual(clip.frame_rate):
        return True
    start = clip.start_seconds * event.rate  # the end may be that of the video, which need not be a frame's
    return abs(start - round(start)) > _OFF_GRID
