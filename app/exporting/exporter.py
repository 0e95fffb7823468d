"""Carry out an export order: clips, lists, the zip. Goes on where an earlier run of the same order was stopped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.exporting.clip_lists import record, write_lists
from app.exporting.clips import Progress, Within, export_clips
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.lists import write_orders_lists
from app.exporting.manifest import Manifest, hold
from app.exporting.request import ExportedClip, ExportRequest
from app.exporting.temp_files import made
from app.exporting.zip_file import pack, parts_folder, sweep_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What an order came to. Files are in `folder`, or packed into `zip`, where they have their names only."""

    clips: tuple[ExportedClip, ...] = ()
    lists: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()  # what the lists could not say exactly, a sentence each
    folder: Path | None = None
    zip: Path | None = None
    interrupted: bool = False

    @property
    def written(self) -> int:
        """Clips that there are now."""
        return sum(clip.error is None for clip in self.clips)

    def plain(self) -> dict[str, Any]:
        """As values for JSON. `file` of a clip is its whole path, or its name in the zip."""
        files = [None if clip.file is None else str(clip.file) for clip in self.clips]
        return {
            "clips": [
                {**record(clip), "copied_frames": clip.copied_frames, "file": file}
                for clip, file in zip(self.clips, files, strict=True)
            ],
            "lists": [str(path) for path in self.lists],
            "notes": list(self.notes),
            "written": self.written,
            "folder": None if self.folder is None else str(self.folder),
            "zip": None if self.zip is None else str(self.zip),
        }


def carry_out(
    order: ExportRequest,
    *,
    ffmpeg: str | None = None,
    progress: Progress | None = None,
    within: Within | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportResult:
    """Do what the order says. cancelled: asked between clips; what is finished then is kept for the next run.

    Raises ExportError where nothing can be written at all, and OSError where a list cannot; clips that fail say so
    themselves.
    """
    if order.folder is not None:
        folder = made(order.folder)
        with hold(folder) as manifest:
            result = _into(folder, manifest, order, ffmpeg, progress, within, cancelled)
        return replace(result, folder=folder)
    assert order.zip is not None
    target = order.zip.absolute()
    made(target.parent)
    parts = made(parts_folder(target))
    sweep_parts(target.parent, parts)
    with hold(parts) as manifest:
        if manifest is None:
            raise ExportError(f"another export is writing {target} just now; wait for it, or name another zip")
        result = _into(parts, manifest, order, ffmpeg, progress, within, cancelled)
        files = [clip.file for clip in result.clips if clip.file is not None] + list(result.lists)
        if result.interrupted:
            return result
        packed = pack(files, target, cancelled) if files else None
        if packed is None and files:
            return replace(result, interrupted=True)
        shutil.rmtree(parts, ignore_errors=True)
    clips = tuple(clip if clip.file is None else replace(clip, file=Path(clip.file.name)) for clip in result.clips)
    return replace(result, clips=clips, lists=tuple(Path(path.name) for path in result.lists), zip=packed)


def _into(
    folder: Path,
    manifest: Manifest | None,
    order: ExportRequest,
    ffmpeg: str | None,
    progress: Progress | None,
    within: Within | None,
    cancelled: Callable[[], bool],
) -> ExportResult:
    clips: list[ExportedClip] = []
    if order.clips:
        clips = export_clips(
            order.requests,
            folder,
            order.mode,
            pad_seconds=order.handles_seconds,
            name_pattern=order.name_pattern,
            ffmpeg=ffmpeg,
            progress=progress,
            within=within,
            cancelled=cancelled,
            manifest=manifest,
        )
    interrupted = any(clip.error is not None for clip in clips) and cancelled()
    if interrupted:
        return _closed(manifest, ExportResult(clips=tuple(clips), interrupted=True), order)
    if manifest is not None:
        manifest.drop_lists()
    lists: list[Path] = []
    notes: list[str] = []
    if order.lists is not None:
        lists, notes = write_orders_lists(order.requests, clips, order.lists, folder, order.title)
    elif any(clip.error is None for clip in clips):
        lists = list(write_lists(clips, folder))
    return _closed(manifest, ExportResult(clips=tuple(clips), lists=tuple(lists), notes=tuple(notes)), order)


def _closed(manifest: Manifest | None, result: ExportResult, order: ExportRequest) -> ExportResult:
    # The clips of a zip are remembered until it is packed; its folder of parts goes away as a whole.
    whole = not result.interrupted and result.written == len(result.clips) and order.zip is None
    if manifest is not None:
        if not whole:
            manifest.keep_lists(result.lists)
        manifest.close(done=whole)
    return result
