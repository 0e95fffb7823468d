"""What is to be done about the files of a scan, decided before anything is done. Pure, but for what it asks.

Most files have the size and time that the library knows and cost no more than that look. Of the others the content is
looked up: what the library knows under another path was moved or is a duplicate, and needs no decoding.
"""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from db.records import Failure, KnownFile
from indexer.scan import FoundFile

_TRIED_ANYWAY = frozenset({"missing", "permission"})  # about the file, not its content; and it costs nothing to look
_TRIED_THRICE = "error"  # may have passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Files by what their size and time say."""

    unchanged: list[FoundFile] = field(default_factory=list)
    aliases: list[FoundFile] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)
    settled: list[FoundFile] = field(default_factory=list)  # unchanged, but not yet encoded by this encoder, so
    unknown: list[FoundFile] = field(default_factory=list)  # new or changed: the content has to be looked up


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """A video of the library that has to be written down under another path, or time."""

    video_id: int
    fingerprint: str
    old_path: str
    file: FoundFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file to decode and encode."""

    file: FoundFile
    fingerprint: str
    copies: tuple[FoundFile, ...] = ()  # new files of the same content


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """In the order in which it has to be done: touched, moved, copied, jobs."""

    touched: tuple[Relocation, ...]
    moved: tuple[Relocation, ...]  # safe in this order, see `in_safe_order`
    copied: tuple[Relocation, ...]  # of a video that stays where it is
    jobs: tuple[Job, ...]


def sort_files(
    files: Iterable[FoundFile],
    known: Mapping[str, KnownFile],
    failures: Mapping[str, Failure],
    recipe: str,
    *,
    redo: bool,
    retry_failed: bool,
) -> Sorted:
    """Look at sizes and times only; a link to a file that the library has under its own path is an alias."""
    result = Sorted()
    by_look: dict[tuple[int, int], list[str]] = defaultdict(list)
    for path, record in known.items():
        by_look[record.size_bytes, record.modified_ns].append(path)

    @functools.cache
    def real_paths(look: tuple[int, int]) -> set[str]:
        """Where known files of that size and time lead to; thousands may share them."""
        return {os.path.realpath(path) for path in by_look.get(look, ())}

    for file in files:
        look = (file.size_bytes, file.modified_ns)
        stored, failure = known.get(file.path), failures.get(file.path)
        if failure and (failure.size_bytes, failure.modified_ns) == look and not redo and not retry_failed:
            tried_again = failure.kind in _TRIED_ANYWAY or (failure.kind == _TRIED_THRICE and failure.attempts < 3)
            if not tried_again:
                result.skipped.append(failure)
                continue
        if stored is None:
            is_alias = look in by_look and os.path.realpath(file.path) in real_paths(look)
            (result.aliases if is_alias else result.unknown).append(file)
        elif (stored.size_bytes, stored.modified_ns) != look or redo:
            result.unknown.append(file)
        elif _fits(stored, recipe):
            result.unchanged.append(file)
        else:
            result.settled.append(file)
    return result


def make_plan(
    settled: Iterable[FoundFile],
    fingerprints: Mapping[FoundFile, str],
    known: Mapping[str, KnownFile],
    recipe: str,
    *,
    redo: bool,
    was_left_for: Callable[[str, str], bool],
    was_damaged: Callable[[KnownFile], bool],
) -> Plan:
    """Decide about files whose content was looked up.

    was_left_for: (old path, new path) -> whether the file is no longer at the old one. was_damaged: whether its
    decoding met damage; such a file with a new time was perhaps completed meanwhile, where no fingerprint sees it.
    """
    touched: list[Relocation] = []
    moved: list[Relocation] = []
    copied: list[Relocation] = []
    to_encode = [_Wanted(file, known[file.path].fingerprint, True) for file in settled]
    replaced = {
        file.path
        for file, content in fingerprints.items()
        if file.path in known and known[file.path].fingerprint != content
    }
    holders: dict[str, list[_Holder]] = defaultdict(list)
    for path in sorted(known):
        holders[known[path].fingerprint].append(_Holder(path, known[path]))

    for file in sorted(fingerprints, key=lambda file: file.path):
        content = fingerprints[file]
        stored = known.get(file.path)
        if stored is not None and stored.fingerprint == content:
            if redo or not _fits(stored, recipe) or was_damaged(stored):
                to_encode.append(_Wanted(file, content, True))
            else:
                touched.append(_relocation(file.path, stored, file))
            continue
        left: list[_Holder] = []
        staying: list[_Holder] = []
        for holder in holders[content]:
            free = not holder.taken and (holder.path in replaced or was_left_for(holder.path, file.path))
            (left if free else staying).append(holder)
        fitting = [holder for holder in staying if _fits(holder.record, recipe)]
        if left:
            source = min(left, key=lambda holder: not _fits(holder.record, recipe))
            source.taken = True
            moved.append(_relocation(source.path, source.record, file))
            if redo or not _fits(source.record, recipe):
                to_encode.append(_Wanted(file, content, True))
        elif fitting and not redo:
            copied.append(_relocation(fitting[0].path, fitting[0].record, file))
        else:
            to_encode.append(_Wanted(file, content, False))
    return Plan(
        touched=tuple(touched),
        moved=tuple(in_safe_order(moved)),
        copied=tuple(copied),
        jobs=tuple(_jobs(to_encode)),
    )


@dataclass(slots=True)
class _Holder:
    """A video of the library, while it is decided which file is its."""

    path: str
    record: KnownFile
    taken: bool = False  # a file was found that it moved to


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file to encode; `stays`: the library has it under that path with that very content."""

    file: FoundFile
    content: str
    stays: bool


def in_safe_order(moves: Iterable[Relocation]) -> list[Relocation]:
    """Order moves so that none overwrites a video that is yet to be moved (b to c before a to b).

    In a ring (two files that changed names) one video is parked under a name that no file has; should the run be killed
    there, the next one finds it by its content like any other.
    """
    waiting = {move.old_path: move for move in moves}
    order: list[Relocation] = []
    while waiting:
        free = [move for move in waiting.values() if move.file.path not in waiting]
        for move in free:
            order.append(waiting.pop(move.old_path))
        if not free:
            old_path, move = waiting.popitem()
            parked = replace(
                move.file, path=os.path.join(os.path.dirname(old_path), f".prismsearch-moving-{move.video_id}")
            )
            order.append(replace(move, file=parked))
            waiting[parked.path] = replace(move, old_path=parked.path)
    return order


def _fits(record: KnownFile, recipe: str) -> bool:
    return record.embedded and record.recipe == recipe


def _relocation(old_path: str, record: KnownFile, file: FoundFile) -> Relocation:
    return Relocation(video_id=record.video_id, fingerprint=record.fingerprint, old_path=old_path, file=file)


def _jobs(to_encode: Iterable[_Wanted]) -> list[Job]:
    """One job for each content that is new to the library, with its other files as copies.

    A file that the library has with this very content is always a job of its own: other encoders' rows hang on it.
    """
    groups: dict[str, list[_Wanted]] = defaultdict(list)
    for wanted in sorted(to_encode, key=lambda wanted: (not wanted.stays, wanted.file.path)):
        groups[wanted.content].append(wanted)
    jobs = []
    for content, members in groups.items():
        own = [wanted.file for wanted in members if wanted.stays] or [members[0].file]
        new = tuple(wanted.file for wanted in members if wanted.file not in own)
        for file in own:
            copies, new = new, ()
            jobs.append(Job(file=file, fingerprint=content, copies=copies))
    return sorted(jobs, key=lambda job: job.file.path)
