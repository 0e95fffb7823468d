"""Example files dropped into the page to search with, stored beside the library.

<library>/examples/TOKEN.EXT    the file; TOKEN is a digest of its content, so the same file is the same example
<library>/examples/TOKEN.jpg    its poster
<library>/examples/TOKEN.json   its name and kind
<library>/examples/.partial-*   uploads in progress
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.media_workers import ReadMedia, read_here
from files.json_file import read_json
from files.replace import move_over, replacing
from files.sweep import sweep_files

MAX_BYTES = 1 << 30
MAX_KEPT_BYTES = 4 << 30
_STALE_SECONDS = 3600.0
_PARTIAL = ".partial-"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")
Kind = Literal["image", "video"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExample:
    """A file to search with. `name` is its original name, for display only, never a path."""

    token: str
    name: str
    kind: Kind
    path: Path
    poster: Path


class Examples:
    """The folder `examples` of a library. Safe from several threads and processes.

    Args:
        library_directory: Folder of the library.
        max_kept_bytes: Total size of the examples kept; the least recently used go first.
        read: Calls the function that looks into a file.
    """

    def __init__(
        self, library_directory: Path, *, max_kept_bytes: int = MAX_KEPT_BYTES, read: ReadMedia = read_here
    ) -> None:
        self.directory = library_directory / "examples"
        self.read = read
        self._max_kept = max_kept_bytes

    def get(self, token: str) -> StoredExample:
        """Return an example by its token.

        Raises:
            KeyError: The example does not exist, or no longer.
        """
        if not _TOKEN.fullmatch(token):
            raise KeyError(token)
        try:
            noted = read_json(self.directory / f"{token}.json", follow_links=False)
            name, kind, extension = noted["name"], noted["kind"], noted["extension"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyError(token) from error
        path = self.directory / f"{token}.{extension}"
        if not (isinstance(name, str) and kind in ("image", "video") and _EXTENSION.fullmatch(str(extension))):
            raise KeyError(token)
        if path.is_symlink() or not path.is_file():
            raise KeyError(token)
        with suppress(OSError):
            os.utime(path)
        return StoredExample(token=token, name=name, kind=kind, path=path, poster=self.directory / f"{token}.jpg")

    def receive(self, name: str) -> ExampleUpload:
        """Begin an upload, after removing leftovers of interrupted ones.

        Args:
            name: The file's original name.

        Raises:
            OSError: The folder cannot be written.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        sweep_files(self.directory, _PARTIAL, older_than_seconds=_STALE_SECONDS)
        return ExampleUpload(self, name)

    def keep_within_limit(self, newest: str) -> None:
        """Remove the least recently used examples until the rest fits; the newest stays."""
        sizes: dict[str, int] = {}
        used: dict[str, float] = {}
        for path in self.directory.iterdir():
            token = path.name.partition(".")[0]
            if _TOKEN.fullmatch(token):
                with suppress(OSError):
                    info = path.lstat()
                    sizes[token] = sizes.get(token, 0) + info.st_size
                    used[token] = max(used.get(token, 0.0), info.st_mtime)
        total = sum(sizes.values())
        for token in sorted(sizes, key=lambda each: (each == newest, used[each])):
            if total <= self._max_kept or token == newest:
                return
            for path in self.directory.glob(f"{token}.*"):
                path.unlink(missing_ok=True)
            total -= sizes[token]


def find_example(library_directory: Path, token: str) -> StoredExample | None:
    """Return an example by its token, or None if it does not exist (any more)."""
    try:
        return Examples(library_directory).get(token)
    except KeyError:
        return None


class ExampleUpload:
    """A file being received. If it is not finished, `discard` removes all of it."""

    def __init__(self, examples: Examples, name: str) -> None:
        self.name = name
        self.size = 0
        self._examples = examples
        self._digest = hashlib.blake2b(digest_size=16, person=b"prismsearch-drop")
        self._draft = examples.directory / f"{_PARTIAL}{secrets.token_hex(8)}"
        self._file = self._draft.open("xb")

    def write(self, part: bytes) -> None:
        """Append data. Raise OSError, for example if the disk is full."""
        self._file.write(part)
        self._digest.update(part)
        self.size += len(part)

    def finish(self) -> StoredExample:
        """Detect the kind of the file, create its poster, and store both.

        Raises:
            UnreadableVideo: It is neither a picture nor a video, or cannot be read.
            OSError: The disk is full, or the folder cannot be written.
        """
        from app.web.services.example_media import detect_media

        self._file.close()
        token = self._digest.hexdigest()
        media = self._examples.read(detect_media, self._draft, self.name, path=str(self._draft))
        folder = self._examples.directory
        noted = {"name": self.name, "kind": media.kind, "extension": media.extension}
        # All three are written before any is renamed into place, in the order file, poster, notes: an example whose
        # notes exist is complete.
        with self._placing(folder / f"{token}.json") as notes, self._placing(folder / f"{token}.jpg") as poster:
            poster.write_bytes(media.poster)
            notes.write_text(json.dumps(noted), "utf-8")
            move_over(self._draft, folder / f"{token}.{media.extension}")
        self._examples.keep_within_limit(token)
        return self._examples.get(token)

    def _placing(self, path: Path) -> AbstractContextManager[Path]:
        return replacing(path, draft=self._draft.with_name(f"{self._draft.name}{path.suffix}"))

    def discard(self) -> None:
        """Remove the received data. Does nothing after `finish`."""
        self._file.close()
        self._draft.unlink(missing_ok=True)
