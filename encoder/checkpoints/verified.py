"""Receipts: what was found out about a big file once, so that later starts need only look at its size and time.

A receipt holds while the file has the size and modification time that it had when it was read in full.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from files.replace import replace_file


@dataclass(frozen=True, slots=True)
class Receipt:
    """`digest` is true of the file at `path` as long as its size and time are these."""

    path: str  # absolute; a link stays a link, because its name has the suffix
    size_bytes: int
    modified_ns: int
    digest: str  # what was found: a sha256 of the bytes, or a digest of the weights
    commit: str | None = None  # of the repository the file was fetched from

    def holds(self, path: Path) -> bool:
        """Whether the file at `path` is still the one that was read. False as well when it is gone."""
        try:
            return self == about(path, self.digest, self.commit)
        except OSError:
            return False


def about(path: Path, digest: str, commit: str | None = None) -> Receipt:
    """A receipt for the file as it is now. Raises OSError when it cannot be looked at."""
    stat = path.stat()
    return Receipt(os.path.abspath(path), stat.st_size, stat.st_mtime_ns, digest, commit)


def place(folder: Path, name: str) -> Path:
    """Where the receipt called `name` is kept."""
    return folder / "receipts" / f"{name}.json"


def place_for(folder: Path, path: Path) -> Path:
    """Where the receipt of a file anywhere on this machine is kept."""
    key = hashlib.blake2b(os.fsencode(os.path.abspath(path)), digest_size=16).hexdigest()
    return place(folder, key)


def read(place: Path) -> Receipt | None:
    """The receipt kept there; None when there is none, or none that can be read (it is then written anew)."""
    try:
        return Receipt(**json.loads(place.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(place: Path, receipt: Receipt) -> None:
    """Keep a receipt, whole or not at all. On a disk that is full or read-only there is none: it only saves time."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, json.dumps(asdict(receipt), indent=1).encode())


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
