"""Media: posters and previews as files beside the database, so that the server can send ranges of them.

    <library>/media/.partial-<token>/                                       while a video is being indexed
    <library>/media/<2 hex>/<fingerprint>-<recipe hash>-<token>/            once it is in the library
        poster-00000.jpg  preview-00000.mp4  poster-00001.jpg  ...

The token makes every name unique: a folder is never replaced, and the commit of the row that names it decides which one
is in use. A kill before or after the commit leaves a folder that no row names; these are swept when they are old.
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
from db.errors import LibraryDamaged
from db.records import Segment, Video
from files.links import leads_outside, remove_tree
from files.sweep import is_older, sweep_folders

PARTIAL = ".partial-"
_NAME = re.compile(r"[0-9A-Za-z_]{2,128}")
_FOLDER = re.compile(r"[0-9A-Za-z_]{2,128}-[0-9a-f]{8}-[0-9a-f]{8}")
_NOTHING = "none"  # no folder has this name


class MediaStore:
    """The folder `media` of one library."""

    def __init__(self, database: Database) -> None:
        self.directory = database.file.parent / "media"
        self.database = database

    def folder(self, name: str) -> Path:
        """Return the folder of a video's media; for a name that is not of our form, that of no existing folder.

        Names come from the database, and a library that somebody else made may name any folder of this machine.
        """
        if not (isinstance(name, str) and _FOLDER.fullmatch(name)):
            return self.directory / _NOTHING
        return self.directory / name[:2] / name

    def poster(self, name: str, number: int) -> Path:
        """Return the path of a segment's poster."""
        return self.folder(name) / f"poster-{number:05d}.jpg"

    def preview(self, name: str, number: int) -> Path:
        """Return the path of a segment's preview."""
        return self.folder(name) / f"preview-{number:05d}.mp4"

    def drop(self, name: str) -> None:
        """Remove a folder that no row names any more. Files that cannot be removed now are left to a later sweep."""
        remove_tree(self.folder(name), self.directory.parent)

    def published(self) -> Iterator[str]:
        """Yield the names of all media folders in place."""
        for prefix in _folders(self.directory):
            if len(prefix.name) == 2:
                for folder in _folders(Path(prefix)):
                    if _FOLDER.fullmatch(folder.name):
                        yield folder.name

    def sweep_partial(self, older_than_seconds: float) -> None:
        """Remove folders that were never published. Their age counts from the last file added."""
        sweep_folders(self.directory, PARTIAL, older_than_seconds=older_than_seconds)

    def sweep_orphans(self, referenced: Container[str], older_than_seconds: float) -> None:
        """Remove media folders that no row names.

        Args:
            referenced: The names in the database.
            older_than_seconds: Younger folders stay, as the row that names them may not be committed yet.
        """
        orphans = [
            name
            for name in self.published()
            if name not in referenced and is_older(self.folder(name), older_than_seconds)
        ]
        for name in orphans:
            self.drop(name)


class StagedMedia:
    """Posters and previews of one video that is being indexed; `Library.add_video` publishes them.

    A caller that does not pass them to `add_video` must call `discard`. As a context manager, it discards unpublished
    media at the end.

    Args:
        store: The library's media.
        fingerprint: The video's fingerprint, letters and digits, because it names a folder.
        recipe: How the media were made.

    Raises:
        ValueError: The fingerprint cannot name a folder.
    """

    def __init__(self, store: MediaStore, fingerprint: str, recipe: str) -> None:
        if not _NAME.fullmatch(fingerprint):
            raise ValueError(f"a fingerprint is letters and digits, as it names a folder; got {fingerprint!r}")
        recipe_hash = hashlib.blake2b(recipe.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
        token = secrets.token_hex(4)
        self.fingerprint = fingerprint
        self.name = f"{fingerprint}-{recipe_hash}-{token}"
        self.numbers: set[int] = set()
        self.bytes = 0  # total of all files
        self._store = store
        self._folder = store.directory / f"{PARTIAL}{token}"

    def check(self, store: MediaStore, video: Video, segments: Sequence[Segment]) -> None:
        """Raise ValueError unless these are the media of the video and all its segments, staged in `store`."""
        if self._store.directory != store.directory or self.fingerprint != video.fingerprint:
            raise ValueError(f"these media are of another library or video than {video.path!r}")
        if self.numbers != {segment.number for segment in segments}:
            raise ValueError(f"{video.path!r} has {len(segments)} segments, and media of {len(self.numbers)}")

    def add(self, segment_number: int, poster: bytes, preview: bytes) -> None:
        """Write the media of a segment to disk.

        Args:
            segment_number: The segment's number in its video.
            poster: A JPEG.
            preview: An MP4; empty for none.

        Raises:
            LibraryFull: The disk is full.
            ValueError: The poster is empty.
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
        """Move the folder into place, as the last step before the commit of the row that names it."""
        target = self._store.folder(self.name)
        with self._store.database.translated():
            target.parent.mkdir(parents=True, exist_ok=True)
            if leads_outside(target, self._store.directory.parent):
                raise LibraryDamaged(f"{target.parent} is a link, and none is followed in a library; remove it.")
            os.utime(self._folder)  # so that a sweep before the commit spares it
            self._folder.rename(target)

    def discard(self) -> None:
        """Remove the staged files. Does nothing once they are published, so it is safe in a `finally`."""
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
