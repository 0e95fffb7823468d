"""The half of a library's interface that says where the files of its videos are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from db import adoption, failures, vanished, writing
from db.adoption import Rewritten, RootRows
from db.library_queries import LibraryQueries
from db.media_roots import MediaRoots
from db.records import FileState


class LibraryPlaces(LibraryQueries):
    """Files of videos that were moved, renamed, copied, or vanished and were found again. Each call is one transaction.

    The rows of their content stay: nothing is decoded or encoded again.
    """

    def touch_video(
        self, video_id: int, *, path: str, size_bytes: int, modified_ns: int, file_id: str = "", volume: str = ""
    ) -> None:
        """Record that a video's file was moved, renamed or touched. Its content is the same, and all ids stay.

        Args:
            video_id: The video; a vanished one comes back.
            path: Its new absolute path. Any other video stored at that path vanishes.
            size_bytes, modified_ns: Size of the file, and its modification time in Unix nanoseconds.
            file_id, volume: Its device and inode, and the identity of its file system, as in Video; "" if not known.

        Raises:
            KeyError: The id is unknown.
        """
        file = FileState(path=path, size_bytes=size_bytes, modified_ns=modified_ns, file_id=file_id, volume=volume)
        with self._releasing_media() as (connection, released):
            writing.move_video(connection, video_id, file=file, released=released)

    def copy_video(
        self, video_id: int, *, path: str, size_bytes: int, modified_ns: int, file_id: str = "", volume: str = ""
    ) -> int:
        """Add a video with the same content at a second path. Rows are copied, media are shared.

        Args:
            video_id: The video to copy.
            path: Absolute path of the copy. Any other video stored at that path vanishes, but for such a copy.
            size_bytes, modified_ns: Size of the copy's file, and its modification time in Unix nanoseconds.
            file_id, volume: Its device and inode, and the identity of its file system, as in Video; "" if not known.

        Returns:
            The copy's id.

        Raises:
            KeyError: The id is unknown.
            ValueError: `path` is that of the video itself.
        """
        file = FileState(path=path, size_bytes=size_bytes, modified_ns=modified_ns, file_id=file_id, volume=volume)
        with self._releasing_media() as (connection, released):
            return writing.copy_rows(connection, video_id, file=file, released=released)

    def hide_videos(self, ids: Iterable[int]) -> int:
        """Hide videos whose files have vanished. Return how many there were.

        Their rows and media are kept, and come back whole with `touch_video` when the content is found again.
        """
        with self._database.writing() as connection:
            return writing.hide_videos(connection, ids)

    def remove_vanished(self, ids: Collection[int]) -> int:
        """Remove vanished videos with their media. Return how many were removed."""
        with self._releasing_media() as (connection, released):
            return vanished.delete_vanished(connection, ids, released)

    def relink(self, files: Mapping[int, FileState], *, vanished: Mapping[int, str]) -> None:
        """Give videos the new places of their files, all in one transaction. Unknown ids are ignored.

        Args:
            files: By the id of the video. No other video may be at a new path.
            vanished: By the id of a vanished video, its new path.
        """
        with self._writing_paths() as connection:
            writing.relink(connection, files, vanished)

    def move_failures(self, paths: Mapping[str, str]) -> int:
        """Give failures the new paths of their files, by the old ones. Return how many moved."""
        with self._writing_paths() as connection:
            return failures.move_failures(connection, paths)

    def set_places(self, volumes: Mapping[int, str], file_ids: Mapping[int, str] | None = None) -> None:
        """Store where files are: their volumes, and device and inode, by ids of videos. Unknown ids are ignored."""
        with self._database.writing() as connection:
            writing.put_volumes(connection, volumes)
            writing.put_file_ids(connection, file_ids or {})

    # Roots of media

    @property
    def roots(self) -> MediaRoots:
        """The roots of media that this machine knows, by which paths are stored and shown."""
        return self._database.roots

    def root_rows(self) -> list[RootRows]:
        """Return what the library has of each root that it or this machine knows, by name."""
        with self._database.reading() as connection:
            return adoption.root_rows(connection)

    def require_adopted(self) -> None:
        """Raise LibraryError if files in the folder of a root are stored in another way: see `db.adoption`."""
        if self.roots:
            with self._database.reading() as connection:
                adoption.require_adopted(connection)

    def adopt_root(self, name: str) -> Rewritten:
        """Store the paths of all files in the folder of a root below it, in one transaction. See `db.adoption`."""
        with self._database.writing() as connection:
            return adoption.adopt(connection, name)

    def release_root(self, name: str) -> Rewritten:
        """Store the paths of all files below a root as plain ones of this machine, in one transaction."""
        with self._database.writing() as connection:
            return adoption.release(connection, name)

    # Internal

    @contextmanager
    def _writing_paths(self) -> Iterator[Connection]:
        """Yield a write transaction for what looks rows up by their paths."""
        with self._database.writing() as connection:
            adoption.require_adopted(connection)
            yield connection

    @contextmanager
    def _releasing_media(self) -> Iterator[tuple[Connection, set[str]]]:
        """Yield a write transaction, and a set of media folders to remove after the commit unless a row names them."""
        released: set[str] = set()
        with self._writing_paths() as connection:
            yield connection, released
            unreferenced = writing.unreferenced_media(connection, released)
        for name in unreferenced:
            self._media.drop(name)
