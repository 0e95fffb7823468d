"""Clips of an export, one file per request: cut by ffmpeg in one of three modes, named, and recorded in the manifest.

- `exact` encodes the frames again and contains exactly those with start <= time < end (`cut_exact`).
- `smart` contains the same frames but encodes only those at the edges that cannot be copied (`smart.cut_smart`).
- `copy` copies the packets, from the key frame at or before the start (`cut_copy`).

A clip is written under a temporary name and gets its own once it is complete. One that fails reports its error, and the
others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.exporting.audio_choice import ALL_TRACKS, parse_audio
from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg
from app.exporting.naming import DEFAULT_PATTERN, MIN_NAME_BYTES, check_pattern, clip_name, name_room
from app.exporting.request import ClipRequest, ExportedClip, ExportMode
from app.exporting.sound import missing_tracks_text, select_sound
from files.durability import create_empty, remove
from files.publish import new_draft, publish, sweep_drafts

if TYPE_CHECKING:
    from app.exporting.graph import OnProgress
    from app.exporting.manifest import Manifest

_STOPPED = "stopped before it was written"

OnClip = Callable[[int, int, ExportedClip], None]
"""Called after each clip with the number of finished clips, the total, and the result of this one."""
OnClipProgress = Callable[[int, float], None]
"""Called while a clip is cut with its index from 0 and the finished fraction, 0 to 1, if that is cheap to know."""


def write_clips(
    requests: Sequence[ClipRequest],
    directory: str | Path,
    mode: ExportMode = "exact",
    *,
    pad_seconds: Fraction | float = 0,
    name_pattern: str | None = None,
    audio: str = ALL_TRACKS,
    ffmpeg: str | None = None,
    on_clip: OnClip | None = None,
    on_progress: OnClipProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
    manifest: Manifest | None = None,
    find_source: Callable[[ClipRequest], ClipRequest] = lambda request: request,
    beside: Callable[[ExportedClip], ExportedClip] = lambda clip: clip,
) -> list[ExportedClip]:
    """Write one clip per request, in order; no existing file is replaced.

    Args:
        requests: The ranges to cut.
        directory: Folder of the clips; created if it does not exist.
        mode: See the module docstring.
        pad_seconds: Added on either side of each range, within the video.
        name_pattern: See `naming`; None for DEFAULT_PATTERN.
        audio: The sound tracks: `all`, `first`, `none`, or numbers from 1 as in `1,3`.
        ffmpeg: A program to use instead of the packaged one.
        on_clip: Called after each clip.
        on_progress: Called while a clip is cut.
        cancelled: Called before each clip. Once it returns True, the remaining clips are returned as not written.
        manifest: The directory's manifest. Clips that it records as finished are not cut again.
        beside: Called with each clip that is written, also by an earlier run: writes what goes with it.
        find_source: Checks the source of a clip right before it is cut: `app.exporting.sources.Sources.find`.

    Returns:
        The result of each request. A clip that fails raises nothing; its `error` says why.

    Raises:
        ExportError: ffmpeg was not found, or the directory cannot be created.
        ValueError: The mode, the padding, the pattern or the choice of sound tracks is not valid.
    """
    from app.exporting.manifest import request_keys

    if mode not in ("exact", "smart", "copy"):
        raise ValueError(f"the mode must be exact, smart or copy, got {mode!r}")
    pad = Fraction(pad_seconds)
    if pad < 0:
        raise ValueError(f"padding cannot be negative, got {float(pad)}")
    if name_pattern is not None:
        check_pattern(name_pattern)
    audio = parse_audio(audio)
    program = find_ffmpeg(ffmpeg)
    folder = ensure_folder(directory)
    sweep_drafts(folder)
    writer = _ClipWriter(
        folder=folder,
        program=program,
        pad=pad,
        total=len(requests),
        name_pattern=DEFAULT_PATTERN if name_pattern is None else name_pattern,
        audio=audio,
        manifest=manifest,
    )
    clips: list[ExportedClip] = []
    keys = request_keys(requests, mode, pad, name_pattern, audio)
    for number, (request, key) in enumerate(zip(requests, keys, strict=True), 1):
        clip = ExportedClip(request=request, mode=mode)
        finished = None if manifest is None else manifest.finished(key, clip)
        if finished is not None:
            clip = finished
        elif cancelled is not None and cancelled():
            clip = replace(clip, error=_STOPPED)
        elif (clip := _with_source(clip, find_source)).error is None:
            clip = writer.write(clip, number, key, None if on_progress is None else partial(on_progress, number - 1))
        if clip.error is None:
            clip = beside(clip)
        clips.append(clip)
        if on_clip is not None:
            on_clip(number, len(requests), clip)
    return clips


def _with_source(clip: ExportedClip, find_source: Callable[[ClipRequest], ClipRequest]) -> ExportedClip:
    """Return the clip with its source as it is now; with an error if that is another file than was indexed."""
    from indexer.media.errors import Cancelled

    try:
        request = find_source(clip.request)
    except Cancelled:
        return replace(clip, error=_STOPPED)
    return replace(clip, request=request, error=request.problem or None)


def ensure_folder(directory: str | Path) -> Path:
    """Create a folder if it does not exist and return its absolute path. Raises ExportError if that fails."""
    folder = Path(directory).absolute()
    if name_room(folder) < MIN_NAME_BYTES:
        raise ExportError(f"the path {folder} is too long for file names on Windows; choose a shorter one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"the folder {folder} cannot be created: {error.strerror or error}") from error
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClipWriter:
    """The settings that all clips of an export share, and the writing of one."""

    folder: Path
    program: str
    pad: Fraction
    total: int
    name_pattern: str
    audio: str
    manifest: Manifest | None

    def write(self, clip: ExportedClip, number: int, key: str, on_progress: OnProgress | None) -> ExportedClip:
        """Return the clip with its file, or with the error."""
        from app.exporting.clip_tags import joined_notes, left_out_text
        from app.exporting.continuous_source import continuous_source
        from app.exporting.cut_copy import cut_copy
        from app.exporting.cut_exact import cut_exact
        from app.exporting.smart.cut_smart import cut_smart
        from app.exporting.survey import survey_range
        from indexer.media.errors import UnreadableVideo

        request = clip.request
        draft = new_draft(self.folder)
        try:
            if self.manifest is not None:
                self.manifest.start_draft(draft)
            create_empty(draft)
            start, end = request.padded(self.pad)
            jumps = request.clock_jumps
            with continuous_source(request.path, start, end, draft, clock_jumps=jumps) as (path, moved):
                words = None if request.words is None else replace(request.words, zero_seconds=moved)
                if clip.mode == "smart":
                    begin, stop = start - moved, end - moved
                    survey, cut = cut_smart(
                        self.program, path, begin, stop, draft, on_progress, audio=self.audio, words=words
                    )
                else:
                    survey = survey_range(path, start - moved, end - moved)
                    survey = replace(select_sound(survey, self.audio), words=words)
                    if clip.mode == "copy":
                        cut = cut_copy(self.program, survey, draft)
                    else:
                        cut = cut_exact(self.program, survey, draft, on_progress)
            written = replace(
                clip,
                start_seconds=survey.start_seconds + moved,
                end_seconds=survey.end_seconds + moved,
                early_seconds=cut.early_seconds,
                late_seconds=cut.late_seconds,
                frames=cut.frames,
                copied_frames=cut.copied,
                frame_rate=survey.frame_rate,
                has_audio=cut.has_audio,
                timecode="" if moved else survey.extras.timecode,  # that of a copy belongs to another frame
                note=joined_notes(
                    cut.note,
                    left_out_text(survey, subtitles=cut.has_subtitles, chapters=cut.has_chapters),
                    missing_tracks_text(survey, self.audio),
                ),
            )
            name = self._name(written, number, cut.suffix)
            if self.manifest is not None:
                self.manifest.record_clip(key, written, name, draft)
            return replace(written, file=publish(draft, self.folder, name))
        except UnreadableVideo as error:
            return replace(clip, error=error.reason)
        except ExportError as error:
            return replace(clip, error=str(error))
        except OSError as error:
            return replace(clip, error=f"{error.strerror or error} ({self.folder})")
        finally:
            remove(draft)

    def _name(self, clip: ExportedClip, number: int, suffix: str) -> str:
        start, end = clip.start_seconds or Fraction(0), clip.end_seconds or Fraction(0)
        facts = clip.request.name_facts(start, end, number=number, total=self.total)
        return clip_name(facts, suffix, self.name_pattern, room=name_room(self.folder))
