"""Library: the interface to everything that is stored. All SQL of the project is behind it.

A library may be used from several threads, and opened by several processes: each call is one transaction on a
connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from db import health, opening, overview, reading, shaping, vectors, writing
from db.collections import Collections
from db.connection import Database
from db.errors import LibraryDamaged, LibraryError, LibraryMissing
from db.media import MediaStore, StagedMedia
from db.overview import VideoOverview
from db.records import (
    CutSettings,
    EncoderChoice,
    EncoderRow,
    Failure,
    Filters,
    KnownFile,
    Segment,
    Shot,
    Stamp,
    Stats,
    Video,
)
from db.saved_searches import SavedSearches
from db.schema import videos as videos_table
from db.segment_table import SegmentTables

FILE_NAME = "library.sqlite3"
_HOUR_SECONDS = 3600.0


class Library:
    """Videos, shots, segments and embeddings, with the collections and searches that people keep.

    Create one by `Library.open`. Any method may raise a LibraryError: busy, full, damaged (see `db.errors`).

    Attributes:
        directory: The library's folder.
        id: A uuid that the library keeps for good.
        collections: Collections of subclips.
        searches: Saved searches.
    """

    def __init__(self, directory: Path, database: Database, library_id: str) -> None:
        self.directory = directory
        self.id = library_id
        self.collections = Collections(database)
        self.searches = SavedSearches(database)
        self._database = database
        self._media = MediaStore(database)
        self._tables = SegmentTables(database, library_id)
        self._watch = database.watch()

    @classmethod
    def open(cls, directory: Path, *, create: bool = True, busy_seconds: float = 30.0) -> Library:
        """Open a library. Create it, or migrate it to the current format, where needed.

        Args:
            directory: The library's folder.
            create: Create the folder and the library where there is none.
            busy_seconds: How long any call waits for another process that is writing.

        Raises:
            LibraryMissing: There is no library, and `create` is False.
            LibraryNewer: A newer version of prismsearch wrote it.
            LibraryDamaged: The file is not a library, or is not sound.
            LibraryBusy: Another process kept it locked for `busy_seconds`.
            LibraryFull: The disk is full.
            LibraryError: The folder cannot be created or written.
        """
        directory = Path(directory).absolute()
        file = directory / FILE_NAME
        database = Database(file, busy_seconds)
        try:
            if not create and not (file.is_file() and file.stat().st_size):
                raise LibraryMissing(
                    f"There is no library in {directory}. Index a folder first, or name another --library."
                )
            with database.translated():
                directory.mkdir(parents=True, exist_ok=True)
            library = cls(directory, database, opening.prepare(database))
        except OSError as error:
            raise LibraryError(
                f"No library can be made in {directory} ({error.strerror}). Choose another folder with --library."
            ) from error
        except BaseException:
            database.close()
            raise
        library._media.sweep_partial(24 * _HOUR_SECONDS)
        return library

    def close(self) -> None:
        """Close the database file. Later calls raise LibraryError."""
        self._database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Indexing

    def known_files(self, encoder_id: str) -> dict[str, KnownFile]:
        """Return the state in which each file was indexed, by path.

        Args:
            encoder_id: The encoder that `recipe` and `embedded` of the answer refer to.
        """
        with self._database.reading() as connection:
            return reading.known_files(connection, encoder_id)

    def videos_with_fingerprint(self, fingerprint: str) -> list[Video]:
        """Return the videos with that content, by path."""
        with self._database.reading() as connection:
            return reading.videos_where(connection, videos_table.c.fingerprint == fingerprint)

    def add_video(
        self,
        video: Video,
        shots: Sequence[Shot],
        segments: Sequence[Segment],
        embeddings: NDArray[np.float32],
        *,
        encoder_id: str,
        recipe: str,
        media: StagedMedia | None = None,
    ) -> int:
        """Store a video with its shots, segments and embeddings in one transaction.

        It replaces the video at that path. Where content, shots and segments are the stored ones, their ids stay, and
        only this encoder's embeddings (and media, if given) are written again.

        Args:
            video: The video; its id is ignored.
            shots: Numbered from 0.
            segments: Numbered from 0; their ids are ignored.
            embeddings: float (segments, D), row i of segment i, of unit length. Stored as float16.
            encoder_id: The encoder of the embeddings.
            recipe: How the clips were made; `known_files` returns it.
            media: Posters and previews of all segments. They are published, or discarded after an error.

        Returns:
            The video's id.

        Raises:
            ValueError: The parts do not fit together. After any error the library is as it was.
        """
        try:
            matrix = vectors.checked_matrix(embeddings, len(segments))
            writing.check_parts(video, shots, segments)
            if media is not None:
                media.check(self._media, video, segments)
            with self._releasing_media() as (connection, released):
                video_id = writing.put_video(
                    connection,
                    video,
                    shots,
                    segments,
                    matrix,
                    encoder_id=encoder_id,
                    recipe=recipe,
                    media=None if media is None else media.name,
                    media_bytes=0 if media is None else media.bytes,
                    released=released,
                )
                if media is not None:
                    media.publish()
        except BaseException:
            if media is not None:
                self._withdraw(media)
            raise
        return video_id

    def touch_video(self, video_id: int, *, path: str, size_bytes: int, modified_ns: int) -> None:
        """Store that a video's file was moved, renamed or touched. Its content is the same, and every id stays.

        Args:
            video_id: The video.
            path: Its absolute path now. Another video that the library has there is removed.
            size_bytes: Size of the file.
            modified_ns: Modification time of the file, Unix nanoseconds.

        Raises:
            KeyError: There is no video of that id.
        """
        with self._releasing_media() as (connection, released):
            writing.move_video(
                connection, video_id, path=path, size_bytes=size_bytes, modified_ns=modified_ns, released=released
            )

    def copy_video(self, video_id: int, *, path: str, size_bytes: int, modified_ns: int) -> int:
        """Store the same content at a second path. Rows are copied, media are shared.

        Args:
            video_id: The video to copy.
            path: Absolute path of the copy. Another video that the library has there is removed.
            size_bytes: Size of the copy's file.
            modified_ns: Modification time of the copy's file, Unix nanoseconds.

        Returns:
            The copy's id.

        Raises:
            KeyError: There is no video of that id.
            ValueError: `path` is that of the video itself.
        """
        with self._releasing_media() as (connection, released):
            return writing.copy_rows(
                connection, video_id, path=path, size_bytes=size_bytes, modified_ns=modified_ns, released=released
            )

    def remove_videos(self, ids: Iterable[int]) -> int:
        """Remove videos with their shots, segments, embeddings and media. Return how many there were.

        Source files are never touched.
        """
        with self._releasing_media() as (connection, released):
            return writing.delete_videos(connection, ids, released)

    def record_failure(self, failure: Failure) -> None:
        """Store why a file could not be indexed. Attempts count up while size and time of the file stay the same."""
        with self._database.writing() as connection:
            writing.put_failure(connection, failure)

    def failures(self) -> list[Failure]:
        """Return all failures, by path."""
        with self._database.reading() as connection:
            return reading.all_failures(connection)

    def clear_failures(self, paths: Iterable[str]) -> int:
        """Remove the failures of these paths, as adding a video does for its path. Return how many there were."""
        with self._database.writing() as connection:
            return writing.delete_failures(connection, paths)

    # What shapes rows and cuts

    def encoder_choices(self) -> list[EncoderChoice]:
        """Return how each encoder is loaded, the one used last first: that one is the library's own."""
        with self._database.reading() as connection:
            return shaping.all_encoder_choices(connection)

    def use_encoders(self, *choices: EncoderChoice) -> None:
        """Store how encoders are loaded, each in place of what was stored for its id, in one transaction.

        Args:
            choices: In the order of use; the last one becomes the library's own encoder.
        """
        with self._database.writing() as connection:
            shaping.use_encoders(connection, choices)

    def cut_settings(self) -> CutSettings | None:
        """Return how videos are cut, or None where no run of format 4 or later has said so."""
        with self._database.reading() as connection:
            return shaping.cut_settings(connection)

    def use_cut_settings(self, cuts: CutSettings) -> None:
        """Store how videos are cut from now on. Segments that are stored stay as they are."""
        with self._database.writing() as connection:
            shaping.put_cut_settings(connection, cuts)

    def recipes(self) -> dict[str, int]:
        """Return how many encodings (a video by an encoder) each recipe has, that of the newest video first."""
        with self._database.reading() as connection:
            return shaping.recipes(connection)

    # Media

    def stage_media(self, fingerprint: str, recipe: str) -> StagedMedia:
        """Return an empty store for the posters and previews of a video that is being indexed.

        Args:
            fingerprint: The video's.
            recipe: The one that `add_video` will be given.

        Raises:
            ValueError: The fingerprint is not made of letters and digits.
        """
        return StagedMedia(self._media, fingerprint, recipe)

    def poster_path(self, video: Video, segment_number: int) -> Path:
        """Return the path of a segment's JPEG. The file exists if the video was added with media."""
        return self._media.poster(self._media_name(video), segment_number)

    def preview_path(self, video: Video, segment_number: int) -> Path:
        """Return the path of a segment's short MP4. The file exists if the segment was added with a preview."""
        return self._media.preview(self._media_name(video), segment_number)

    # Videos and segments

    def videos(self, folder: str | None = None) -> list[Video]:
        """Return all videos, or those below a folder, by path.

        Raises:
            ValueError: The folder is not an absolute path.
        """
        with self._database.reading() as connection:
            return reading.videos_where(connection, None if folder is None else reading.below(folder))

    def overview(self) -> list[VideoOverview]:
        """Return every video with counts of its parts, by path, in a few queries."""
        with self._database.reading() as connection:
            return overview.overview(connection)

    def owners(self, encoder_id: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the segments that an encoder has embedded, with their videos.

        Returns:
            Segment ids, ascending, and the ids of their videos: two arrays of int64 (N,).
        """
        return self._tables.owners(encoder_id)

    def video_at(self, path: str) -> Video | None:
        """Return the video at an absolute path, or None."""
        with self._database.reading() as connection:
            return next(iter(reading.videos_where(connection, videos_table.c.path == path)), None)

    def video(self, video_id: int) -> Video:
        """Return a video. Raise KeyError for an unknown id."""
        with self._database.reading() as connection:
            return reading.video(connection, video_id)

    def folders(self) -> list[str]:
        """Return the folders that videos lie in directly, sorted."""
        with self._database.reading() as connection:
            return reading.folders(connection)

    def shots(self, video_id: int) -> list[Shot]:
        """Return the shots of a video, by number; none for an unknown id."""
        with self._database.reading() as connection:
            return reading.shots_of(connection, video_id)

    def segments_of(self, video_id: int) -> list[Segment]:
        """Return the segments of a video, by number; none for an unknown id."""
        with self._database.reading() as connection:
            return reading.segments_of(connection, video_id)

    def segments(self, ids: Iterable[int]) -> dict[int, tuple[Segment, Video]]:
        """Return segments with their videos, by segment id. Unknown ids are left out."""
        with self._database.reading() as connection:
            return reading.segments_by_id(connection, ids)

    def video_ids(self, segment_ids: Iterable[int]) -> dict[int, int]:
        """Return the video id of each segment. Unknown ids are left out. Faster than `segments`."""
        with self._database.reading() as connection:
            return reading.video_ids(connection, segment_ids)

    def segments_around(self, segment_id: int, before: int = 6, after: int = 6) -> list[tuple[Segment, Video]]:
        """Return a segment and its neighbours in the video, in order, each with the video.

        Args:
            segment_id: The segment.
            before: At most this many segments before it.
            after: At most this many segments after it.

        Raises:
            KeyError: There is no segment of that id.
        """
        with self._database.reading() as connection:
            return reading.segments_around(connection, segment_id, before, after)

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """Return the segments that the filters allow and an encoder has embedded.

        Args:
            filters: All limits are inclusive.
            encoder_id: The encoder.

        Returns:
            int64 (N,), ascending. The array is shared and read-only.

        Raises:
            ValueError: The filters' folder is not an absolute path.
        """
        return self._tables.allowed(filters, encoder_id)

    # Embeddings

    def embeddings(
        self, encoder_id: str, after: int = 0, batch: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield all embeddings by an encoder in batches, by ascending segment id.

        Each batch is a transaction of its own, so that a slow reader holds nobody up. A reader that needs one state of
        the library compares `stamp` before and after.

        Args:
            encoder_id: The encoder.
            after: Begin with the first segment id above this.
            batch: Rows in a batch; the last one may have fewer.

        Yields:
            Segment ids int64 (n,) and rows float32 (n, D).

        Raises:
            ValueError: `batch` is below 1.
        """
        if batch < 1:
            raise ValueError(f"a batch needs at least one row, got {batch}")
        while True:
            with self._database.reading() as connection:
                ids, matrix = vectors.rows_after(connection, encoder_id, int(after), batch)
            if ids.size:
                yield ids, matrix
            if ids.size < batch:
                return
            after = int(ids[-1])

    def embedding_rows(self, encoder_id: str, ids: Iterable[int]) -> NDArray[np.float32]:
        """Return the embeddings of segments by an encoder.

        Returns:
            float32 (n, D), in the order of `ids`.

        Raises:
            KeyError: A segment has no embedding by this encoder.
        """
        with self._database.reading() as connection:
            return vectors.rows_of(connection, encoder_id, ids)

    def stamp(self, encoder_id: str) -> Stamp:
        """Return the state of an encoder's embeddings, which tells what a copy of them lacks: see `Stamp`."""
        with self._database.reading() as connection:
            return vectors.stamp(connection, self.id, encoder_id)

    def encoders(self) -> list[EncoderRow]:
        """Return the encoders that have embedded anything, in the order of their first use."""
        with self._database.reading() as connection:
            return vectors.encoder_rows(connection)

    def change_token(self) -> str:
        """Return a text that is another one whenever any process has written to the library.

        It costs one question to SQLite, however large the library is. Whatever is read after this call is of the
        token's state or of a later one, so a cache asks for the token first and reads afterwards. Tokens can only be
        compared within one process; another process, or the library opened again, has others for the same state.
        """
        return self._watch.token()

    # Health

    def stats(self) -> Stats:
        """Return how much the library holds. No media file is looked at."""
        with self._database.reading() as connection:
            return health.stats(connection, self._database.file)

    def check(self) -> list[str]:
        """Check the whole library, which reads everything once.

        Files that killed runs left in the media folder are no problem; those older than an hour are removed.

        Returns:
            The problems found, one sentence each; none when the library is sound.
        """
        try:
            with self._database.reading() as connection:
                found = health.problems(connection, self._media)
                referenced = writing.referenced_media(connection)
        except LibraryDamaged as error:
            return [str(error)]
        if not found:  # a damaged database might name too little
            self._media.sweep_partial(_HOUR_SECONDS)
            self._media.sweep_orphans(referenced, _HOUR_SECONDS)
        return found

    # Internal

    @contextmanager
    def _releasing_media(self) -> Iterator[tuple[Connection, set[str]]]:
        """Yield a write transaction and a set of media folders to remove after the commit, if no row names them."""
        released: set[str] = set()
        with self._database.writing() as connection:
            yield connection, released
            unreferenced = writing.unreferenced_media(connection, released)
        for name in unreferenced:
            self._media.drop(name)

    def _withdraw(self, media: StagedMedia) -> None:
        """Remove the media after an error in `add_video`, unless it came after the commit (as Ctrl-C can)."""
        media.discard()
        with suppress(LibraryError), self._database.reading() as connection:
            for name in writing.unreferenced_media(connection, [media.name]):
                self._media.drop(name)

    def _media_name(self, video: Video) -> str:
        """Return the name of the video's media folder; without media, a name that no folder has."""
        with self._database.reading() as connection:
            name = connection.scalar(select(videos_table.c.media).where(videos_table.c.id == video.id))
        return name or f"{video.fingerprint}-none"
