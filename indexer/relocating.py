"""Changes that need no decoding: files that were touched, moved, renamed, copied or deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from db.records import KnownFile
from indexer.plan import Plan, Relocation, VideoTask
from indexer.preview import Decision
from indexer.scan import FoundFile, Scan
from indexer.sweep import Gone, notes_of, problems_of

if TYPE_CHECKING:
    from indexer.run_parts import RunParts


def relocate(run: RunParts, plan: Plan, vanished: set[int]) -> list[VideoTask]:
    """Store where files are now; return tasks for videos that another process removed meanwhile.

    Args:
        run: The run.
        plan: Its plan.
        vanished: The ids of videos whose files had vanished before the run.

    Raises:
        Cancelled: The run is to stop.
    """

    def touch(item: Relocation) -> None:
        run.library.touch_video(item.video_id, **_state(item.file))

    def copy(item: Relocation) -> None:
        run.library.copy_video(item.video_id, **_state(item.file))

    touched = _each(run, plan.touched, touch)
    moved = _each(run, plan.moved, touch)
    copied = _each(run, plan.copied, copy)
    arrived = {item.video_id for item in plan.moved} - {item.video_id for item in moved}
    run.report.add(
        touched=len(plan.touched) - len(touched),
        moved=len(arrived - vanished),
        returned=len(arrived & vanished),
        duplicates=len(plan.copied) - len(copied),
    )
    encoded_anyway = {task.file.path for task in plan.tasks}
    # A moved video may have two steps, of which only the last leads to an existing file.
    lost = {item.video_id: item for item in (*touched, *moved)}.values()
    return [
        VideoTask(file=item.file, fingerprint=item.fingerprint)
        for item in (*lost, *copied)
        if item.file.path not in encoded_anyway
    ]


def forget(run: RunParts, scan: Scan, known: Mapping[str, KnownFile], gone: Gone, decision: Decision) -> None:
    """Hide videos and clear failures whose files were deleted, and report those that are kept."""
    forgotten = gone.forgotten(decision.forget)
    if forgotten:
        run.report.add(removed=run.library.hide_videos([known[path].video_id for path in forgotten]))
    if gone.failures:
        run.library.clear_failures(gone.failures)
    kept = {path for paths in gone.doubtful.values() for path in paths} - set(forgotten)
    run.report.add(
        kept_missing=tuple(sorted({*gone.unreachable, *kept})),
        problems=problems_of(scan, gone),
        notes=notes_of(scan, dict(known), gone, decision.forget),
    )


def _each(run: RunParts, items: Iterable[Relocation], write: Callable[[Relocation], None]) -> list[Relocation]:
    """Apply `write` to each item; return the items whose video another process has removed."""
    lost = []
    for item in items:
        run.raise_if_cancelled()
        try:
            write(item)
        except KeyError:
            lost.append(item)
    return lost


def _state(file: FoundFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "size_bytes": file.size_bytes,
        "modified_ns": file.modified_ns,
        "file_id": file.file_id,
    }
