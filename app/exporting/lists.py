"""The lists of an export: ranges in the source files, as an editing program needs them to find the shots again.

They tell what was asked for, without handles, whether or not the clip could be cut: the source may be on another drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from app.exporting.request import ClipRequest, ExportedClip, SourceFacts
from app.timelines.model import Timeline, TimelineClip
from app.timelines.writing import write_timeline


def write_orders_lists(
    requests: Sequence[ClipRequest],
    clips: Sequence[ExportedClip],
    formats: Sequence[str],
    folder: Path,
    title: str,
) -> tuple[list[Path], list[str]]:
    """The files written, one a format, and what they could not say exactly, a sentence each.

    clips: what became of the requests, or none. Raises OSError where a list cannot be written.
    """
    notes: list[str] = []
    entries: list[TimelineClip] = []
    known: dict[str, SourceFacts | None] = {}
    for number, request in enumerate(requests, start=1):
        facts = request.facts
        if facts is None:
            if request.path not in known:
                known[request.path] = facts_of(request.path)
            facts = known[request.path]
        if facts is None and clips and (rate := clips[number - 1].frame_rate) is not None:
            facts = SourceFacts(video_seconds=Fraction(0), frame_rate=rate)
        if facts is None:
            notes.append(f"{Path(request.path).name} is not in the lists: the file cannot be opened, and nobody else "
                         "knows its frame rate")  # fmt: skip
            continue
        entries.append(_entry(request, number, facts))
    if not entries:
        return [], notes
    written: list[Path] = []
    for format_name in formats:
        done = write_timeline(Timeline(name=title, clips=tuple(entries)), format_name, folder, title)
        written.append(done.path)
        notes += [note for note in done.notes if note not in notes]
    return written, notes


def _entry(request: ClipRequest, number: int, facts: SourceFacts) -> TimelineClip:
    return TimelineClip(
        name=request.name_hint,
        path=request.path,
        start_seconds=Fraction(request.start_seconds),
        end_seconds=Fraction(request.end_seconds),
        video_seconds=facts.video_seconds,
        frame_rate=facts.frame_rate,
        timecode=facts.timecode,
        width=facts.width,
        height=facts.height,
        has_audio=facts.has_audio,
        note=request.note,
        score=request.score,
        rank=number if request.rank is None else request.rank,
    )


def facts_of(path: str) -> SourceFacts | None:
    """What the file's own header says; None where it cannot be opened. Decodes nothing."""
    from indexer.media.errors import UnreadableVideo
    from indexer.media.probe import open_source

    try:
        with open_source(path) as source:
            stream, container = source.stream, source.container
            timecodes = (each.metadata.get("timecode", "") for each in (stream, *container.streams))
            length = stream.duration * source.time_base if stream.duration else Fraction(container.duration or 0, 10**6)
            return SourceFacts(
                video_seconds=Fraction(length),
                frame_rate=source.nominal_rate,
                timecode=next(filter(None, timecodes), "") or container.metadata.get("timecode", ""),
                width=stream.codec_context.width,
                height=stream.codec_context.height,
                has_audio=source.has_audio,
            )
    except UnreadableVideo:
        return None
