"""Posters and previews as files beside the database, so that a page can serve ranges of them. Knows no SQL.

    <library>/media/.partial-<token>/                                       while a video is being indexed
    <library>/media/<2 hex>/<fingerprint>-<recipe hash>-<token>/            once it is in the library
        poster-00000.jpg  preview-00000.mp4  poster-00001.jpg  ...

The token makes every name new: a folder is never replaced, and which one counts is decided by the commit of the row
that names it. A kill before or after the commit leaves a folder that no row names; those are swept when they are old.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from db.connection import Database
from db.records import Segment, Video
from files.sweep import is_older, sweep_folders

PARTIAL = ".partial-"
_NAME = re.compile(r"[0-9A-Za-z_]{2,128}")
_FOLDER = re.compile(r"[0-9A-Za-z_]{2,128}-[0-9a-f]{8}-[0-9a-f]{8}")


class MediaStore:
    """The folder `media` of one library."""

    def __init__(self, database: Database) -> None:
        self.directory = database.file.parent / "media"
        self.database = database

    def folder(self, name: str) -> Path:
        return self.directory / name[:2] / name

    def poster(self, name: str, number: int) -> Path:
        return self.folder(name) / f"poster-{number:05d}.jpg"

    def preview(self, name: str, number: int) -> Path:
        return self.folder(name) / f"preview-{number:05d}.mp4"

    def drop(self, name: str) -> None:
        """Remove a folder that no row names any more. What cannot be removed now is swept another day."""
        shutil.rmtree(self.folder(name), ignore_errors=True)

    def published(self) -> Iterator[str]:
        """Names of all folders that are in place."""
        for prefix in _folders(self.directory):
            if len(prefix.name) == 2:
                for folder in _folders(Path(prefix)):
                    if _FOLDER.fullmatch(folder.name):
                        yield folder.name

    def sweep_partial(self, older_than_seconds: float) -> None:
        """Remove what runs that died left behind. Age is counted from the last file added."""
        sweep_folders(self.directory, PARTIAL, older_than_seconds=older_than_seconds)

    def sweep_orphans(self, named: Container[str], older_than_seconds: float) -> int:
        """Remove folders that are not among `named`; gives their number. Young ones may be about to be named."""
        orphans = [
            name for name in self.published() if name not in named and is_older(self.folder(name), older_than_seconds)
        ]
        for name in orphans:
            self.drop(name)
        return len(orphans)


class StagedMedia:
    """Posters and previews of one video on their way into the library; `Library.add_video` makes them visible.

    Whoever does not hand it to `add_video` calls `discard`, or uses it as a context manager, which discards what was
    not taken over.
    """

    def __init__(self, store: MediaStore, fingerprint: str, recipe: str) -> None:
        if not _NAME.fullmatch(fingerprint):
            raise ValueError(f"a fingerprint is letters and digits, as it names a folder; got {fingerprint!r}")
        recipe_hash = hashlib.blake2b(recipe.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
        token = secrets.token_hex(4)
        self.fingerprint = fingerprint
        self.name = f"{fingerprint}-{recipe_hash}-{token}"
        self.numbers: set[int] = set()
        self.bytes = 0  # of all files
        self._store = store
        self._folder = store.directory / f"{PARTIAL}{token}"

    def check(self, store: MediaStore, video: Video, segments: Sequence[Segment]) -> None:
        """Raises ValueError unless these are the media of that video and all its segments, staged in that store."""
        if self._store.directory != store.directory or self.fingerprint != video.fingerprint:
            raise ValueError(f"these media are of another library or video than {video.path!r}")
        if self.numbers != {segment.number for segment in segments}:
            raise ValueError(f"{video.path!r} has {len(segments)} segments, and media of {len(self.numbers)}")

    def add(self, segment_number: int, poster: bytes, preview: bytes) -> None:
        """Write a segment's poster (JPEG) and preview (MP4; empty where there is none) to disk.

        Raises LibraryFull when the disk is full, ValueError for an empty poster.
        """
        if not poster:
            raise ValueError(f"segment {segment_number} has no poster")
        with self._store.database.translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"poster-{segment_number:05d}.jpg").write_bytes(poster)
            if preview:
                (self._folder / f"preview-{segment_number:05d}.mp4").write_bytes(preview)
        self.numbers.add(segment_number)
        self.bytes += len(poster) + len(preview)

    def publish(self) -> None:
        """Move into place; the last step before the commit of the row that names it."""
        target = self._store.folder(self.name)
        with self._store.database.translated():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.utime(self._folder)  # young, in the eyes of a sweep between here and the commit
            self._folder.rename(target)

    def discard(self) -> None:
        """Remove what is staged. Does nothing once it is in place, so it is safe in a `finally`."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> StagedMedia:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _folders(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
