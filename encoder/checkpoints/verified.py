"""Records of files that were verified in full, so that later starts check only their size and time.

A record is current while its file has the size and modification time that it had when it was read. Records are small
JSON files below the models folder; without them everything works, but each start reads the weights again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from files.json_file import read_json
from files.replace import replace_file


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A file's digest, and the size and time of the file that it was computed from.

    Attributes:
        path: Absolute, links not followed, because the link's name has the suffix.
        size_bytes: Size of the file when it was read.
        modified_ns: Its modification time.
        digest: The sha256 of its bytes, or a digest of the weights in it.
        commit: The commit of the repository that it was fetched from, if known.
        space, text: The digests of the parts of the weights behind `Encoder.id` and `Encoder.text_id`, if they were
            computed.
    """

    path: str
    size_bytes: int
    modified_ns: int
    digest: str
    commit: str | None = None
    space: str | None = None
    text: str | None = None

    @classmethod
    def of(cls, path: Path, digest: str, commit: str | None = None) -> VerifiedFile:
        """Create the record of a file as it is now. Raise OSError when it cannot be accessed."""
        stat = path.stat()
        return cls(os.path.abspath(path), stat.st_size, stat.st_mtime_ns, digest, commit)

    def is_current(self, path: Path) -> bool:
        """Return whether the file at `path` is still the one that was read; False if it is missing."""
        try:
            now = VerifiedFile.of(path, self.digest)
        except OSError:
            return False
        return (self.path, self.size_bytes, self.modified_ns) == (now.path, now.size_bytes, now.modified_ns)


def record_path(models: Path, name: str) -> Path:
    """Return the path of the record called `name` below the models folder."""
    return models / "receipts" / f"{name}.json"


def record_path_for(models: Path, path: Path) -> Path:
    """Return the path of the record of a file anywhere on this machine."""
    key = hashlib.blake2b(os.fsencode(os.path.abspath(path)), digest_size=16).hexdigest()
    return record_path(models, key)


def read_record(path: Path) -> VerifiedFile | None:
    """Read the record at `path`; return None for a missing or damaged one, which will be rewritten."""
    try:
        return VerifiedFile(**read_json(path))
    except (OSError, ValueError, TypeError):
        return None


def write_record(path: Path, record: VerifiedFile) -> None:
    """Write a record atomically. Errors are ignored, because it only saves time."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(asdict(record), indent=1).encode())


def matches_etag(path: Path, etag: str) -> bool | None:
    """Return whether a file's content is the one that the hub's ETag names; None if the ETag is no digest.

    The ETag of a large file is its sha256, that of another one the name of its git object; mirrors may state a sha1.

    Raises:
        OSError: The file cannot be read.
    """
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", etag):
        return None
    if len(etag) == 64:
        return sha256_of(path) == etag
    plain = hashlib.sha1(usedforsecurity=False)
    git = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            plain.update(chunk)
            git.update(chunk)
    return etag in (plain.hexdigest(), git.hexdigest())


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes in hexadecimal. Raise OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
