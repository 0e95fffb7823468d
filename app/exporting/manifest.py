"""What an export into a folder has finished, so that the same export goes on where it was stopped or killed.

A small file in the folder, `.prismsearch-export.json`. A clip is entered before it gets its name, with the size and
time of the finished file: whatever stops the program then, the file is found again by these, or it is not there. The
file goes away when all clips of an export are written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.publish import DRAFT_PREFIX, new_draft
from files.replace import replace_file
from files.sweep import sweep_files

if TYPE_CHECKING:
    from app.exporting.request import ClipRequest, ExportedClip

NAME = ".prismsearch-export.json"
_VERSION = 1
_TIMES = ("start_seconds", "end_seconds", "early_seconds", "late_seconds", "frame_rate")
_PLAIN = ("frames", "copied_frames", "has_audio", "note")


class Manifest:
    """Of one export into one folder, held by `hold`. Methods that write raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME
        known = _read(self._path)
        self._clips: dict[str, dict[str, Any]] = known.get("clips", {})
        self._lists: list[list[Any]] = known.get("lists", [])
        self._mine: set[str] = set()
        for draft in known.get("drafts", []):
            _sweep(folder, draft)
        self._drafts: list[str] = []

    def finished(self, key: str, clip: ExportedClip) -> ExportedClip | None:
        """The clip with its file, where an earlier run has finished it and the file is still as it was."""
        self._mine.add(key)
        entry = self._clips.get(key)
        if entry is None:
            return None
        try:
            file = _with_stamp(self._folder, str(entry["name"]), entry["stamp"])
            values: dict[str, Any] = {each: None if entry[each] is None else Fraction(entry[each]) for each in _TIMES}
            values |= {each: entry[each] for each in _PLAIN}
            return None if file is None else replace(clip, file=file, **values)
        except (KeyError, TypeError, ValueError):
            return None

    def begin(self, draft: Path) -> None:
        """A draft is about to be written: swept by the next run if this one is killed."""
        self._drafts = [draft.name]
        self._write()

    def promise(self, key: str, clip: ExportedClip, name: str, draft: Path) -> None:
        """The finished draft is about to get `name`, or one after it."""
        entry: dict[str, Any] = {"name": name, "stamp": _stamp(draft)}
        entry |= {each: None if (value := getattr(clip, each)) is None else str(value) for each in _TIMES}
        self._clips[key] = entry | {each: getattr(clip, each) for each in _PLAIN}
        self._write()

    def drop_lists(self) -> None:
        """Remove the lists that an unfinished run has left, unless somebody has changed them: new ones come."""
        for name, *stamp in self._lists:
            file = _with_stamp(self._folder, name, stamp, exactly=True)
            if file is not None:
                file.unlink(missing_ok=True)
        self._lists = []

    def keep_lists(self, lists: Sequence[Path]) -> None:
        """These lists are of a run that was not all done."""
        self._lists = [[path.name, *_stamp(path)] for path in lists]

    def close(self, *, done: bool) -> None:
        """done: every clip of this export is written, so nothing of it needs to be remembered."""
        self._drafts = []
        if done:
            self._clips = {key: entry for key, entry in self._clips.items() if key not in self._mine}
            self._lists = []
        if self._clips or self._lists:
            self._write()
        else:
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        text = json.dumps(
            {"version": _VERSION, "drafts": self._drafts, "lists": self._lists, "clips": self._clips}, indent=0
        )
        replace_file(self._path, text.encode("ascii"), draft=new_draft(self._folder))


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[Manifest | None]:
    """The folder's manifest; None while another export writes there, which then goes without one."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks on folders
        yield Manifest(folder)
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        except OSError:
            pass  # a file system without locks
        yield Manifest(folder)
    finally:
        os.close(handle)


def keys(requests: Sequence[ClipRequest], *how: object) -> list[str]:
    """What each clip is told by: content or file, range, names, and how it is cut. The same one twice has two keys."""
    seen: Counter[str] = Counter()
    found = []
    for number, request in enumerate(requests, start=1):
        source: object = request.fingerprint
        if not source:
            try:
                stat = os.stat(request.path)
                source = [os.path.abspath(request.path), stat.st_size, stat.st_mtime_ns]
            except (OSError, ValueError):
                source = None  # cannot be cut now, and what was cut of it cannot be told
        range_ = [str(Fraction(request.start_seconds)), str(Fraction(request.end_seconds))]
        names = [request.rank or number, request.name_hint, request.collection, len(str(len(requests)))]
        text = json.dumps([source, range_, names, *map(str, how)])
        seen[text] += 1
        found.append(hashlib.blake2b(f"{text} {seen[text]}".encode(), digest_size=12).hexdigest())
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict) or known.get("version") != _VERSION:
        return {}
    shapes = {"clips": dict, "lists": list, "drafts": list}
    return {name: known[name] for name, shape in shapes.items() if isinstance(known.get(name), shape)}


def _sweep(folder: Path, draft: object) -> None:
    if isinstance(draft, str) and draft.startswith(DRAFT_PREFIX):
        sweep_files(folder, draft, older_than_seconds=None)  # its run has ended: the manifest is ours


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _with_stamp(folder: Path, name: str, stamp: Sequence[int], *, exactly: bool = False) -> Path | None:
    """The file of that name, or of a free name after it, that has this size and time."""
    stem, suffix = os.path.splitext(Path(name).name)
    attempt = 1
    while True:
        path = folder / (stem + suffix if attempt == 1 else f"{stem}_{attempt}{suffix}")
        try:
            if _stamp(path) == list(stamp):
                return path
        except OSError:
            if attempt > 1:
                return None  # the first name may have been taken when it was given, and be free now
        if exactly:
            return None
        attempt += 1
