"""OpenTimelineIO's own JSON, made with the library itself: it is the reference for the format."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.timelines.placing import Event, Placed, name_notes
from app.timelines.plain_text import file_url, legal
from app.timelines.rows import score

if TYPE_CHECKING:
    from opentimelineio import opentime, schema


def otio(placed: Placed) -> tuple[bytes, list[str]]:
    """The file and what a person should know about it.

    Ranges count frames of the file from 00:00:00:00 of its timecode, at its own rate, so nothing is rounded to the
    timeline. A second track has the sound. What the format has no place for stands under `prismsearch` in the metadata,
    exact values as fractions.
    """
    from opentimelineio import schema

    video = schema.Track(name="V1", kind=schema.TrackKind.Video)
    for event in placed.events:
        video.append(_clip(event))
    timeline = schema.Timeline(
        name=placed.name,
        global_start_time=_time(placed.first_label, placed.rate),
        metadata={"prismsearch": {"frame_rate": str(placed.rate), "drop_frame": placed.drop}},
    )
    timeline.tracks.append(video)
    if any(event.clip.has_audio for event in placed.events):
        audio = schema.Track(name="A1", kind=schema.TrackKind.Audio)
        for event in placed.events:
            audio.append(_clip(event) if event.clip.has_audio else schema.Gap(source_range=_range(event)))
        timeline.tracks.append(audio)
    text: str = timeline.to_json_string(indent=2)
    return f"{text}\n".encode(), name_notes(placed)


def _clip(event: Event) -> schema.Clip:
    from opentimelineio import opentime, schema

    clip = event.clip
    reference = schema.ExternalReference(
        target_url=file_url(clip.path),
        available_range=opentime.TimeRange(
            _time(event.first_label, event.rate), opentime.RationalTime(event.file_frames, float(event.rate))
        ),
    )
    reference.name = event.file_name
    return schema.Clip(
        name=event.name,
        media_reference=reference,
        source_range=_range(event),
        metadata={"prismsearch": _more(event)},
    )


def _more(event: Event) -> dict[str, Any]:
    clip = event.clip
    more: dict[str, Any] = {
        "start_seconds": str(clip.start_seconds),
        "end_seconds": str(clip.end_seconds),
        "frame_rate": str(clip.frame_rate),
        "in_frame": event.in_frame,
        "out_frame": event.out_frame,
        "timecode": legal(clip.timecode),
        "drop_frame": event.drop,
        "width": clip.width,
        "height": clip.height,
        "note": legal(clip.note),
    }
    rated = score(clip.score)
    if rated is not None:
        more["score"] = rated
    if clip.rank is not None:
        more["rank"] = clip.rank
    return more


def _range(event: Event) -> opentime.TimeRange:
    from opentimelineio import opentime

    return opentime.TimeRange(
        _time(event.first_label + event.in_frame, event.rate),
        opentime.RationalTime(event.out_frame - event.in_frame, float(event.rate)),
    )


def _time(frames: int, rate: Fraction) -> opentime.RationalTime:
    from opentimelineio import opentime

    return opentime.RationalTime(frames, float(rate))
