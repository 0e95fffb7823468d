"""Export of a request: write its clips, then its lists, then the zip.

A stopped or killed export continues when the same request is exported again: see `manifest`. One that was killed when
all was written, before anybody was told, is found finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.exporting.clip_tags import joined_notes
from app.exporting.clip_writer import OnClip, OnClipProgress, ensure_folder, write_clips
from app.exporting.ffmpeg_binary import find_ffmpeg
from app.exporting.lists import WriteList, clip_record, list_writer, write_clip_tables, write_edit_lists
from app.exporting.manifest import Manifest, export_key, lock_manifest
from app.exporting.request import ExportedClip, ExportRequest
from app.exporting.sources import Sources, source_notes
from app.exporting.words.burning import check_burning
from app.exporting.words.cue_files import srt_bytes
from app.exporting.zip_file import lock_parts, remove_parts, sweep_parts, write_zip
from indexer.media.errors import Cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """The result of an export. Files are in `folder`; or in `zip`, with their names in it as paths."""

    clips: tuple[ExportedClip, ...] = ()
    lists: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()  # limits of the lists' accuracy, a sentence each
    folder: Path | None = None
    zip: Path | None = None
    interrupted: bool = False

    @property
    def written(self) -> int:
        """The number of clips that were written."""
        return sum(clip.error is None for clip in self.clips)

    def plain(self) -> dict[str, Any]:
        """Return the result as values for JSON. A clip's `file` is its whole path, or its name in the zip."""
        files = [None if clip.file is None else str(clip.file) for clip in self.clips]
        return {
            "clips": [
                {**clip_record(clip), "copied_frames": clip.copied_frames, "file": file}
                | ({} if clip.subtitles is None else {"subtitles": str(clip.subtitles)})
                for clip, file in zip(self.clips, files, strict=True)
            ],
            "lists": [str(path) for path in self.lists],
            "notes": list(self.notes),
            "written": self.written,
            "folder": None if self.folder is None else str(self.folder),
            "zip": None if self.zip is None else str(self.zip),
        }


OnResult = Callable[[ExportResult], None]


def export(
    request: ExportRequest,
    *,
    ffmpeg: str | None = None,
    on_clip: OnClip | None = None,
    on_progress: OnClipProgress | None = None,
    on_result: OnResult | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportResult:
    """Export clips and lists into a folder or one zip.

    Args:
        request: The clips and the export options.
        ffmpeg: A program to use instead of the packaged one.
        on_clip: Called after each clip.
        on_progress: Called while a clip is cut.
        on_result: Called with the result, to tell people of it, before the record of the export is removed. If the
            program is killed before this call ends, the same request finds its files instead of writing others.
        cancelled: Called between clips. Finished clips are kept for the next run of the same request.

    Returns:
        The files written and the result of each clip. A clip that fails raises nothing; its `error` says why.

    Raises:
        ExportError: Nothing can be written at all (no ffmpeg, no such folder, another export writes this zip).
        OSError: A list cannot be written.
    """
    tell = on_result or (lambda result: None)
    key = export_key(
        request.requests, request.mode, request.handles_seconds, request.name_pattern, request.audio, request.title,
        request.lists, request.clips,
        *((request.subtitles, request.language, request.words_from, request.markers) if request.carries_words else ()),
    )  # fmt: skip
    if request.clips and any(each.words is not None and each.words.place == "burn" for each in request.requests):
        check_burning(find_ffmpeg(ffmpeg))
    if request.folder is not None:
        folder = ensure_folder(request.folder)
        with lock_manifest(folder) as manifest:
            result = _export_into(folder, manifest, request, key, ffmpeg, on_clip, on_progress, cancelled)
            result = replace(result, folder=folder)
            tell(result)
            if manifest is not None:
                complete = not result.interrupted and result.written == len(result.clips)
                manifest.close(done=key if complete else None)
        return result
    assert request.zip is not None
    target = request.zip.absolute()
    ensure_folder(target.parent)
    sweep_parts(target)
    with lock_parts(target) as (parts, manifest):
        result = _export_into(parts, manifest, request, key, ffmpeg, on_clip, on_progress, cancelled)
        made = [file for clip in result.clips for file in (clip.file, clip.subtitles)]
        files = [file for file in made if file is not None] + list(result.lists)
        archive = write_zip(files, target, manifest, key, cancelled) if files and not result.interrupted else None
        if result.interrupted or (archive is None and files):
            manifest.close()
            result = replace(result, interrupted=True)
            tell(result)
            return result
        clips = tuple(map(_in_zip, result.clips))
        lists = tuple(Path(path.name) for path in result.lists)
        result = replace(result, clips=clips, lists=lists, zip=archive)
        tell(result)
        remove_parts(parts)
    return result


def _in_zip(clip: ExportedClip) -> ExportedClip:
    """Return a clip with the names of its files in a zip."""
    file, subtitles = (None if each is None else Path(each.name) for each in (clip.file, clip.subtitles))
    return replace(clip, file=file, subtitles=subtitles)


def _with_subtitles(clip: ExportedClip, write: WriteList) -> ExportedClip:
    """Write what is said in a clip to a file beside it, of its name, if that is asked for."""
    words = clip.request.words
    if words is None or words.place != "file" or clip.file is None or clip.start_seconds is None:
        return clip
    cues = words.cues(clip.start_seconds - clip.early_seconds, clip.end_seconds or clip.start_seconds)
    if not cues:
        return replace(clip, note=joined_notes(clip.note, "nothing is said in it"))
    try:
        return replace(clip, subtitles=write(srt_bytes(cues), f"{clip.file.stem}.srt"))
    except OSError as error:
        return replace(clip, note=joined_notes(clip.note, f"without subtitles ({error.strerror or error})"))


def _export_into(
    folder: Path,
    manifest: Manifest | None,
    request: ExportRequest,
    key: str,
    ffmpeg: str | None,
    on_clip: OnClip | None,
    on_progress: OnClipProgress | None,
    cancelled: Callable[[], bool],
) -> ExportResult:
    clips: list[ExportedClip] = []
    sources = Sources(cancelled)
    write = list_writer(folder, manifest, key)
    try:
        found = [sources.find(each) for each in request.requests]
    except Cancelled:
        return ExportResult(interrupted=True)
    if request.clips:
        clips = write_clips(
            found,
            folder,
            request.mode,
            pad_seconds=request.handles_seconds,
            name_pattern=request.name_pattern,
            audio=request.audio,
            ffmpeg=ffmpeg,
            on_clip=on_clip,
            on_progress=on_progress,
            cancelled=cancelled,
            manifest=manifest,
            find_source=sources.find,
            beside=lambda clip: _with_subtitles(clip, write),
        )
    if any(clip.error is not None for clip in clips) and cancelled():
        return ExportResult(clips=tuple(clips), interrupted=True)
    lists: list[Path] = []
    notes = source_notes(request.requests, found, lists=request.lists is not None)
    if request.lists is not None:
        lists, more = write_edit_lists(found, clips, request.lists, write, request.title, markers=request.markers)
        notes += more
    elif any(clip.error is None for clip in clips):
        lists = list(write_clip_tables(clips, write))
    return ExportResult(clips=tuple(clips), lists=tuple(lists), notes=tuple(notes))
