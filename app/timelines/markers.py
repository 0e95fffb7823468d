"""Markers of placed clips, in whole frames: what edit lists say of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from app.timelines.model import frame_range
from app.timelines.placing import MOST_MARKERS, Event
from app.timelines.plain_text import one_line, xml_safe

_NAME = 60  # characters, for formats that have a comment beside a name


@dataclass(frozen=True, slots=True)
class PlacedMarker:
    """A marker in frames of the file, from its first one, within the range of its event."""

    first: int
    end: int  # exclusive
    text: str

    @property
    def line(self) -> str:
        """The text on one line."""
        return one_line(self.text)

    @property
    def name(self) -> str:
        """The beginning of that line."""
        return self.line[:_NAME]


def placed_markers(event: Event) -> list[PlacedMarker]:
    """Return the markers of a clip at the nearest frames, at most MOST_MARKERS; blank ones are left out."""
    each = event.clip.labels_per_frame
    placed = []
    for marker in event.clip.markers[:MOST_MARKERS]:
        text = xml_safe(marker.text).strip()
        first, end = frame_range(marker.start_seconds, marker.end_seconds, event.rate / each)
        first = min(max(each * first, event.in_frame), event.out_frame - 1)
        if one_line(text):
            placed.append(PlacedMarker(first, min(max(each * end, first + 1), event.out_frame), text))
    return placed


def on_timeline(event: Event, frame: int, rate: Fraction) -> int:
    """Return the frame of a timeline, at its rate, at which a frame of an event's file is."""
    return min(event.record_in + round((frame - event.in_frame) / event.rate * rate), event.record_out - 1)
