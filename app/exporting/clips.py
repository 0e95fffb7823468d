"""Ranges of videos as clips of their own, through ffmpeg: exact to the frame by encoding again, or copied as they are.

`exact` gives precisely the frames with start <= time < end, with their own times (a variable frame rate stays one),
upright, and the sound cut to the sample. H.264 CRF 18 in 4:2:0 with 8 bits; sources with more bits (10-bit, HDR) become
HEVC Main 10, so that neither depth nor colour tags are lost. Alpha is dropped; an odd width or height loses one line.

`smart` gives the same frames, but encodes only those again that the cuts take from between their neighbours; all others
are copied as they are. Where that cannot be done (see clip_smart), the clip is encoded as in `exact` mode and says so.

`copy` takes the packets as they are, from the key frame at or before the start; how much earlier that is, is measured.
The container is kept where it can hold the streams, else Matroska.

Every clip is written beside its place under a passing name and gets its own when it is whole. One that fails says why
and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.exporting.clip_names import clip_name
from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg
from app.exporting.naming import ClipFacts, check_pattern, named
from app.exporting.request import ClipRequest, ExportedClip, ExportMode
from app.exporting.temp_files import made
from files.durability import remove
from files.publish import new_draft, publish, sweep_drafts

if TYPE_CHECKING:
    from app.exporting.manifest import Manifest

Progress = Callable[[int, int, ExportedClip], None]
"""Told after each clip: how many are done, of how many, and what became of this one."""
Within = Callable[[int, float], None]
"""Told while a clip is cut: its place from 0, and how much of it is done, 0 to 1. Where that is known cheaply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What holds for all clips of an export."""

    folder: Path
    program: str
    pad: Fraction
    total: int
    name_pattern: str | None
    manifest: Manifest | None


def export_clips(
    requests: Sequence[ClipRequest],
    directory: str | Path,
    mode: ExportMode = "exact",
    *,
    pad_seconds: Fraction | float = 0,
    name_pattern: str | None = None,
    ffmpeg: str | None = None,
    progress: Progress | None = None,
    within: Within | None = None,
    cancelled: Callable[[], bool] | None = None,
    manifest: Manifest | None = None,
) -> list[ExportedClip]:
    """Write one clip a request into `directory` (made where missing), in their order; nothing there is replaced.

    pad_seconds: that much more on either side, as far as the video goes. name_pattern: see export_naming; None:
    `007_film_00h00m12.480s-00h00m15.200s.mp4`. ffmpeg: a program to use instead of the packaged one. cancelled: asked
    before each clip; the rest is then given back as not written. manifest: of the folder; clips that it knows as
    finished are given as they are.
    Raises ExportError where there is no ffmpeg or no such folder can be made, ValueError for a pattern that cannot be
    used; a clip that fails raises nothing.
    """
    from app.exporting.manifest import keys

    if mode not in ("exact", "smart", "copy"):
        raise ValueError(f"the mode is exact, smart or copy, got {mode!r}")
    pad = Fraction(pad_seconds)
    if pad < 0:
        raise ValueError(f"padding cannot be negative, got {float(pad)}")
    if name_pattern is not None:
        check_pattern(name_pattern)
    program = find_ffmpeg(ffmpeg)
    folder = made(directory)
    sweep_drafts(folder)
    job = _Job(
        folder=folder,
        program=program,
        pad=pad,
        total=len(requests),
        name_pattern=name_pattern,
        manifest=manifest,
    )
    clips: list[ExportedClip] = []
    for number, (request, key) in enumerate(zip(requests, keys(requests, mode, pad, name_pattern), strict=True), 1):
        clip = ExportedClip(request=request, mode=mode)
        finished = None if manifest is None else manifest.finished(key, clip)
        if finished is not None:
            clip = finished
        elif cancelled is not None and cancelled():
            clip = replace(clip, error="stopped before it was written")
        else:
            told = None if within is None else partial(within, number - 1)
            clip = _written(clip, job, number, key, told)
        clips.append(clip)
        if progress is not None:
            progress(number, len(requests), clip)
    return clips


def _written(
    clip: ExportedClip, job: _Job, number: int, key: str, told: Callable[[float], None] | None
) -> ExportedClip:
    """The clip with its file, or with what went wrong."""
    from app.exporting.cutting import cut_copy, cut_exact
    from app.exporting.smart.cutting import cut_smart
    from app.exporting.survey import survey
    from indexer.media.errors import UnreadableVideo

    request = clip.request
    draft = new_draft(job.folder)
    try:
        if job.manifest is not None:
            job.manifest.begin(draft)
        start = max(Fraction(0), Fraction(request.start_seconds) - job.pad)
        end = Fraction(request.end_seconds) + job.pad
        if clip.mode == "smart":
            found, cut = cut_smart(job.program, request.path, start, end, draft, told)
        else:
            found = survey(request.path, start, end)
            cut = (
                cut_copy(job.program, found, draft)
                if clip.mode == "copy"
                else cut_exact(job.program, found, draft, told)
            )
        whole = replace(
            clip,
            start_seconds=found.start_seconds,
            end_seconds=found.end_seconds,
            early_seconds=cut.early_seconds,
            late_seconds=cut.late_seconds,
            frames=cut.frames,
            copied_frames=cut.copied,
            frame_rate=found.frame_rate,
            has_audio=cut.has_audio,
            note=cut.note,
        )
        name = _name(whole, job, number, cut.suffix)
        if job.manifest is not None:
            job.manifest.promise(key, whole, name, draft)
        return replace(whole, file=publish(draft, job.folder, name))
    except UnreadableVideo as error:
        return replace(clip, error=error.reason)
    except ExportError as error:
        return replace(clip, error=str(error))
    except OSError as error:
        return replace(clip, error=f"{error.strerror or error} ({job.folder})")
    finally:
        remove(draft)


def _name(clip: ExportedClip, job: _Job, number: int, suffix: str) -> str:
    request = clip.request
    rank = number if request.rank is None else request.rank
    source = Path(request.path).stem
    start, end = clip.start_seconds or Fraction(0), clip.end_seconds or Fraction(0)
    if job.name_pattern is None:
        return clip_name(rank, request.name_hint or source, start, end, total=job.total, suffix=suffix)
    facts = ClipFacts(
        rank=rank,
        total=job.total,
        source=source,
        start_seconds=start,
        end_seconds=end,
        label=request.name_hint,
        collection=request.collection,
        score=request.score,
    )
    return named(job.name_pattern, facts, suffix)
