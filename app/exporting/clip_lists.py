"""What was exported, as a table for people and editing programs (CSV) and for scripts (JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.exporting.request import ExportedClip
from app.timelines.json_file import encoded
from app.timelines.model import frame_range
from app.timelines.rows import decimal
from app.timelines.table_file import table_of
from app.timelines.timecode import format_timecode, nominal_rate
from files.publish import publish_bytes

COLUMNS = (
    "clip", "source", "start_seconds", "end_seconds", "start_frame", "end_frame", "start_timecode", "end_timecode",
    "frame_rate", "frames", "mode", "early_seconds", "late_seconds", "rank", "score", "note", "error",
)  # fmt: skip


def write_lists(clips: Sequence[ExportedClip], directory: str | Path) -> tuple[Path, Path]:
    """`clips.csv` and `clips.json` in `directory`, or the next free names; gives both. One row a clip, failed ones too.

    Raises OSError where they cannot be written; there is then no half list under either name.
    """
    folder = Path(directory).absolute()
    records = [record(clip) for clip in clips]
    sheet, document = table_of(records, COLUMNS), encoded({"clips": records})
    return publish_bytes(sheet, folder, "clips.csv"), publish_bytes(document, folder, "clips.json")


def record(clip: ExportedClip) -> dict[str, Any]:
    """One clip as plain values. Seconds count from the source's first frame shown; `end` is the first moment after.

    Frames and timecode (hh:mm:ss:ff, no numbers dropped) count at the nominal frame rate, as editing programs do and as
    edit lists do; for a variable one they are the nearest. What is unknown because the clip failed is None.
    """
    start, end, rate = clip.start_seconds, clip.end_seconds, clip.frame_rate
    if start is None or end is None:
        start, end = Fraction(clip.request.start_seconds), Fraction(clip.request.end_seconds)
    frames = None if rate is None else frame_range(start, end, rate)
    labels = None if rate is None or frames is None else [format_timecode(at, nominal_rate(rate)) for at in frames]
    return {
        "clip": None if clip.file is None else clip.file.name,
        "source": clip.request.path,
        "start_seconds": decimal(start),
        "end_seconds": decimal(end),
        "start_frame": None if frames is None else frames[0],
        "end_frame": None if frames is None else frames[1],
        "start_timecode": None if labels is None else labels[0],
        "end_timecode": None if labels is None else labels[1],
        "frame_rate": None if rate is None else str(rate),
        "frames": clip.frames,
        "mode": clip.mode,
        "early_seconds": decimal(clip.early_seconds),
        "late_seconds": decimal(clip.late_seconds),
        "rank": clip.request.rank,
        "score": clip.request.score,
        "note": clip.note,
        "error": clip.error,
    }
