"""The option --moments, and what is shown of moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from app.times import format_timestamp

if TYPE_CHECKING:
    from db.records import Video
    from search.moments.moment import Moment
    from search.query import Hit

Moments = Mapping[int, "Moment"]
"""By the id of the hit's segment; of those whose moment was found."""

BACKWARDS = "may run the other way"


def moments_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds --moments to a command, which receives it as `moments`."""
    return click.option("--moments", is_flag=True, help=help_text)


def moment_of(hit: Hit, moments: Moments) -> Moment | None:
    """Return the moment of a hit, if it is known."""
    return moments.get(hit.segment.id or 0)


def cut_to_moment(hit: Hit, moments: Moments) -> Hit:
    """Return the hit with the range of its moment; as it is if that is not known."""
    moment = moment_of(hit, moments)
    if moment is None:
        return hit
    return replace(hit, segment=replace(hit.segment, start_pts=moment.start_pts, end_pts=moment.end_pts))


def moment_seconds(moment: Moment, video: Video) -> tuple[Fraction, Fraction]:
    """Return the exact start and end of a moment, in seconds from the first frame shown."""
    return (
        (moment.start_pts - video.start_pts) * video.time_base,
        (moment.end_pts - video.start_pts) * video.time_base,
    )


def moment_cell(hit: Hit, moments: Moments) -> str:
    """Return what a table says of a hit's moment: its range, `all of it`, or `-` where there is none."""
    moment = moment_of(hit, moments)
    if moment is None:
        return "-"
    start, end = moment_seconds(moment, hit.video)
    shown = f"{format_timestamp(start)}-{format_timestamp(end)}"
    marks = [*(["all of it"] if moment.is_whole else []), *([BACKWARDS] if moment.may_run_backwards else [])]
    return f"{shown} ({', '.join(marks)})" if marks else shown


def moment_record(moment: Moment | None, video: Video) -> dict[str, Any] | None:
    """Return a moment as JSON values; None if there is none."""
    if moment is None:
        return None
    start, end = moment_seconds(moment, video)
    return {
        "start_seconds": round(float(start), 6),
        "end_seconds": round(float(end), 6),
        "start": str(start),
        "end": str(end),
        "start_timecode": format_timestamp(start),
        "end_timecode": format_timestamp(end),
        "start_pts": moment.start_pts,
        "end_pts": moment.end_pts,
        "start_ms": round(start * 1000),
        "end_ms": round(end * 1000),
        "is_whole": moment.is_whole,
        "score": round(moment.score, 6),
        "whole_score": round(moment.whole_score, 6),
        "backwards": None if moment.backwards is None else round(moment.backwards, 3),
        "may_run_backwards": moment.may_run_backwards,
        "curve": [[round(video.seconds(pts), 6), round(score, 6)] for pts, score in moment.curve],
        "seconds": round(moment.seconds, 3),
    }
