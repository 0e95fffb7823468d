"""A timeline as JSON, for scripts: nothing rounded without its exact value beside it, no text changed."""

from __future__ import annotations

import json
from typing import Any

from app.timelines.placing import Placed
from app.timelines.plain_text import file_url
from app.timelines.rows import row


def json_list(placed: Placed) -> tuple[bytes, list[str]]:
    """The file, and what a person should know about it (which stands in it, too).

    `start`, `end` and frame rates are exact, as fractions in text: "1001/24000". Names that are not UTF-8 are escaped
    as Python does (`\\udcff`), and read back the same there; `url` has their bytes.
    """
    clips = []
    for event in placed.events:
        clip = event.clip
        clips.append(
            {
                **row(event, placed),
                "name": clip.name or event.file_name,
                "start": str(clip.start_seconds),
                "end": str(clip.end_seconds),
                "video_seconds": str(clip.video_seconds),
                "average_frame_rate": str(clip.frame_rate),
                "source_timecode_frames": event.first_label,
                "drop_frame": event.drop,
                "url": file_url(clip.path),
            }
        )
    whole = {
        "name": placed.name,
        "frame_rate": str(placed.rate),
        "drop_frame": placed.drop,
        "start_timecode": placed.label(0),
        "frames": placed.frames,
        "notes": list(placed.notes),
        "clips": clips,
    }
    return encoded(whole), []


def encoded(value: Any) -> bytes:
    """Indented UTF-8 with an end of line; characters stay readable unless one is no Unicode: then all are escaped."""
    try:
        content = json.dumps(value, indent=1, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        content = json.dumps(value, indent=1).encode()
    return content + b"\n"
