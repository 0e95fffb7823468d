"""Export of a request: write its clips, then its lists, then the zip.

A stopped or killed export continues when the same request is exported again: see `manifest`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.exporting.clip_writer import OnClip, OnClipProgress, ensure_folder, write_clips
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.lists import clip_record, write_clip_tables, write_edit_lists
from app.exporting.manifest import Manifest, lock_manifest
from app.exporting.request import ExportedClip, ExportRequest
from app.exporting.zip_file import parts_folder, sweep_parts, write_zip


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
                for clip, file in zip(self.clips, files, strict=True)
            ],
            "lists": [str(path) for path in self.lists],
            "notes": list(self.notes),
            "written": self.written,
            "folder": None if self.folder is None else str(self.folder),
            "zip": None if self.zip is None else str(self.zip),
        }


def export(
    request: ExportRequest,
    *,
    ffmpeg: str | None = None,
    on_clip: OnClip | None = None,
    on_progress: OnClipProgress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportResult:
    """Export clips and lists into a folder or one zip.

    Args:
        request: The clips and the export options.
        ffmpeg: A program to use instead of the packaged one.
        on_clip: Called after each clip.
        on_progress: Called while a clip is cut.
        cancelled: Called between clips. Finished clips are kept for the next run of the same request.

    Returns:
        The files written and the result of each clip. A clip that fails raises nothing; its `error` says why.

    Raises:
        ExportError: Nothing can be written at all (no ffmpeg, no such folder, another export writes this zip).
        OSError: A list cannot be written.
    """
    if request.folder is not None:
        folder = ensure_folder(request.folder)
        with lock_manifest(folder) as manifest:
            result = _export_into(folder, manifest, request, ffmpeg, on_clip, on_progress, cancelled)
        return replace(result, folder=folder)
    assert request.zip is not None
    target = request.zip.absolute()
    ensure_folder(target.parent)
    parts = ensure_folder(parts_folder(target))
    sweep_parts(target.parent, parts)
    with lock_manifest(parts) as manifest:
        if manifest is None:
            raise ExportError(f"another export is writing {target} just now; wait for it, or name another zip")
        result = _export_into(parts, manifest, request, ffmpeg, on_clip, on_progress, cancelled)
        files = [clip.file for clip in result.clips if clip.file is not None] + list(result.lists)
        if result.interrupted:
            return result
        archive = write_zip(files, target, cancelled) if files else None
        if archive is None and files:
            return replace(result, interrupted=True)
        shutil.rmtree(parts, ignore_errors=True)
    clips = tuple(clip if clip.file is None else replace(clip, file=Path(clip.file.name)) for clip in result.clips)
    return replace(result, clips=clips, lists=tuple(Path(path.name) for path in result.lists), zip=archive)


def _export_into(
    folder: Path,
    manifest: Manifest | None,
    request: ExportRequest,
    ffmpeg: str | None,
    on_clip: OnClip | None,
    on_progress: OnClipProgress | None,
    cancelled: Callable[[], bool],
) -> ExportResult:
    clips: list[ExportedClip] = []
    if request.clips:
        clips = write_clips(
            request.requests,
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
        )
    interrupted = any(clip.error is not None for clip in clips) and cancelled()
    if interrupted:
        return _close(manifest, ExportResult(clips=tuple(clips), interrupted=True), request)
    if manifest is not None:
        manifest.drop_lists()
    lists: list[Path] = []
    notes: list[str] = []
    if request.lists is not None:
        lists, notes = write_edit_lists(request.requests, clips, request.lists, folder, request.title)
    elif any(clip.error is None for clip in clips):
        lists = list(write_clip_tables(clips, folder))
    return _close(manifest, ExportResult(clips=tuple(clips), lists=tuple(lists), notes=tuple(notes)), request)


def _close(manifest: Manifest | None, result: ExportResult, request: ExportRequest) -> ExportResult:
    # A zip's clips stay recorded until it is written; its folder of parts is then removed as a whole.
    complete = not result.interrupted and result.written == len(result.clips) and request.zip is None
    if manifest is not None:
        if not complete:
            manifest.keep_lists(result.lists)
        manifest.close(done=complete)
    return result
