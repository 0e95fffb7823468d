"""Comparison of a file with the one that was indexed. Everything that reads a source file asks here first.

Size and time of modification are compared first, and the number of the file on its drive; only where they differ is
content read. Then the same fingerprint is no proof yet (see `indexer.fingerprint`): it is one together with the same
time, and otherwise the hash of the whole content decides, if it is known.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from files.file_times import is_same_time
from indexer.content_hash import content_hash
from indexer.fingerprint import covers, fingerprint

_MAX_RESULTS = 4096


class Verdict(Enum):
    """The result of a comparison."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"  # changed since, and nothing is known that could prove that its content is the same


class Recorded(Protocol):
    """What a record of the library says of its file: Video, KnownFile."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def content_hash(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def modified_ns(self) -> int: ...
    @property
    def file_id(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What is known about a file: from the library, or from a list that was written with its help."""

    fingerprint: str
    content_hash: str = ""  # "": not known
    size_bytes: int | None = None  # None: not known
    modified_ns: int | None = None  # likewise
    file_id: str = ""  # `device:inode`; "": not known, or none that lasts

    @classmethod
    def of(cls, record: Recorded) -> Identity:
        """Return the identity of an indexed file."""
        return cls(
            fingerprint=record.fingerprint,
            content_hash=record.content_hash,
            size_bytes=record.size_bytes,
            modified_ns=record.modified_ns,
            file_id=record.file_id,
        )

    def may_share_content(self, other: Identity) -> bool:
        """Return False if the contents are known to differ, from records alone."""
        hashes = {self.content_hash, other.content_hash}
        return self.fingerprint == other.fingerprint and ("" in hashes or len(hashes) == 1)

    def shares_content(self, other: Identity) -> bool:
        """Return whether the contents are known to be the same, from records alone.

        Where neither has a hash, as in libraries of earlier versions, the fingerprint has to do.
        """
        if self.fingerprint != other.fingerprint:
            return False
        return self.content_hash == other.content_hash or (
            self.size_bytes is not None and (covers(self.size_bytes) or self.modified_ns == other.modified_ns)
        )


def by_status(known: Identity, status: os.stat_result) -> Verdict:
    """Compare a file with what is known about it, without reading it.

    Only inodes are compared, because the number of a device changes whenever a drive is plugged in.

    Returns:
        UNKNOWN if only its content can tell.
    """
    if known.size_bytes is not None and known.size_bytes != status.st_size:
        return Verdict.OTHER
    inode = known.file_id.partition(":")[2]
    same_number = not inode or not status.st_ino or inode == str(status.st_ino)
    same_time = known.size_bytes is not None and _is_time_of(known, status)
    return Verdict.SAME if same_time and same_number else Verdict.UNKNOWN


def _is_time_of(known: Identity, status: os.stat_result) -> bool:
    return known.modified_ns is not None and is_same_time(known.modified_ns, status.st_mtime_ns)


def by_content(known: Identity, path: str, *, cancelled: Callable[[], bool] | None = None) -> Verdict:
    """Compare the content of a file with what is known about it. Reads 1.5 MiB, or the whole file if need be.

    Raises:
        OSError: The file cannot be read.
        Cancelled: `cancelled()` returned True.
    """
    status = os.stat(path)
    if fingerprint(path) != known.fingerprint:
        return Verdict.OTHER
    if covers(status.st_size) or _is_time_of(known, status):
        return Verdict.SAME
    if known.content_hash:
        same = content_hash(path, cancelled=cancelled) == known.content_hash
        return Verdict.SAME if same else Verdict.OTHER
    return Verdict.SAME if known.modified_ns is None else Verdict.UNKNOWN


class IdentityCheck:
    """Compares files with what is known about them; caches results while a file is unchanged. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: OrderedDict[tuple[object, ...], Verdict] = OrderedDict()

    def known(self, identity: Identity, status: os.stat_result) -> Verdict:
        """Return the verdict without reading the file; UNKNOWN unless its status or an earlier comparison tells."""
        verdict = by_status(identity, status)
        if verdict is not Verdict.UNKNOWN:
            return verdict
        with self._lock:
            return self._results.get(_key(identity, status), Verdict.UNKNOWN)

    def compared(self, identity: Identity, status: os.stat_result) -> bool:
        """Return whether the content has been compared, so that `compare` would read nothing."""
        with self._lock:
            return _key(identity, status) in self._results

    def compare(self, identity: Identity, path: str, *, cancelled: Callable[[], bool] | None = None) -> Verdict:
        """Return the verdict, reading the file if only its content can tell.

        Raises:
            OSError: The file is not there, or cannot be read.
            Cancelled: `cancelled()` returned True.
        """
        status = os.stat(path)
        verdict = self.known(identity, status)
        if verdict is not Verdict.UNKNOWN or self.compared(identity, status):
            return verdict
        verdict = by_content(identity, path, cancelled=cancelled)
        after = os.stat(path)
        if _key(identity, after) != _key(identity, status):
            return Verdict.UNKNOWN  # it is being written
        with self._lock:
            self._results[_key(identity, status)] = verdict
            while len(self._results) > _MAX_RESULTS:
                self._results.popitem(last=False)
        return verdict


def _key(identity: Identity, status: os.stat_result) -> tuple[object, ...]:
    return (identity, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
