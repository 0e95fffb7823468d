"""Videos and what is known of them, as a person or a script reads it. Knows no commands."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from app.times import timecode

if TYPE_CHECKING:
    from db.records import Failure, Segment, Shot, Video

Status = Literal["ok", "missing", "changed", "failed"]


def status_of(video: Video) -> Status:
    """Whether the file that was indexed is there, and still the same by size and modification time."""
    try:
        now = os.stat(video.path)
    except OSError:
        return "missing"
    return "ok" if (now.st_size, now.st_mtime_ns) == (video.size_bytes, video.modified_ns) else "changed"


def video_record(video: Video, *, shots: int, segments: int) -> dict[str, Any]:
    """A video for a script. `frame_rate` and `time_base` are exact fractions."""
    return {
        "path": video.path,
        "status": status_of(video),
        "duration_seconds": round(video.duration_seconds, 6),
        "shots": shots,
        "segments": segments,
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "frame_rate": str(video.frame_rate),
        "time_base": str(video.time_base),
        "frames": video.frames,
        "rotation": video.rotation,
        "has_audio": video.has_audio,
        "damaged": video.damaged,
        "size_bytes": video.size_bytes,
        "modified": datetime.fromtimestamp(video.modified_ns / 1e9, UTC).isoformat(timespec="seconds"),
        "fingerprint": video.fingerprint,
    }


def failure_record(failure: Failure) -> dict[str, Any]:
    """A file that could not be indexed, for a script."""
    return {
        "path": failure.path,
        "status": "failed",
        "kind": failure.kind,
        "reason": failure.reason,
        "attempts": failure.attempts,
        "failed_at": failure.failed_at,
    }


def part_record(video: Video, part: Shot | Segment) -> dict[str, Any]:
    """Where a shot or a segment lies, in seconds from the first frame shown (`start`, `end`: exact) and in pts."""
    start, end = ((pts - video.start_pts) * video.time_base for pts in (part.start_pts, part.end_pts))
    return {
        "number": part.number,
        "start_seconds": round(float(start), 6),
        "end_seconds": round(float(end), 6),
        "start": str(start),
        "end": str(end),
        "start_pts": part.start_pts,
        "end_pts": part.end_pts,
    }


def range_text(video: Video, part: Shot | Segment) -> str:
    """hh:mm:ss.mmm-hh:mm:ss.mmm of a shot or a segment."""
    return f"{timecode(video.seconds(part.start_pts))}-{timecode(video.seconds(part.end_pts))}"
