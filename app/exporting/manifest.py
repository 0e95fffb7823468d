"""The manifest of an export: the files finished so far, so that an export continues after it was stopped or killed.

A small file in the export's folder, `.prismsearch-export.json`. A clip, list or zip is recorded before it gets its
name, with the size and modification time of the finished file. If the program is killed after that, the next run either
finds the file by these or knows that it does not exist. The manifest is removed once all clips of an export are written
and its caller has been told, so that an export killed before that is recognised, and one asked for again is another.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.durability import flush, remove
from files.folder_lock import NoLocks, lock_folder
from files.json_file import parse_fraction, read_json
from files.publish import DRAFT_PREFIX, new_draft, publish
from files.replace import move_over, replace_file
from files.sweep import sweep_files

if TYPE_CHECKING:
    from app.exporting.request import ClipRequest, ExportedClip

FILE_NAME = ".prismsearch-export.json"
_OWN_DRAFT = f"{DRAFT_PREFIX}manifest-"
_DRAFT = re.compile(re.escape(DRAFT_PREFIX) + "[0-9a-f]{12}")
_VERSION = 1
_TIMES = ("start_seconds", "end_seconds", "early_seconds", "late_seconds", "frame_rate")
_VALUES = ("frames", "copied_frames", "has_audio", "timecode", "note")


class Manifest:
    """The manifest of one folder, opened by `lock_manifest`. Methods that write raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        known = _read(self._path)
        self._clips: dict[str, dict[str, Any]] = known.get("clips", {})
        self._outputs: dict[str, dict[str, Any]] = known.get("outputs", {})  # lists and zips, by export and name
        self._lists: list[list[Any]] = known.get("lists", [])  # of an unfinished run of an earlier version
        self._current: set[str] = set()
        for draft in known.get("drafts", []):
            _remove_draft_and_parts(folder, draft)
        self._drafts: list[str] = []
        sweep_files(folder, _OWN_DRAFT, older_than_seconds=None)  # only the holder of the lock writes them

    def finished(self, key: str, clip: ExportedClip) -> ExportedClip | None:
        """Return the clip with its file if an earlier run finished it and the file has not changed since, else None."""
        self._current.add(key)
        entry = self._clips.get(key)
        if entry is None:
            return None
        try:
            file = _find_by_stamp(self._folder, str(entry["name"]), entry["stamp"])
            values: dict[str, Any] = {
                each: None if entry[each] is None else parse_fraction(entry[each]) for each in _TIMES
            }
            values |= {each: entry[each] for each in _VALUES}
            return None if file is None else replace(clip, file=file, **values)
        except (KeyError, TypeError, ValueError):
            return None

    def start_draft(self, draft: Path) -> None:
        """Record a temporary file before it is written, so that the next run removes it if this one is killed."""
        self._drafts = [draft.name]
        self._write()

    def record_clip(self, key: str, clip: ExportedClip, name: str, draft: Path) -> None:
        """Record a finished clip before its draft is renamed to `name`, or to the next free name."""
        entry: dict[str, Any] = {"name": name, "stamp": _stamp(draft)}
        entry |= {each: None if (value := getattr(clip, each)) is None else str(value) for each in _TIMES}
        self._clips[key] = entry | {each: getattr(clip, each) for each in _VALUES}
        self._write()

    def write_output(
        self, key: str, name: str, digest: str, write: Callable[[Path], bool], directory: Path | None = None
    ) -> Path | None:
        """Write a list or zip of an export once: one that an earlier run of the export wrote is kept or replaced.

        Args:
            key: The export: see `export_key`.
            name: The desired name of the file.
            digest: Digest of what is to be written. A file of the same export and digest is kept.
            write: Writes the file to a path that does not exist. False means that it was stopped.
            directory: The file's folder; by default that of the manifest.

        Returns:
            The file, under this name or the next free one; None if `write` was stopped.
        """
        self._drop_old_lists()
        directory, identity = directory or self._folder, f"{key} {name}"
        known = self._outputs.get(identity, {})
        earlier, digest_of_earlier = _find_output(directory, name, known.get("stamps"))
        if earlier is not None and digest_of_earlier == digest:
            return earlier
        draft = new_draft(self._folder)
        try:
            self.start_draft(draft)
            if not write(draft):
                return None
            # With that of the file to be replaced, so that either is found whenever this process ends.
            replaced = [] if earlier is None else [[digest_of_earlier, *_stamp(earlier)]]
            self._outputs[identity] = {"stamps": [[digest, *_stamp(draft)], *replaced]}
            self._write()
            if earlier is None:
                return publish(draft, directory, name)
            flush(draft)
            move_over(draft, earlier)
            return earlier
        finally:
            remove(draft)

    def close(self, *, done: str | None = None) -> None:
        """Save the manifest, or remove it if nothing is recorded in it.

        Args:
            done: The key of an export that is finished, which is forgotten with its clips.
        """
        self._drafts = []
        self._drop_old_lists()
        if done is not None:
            self._clips = {key: entry for key, entry in self._clips.items() if key not in self._current}
            self._outputs = {key: entry for key, entry in self._outputs.items() if not key.startswith(f"{done} ")}
        if self._clips or self._outputs:
            self._write()
        else:
            self._path.unlink(missing_ok=True)

    def _drop_old_lists(self) -> None:
        """Remove the lists of an unfinished run of an earlier version, unless edited since."""
        for entry in self._lists:
            if isinstance(entry, list) and entry and isinstance(entry[0], str):
                file = _find_by_stamp(self._folder, entry[0], entry[1:], exactly=True)
                if file is not None:
                    file.unlink(missing_ok=True)
        self._lists = []

    def _write(self) -> None:
        values = {"drafts": self._drafts, "lists": self._lists, "outputs": self._outputs, "clips": self._clips}
        text = json.dumps({"version": _VERSION, **values}, indent=0)
        replace_file(self._path, text.encode("ascii"), draft=self._folder / f"{_OWN_DRAFT}{secrets.token_hex(6)}")


