"""Timelines as JSON, for scripts: every rounded value comes with its exact one, and no text is changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from app.timelines.placing import PlacedTimeline
from app.timelines.plain_text import file_url
from app.timelines.rows import clip_row


def render_json(placed: PlacedTimeline) -> tuple[bytes, list[str]]:
    """Return the file, which includes its notes, and notes for the user.

    `start`, `end` and frame rates are exact fractions in text: "1001/24000". Names that are not UTF-8 are escaped as
    Python does (`\\udcff`), which reads them back unchanged; `url` has their bytes.
    """
    clips = []
    for event in placed.events:
        clip = event.clip
        clips.append(
            {
                **clip_row(event, placed),
                "name": clip.name or event.file_name,
                "start": str(clip.start_seconds),
                "end": str(clip.end_seconds),
                "video_seconds": str(clip.video_seconds),
                "average_frame_rate": str(clip.frame_rate),
                "audio": [asdict(track) for track in clip.audio],
                "source_timecode_frames": event.timecode_offset,
                "drop_frame": event.drop,
                "url": file_url(clip.path),
                "markers": [
                    {"start": str(each.start_seconds), "end": str(each.end_seconds), "text": each.text}
                    for each in clip.markers
                ],
            }
        )
    content = {
        "name": placed.name,
        "frame_rate": str(placed.rate),
        "drop_frame": placed.drop,
        "start_timecode": placed.timecode(0),
        "frames": placed.frames,
        "notes": list(placed.notes),
        "clips": clips,
    }
    return json_bytes(content), []


def json_bytes(value: Any) -> bytes:
    """Return indented UTF-8. Characters are not escaped, unless the text is not valid Unicode."""
    try:
        content = json.dumps(value, indent=1, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        content = json.dumps(value, indent=1).encode()
    return content + b"\n"
