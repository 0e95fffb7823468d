"""A clip of a timeline as plain values, the same in the table and in JSON."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from app.timelines.placing import Event, Placed

COLUMNS = (
    "start_seconds", "end_seconds", "name", "number", "source", "length_seconds", "start_frame", "end_frame",
    "length_frames", "frame_rate", "start_timecode", "end_timecode", "record_start_timecode", "record_end_timecode",
    "record_start_frame", "record_end_frame", "source_timecode", "width", "height", "has_audio", "rank", "score",
    "note",
)  # fmt: skip
"""Of the table; the first three are what LosslessCut takes as a list of segments."""


def row(event: Event, placed: Placed) -> dict[str, Any]:
    """By COLUMNS. None where something is not known.

    Seconds, rounded to microseconds, and frames count from the first frame of the file, as LosslessCut counts
    them (frames from 0); an end is the first one after. Timecode is that of the file, its start timecode added;
    `record` is the place in the timeline.
    """
    clip = event.clip
    return {
        "start_seconds": decimal(clip.start_seconds),
        "end_seconds": decimal(clip.end_seconds),
        "name": event.name,
        "number": event.number,
        "source": clip.path,
        "length_seconds": decimal(clip.end_seconds - clip.start_seconds),
        "start_frame": event.in_frame,
        "end_frame": event.out_frame,
        "length_frames": event.out_frame - event.in_frame,
        "frame_rate": str(event.rate),
        "start_timecode": event.label(event.in_frame),
        "end_timecode": event.label(event.out_frame),
        "record_start_timecode": placed.label(event.record_in),
        "record_end_timecode": placed.label(event.record_out),
        "record_start_frame": event.record_in,
        "record_end_frame": event.record_out,
        "source_timecode": clip.timecode or None,
        "width": clip.width or None,
        "height": clip.height or None,
        "has_audio": clip.has_audio,
        "rank": clip.rank,
        "score": score(clip.score),
        "note": clip.note or None,
    }


def score(value: float | None) -> float | None:
    """None for what no format can say: not a number, or endless."""
    return float(value) if value is not None and math.isfinite(value) else None


def decimal(seconds: Fraction) -> float:
    """Rounded to microseconds."""
    return round(float(seconds), 6)
