"""Writing of edit lists: the formats, and files that are written whole and never replace another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from app.timelines.edl_file import render_edl
from app.timelines.fcp7_file import render_fcp7
from app.timelines.fcpxml_file import render_fcpxml
from app.timelines.json_file import render_json
from app.timelines.model import Timeline
from app.timelines.otio_file import render_otio
from app.timelines.placing import PlacedTimeline, place_clips
from app.timelines.table_file import render_csv
from files.publish import publish_bytes

_MAX_STEM_BYTES = 180  # bytes of UTF-8; file systems allow 255 for the whole name
_FORBIDDEN = re.compile('[<>:"/\\\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]+')
_RESERVED = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format of edit lists. `render` returns the content of the file and notes for the user."""

    suffix: str
    label: str  # shown to the user
    render: Callable[[PlacedTimeline], tuple[bytes, list[str]]]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "edl": Format(suffix=".edl", label="EDL (CMX3600)", render=render_edl),
        "fcpxml": Format(suffix=".fcpxml", label="FCPXML 1.10 (Final Cut Pro, DaVinci Resolve)", render=render_fcpxml),
        "fcp7": Format(
            suffix=".xml", label="Final Cut Pro 7 XML (Premiere Pro, DaVinci Resolve, Avid)", render=render_fcp7
        ),
        "otio": Format(suffix=".otio", label="OpenTimelineIO", render=render_otio),
        "csv": Format(suffix=".csv", label="Table (CSV)", render=render_csv),
        "json": Format(suffix=".json", label="JSON", render=render_json),
    }
)
"""The formats, by their names in options and routes."""


def check_format(name: str) -> None:
    """Raise ValueError unless there is such a format and the package that it needs."""
    if name not in FORMATS:
        raise ValueError(f"there is no list format {name!r}; choose among {', '.join(FORMATS)}")
    if name == "otio" and find_spec("opentimelineio") is None:
        raise ValueError(
            "the list format otio needs the package opentimelineio, which is not installed: pip install "
            "opentimelineio, or choose fcpxml or edl"
        )


@dataclass(frozen=True, slots=True)
class RenderedList:
    """The content of a list, its file name, and `notes`: limits of its accuracy, a sentence each for the user."""

    name: str
    content: bytes
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrittenList:
    """A list that was written. `notes`: limits of its accuracy, a sentence each for the user."""

    path: Path
    notes: tuple[str, ...]


def render_timeline(timeline: Timeline, format: str, stem: str) -> RenderedList:
    """Render a timeline as an edit list. Its source files need not exist.

    Args:
        timeline: The clips.
        format: A name in FORMATS.
        stem: File name without suffix; characters that a file system does not allow become `_`.

    Raises:
        ValueError: The format is unknown or lacks its package, or the start timecode is not valid at the rate.
    """
    check_format(format)
    kind = FORMATS[format]
    placed = place_clips(timeline)
    content, notes = kind.render(placed)
    return RenderedList(f"{_portable(stem)}{kind.suffix}", content, (*placed.notes, *notes))


def write_timeline(timeline: Timeline, format: str, folder: str | Path, stem: str) -> WrittenList:
    """Write a timeline as an edit list into an existing folder; see `render_timeline` for the other arguments.

    Returns:
        The file, under this name or the next free one (`stem_2.edl`), and notes for the user.

    Raises:
        ValueError: As in `render_timeline`.
        OSError: The list cannot be written. No half-written file is left.
    """
    rendered = render_timeline(timeline, format, stem)
    path = publish_bytes(rendered.content, Path(folder).absolute(), rendered.name)
    return WrittenList(path, rendered.notes)


def _portable(stem: str) -> str:
    safe = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", stem)).strip(" .")
    cut = safe.encode()[:_MAX_STEM_BYTES].decode(errors="ignore").rstrip(" .") or "timeline"
    # Windows reserves some names, and many programs read a leading dash as an option.
    return f"_{cut}" if cut.startswith("-") or _RESERVED.fullmatch(cut.partition(".")[0].strip()) else cut
