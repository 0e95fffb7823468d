"""OpenTimelineIO files, written with the library itself, which is the reference for the format."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.timelines.markers import placed_markers
from app.timelines.placing import Event, PlacedTimeline, name_notes
from app.timelines.plain_text import file_url, xml_safe
from app.timelines.rows import finite_score

if TYPE_CHECKING:
    from opentimelineio import opentime, schema


def render_otio(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file and notes for the user.

    Ranges count frames of the file from 00:00:00:00 of its timecode, at its own rate, so nothing is rounded to the
    timeline. Each sound track of a file is on an audio track of its own. Values that the format has no field for are in
    the metadata under `prismsearch`, exact ones as fractions.
    """
    from opentimelineio import schema

    video = schema.Track(name="V1", kind=schema.TrackKind.Video)
    for event in placed.events:
        video.append(_clip(event))
    timeline = schema.Timeline(
        name=placed.name,
        global_start_time=_time(placed.timecode_offset, placed.rate),
        metadata={"prismsearch": {"frame_rate": str(placed.rate), "drop_frame": placed.drop}},
    )
    timeline.tracks.append(video)
    for number in range(max(len(event.clip.channels) for event in placed.events)):
        audio = schema.Track(name=f"A{number + 1}", kind=schema.TrackKind.Audio)
        for event in placed.events:
            has_track = number < len(event.clip.channels)
            audio.append(_clip(event, number) if has_track else schema.Gap(source_range=_range(event)))
        timeline.tracks.append(audio)
    text: str = timeline.to_json_string(indent=2)
    return f"{text}\n".encode(), name_notes(placed)


def _clip(event: Event, audio_track: int | None = None) -> schema.Clip:
    """Return a clip of the video, or of a sound track by its number from 0."""
    from opentimelineio import opentime, schema

    clip = event.clip
    reference = schema.ExternalReference(
        target_url=file_url(clip.path),
        available_range=opentime.TimeRange(
            _time(event.timecode_offset, event.rate), opentime.RationalTime(event.file_frames, float(event.rate))
        ),
    )
    reference.name = event.file_name
    metadata = _metadata(event)
    if audio_track is not None:
        metadata["audio_track"] = audio_track + 1
    return schema.Clip(
        name=event.name,
        media_reference=reference,
        source_range=_range(event),
        markers=[] if audio_track is not None else _markers(event),
        metadata={"prismsearch": metadata},
    )


def _markers(event: Event) -> list[schema.Marker]:
    """Return what is said, at times of the file, as the clip's range is."""
    from opentimelineio import opentime, schema

    return [
        schema.Marker(
            name=marker.name,
            marked_range=opentime.TimeRange(
                _time(event.timecode_offset + marker.first, event.rate),
                opentime.RationalTime(marker.end - marker.first, float(event.rate)),
            ),
            color=schema.MarkerColor.WHITE,
            metadata={"prismsearch": {"text": marker.text}},
        )
        for marker in placed_markers(event)
    ]


def _metadata(event: Event) -> dict[str, Any]:
    clip = event.clip
    metadata: dict[str, Any] = {
        "start_seconds": str(clip.start_seconds),
        "end_seconds": str(clip.end_seconds),
        "frame_rate": str(event.rate),
        "average_frame_rate": str(clip.frame_rate),
        "in_frame": event.in_frame,
        "out_frame": event.out_frame,
        "timecode": xml_safe(clip.timecode),
        "drop_frame": event.drop,
        "width": clip.width,
        "height": clip.height,
        "audio_channels": list(clip.channels),  # of each sound track
        "field_order": clip.field_order,
        "reel": xml_safe(clip.reel),
        "note": xml_safe(clip.note),
    }
    clip_score = finite_score(clip.score)
    if clip_score is not None:
        metadata["score"] = clip_score
    if clip.rank is not None:
        metadata["rank"] = clip.rank
    return metadata


def _range(event: Event) -> opentime.TimeRange:
    from opentimelineio import opentime

    return opentime.TimeRange(
        _time(event.timecode_offset + event.in_frame, event.rate),
        opentime.RationalTime(event.out_frame - event.in_frame, float(event.rate)),
    )


def _time(frames: int, rate: Fraction) -> opentime.RationalTime:
    from opentimelineio import opentime

    return opentime.RationalTime(frames, float(rate))
