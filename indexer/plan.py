"""Plan of a run: files that were moved, copied or touched, and files to decode. Made before any change.

Most files have their stored size and modification time, and cost no more than this comparison. The others are
fingerprinted: content stored under another path was moved or duplicated, and needs no decoding. An equal fingerprint is
only a hint, which `contents` proves.
"""

from __future__ import annotations

import functools
import os
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from db.records import Failure, KnownFile
from files.file_times import is_same_stamp
from indexer.contents import Contents
from indexer.same_file import file_keys
from indexer.scan import FoundFile

if TYPE_CHECKING:
    from indexer.lacking import Lacking

_ALWAYS_RETRIED = frozenset({"missing", "permission"})  # concerns the file, not its content, and is cheap to retry
_RETRIED_TWICE = "error"  # may have been temporary


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifiedFiles:
    """Files, classified by size and modification time."""

    unchanged: list[FoundFile] = field(default_factory=list)
    aliases: list[FoundFile] = field(default_factory=list)
    skipped_failed: list[Failure] = field(default_factory=list)
    outdated: list[FoundFile] = field(default_factory=list)  # unchanged, but not indexed with this encoder and recipe
    unknown: list[FoundFile] = field(default_factory=list)  # new or changed: to be fingerprinted


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """A video of the library whose path or modification time has changed."""

    video_id: int
    fingerprint: str
    old_path: str
    file: FoundFile


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTask:
    """A file to decode and encode."""

    file: FoundFile
    fingerprint: str
    copies: tuple[FoundFile, ...] = ()  # new files of the same content
    stays: bool = True  # the library has this content at this path, or it was moved there
    lacks: tuple[int, ...] = ()  # numbers of the run's encoders to encode it; empty: all of them
    only_media: bool = False  # its rows are sound: posters and previews are made again, and nothing is encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in the order in which they must be done: touched, moved, copied, tasks."""

    touched: tuple[Relocation, ...]
    moved: tuple[Relocation, ...]  # in a safe order, see `in_safe_order`
    copied: tuple[Relocation, ...]  # copies of a video that stays in place
    tasks: tuple[VideoTask, ...]


def classify_files(
    files: Iterable[FoundFile],
    known: Mapping[str, KnownFile],
    failures: Mapping[str, Failure],
    lacking: Container[int],
    *,
    redo: bool,
    retry_failed: bool,
) -> ClassifiedFiles:
    """Classify files by size and modification time only.

    Another name of a file that is in the library is an alias: a link, another spelling, another mount of its folder.

    Args:
        files: Those that a run found.
        known: The library's files, by path.
        failures: Likewise.
        lacking: The ids of videos that were not indexed as the run would index them.
        redo, retry_failed: As in RunOptions.
    """
    result = ClassifiedFiles()
    by_stamp: dict[tuple[int, int], list[str]] = defaultdict(list)
    for path, record in known.items():
        by_stamp[record.size_bytes, record.modified_ns].append(path)

    @functools.cache
    def keys_of_known(stamp: tuple[int, int]) -> set[object]:
        """Return the keys of the known files with that size and time. Cached, as thousands may share them."""
        return {key for path in by_stamp.get(stamp, ()) for key in file_keys(path)}

    for file in files:
        stamp = (file.size_bytes, file.modified_ns)
        stored, failure = known.get(file.path), failures.get(file.path)
        if failure and not (redo or retry_failed) and is_same_stamp((failure.size_bytes, failure.modified_ns), stamp):
            try_again = failure.kind in _ALWAYS_RETRIED or (failure.kind == _RETRIED_TWICE and failure.attempts < 3)
            if not try_again:
                result.skipped_failed.append(failure)
                continue
        if stored is None:
            is_alias = stamp in by_stamp and bool(file_keys(file.path) & keys_of_known(stamp))
            (result.aliases if is_alias else result.unknown).append(file)
        elif redo or _is_changed(stored, file):
            result.unknown.append(file)
        elif stored.video_id in lacking:
            result.outdated.append(file)
        else:
            result.unchanged.append(file)
    return result


def _is_changed(stored: KnownFile, file: FoundFile) -> bool:
    """Return whether a known file has another size or time, or another file of the same ones has its name."""
    if not is_same_stamp((stored.size_bytes, stored.modified_ns), (file.size_bytes, file.modified_ns)):
        return True
    before, now = (each.file_id.partition(":")[2] for each in (stored, file))
    return bool(before and now) and before != now


