"""Records and texts of videos, shots, segments, failures and sources of words, for JSON and for the terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from app.shell.terminal import count_text, printable
from app.times import format_timestamp
from files.file_times import is_same_stamp

if TYPE_CHECKING:
    from db.records import Failure, Segment, Shot, Video
    from db.timed_text import TextKind, TextSource

Status = Literal["ok", "missing", "changed", "failed"]
WORDS: Mapping[TextKind, str] = MappingProxyType(
    {
        "subtitle": "subtitles",
        "speech": "speech",
        "screen": "writing on screen",
        "chapter": "chapters",
        "tag": "titles and tags",
    }
)
"""What each kind of text is called."""


def status_of(video: Video) -> Status:
    """Return the status of a video's file, from a comparison of size and modification time."""
    try:
        now = os.stat(video.path)
    except OSError:
        return "missing"
    same = is_same_stamp((now.st_size, now.st_mtime_ns), (video.size_bytes, video.modified_ns))
    return "ok" if same else "changed"


def video_record(video: Video, *, shots: int, segments: int) -> dict[str, Any]:
    """Return a video as JSON values. Its id stays while the library knows the content, at any path.

    Frame rates, nominal and average, and `time_base` are exact fractions as text.
    """
    return {
        "id": video.id,
        "path": video.path,
        "status": status_of(video),
        "duration_seconds": round(video.duration_seconds, 6),
        "shots": shots,
        "segments": segments,
        "width": video.width,
        "height": video.height,
        "codec": video.codec,
        "frame_rate": str(video.nominal_rate),
        "average_frame_rate": str(video.frame_rate),
        "time_base": str(video.time_base),
        "frames": video.frames,
        "rotation": video.rotation,
        "has_audio": video.has_audio,
        "audio_channels": None if video.facts is None else [track.channels for track in video.facts.audio],
        "camera": "" if video.facts is None else video.facts.camera,
        "field_order": "" if video.facts is None else video.facts.field_order,
        "timecode": video.timecode,
        "damaged": video.damaged,
        "clock_jumps": video.clock_jumps,
        "size_bytes": video.size_bytes,
        "modified": _iso(video.modified_ns / 1e9),
        "recorded": None if video.recorded_at is None else _iso(video.recorded_at),
        "fingerprint": video.fingerprint,
    }


def failure_record(failure: Failure) -> dict[str, Any]:
    """Return a file that could not be indexed as JSON values. It has no id; its path identifies it."""
    return {
        "id": None,
        "path": failure.path,
        "status": "failed",
        "kind": failure.kind,
        "reason": failure.reason,
        "attempts": failure.attempts,
        "failed_at": failure.failed_at,
    }


def part_record(video: Video, part: Shot | Segment) -> dict[str, Any]:
    """Return the range of a shot or a segment as JSON values, in pts and in seconds from the first frame shown.

    `start` and `end` are exact fractions as text; `start_seconds` and `end_seconds` are rounded to microseconds.
    """
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


def words_records(sources: Sequence[TextSource]) -> list[dict[str, Any]]:
    """Return where words of a video come from as JSON values; of engines also those that found nothing."""
    names = ("id", "kind", "language", "lines", "title", "origin", "file", "engine", "default", "forced", "for_deaf")
    return [{name: getattr(each, name) for name in names} for each in _shown(sources)]


def words_texts(sources: Sequence[TextSource]) -> list[str]:
    """Return a line for each source of words: `subtitles (en): 312 lines, Film.en.srt`."""
    lines = []
    for each in _shown(sources):
        about = [each.language, "forced" if each.forced else "", "for the deaf" if each.for_deaf else ""]
        stated = ", ".join(filter(None, about))
        kind = f"{WORDS[each.kind]}{f' ({stated})' if stated else ''}"
        origin = each.engine or " ".join(dict.fromkeys(filter(None, (each.file or each.origin, each.title))))
        lines.append(printable(f"{kind}: {count_text(each.lines, 'line')}{f', {origin}' if origin else ''}"))
    return lines


def _shown(sources: Sequence[TextSource]) -> list[TextSource]:
    return [each for each in sources if each.lines or each.engine]


def range_text(video: Video, part: Shot | Segment) -> str:
    """Return `hh:mm:ss.mmm-hh:mm:ss.mmm` of a shot or a segment."""
    return f"{format_timestamp(video.seconds(part.start_pts))}-{format_timestamp(video.seconds(part.end_pts))}"


def part_text(part: int, count: int) -> str:
    """Return which part of its shot a segment is: `part 2 of 5`."""
    return f"part {part} of {count}"


def _iso(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="seconds")
