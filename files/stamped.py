"""Stamped cache files: write-once data files, and one small stamp that names the valid ones.

The stamp, `<name>.json`, is renamed into place after all files that it names are safely on disk. So even if a process
is killed, the current stamp names complete files; and of several processes that save at the same time, each leaves a
complete set, and the last one counts. A cache can always be rebuilt, so callers treat every error here as "no cache".

The record in a stamp is the caller's own JSON object. An object anywhere in it with a string `file` names a data file;
`write` makes such entries, with size and checksum, and `verified` checks them. The stamp has a checksum too.
"""

from __future__ import annotations

import json
import re
import secrets
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from files.durability import checksum, flush, remove
from files.json_file import parse_json
from files.links import is_link
from files.replace import replace_file
from files.sweep import sweep_files

ORPHAN_SECONDS = 3600.0
"""A younger file that no stamp names may still be being written by another process."""

_CHECKSUM = "checksum"  # of the rest of a stamp; older stamps have none


class DamagedFile(Exception):
    """A data file is damaged: its size or checksum differs."""


class StampedFiles:
    """The files of one cache in one folder. The constructor does not access the disk.

    Attributes:
        directory: The folder; created on the first write.
        name: The beginning of every file name. Names of caches in one folder must not be prefixes of each other.
        stamp_path: The stamp, `<name>.json`. Data files are `<name>-<random><suffix>` beside it.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name
        self.stamp_path = directory / f"{name}.json"
        self._seen: str | None = None  # the text of the stamp when last read, written or removed here
        self._unsaved: set[str] = set()  # files written here that no stamp names yet

    def new_path(self, suffix: str) -> Path:
        """Return a unique path for a data file. Creates no file."""
        return self.directory / f"{self.name}-{secrets.token_hex(6)}{suffix}"

    def changed_by_others(self) -> bool:
        """Return whether the current stamp differs from the one last read or written here."""
        return self._text() not in (self._seen, None)

    def load(self) -> dict[str, Any] | None:
        """Return the record of the current stamp, or None if there is no stamp.

        Raises:
            ValueError: The stamp is damaged, or not a JSON object.
        """
        text = self._seen = self._text()
        if text is None:
            return None
        record = parse_json(text)
        if not isinstance(record, dict):
            raise ValueError("the stamp is no JSON object")
        if record.pop(_CHECKSUM, None) not in (None, _checksum_of(record)):
            raise ValueError("the stamp is not what was written")
        return record

    def write(self, suffix: str, write: Callable[[IO[bytes]], object]) -> dict[str, Any]:
        """Write a data file and return its entry for a record: file, size_bytes and crc32. Remove old orphans before.

        Args:
            suffix: The end of its name, such as `.npz`.
            write: Writes the content to the open file. Its exceptions propagate, after the file is removed.

        Raises:
            OSError: The file could not be written. It is removed.
        """
        path, kept = self.new_path(suffix), self._named(self._text()) | self._unsaved
        sweep_files(self.directory, f"{self.name}-", older_than_seconds=ORPHAN_SECONDS, keep=kept)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                write(file)
            flush(path)
            entry = {"file": path.name, "size_bytes": path.stat().st_size, "crc32": checksum(path)}
        except BaseException:
            remove(path)
            raise
        self._unsaved.add(path.name)
        return entry

    def verified(self, entry: dict[str, Any]) -> Path:
        """Return the path of the data file of `entry`, after checking its size and checksum.

        Raises:
            DamagedFile: The file is damaged.
            OSError: The file is missing or cannot be read.
            KeyError, TypeError: The entry is not one that `write` returned.
        """
        path = self.path_of(entry)
        if path.stat().st_size != entry["size_bytes"] or checksum(path) != entry["crc32"]:
            raise DamagedFile(f"{path.name} is not what was written")
        return path

    def path_of(self, entry: dict[str, Any]) -> Path:
        """Return the path of the data file of `entry`, always in this cache's folder.

        Raises:
            DamagedFile: The entry names another file, or the file is a link.
        """
        path = self.directory / str(entry["file"])
        if not self._is_own(str(entry["file"])) or is_link(path):
            raise DamagedFile(f"{path.name} is no file of this cache")
        return path

    def save(self, record: dict[str, Any]) -> None:
        """Replace the stamp; then remove the files that only its predecessor named.

        Args:
            record: A JSON object. The data files that it names must be written and flushed.

        Raises:
            OSError: The stamp could not be replaced. The old one stays.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(record | {_CHECKSUM: _checksum_of(record)}, indent=1)
        replaced = self._named(self._text())
        replace_file(self.stamp_path, text.encode(), durable=True, draft=self.new_path(".json.partial"))
        self._seen = text
        kept = self._named(text)
        for name in replaced - kept:
            remove(self.directory / name)
        self._unsaved.clear()

    def hand_over(self, to: StampedFiles, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
        """Rename this cache to another one in the same folder, which has no stamp yet. Nothing is copied.

        A kill on the way leaves no cache, or two stamps of which the new one is valid.

        Args:
            to: The cache's new name.
            change: Returns the record for the new stamp; the names of data files in it are the new ones.

        Returns:
            Whether there was anything to rename.

        Raises:
            OSError, ValueError, DamagedFile: The cache cannot be renamed, or its stamp is damaged. It is no cache then.
        """
        record = self.load()
        if record is None or to.load() is not None:
            return False
        for entry in _entries(record):
            path, renamed = self.path_of(entry), to.new_path(Path(entry["file"]).suffix)
            path.replace(renamed)
            entry["file"] = renamed.name
        to.save(change(record))
        remove(self.stamp_path)
        return True

    def discard_unsaved(self) -> None:
        """Remove the files written since the last `save`, because that of their stamp failed. Never raises."""
        for name in self._unsaved:
            remove(self.directory / name)
        self._unsaved.clear()

    def forget(self) -> None:
        """Remove the current stamp and every file that it names, because some are damaged. Never raises.

        If they cannot be removed, `changed_by_others` still takes them for known.
        """
        self._seen = text = self._text()
        named = self._named(text)
        for path in (self.stamp_path, *(self.directory / name for name in named)):
            remove(path)

    def _named(self, text: str | None) -> set[str]:
        """Return the names of this cache's data files in a stamp, even if the stamp is damaged."""
        try:
            names = {Path(entry["file"]).name for entry in _entries(parse_json(text or "{}"))}
        except ValueError:
            return set()
        return {name for name in names if self._is_own(name)}

    def _is_own(self, name: str) -> bool:
        """Return whether a name has the form of our data files: no other becomes a path."""
        return re.fullmatch(rf"{re.escape(self.name)}-[0-9a-f]{{12}}(\.[a-z]+)?", name) is not None

    def _text(self) -> str | None:
        try:
            return None if is_link(self.stamp_path) else self.stamp_path.read_text("utf-8", errors="replace")
        except OSError:
            return None


def _checksum_of(record: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(record, sort_keys=True).encode())


def _entries(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object within a JSON value that has a string `file`."""
    if isinstance(value, dict):
        if isinstance(value.get("file"), str):
            yield value
        for each in value.values():
            yield from _entries(each)
    elif isinstance(value, list):
        for each in value:
            yield from _entries(each)
