"""The formats of edit lists, and how one gets into a folder: whole, under a free name, never over another file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from app.timelines.edl_file import edl
from app.timelines.fcp7_file import fcp7
from app.timelines.fcpxml_file import fcpxml
from app.timelines.json_file import json_list
from app.timelines.model import Timeline
from app.timelines.otio_file import otio
from app.timelines.placing import Placed, place
from app.timelines.table_file import table
from files.publish import publish_bytes

_MOST_BYTES = 180  # of a stem in UTF-8; file systems allow 255 for all of a name
_FORBIDDEN = re.compile('[<>:"/\\\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]+')
_RESERVED = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of list. `label` is for people; `make` gives the file's content and what they should know about it."""

    suffix: str
    label: str
    make: Callable[[Placed], tuple[bytes, list[str]]]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "edl": Format(suffix=".edl", label="EDL (CMX3600)", make=edl),
        "fcpxml": Format(suffix=".fcpxml", label="FCPXML 1.10 (Final Cut Pro, DaVinci Resolve)", make=fcpxml),
        "fcp7": Format(suffix=".xml", label="Final Cut Pro 7 XML (Premiere Pro, DaVinci Resolve, Avid)", make=fcp7),
        "otio": Format(suffix=".otio", label="OpenTimelineIO", make=otio),
        "csv": Format(suffix=".csv", label="Table (CSV)", make=table),
        "json": Format(suffix=".json", label="JSON", make=json_list),
    }
)
"""By the names that options and routes use."""


@dataclass(frozen=True, slots=True)
class WrittenList:
    """A list that was written. `notes`: what it could not say exactly, a sentence each, for the person to read."""

    path: Path
    notes: tuple[str, ...]


def write_timeline(timeline: Timeline, format: str, folder: str | Path, stem: str) -> WrittenList:
    """Write `timeline` as `stem` + the format's suffix into `folder`, or under the next free name (`stem_2.edl`).

    format: a name in FORMATS. stem: any text; what file systems refuse becomes `_`. The files in the list need not be
    there. Raises ValueError for another format or a start timecode that is none at the timeline's rate, and OSError
    where the list cannot be written; there is then no half list under any name.
    """
    kind = FORMATS.get(format)
    if kind is None:
        raise ValueError(f"there is no list format {format!r}; choose among {', '.join(FORMATS)}")
    placed = place(timeline)
    content, notes = kind.make(placed)
    path = publish_bytes(content, Path(folder).absolute(), f"{_portable(stem)}{kind.suffix}")
    return WrittenList(path, (*placed.notes, *notes))


def _portable(stem: str) -> str:
    safe = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", stem)).strip(" .")
    cut = safe.encode()[:_MOST_BYTES].decode(errors="ignore").rstrip(" .") or "timeline"
    # Windows keeps some names to itself, and a name that begins with a dash is an option to many programs.
    return f"_{cut}" if cut.startswith("-") or _RESERVED.fullmatch(cut.partition(".")[0].strip()) else cut
