"""Preview of a run: what it is about to do, determined before anything changes, so that parts of it can be refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from db.records import KnownFile
from indexer.plan import Plan, Relocation, VideoTask
from indexer.scan import FoundFile
from indexer.sweep import Gone


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedAgain:
    """A video that is to be decoded and encoded again although its content has not changed."""

    task: VideoTask
    record: KnownFile  # how it was indexed


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The work of a run. Every file that is decoded is in one of `new`, `changed`, `again` and `deepened`."""

    new: tuple[FoundFile, ...]
    changed: tuple[FoundFile, ...]
    again: tuple[EncodedAgain, ...]
    deepened: tuple[FoundFile, ...]  # full passes over what had a quick one: nobody need be asked
    plan: Plan
    gone: Gone
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What of a preview is done."""

    go_on: bool = True  # False: the run ends, and nothing is changed
    again: bool = True  # False: videos with unchanged content stay as they were indexed
    forget: frozenset[str] = frozenset()  # of `Gone.doubtful`, the roots whose videos have really been deleted


Review = Callable[[Preview], Decision]


def preview(plan: Plan, known: Mapping[str, KnownFile], gone: Gone, unchanged: int) -> Preview:
    """Return the preview of a plan. known: the library's files, by path."""
    records = dict(known) | {move.file.path: known[move.old_path] for move in plan.moved if move.old_path in known}
    new: list[FoundFile] = []
    changed: list[FoundFile] = []
    again: list[EncodedAgain] = []
    deepened: list[FoundFile] = []
    for task in plan.tasks:
        record = records.get(task.file.path)
        if record is None:
            new.append(task.file)
        elif task.stays and record.quick:
            deepened.append(task.file)
        elif task.stays:
            again.append(EncodedAgain(task=task, record=record))
        else:
            changed.append(task.file)
    return Preview(
        new=tuple(new),
        changed=tuple(changed),
        again=tuple(again),
        deepened=tuple(deepened),
        plan=plan,
        gone=gone,
        unchanged=unchanged,
    )


def without_again(preview: Preview) -> Plan:
    """Return the plan without re-encoding. New copies of such videos get the existing rows."""
    kept = {each.task.file.path for each in preview.again}
    copies = [
        Relocation(
            video_id=each.record.video_id, fingerprint=each.task.fingerprint, old_path=each.task.file.path, file=copy
        )
        for each in preview.again
        for copy in each.task.copies
    ]
    plan = preview.plan
    tasks = tuple(task for task in plan.tasks if task.file.path not in kept)
    return replace(plan, tasks=tasks, copied=(*plan.copied, *copies))
