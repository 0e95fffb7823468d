"""Media: posters and previews as files beside the database, so that the server can send ranges of them.

    <library>/media/.partial-owned-<token>/                                 while a video is being indexed
    <library>/media/<2 hex>/<fingerprint>-<recipe hash>-<token>/            once it is in the library
        poster-00000.jpg  preview-00000.mp4  poster-00001.jpg  ...

The token makes every name unique: a folder is never replaced, and the commit of the row that names it decides which one
is in use. A kill before or after the commit leaves a folder that no row names; these are swept when they are old. A
folder that is being filled is locked, so that what a dead process left is swept at once. All files are on the disk
before the row that names them, so that a power cut leaves no row without its media.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import weakref
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from db.database import Database
from db.errors import LibraryDamaged
from db.records import Segment, Video
from files.durability import flush, flush_directory
from files.folder_lock import NoLocks, lock_folder
from files.links import leads_outside, remove_tree
from files.sweep import is_older, sweep_folders

PARTIAL = ".partial-"
_OWNED = f"{PARTIAL}owned-"  # locked by the process that fills it; earlier versions do not lock theirs
_FLUSHERS = 16  # the disk writes one journal entry for all files that are flushed at the same time
_NAME = re.compile(r"[0-9A-Za-z_]{2,128}")
_FOLDER = re.compile(r"[0-9A-Za-z_]{2,128}-[0-9a-f]{8}-[0-9a-f]{8}")
_NOTHING = "none"  # no folder has this name


class MediaStore:
    """The folder `media` of one library."""

    def __init__(self, database: Database) -> None:
        self.directory = database.folder / "media"
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
        """Remove folders that were never published: of dead processes at once, others once old enough.

        Where other machines fill folders, too, one without a lock is removed by its age: their locks may not be seen.
        """
        locked: list[str] = []
        for folder in _folders(self.directory):
            if folder.name.startswith(_OWNED):
                try:
                    lock = lock_folder(Path(folder.path))
                except BlockingIOError:
                    locked.append(folder.name)
                except OSError:  # by its age
                    continue
                else:
                    if not self.database.shared:
                        shutil.rmtree(folder.path, ignore_errors=True)
                    os.close(lock)
        sweep_folders(self.directory, PARTIAL, older_than_seconds=older_than_seconds, keep=locked)

    def is_whole(self, name: str, segments: int, media_bytes: int) -> bool:
        """Return whether a folder has all its posters, none empty, and its stored size. Costs a stat per file.

        Args:
            name: The folder.
            segments: The number of its posters.
            media_bytes: The sum of the sizes of posters and previews; 0 if it is not known.
        """
        posters = total = 0
        try:
            with os.scandir(self.folder(name)) as entries:
                for entry in entries:
                    size = entry.stat(follow_symlinks=False).st_size
                    total += size
                    posters += size > 0 and entry.name.startswith("poster-")
        except OSError:
            return False
        return posters >= segments and media_bytes in (0, total)

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
        self._folder = store.directory / f"{_OWNED}{token}"
        self._unlock: Callable[[], object] = lambda: None
        self._unflushed: list[Path] = []

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
            self._make_folder()
            self._write(f"poster-{segment_number:05d}.jpg", poster)
            if preview:
                self._write(f"preview-{segment_number:05d}.mp4", preview)
        self.numbers.add(segment_number)
        self.bytes += len(poster) + len(preview)

    def _make_folder(self) -> None:
        while not self._folder.is_dir():
            self._folder.mkdir(parents=True)
            with contextlib.suppress(BlockingIOError, FileNotFoundError):  # a sweep just then: make another
                with contextlib.suppress(NoLocks):
                    self._unlock = weakref.finalize(self, os.close, lock_folder(self._folder))
                return
            self._folder = self._folder.with_name(f"{_OWNED}{secrets.token_hex(4)}")

    def _write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.write_bytes(content)
        self._unflushed.append(path)

    def flush(self) -> None:
        """Flush the files added so far to the disk: before the transaction that names them, so that it stays short.

        Raises:
            LibraryFull: The disk is full.
        """
        with self._store.database.translated():
            if self._unflushed:
                with ThreadPoolExecutor(min(_FLUSHERS, len(self._unflushed)), "flush-media") as pool:
                    list(pool.map(flush, self._unflushed))
                flush_directory(self._folder)
        self._unflushed = []

    def publish(self) -> None:
        """Move the folder into place, as the last step before the commit of the row that names it.

        Does nothing if it is there, because that commit had no answer and is tried again.
        """
        target = self._store.folder(self.name)
        if target.is_dir():
            return
        with self._store.database.translated():
            target.parent.mkdir(parents=True, exist_ok=True)
            if leads_outside(target, self._store.directory.parent):
                raise LibraryDamaged(f"{target.parent} is a link, and links in a library are not followed; remove it.")
            os.utime(self._folder)  # so that a sweep before the commit spares it
            self._folder.rename(target)
            for folder in (target.parent, self._store.directory):
                flush_directory(folder)
        self._unlock()

    def discard(self) -> None:
        """Remove the staged files. Does nothing once they are published, so it is safe in a `finally`."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._unlock()

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
