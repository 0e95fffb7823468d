"""Tags of a clip (start timecode, time of recording), and the notes on what it lacks."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from app.exporting.graph import ratio, repeated
from app.exporting.survey import Survey
from app.timelines.model import frame_range
from app.timelines.timecode import format_timecode, nominal_rate, parse_timecode, timebase
from indexer.own_exports import MARK


def start_timecode(survey: Survey, start_seconds: Fraction) -> str:
    """Return the timecode of the frame at `start_seconds` from the first frame shown, or '' if the file has none."""
    rate = nominal_rate(survey.frame_rate)
    if not survey.extras.timecode or timebase(rate) != timebase(survey.frame_rate):
        return ""  # at 12.5 frames per second, timecode counts every frame twice, which no container can state
    try:
        offset, drop = parse_timecode(survey.extras.timecode, rate)
    except ValueError:
        return ""
    first, _ = frame_range(start_seconds, start_seconds, survey.frame_rate)
    return format_timecode(offset + first, rate, drop)


def tag_options(survey: Survey, start_seconds: Fraction, format_name: str, *, copying: bool) -> dict[str, Any]:
    """Return output options that write the clip's own timecode, the source's time of recording, and that it is ours.

    The source's timecode belongs to its own first frame, so it is removed where there is no other.

    Args:
        survey: The range that is cut.
        start_seconds: Time of the clip's first frame, from the source's first frame shown.
        format_name: FFmpeg's name of the container.
        copying: The pictures are copied as packets.
    """
    timecode = start_timecode(survey, start_seconds)
    options: dict[str, Any] = {
        "metadata": repeated(
            f"timecode={timecode}", f"creation_time={survey.extras.creation_time}", f"comment={_comment(survey)}"
        ),
        "metadata:s:v:0": "timecode=",
    }
    if format_name in ("mp4", "mov"):
        options["write_tmcd"] = int(bool(timecode))
    if copying and (timecode or not survey.is_variable):
        # Else the container states, and counts the timecode at, the average rate, which is 60,000 for raw DV.
        options["r:v"] = ratio(nominal_rate(survey.frame_rate), "/")
    return options


def _comment(survey: Survey) -> str:
    """Return the comment of the source with the mark by which `index` leaves our clips out."""
    comment = survey.extras.comment
    return comment if MARK in comment else f"{comment} ({MARK})" if comment else MARK


def joined_notes(*notes: str | None) -> str | None:
    """Return the notes that are there, as one."""
    return "; ".join(note for note in notes if note) or None


def left_out_text(survey: Survey, *, subtitles: bool, chapters: bool) -> str:
    """Return what is said of tracks and chapters that a clip does not have, or ''.

    Args:
        survey: The range that was cut.
        subtitles: The clip has the source's subtitles.
        chapters: It has its chapters.
    """
    extras = survey.extras
    lacking = []
    carried = int(survey.words is not None and survey.words.in_file and survey.words.place != "none")
    if len(extras.subtitles) > carried and not subtitles:
        lacking.append(_counted(len(extras.subtitles), "subtitle track") if not carried else "other subtitle tracks")
    if extras.chapters and not chapters:
        lacking.append("its chapters")
    if extras.data_tracks:
        lacking.append(_counted(extras.data_tracks, "data track"))
    *first, last = lacking or [""]
    return f"without {', '.join(first)} and {last}" if first else f"without {last}" if last else ""


def _counted(number: int, noun: str) -> str:
    return f"its {noun}" if number == 1 else f"its {number} {noun}s"