def make_plan(
    outdated: Iterable[FoundFile],
    contents: Contents,
    known: Mapping[str, KnownFile],
    lacking: Lacking,
    *,
    redo: bool,
    was_moved: Callable[[str, KnownFile, FoundFile], bool],
) -> Plan:
    """Plan the steps for files that are outdated or were fingerprinted.

    Args:
        outdated: Files to encode that have not changed.
        contents: Compares the new and changed files, all of which have a fingerprint.
        known: The library's files, by path.
        lacking: Of the known videos, those that were not indexed as the run would index them.
        redo: Encode unchanged content again.
        was_moved: Returns for (old path, its record, a file of the same content) whether that file came from there.

    Raises:
        Cancelled: A comparison of contents was cancelled.
    """
    touched: list[Relocation] = []
    moved: list[Relocation] = []
    copied: list[Relocation] = []

    def lacks(record: KnownFile) -> tuple[int, ...]:
        return () if redo else tuple(lacking.get(record.video_id, ()))

    to_encode = [_ToEncode(file, known[file.path].fingerprint, True, lacks(known[file.path])) for file in outdated]
    files = sorted(contents.fingerprints, key=lambda file: file.path)
    same = {file.path for file in files if file.path in known and contents.is_known(file, file.path, known[file.path])}
    replaced = {file.path for file in files if file.path in known} - same
    holders: dict[str, list[_Holder]] = defaultdict(list)
    for path in sorted(known):
        holders[known[path].fingerprint].append(_Holder(path, known[path]))

    for file in files:
        content = contents.fingerprints[file]
        if file.path in same:
            stored = known[file.path]
            if redo or stored.video_id in lacking:
                to_encode.append(_ToEncode(file, content, True, lacks(stored)))
            else:
                touched.append(_relocation(file.path, stored, file))
            continue
        left: list[_Holder] = []
        staying: list[_Holder] = []
        for holder in holders[content]:
            if holder.path == file.path or not contents.is_known(file, holder.path, holder.record):
                continue
            free = not holder.taken and (holder.path in replaced or was_moved(holder.path, holder.record, file))
            (left if free else staying).append(holder)
        current = [holder for holder in staying if holder.record.video_id not in lacking]
        if left:
            source = min(left, key=lambda holder: len(lacking.get(holder.record.video_id, ())))
            source.taken = True
            moved.append(_relocation(source.path, source.record, file))
            if redo or source.record.video_id in lacking:
                to_encode.append(_ToEncode(file, content, True, lacks(source.record)))
        elif current and not redo:
            copied.append(_relocation(current[0].path, current[0].record, file))
        else:
            to_encode.append(_ToEncode(file, content, False))
    return Plan(
        touched=tuple(touched),
        moved=tuple(in_safe_order(moved)),
        copied=tuple(copied),
        tasks=tuple(_tasks(to_encode, contents, known)),
    )


@dataclass(slots=True)
class _Holder:
    """A video of the library with the same content as a new file, which may have been moved from there."""

    path: str
    record: KnownFile
    taken: bool = False  # the file that it was moved to has been found


@dataclass(frozen=True, slots=True)
class _ToEncode:
    """A file to encode. `stays`, `lacks`: as in VideoTask."""

    file: FoundFile
    content: str
    stays: bool
    lacks: tuple[int, ...] = ()


def in_safe_order(moves: Iterable[Relocation]) -> list[Relocation]:
    """Order moves so that none overwrites a video that is yet to be moved (b to c before a to b).

    In a cycle (two files that swapped names), one video is parked under an unused name. If the run is killed at that
    point, the next one finds it by content as usual.
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


def _relocation(old_path: str, record: KnownFile, file: FoundFile) -> Relocation:
    return Relocation(video_id=record.video_id, fingerprint=record.fingerprint, old_path=old_path, file=file)


def _tasks(to_encode: Iterable[_ToEncode], contents: Contents, known: Mapping[str, KnownFile]) -> list[VideoTask]:
    """Return one task for each new content, with its other files as copies.

    A file that the library already has with this content is always its own task, because it has rows of other
    encoders.
    """
    tasks: dict[FoundFile, list[FoundFile]] = {}  # copies by file
    by_content: dict[str, list[FoundFile]] = defaultdict(list)
    ordered = sorted(to_encode, key=lambda each: (not each.stays, each.file.path))
    for each in ordered:
        original = None
        if not each.stays:
            original = next(
                (other for other in by_content[each.content] if _is_copy(each.file, other, contents, known)), None
            )
        if original is not None:
            tasks[original].append(each.file)
        else:
            tasks[each.file] = []
            by_content[each.content].append(each.file)
    found = {each.file: each for each in ordered}
    return sorted(
        (
            VideoTask(
                file=file,
                fingerprint=found[file].content,
                copies=tuple(copies),
                stays=found[file].stays,
                lacks=found[file].lacks,
            )
            for file, copies in tasks.items()
        ),
        key=lambda task: task.file.path,
    )


def _is_copy(file: FoundFile, other: FoundFile, contents: Contents, known: Mapping[str, KnownFile]) -> bool:
    """Return whether a new file has the content of another file to encode, which may be one of the library's."""
    if other in contents.fingerprints:
        return contents.are_same(file, other)
    return contents.is_known(file, other.path, known[other.path])
