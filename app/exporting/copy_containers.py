"""Containers that a copy of a range may have."""

from __future__ import annotations

from pathlib import Path

from app.exporting.survey import Survey
from app.exporting.words.track import can_hold_track, wants_track


def copy_suffix(survey: Survey) -> str:
    """Return the suffix of a copy of a survey's range, unless its container turns out not to hold the streams."""
    return containers(survey)[0][0]


def containers(survey: Survey) -> list[tuple[str, str]]:
    """Return (suffix, FFmpeg's name) of the source's own container if it is a usual one, then of Matroska."""
    possible = _usual_containers(survey)
    return [each for each in possible if can_hold_track(each[1])] if wants_track(survey) else possible


def _usual_containers(survey: Survey) -> list[tuple[str, str]]:
    own = Path(survey.path).suffix.lower()
    names = set(survey.format_name.split(","))
    matroska = (".mkv", "matroska")
    if "mp4" in names:
        return [
            (own, "mov" if own == ".mov" else "mp4") if own in (".mp4", ".m4v", ".mov") else (".mp4", "mp4"),
            matroska,
        ]
    if "webm" in names and own == ".webm":
        return [(".webm", "webm"), matroska]
    if "mpegts" in names:
        return [(own if own in (".ts", ".m2ts", ".mts") else ".ts", "mpegts"), matroska]
    return [matroska]
