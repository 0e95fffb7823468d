"""Files that a person dropped into the page to search with, kept beside the library.

<library>/examples/TOKEN.EXT    the file; TOKEN is made of its content, so the same file is the same example
<library>/examples/TOKEN.jpg    its poster
<library>/examples/TOKEN.json   its name and kind
<library>/examples/.partial-*   on their way in
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

from files.replace import replacing
from files.sweep import sweep_files

MOST_BYTES = 1 << 30
MOST_KEPT_BYTES = 4 << 30
_STALE_SECONDS = 3600.0
_PARTIAL = ".partial-"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")
Kind = Literal["image", "video"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A file to search with. `name` is what the person called it: text to show, never a path."""

    token: str
    name: str
    kind: Kind
    path: Path
    poster: Path


class Examples:
    """The folder `examples` of a library; safe from several threads and processes."""

    def __init__(self, library_directory: Path, *, most_kept_bytes: int = MOST_KEPT_BYTES) -> None:
        self.directory = library_directory / "examples"
        self._most_kept = most_kept_bytes

    def get(self, token: str) -> Example:
        """Raises KeyError where there is none (any more)."""
        if not _TOKEN.fullmatch(token):
            raise KeyError(token)
        try:
            told = json.loads((self.directory / f"{token}.json").read_text("utf-8"))
            name, kind, extension = told["name"], told["kind"], told["extension"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KeyError(token) from error
        path = self.directory / f"{token}.{extension}"
        if not (isinstance(name, str) and kind in ("image", "video") and _EXTENSION.fullmatch(str(extension))):
            raise KeyError(token)
        if path.is_symlink() or not path.is_file():
            raise KeyError(token)
        with suppress(OSError):
            os.utime(path)
        return Example(token=token, name=name, kind=kind, path=path, poster=self.directory / f"{token}.jpg")

    def receive(self, name: str) -> Incoming:
        """A place for a file on its way in; old remains are removed first. Raises OSError where there is no room."""
        self.directory.mkdir(parents=True, exist_ok=True)
        sweep_files(self.directory, _PARTIAL, older_than_seconds=_STALE_SECONDS)
        return Incoming(self, name)

    def keep_within_limit(self, newest: str) -> None:
        """Remove those used longest ago until the rest fits; the newest stays."""
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
            if total <= self._most_kept or token == newest:
                return
            for path in self.directory.glob(f"{token}.*"):
                path.unlink(missing_ok=True)
            total -= sizes[token]


def find_example(library_directory: Path, token: str) -> Example | None:
    """The example of that token, None where there is none (any more)."""
    try:
        return Examples(library_directory).get(token)
    except KeyError:
        return None


class Incoming:
    """A file being received. Whoever does not `finish` it calls `discard`, which leaves nothing."""

    def __init__(self, examples: Examples, name: str) -> None:
        self.name = name
        self.size = 0
        self._examples = examples
        self._digest = hashlib.blake2b(digest_size=16, person=b"prismsearch-drop")
        self._draft = examples.directory / f"{_PARTIAL}{secrets.token_hex(8)}"
        self._file = self._draft.open("xb")

    def write(self, part: bytes) -> None:
        """Append. Raises OSError (a full disk)."""
        self._file.write(part)
        self._digest.update(part)
        self.size += len(part)

    def finish(self) -> Example:
        """See what it is, make its poster, and give it its place. Raises UnreadableVideo where it is neither."""
        from app.web.services.example_pictures import look_at

        self._file.close()
        token = self._digest.hexdigest()
        seen = look_at(self._draft, self.name)
        folder = self._examples.directory
        told = {"name": self.name, "kind": seen.kind, "extension": seen.extension}
        # All three are written before any has its name. They get them in the order file, poster, notes: an example
        # whose notes are there is whole.
        with self._placing(folder / f"{token}.json") as notes, self._placing(folder / f"{token}.jpg") as poster:
            poster.write_bytes(seen.poster)
            notes.write_text(json.dumps(told), "utf-8")
            os.replace(self._draft, folder / f"{token}.{seen.extension}")
        self._examples.keep_within_limit(token)
        return self._examples.get(token)

    def _placing(self, path: Path) -> AbstractContextManager[Path]:
        return replacing(path, draft=self._draft.with_name(f"{self._draft.name}{path.suffix}"))

    def discard(self) -> None:
        """Remove what came. Does nothing once it has its place."""
        self._file.close()
        self._draft.unlink(missing_ok=True)