@contextlib.contextmanager
def lock_manifest(folder: Path) -> Iterator[Manifest | None]:
    """Lock a folder for one export and yield its manifest, or None while another export holds the lock.

    An export without a manifest can still write into the folder, but cannot be continued.
    """
    with contextlib.ExitStack() as until_the_end:
        try:
            until_the_end.callback(os.close, lock_folder(Path(os.path.realpath(folder))))  # a person may name a link
        except BlockingIOError:
            yield None
            return
        except NoLocks:
            pass
        yield Manifest(folder)


def request_keys(requests: Sequence[ClipRequest], *settings: object) -> list[str]:
    """Return the key of each request in a manifest: a hash of source, range, names and how the clip is cut.

    The source is its content's fingerprint and hash, or else its path, size and modification time. Equal requests get
    distinct keys.
    """
    occurrences: Counter[str] = Counter()
    keys = []
    for number, request in enumerate(requests, start=1):
        source: object = None
        if request.identity is not None:
            content, proof = request.identity.fingerprint, request.identity.content_hash
            source = [content, proof] if proof else content  # alone in manifests of earlier versions
        else:
            try:
                stat = os.stat(request.path)
                source = [os.path.abspath(request.path), stat.st_size, stat.st_mtime_ns]
            except (OSError, ValueError):
                source = None  # unreadable now, so neither cut nor recognised from an earlier run
        range_ = [str(Fraction(request.start_seconds)), str(Fraction(request.end_seconds))]
        names = [request.rank or number, request.name_hint, request.collection, len(str(len(requests)))]
        if request.words is not None and request.words.place in ("track", "burn"):
            names.append(request.words.digest)
        text = json.dumps([source, range_, names, *map(str, settings)])
        occurrences[text] += 1
        keys.append(hashlib.blake2b(f"{text} {occurrences[text]}".encode(), digest_size=12).hexdigest())
    return keys


def export_key(requests: Sequence[ClipRequest], *settings: object) -> str:
    """Return the key of a whole export in a manifest: a hash of what was asked for, whatever the sources hold now."""
    asked = [
        [each.path, str(Fraction(each.start_seconds)), str(Fraction(each.end_seconds)), each.rank, each.name_hint,
         each.collection]
        for each in requests
    ]  # fmt: skip
    return hashlib.blake2b(json.dumps([asked, *map(str, settings)]).encode(), digest_size=12).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        known = read_json(path, follow_links=False)
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict) or known.get("version") != _VERSION:
        return {}
    shapes = {"clips": dict, "outputs": dict, "lists": list, "drafts": list}
    kept = {name: known[name] for name, shape in shapes.items() if isinstance(known.get(name), shape)}
    for name in ("clips", "outputs"):
        kept[name] = {key: entry for key, entry in kept.get(name, {}).items() if isinstance(entry, dict)}
    return kept


def _remove_draft_and_parts(folder: Path, draft: object) -> None:
    if isinstance(draft, str) and _DRAFT.fullmatch(draft):
        sweep_files(folder, draft, older_than_seconds=None)  # its run has ended, because we hold the lock


def _stamp(path: Path) -> list[int]:
    """Return size and time of a file; of a link, its own, which is never that of a file that was written."""
    status = path.lstat()
    return [status.st_size, status.st_mtime_ns] if stat.S_ISREG(status.st_mode) else []


def _find_output(directory: Path, name: str, stamps: object) -> tuple[Path | None, str]:
    """Find a list or zip by the recorded stamps [digest, size, time], of which the first that fits counts."""
    for each in stamps if isinstance(stamps, list) else []:
        if isinstance(each, list) and len(each) == 3:
            file = _find_by_stamp(directory, name, each[1:])
            if file is not None:
                return file, str(each[0])
    return None, ""


def _find_by_stamp(folder: Path, name: str, stamp: Sequence[int], *, exactly: bool = False) -> Path | None:
    """Find the file with this size and modification time, under `name` or one of the next free names after it."""
    stem, suffix = os.path.splitext(Path(name).name)
    attempt = 1
    while True:
        path = folder / (stem + suffix if attempt == 1 else f"{stem}_{attempt}{suffix}")
        try:
            if _stamp(path) == list(stamp):
                return path
        except OSError:
            if attempt > 1:
                return None  # the first name may have been taken then and be free now
        if exactly:
            return None
        attempt += 1
