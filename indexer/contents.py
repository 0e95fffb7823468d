"""Contents of the new and changed files of a run: which of them equal each other or files of the library.

Equal fingerprints are a hint. The proof is the same time of modification besides, or the same hash of the whole
content: a file is read once for that, and not at all if the other one's hash cannot be known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from db.records import KnownFile
from files.file_times import is_same_stamp, is_same_time
from indexer.content_hash import content_hash
from indexer.fingerprint import covers
from indexer.media.errors import UnreadableVideo
from indexer.scan import FoundFile


class Contents:
    """Compares files by fingerprint, time and hash. Whole contents are read when that is needed, each once.

    Args:
        fingerprints: The fingerprints of new and changed files.
        on_hash: Called with a file of the library and the hash of its content, once that was read.
        read_hash: Reads the hash of a file: (path, cancelled). By default content_hash.
        cancelled: True ends a comparison, which then raises Cancelled.
    """

    def __init__(
        self,
        fingerprints: Mapping[FoundFile, str],
        *,
        on_hash: Callable[[KnownFile, str], None] = lambda record, content: None,
        read_hash: Callable[[str, Callable[[], bool]], str] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.fingerprints = fingerprints
        self._on_hash = on_hash
        self._read_hash = read_hash or (lambda path, stopped: content_hash(path, cancelled=stopped))
        self._cancelled = cancelled or (lambda: False)
        self._hashes: dict[str, str] = {}  # by path; "" where a file cannot be read

    def is_known(self, file: FoundFile, path: str, record: KnownFile) -> bool:
        """Return whether a new or changed file has, for certain, the content that the library has of `path`."""
        if self.fingerprints[file] != record.fingerprint:
            return False
        if is_same_time(file.modified_ns, record.modified_ns) or covers(file.size_bytes):
            return True
        known = record.content_hash or self._hash_of_unchanged(path, record)
        return bool(known) and self.hash_of(file) == known

    def are_same(self, file: FoundFile, other: FoundFile) -> bool:
        """Return whether two new or changed files have, for certain, the same content."""
        if self.fingerprints[file] != self.fingerprints[other]:
            return False
        if file.modified_ns == other.modified_ns or covers(file.size_bytes):
            return True
        return bool(self.hash_of(file)) and self.hash_of(file) == self.hash_of(other)

    def hash_of(self, file: FoundFile) -> str:
        """Return the hash of a file; "" if it cannot be read."""
        return self._hash(file.path)

    def _hash_of_unchanged(self, path: str, record: KnownFile) -> str:
        """Return the hash of a file that was indexed without one, if it has not changed since; else ""."""
        try:
            status = os.stat(path)
        except OSError:
            return ""
        if not is_same_stamp((status.st_size, status.st_mtime_ns), (record.size_bytes, record.modified_ns)):
            return ""
        first = path not in self._hashes
        found = self._hash(path)
        if found and first:
            self._on_hash(record, found)
        return found

    def _hash(self, path: str) -> str:
        if path not in self._hashes:
            try:
                self._hashes[path] = self._read_hash(path, self._cancelled)
            except (OSError, UnreadableVideo):
                self._hashes[path] = ""  # decoding it will tell why
        return self._hashes[path]
