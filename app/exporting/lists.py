"""Lists that an export writes beside its clips, or alone.

Edit lists name ranges in the source files, as an editing program needs them to find the shots again: the ranges as they
were requested, without handles, whether or not the clip could be cut, because the source may be on another drive. The
clip tables (`clips.csv`, `clips.json`) say what each exported file contains.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.exporting.request import ClipRequest, ExportedClip
from app.exporting.source_facts import SourceFacts
from app.timelines.json_file import json_bytes
from app.timelines.model import Marker, Timeline, TimelineClip, frame_range
from app.timelines.rows import round_seconds
from app.timelines.table_file import csv_bytes
from app.timelines.timecode import format_timecode, labels_per_frame, nominal_rate, parse_timecode
from app.timelines.writing import render_timeline
from files.publish import publish_bytes

if TYPE_CHECKING:
    from app.exporting.manifest import Manifest
    from indexer.identity import Identity

WriteList = Callable[[bytes, str], Path]
"""Writes the whole content of a list under a name, or the next free one, and returns its path. Raises OSError."""

TABLE_COLUMNS = (
    "clip", "source", "start_seconds", "end_seconds", "start_frame", "end_frame", "start_timecode", "end_timecode",
    "frame_rate", "frames", "mode", "early_seconds", "late_seconds", "rank", "score", "note", "error",
)  # fmt: skip


def write_edit_lists(
    requests: Sequence[ClipRequest],
    clips: Sequence[ExportedClip],
    formats: Sequence[str],
    write: WriteList,
    title: str,
    *,
    markers: bool = False,
) -> tuple[list[Path], list[str]]:
    """Write the requested ranges as edit lists, one file per format.

    Args:
        requests: The ranges, in order.
        clips: The results of the same requests, or none if only lists are written.
        formats: Names in `app.timelines.writing.FORMATS`.
        write: Writes each file.
        title: Name of the timeline and stem of the files.
        markers: What is said in the clips becomes markers.

    Returns:
        The files, and a note on everything that the lists cannot state exactly. Ranges of unknown frame rate are
        omitted with such a note; if none is left, no file is written.

    Raises:
        OSError: A list cannot be written.
    """
    notes: list[str] = []
    entries: list[TimelineClip] = []
    from_files: dict[str, SourceFacts | None] = {}
    for number, request in enumerate(requests, start=1):
        if request.problem:
            continue  # said by `sources.source_notes`
        facts = request.facts
        if facts is None:
            if request.path not in from_files:
                from_files[request.path] = SourceFacts.of_file(request.path)
            facts = from_files[request.path]
        if facts is None and clips and (rate := clips[number - 1].frame_rate) is not None:
            facts = SourceFacts(video_seconds=Fraction(0), frame_rate=rate)
        if facts is None:
            notes.append(
                f"{Path(request.path).name} is not in the lists: it cannot be opened, so its frame rate is unknown"
            )
            continue
        entries.append(_timeline_clip(request, number, facts, markers=markers))
    if not entries:
        return [], notes
    paths: list[Path] = []
    for format_name in formats:
        rendered = render_timeline(Timeline(name=title, clips=tuple(entries)), format_name, title)
        paths.append(write(rendered.content, rendered.name))
        notes += [note for note in rendered.notes if note not in notes]
    return paths, notes


def _timeline_clip(request: ClipRequest, number: int, facts: SourceFacts, *, markers: bool) -> TimelineClip:
    return TimelineClip(
        name=request.name_hint,
        path=request.path,
        start_seconds=Fraction(request.start_seconds),
        end_seconds=Fraction(request.end_seconds),
        video_seconds=facts.video_seconds,
        frame_rate=facts.frame_rate,
        nominal_rate=facts.stated_rate,
        variable_rate=facts.varies,
        timecode=facts.timecode,
        width=facts.width,
        height=facts.height,
        square_pixels=facts.square_pixels,
        has_audio=facts.has_audio,
        audio=facts.audio,
        field_order=facts.field_order,
        reel=facts.reel,
        note=request.note,
        markers=_markers(request) if markers else (),
        score=request.score,
        rank=number if request.rank is None else request.rank,
    )


def _markers(request: ClipRequest) -> tuple[Marker, ...]:
    """Return what is said in a range, in seconds from the first frame shown."""
    if request.words is None:
        return ()
    start, end = Fraction(request.start_seconds), Fraction(request.end_seconds)
    return tuple(
        Marker(start + Fraction(cue.start_ms, 1000), start + Fraction(cue.end_ms, 1000), cue.text)
        for cue in request.words.cues(start, end)
    )


def write_clip_tables(clips: Sequence[ExportedClip], write: WriteList) -> tuple[Path, Path]:
    """Write `clips.csv` and `clips.json`, one row per clip, failed ones included, and return the two files.

    Raises:
        OSError: A table cannot be written. No half-written file is left.
    """
    records = [clip_record(clip) for clip in clips]
    table, document = csv_bytes(records, TABLE_COLUMNS), json_bytes({"clips": records})
    return write(table, "clips.csv"), write(document, "clips.json")


def list_writer(folder: Path, manifest: Manifest | None, key: str) -> WriteList:
    """Return a function that writes lists into a folder: once per export if its manifest records them.

    Args:
        folder: An existing folder, in which no file is ever replaced.
        manifest: The manifest of the folder; None while another export holds it.
        key: The export in the manifest.
    """

    def write(content: bytes, name: str) -> Path:
        if manifest is None:
            return publish_bytes(content, folder, name)

        def write_whole(draft: Path) -> bool:
            with draft.open("xb") as file:
                file.write(content)
            return True

        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        path = manifest.write_output(key, name, digest, write_whole)
        assert path is not None
        return path

    return write


def clip_record(clip: ExportedClip) -> dict[str, Any]:
    """Return a clip as plain values, by TABLE_COLUMNS, and what its source is known by, if it is.

    None stands for what is unknown because the clip failed.

    Seconds and frames count from the source's first frame shown, and an end is exclusive. Timecodes are the source's
    own where it has any, else they begin at 00:00:00:00. Both count at the nominal frame rate, as editing programs and
    edit lists do (at 12.5, each frame takes two timecode numbers); for a variable frame rate they are the nearest.
    """
    start, end, rate = clip.start_seconds, clip.end_seconds, clip.frame_rate
    if start is None or end is None:
        start, end = Fraction(clip.request.start_seconds), Fraction(clip.request.end_seconds)
    frames = None if rate is None else frame_range(start, end, rate)
    timecodes = None if rate is None or frames is None else _timecodes(clip.timecode, frames, rate)
    return {
        "clip": None if clip.file is None else clip.file.name,
        "source": clip.request.path,
        "start_seconds": round_seconds(start),
        "end_seconds": round_seconds(end),
        "start_frame": None if frames is None else frames[0],
        "end_frame": None if frames is None else frames[1],
        "start_timecode": None if timecodes is None else timecodes[0],
        "end_timecode": None if timecodes is None else timecodes[1],
        "frame_rate": None if rate is None else str(rate),
        "frames": clip.frames,
        "mode": clip.mode,
        "early_seconds": round_seconds(clip.early_seconds),
        "late_seconds": round_seconds(clip.late_seconds),
        "rank": clip.request.rank,
        "score": clip.request.score,
        "note": clip.note,
        "error": clip.error,
        **identity_record(clip.request.identity),
    }


def identity_record(identity: Identity | None) -> dict[str, Any]:
    """Return what a source is known by, as values for JSON: `export --from-json` checks them."""
    if identity is None:
        return {}
    return {
        "fingerprint": identity.fingerprint,
        "content_hash": identity.content_hash or None,
        "size_bytes": identity.size_bytes,
        "modified_ns": identity.modified_ns,
    }


def _timecodes(stated: str, frames: Sequence[int], rate: Fraction) -> list[str]:
    """Return the timecode of each frame of a file whose first frame has the timecode `stated`, or none if ''."""
    nominal, each = nominal_rate(rate), labels_per_frame(rate)
    offset, drop = 0, False
    if stated:
        with suppress(ValueError):
            offset, drop = parse_timecode(stated, nominal)
    return [format_timecode(offset + each * frame, nominal, drop) for frame in frames]
