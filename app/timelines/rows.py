"""Clips of a timeline as rows of plain values, the same in the CSV table and in JSON."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from app.timelines.placing import Event, PlacedTimeline
from app.timelines.plain_text import one_line

COLUMNS = (
    "start_seconds", "end_seconds", "name", "number", "source", "length_seconds", "start_frame", "end_frame",
    "length_frames", "frame_rate", "start_timecode", "end_timecode", "record_start_timecode", "record_end_timecode",
    "record_start_frame", "record_end_frame", "source_timecode", "width", "height", "has_audio", "rank", "score",
    "note", "audio_channels", "field_order", "reel", "words",
)  # fmt: skip
"""Columns of the table. LosslessCut reads the first three as a list of segments."""


def clip_row(event: Event, placed: PlacedTimeline) -> dict[str, Any]:
    """Return the values by COLUMNS; None for what is unknown.

    Seconds, rounded to microseconds, and frames count from the first frame of the file (frames from 0), as in
    LosslessCut; ends are exclusive. Timecode is that of the file, from its start timecode; `record` is the position on
    the timeline. At a rate without timecode, such as 12.5, each frame counts once and takes several timecode numbers.
    """
    clip = event.clip
    first, end = event.in_frame // clip.labels_per_frame, event.out_frame // clip.labels_per_frame
    return {
        "start_seconds": round_seconds(clip.start_seconds),
        "end_seconds": round_seconds(clip.end_seconds),
        "name": event.name,
        "number": event.number,
        "source": clip.path,
        "length_seconds": round_seconds(clip.end_seconds - clip.start_seconds),
        "start_frame": first,
        "end_frame": end,
        "length_frames": end - first,
        "frame_rate": str(event.rate / clip.labels_per_frame),
        "start_timecode": event.timecode(event.in_frame),
        "end_timecode": event.timecode(event.out_frame),
        "record_start_timecode": placed.timecode(event.record_in),
        "record_end_timecode": placed.timecode(event.record_out),
        "record_start_frame": event.record_in,
        "record_end_frame": event.record_out,
        "source_timecode": clip.timecode or None,
        "width": clip.width or None,
        "height": clip.height or None,
        "has_audio": clip.has_audio,
        "rank": clip.rank,
        "score": finite_score(clip.score),
        "note": clip.note or None,
        "audio_channels": " ".join(map(str, clip.channels)) or None,  # of each sound track
        "field_order": clip.field_order or None,
        "reel": clip.reel or None,
        "words": "\n".join(one_line(marker.text) for marker in clip.markers) or None,  # said in it, one line each
    }


def finite_score(value: float | None) -> float | None:
    """Return the score, or None if it is not finite, which no format can express."""
    return float(value) if value is not None and math.isfinite(value) else None


def round_seconds(seconds: Fraction) -> float:
    """Round to microseconds."""
    return round(float(seconds), 6)
