"""The name that an export would give a clip: found with the export's own functions, without cutting anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.exporting.clip_forecast import forecast_clip
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.naming import DEFAULT_PATTERN, clip_name, name_room
from app.exporting.request import ClipRequest, ExportOptions
from app.media_workers import ReadMedia
from app.web.http.errors import as_sentence
from app.web.services.drive_calls import DriveCalls, NoAnswer
from files.publish import free_name
from indexer.media.errors import UnreadableVideo

MOST_SECONDS = 5.0  # of reading; some files are decoded from their beginning
_LATER = "Its name is known once it is written: reading the file takes a while."


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedName:
    """The name of a clip; or blank, and a sentence that says why there is none."""

    name: str = ""
    why: str = ""


class ClipNames:
    """Names clips before they are cut. Thread-safe.

    Args:
        read: Calls the function that reads the source.
    """

    def __init__(self, read: ReadMedia) -> None:
        self._read = read
        self._drives = DriveCalls()

    def name(self, clip: ClipRequest, options: ExportOptions, *, total: int) -> PlannedName:
        """Return the name that a clip would get now.

        Args:
            clip: The clip, with its rank.
            options: Of the export. A name that is taken in its folder is numbered, as the export does.
            total: Number of clips in the export.
        """
        mode, handles = options.mode, options.handles_seconds
        try:
            seen = self._read(
                forecast_clip, clip, mode, handles, options.audio, path=clip.path, most_seconds=MOST_SECONDS
            )
        except (UnreadableVideo, ExportError) as error:
            if isinstance(error, UnreadableVideo) and error.kind == "stalled":
                return PlannedName(why=_LATER)
            return PlannedName(why=as_sentence(error.reason if isinstance(error, UnreadableVideo) else str(error)))
        found = replace(clip, path=seen.path)
        facts = found.name_facts(seen.start_seconds, seen.end_seconds, number=clip.rank or 1, total=total)
        pattern = DEFAULT_PATTERN if options.name_pattern is None else options.name_pattern
        folder = options.folder or (options.zip or Path()).parent
        name = clip_name(facts, seen.suffix, pattern, room=name_room(folder))
        if options.folder is None:
            return PlannedName(name=name)
        try:
            return PlannedName(name=self._drives(str(folder), partial(free_name, folder, name)))
        except (NoAnswer, OSError):
            return PlannedName(name=name)
