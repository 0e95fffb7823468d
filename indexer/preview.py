"""Preview of a run: what it is about to do, determined before anything changes, so that parts of it can be refused."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from db.records import KnownFile
from indexer.plan import Plan, Relocation, VideoTask
from indexer.scan import FoundFile
from indexer.sweep import Gone

if TYPE_CHECKING:
    from indexer.lacking import Lacking


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedAgain:
    """A video that is to be decoded and encoded again although its content has not changed."""

    task: VideoTask
    record: KnownFile  # how it was indexed, as to that encoder
    encoder: int = 0  # number of the encoder of the run whose rows it lacks, the first of several


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The work of a run. Every file that is decoded is in one of the first five."""

    new: tuple[FoundFile, ...]
    changed: tuple[FoundFile, ...]
    again: tuple[EncodedAgain, ...]
    deepened: tuple[FoundFile, ...]  # full passes over what had a quick one: nobody need be asked
    retried: tuple[FoundFile, ...]  # encoded again, because it failed when that was tried before
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


def preview(
    plan: Plan,
    known: Mapping[str, KnownFile],
    failures: Container[str],
    lacking: Lacking,
    gone: Gone,
    unchanged: int,
) -> Preview:
    """Return the preview of a plan.

    Args:
        plan: The plan.
        known: The library's files, by path.
        failures: Paths of files that could not be indexed before.
        lacking: As for `make_plan`.
        gone: What is no longer there.
        unchanged: The number of files for which nothing is to be done.
    """
    records = dict(known) | {move.file.path: known[move.old_path] for move in plan.moved if move.old_path in known}
    new: list[FoundFile] = []
    changed: list[FoundFile] = []
    again: list[EncodedAgain] = []
    deepened: list[FoundFile] = []
    retried: list[FoundFile] = []
    for task in plan.tasks:
        record = records.get(task.file.path)
        if record is None:
            new.append(task.file)
        elif task.stays and record.quick:
            deepened.append(task.file)
        elif task.stays and task.file.path in failures:
            retried.append(task.file)
        elif task.stays:
            number, lacked = next(iter(lacking.get(record.video_id, {0: record}).items()))
            again.append(EncodedAgain(task=task, record=lacked, encoder=number))
        else:
            changed.append(task.file)
    return Preview(
        new=tuple(new),
        changed=tuple(changed),
        again=tuple(again),
        deepened=tuple(deepened),
        retried=tuple(retried),
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
