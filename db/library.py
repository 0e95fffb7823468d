"""The one door to what we know. Every SQL statement of the project is behind it, and nothing with a connection leaves.

Safe from several threads and processes: each call is one transaction on a connection of its own.
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
    """Use `Library.open`. Any method may raise a LibraryError: busy, full, damaged (see db.errors)."""

    def __init__(self, directory: Path, database: Database, library_id: str) -> None:
        self.directory = directory
        self.id = library_id
        self.collections = Collections(database)  # what a person keeps
        self.searches = SavedSearches(database)
        self._database = database
        self._media = MediaStore(database)
        self._tables = SegmentTables(database, library_id)
        self._watch = database.watch()

    @classmethod
    def open(cls, directory: Path, *, create: bool = True, busy_seconds: float = 30.0) -> Library:
        """Open the library in `directory`, made or migrated where that is needed.

        busy_seconds: how long any call waits for another process that is writing.
        Raises LibraryMissing (and `create` is False), LibraryNewer, LibraryDamaged, LibraryBusy, LibraryFull, or
        LibraryError where the folder cannot be made or written.
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
        """Let go of the file. Calls after this raise LibraryError."""
        self._database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Indexing

    def known_files(self, encoder_id: str) -> dict[str, KnownFile]:
        """By path: what a scan needs to see that a file is unchanged, and embedded by this encoder."""
        with self._database.reading() as connection:
            return reading.known_files(connection, encoder_id)

    def videos_with_fingerprint(self, fingerprint: str) -> list[Video]:
        """Videos of that content, by path."""
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
        """Store a video with its shots, segments and embeddings in one transaction; gives its id.

        embeddings: float (segments, D), row i of segment i, unit length, stored as float16.
        recipe: how the clips were made; `known_files` gives it back. media: posters and previews of every segment.
        It replaces what the library had at that path. Where content, shots and segments are the stored ones, their ids
        stay, and only this encoder's embeddings (and media, if given) are written again.
        Raises ValueError where the parts do not fit together. After any error the library is as it was.
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
        """The same content, moved, renamed or touched: nothing is encoded again, every id stays.

        What the library had at `path` goes. Raises KeyError for an unknown id.
        """
        with self._releasing_media() as (connection, released):
            writing.move_video(
                connection, video_id, path=path, size_bytes=size_bytes, modified_ns=modified_ns, released=released
            )

    def copy_video(self, video_id: int, *, path: str, size_bytes: int, modified_ns: int) -> int:
        """The same content at a second path: rows are copied, media shared. Gives the copy's id.

        What the library had at `path` goes. Raises KeyError for an unknown id, ValueError for the original's own path.
        """
        with self._releasing_media() as (connection, released):
            return writing.copy_rows(
                connection, video_id, path=path, size_bytes=size_bytes, modified_ns=modified_ns, released=released
            )

    def remove_videos(self, ids: Iterable[int]) -> int:
        """Forget videos, all that hangs on them included; gives how many there were. Source files stay."""
        with self._releasing_media() as (connection, released):
            return writing.delete_videos(connection, ids, released)

    def record_failure(self, failure: Failure) -> None:
        """Keep why a file could not be indexed. Attempts count up while size and time of the file stay the same."""
        with self._database.writing() as connection:
            writing.put_failure(connection, failure)

    def failures(self) -> list[Failure]:
        """By path."""
        with self._database.reading() as connection:
            return reading.all_failures(connection)

    def clear_failures(self, paths: Iterable[str]) -> int:
        """Forget the failures of these paths; gives how many there were. Adding a video at a path does so by itself."""
        with self._database.writing() as connection:
            return writing.forget_failures(connection, paths)

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
        """A place for posters and previews while a video is indexed; `add_video` makes them visible."""
        return StagedMedia(self._media, fingerprint, recipe)

    def poster_path(self, video: Video, segment_number: int) -> Path:
        """The JPEG of a segment. The file is there if the video was added with media."""
        return self._media.poster(self._media_name(video), segment_number)

    def preview_path(self, video: Video, segment_number: int) -> Path:
        """The MP4 of a segment, to play while the mouse is over it. The file is there if there was a preview."""
        return self._media.preview(self._media_name(video), segment_number)

    # What is known

    def videos(self, folder: str | None = None) -> list[Video]:
        """All videos, or those below an absolute folder, by path."""
        with self._database.reading() as connection:
            return reading.videos_where(connection, None if folder is None else reading.below(folder))

    def overview(self) -> list[VideoOverview]:
        """Every video with counts, a segment to stand for it, and who has embedded it, by path. Few questions."""
        with self._database.reading() as connection:
            return overview.overview(connection)

    def owners(self, encoder_id: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(segment ids ascending, ids of their videos), int64 (N,): of all segments that the encoder has embedded."""
        return self._tables.owners(encoder_id)

    def video_at(self, path: str) -> Video | None:
        with self._database.reading() as connection:
            return next(iter(reading.videos_where(connection, videos_table.c.path == path)), None)

    def video(self, video_id: int) -> Video:
        """Raises KeyError for an unknown id."""
        with self._database.reading() as connection:
            return reading.video(connection, video_id)

    def folders(self) -> list[str]:
        """Folders that hold videos themselves, not only in folders below, sorted."""
        with self._database.reading() as connection:
            return reading.folders(connection)

    def shots(self, video_id: int) -> list[Shot]:
        """By number."""
        with self._database.reading() as connection:
            return reading.shots_of(connection, video_id)

    def segments_of(self, video_id: int) -> list[Segment]:
        """By number."""
        with self._database.reading() as connection:
            return reading.segments_of(connection, video_id)

    def segments(self, ids: Iterable[int]) -> dict[int, tuple[Segment, Video]]:
        """By id; ids that are gone are left out."""
        with self._database.reading() as connection:
            return reading.segments_by_id(connection, ids)

    def video_ids(self, segment_ids: Iterable[int]) -> dict[int, int]:
        """The video of each segment; segments that are gone are left out. Quicker than `segments`."""
        with self._database.reading() as connection:
            return reading.video_ids(connection, segment_ids)

    def segments_around(self, segment_id: int, before: int = 6, after: int = 6) -> list[tuple[Segment, Video]]:
        """The segment amid its neighbours in the video, in order. Raises KeyError for an unknown id."""
        with self._database.reading() as connection:
            return reading.segments_around(connection, segment_id, before, after)

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """int64 (N,), ascending, not to be written into: segments that the filters allow and this encoder has embedded.

        All limits are inclusive. Raises ValueError for a folder that is not absolute.
        """
        return self._tables.allowed(filters, encoder_id)

    # Embeddings

    def embeddings(
        self, encoder_id: str, after: int = 0, batch: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Batches of ids int64 (n,) and rows float32 (n, D), by ascending segment id > `after`.

        Each batch is a transaction of its own, so that a slow reader keeps nobody waiting; whoever needs one state
        compares `stamp` before and after.
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
        """float32 (n, D) in the order of `ids`. Raises KeyError if one has no embedding by this encoder."""
        with self._database.reading() as connection:
            return vectors.rows_of(connection, encoder_id, ids)

    def stamp(self, encoder_id: str) -> Stamp:
        """Whether a copy of this encoder's embeddings is still good, and what it lacks: see Stamp."""
        with self._database.reading() as connection:
            return vectors.stamp(connection, self.id, encoder_id)

    def encoders(self) -> list[EncoderRow]:
        """In the order in which they first came."""
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
        with self._database.reading() as connection:
            return health.stats(connection, self._database.file)

    def check(self) -> list[str]:
        """Problems found, one sentence each; empty when healthy. Reads everything once.

        What dead runs left in the media folder is no problem, and removed if it is older than an hour.
        """
        try:
            with self._database.reading() as connection:
                found = health.problems(connection, self._media)
                named = writing.named_media(connection)
        except LibraryDamaged as error:
            return [str(error)]
        if not found:  # a damaged database might name too little
            self._media.sweep_partial(_HOUR_SECONDS)
            self._media.sweep_orphans(named, _HOUR_SECONDS)
        return found

    # Inside

    @contextmanager
    def _releasing_media(self) -> Iterator[tuple[Connection, set[str]]]:
        """A write transaction; media folders put into the set are removed after the commit, if no row names them."""
        released: set[str] = set()
        with self._database.writing() as connection:
            yield connection, released
            unnamed = writing.unnamed(connection, released)
        for name in unnamed:
            self._media.drop(name)

    def _withdraw(self, media: StagedMedia) -> None:
        """After an error in `add_video`: remove its media, unless the error came after the commit (Ctrl-C can)."""
        media.discard()
        with suppress(LibraryError), self._database.reading() as connection:
            for name in writing.unnamed(connection, [media.name]):
                self._media.drop(name)

    def _media_name(self, video: Video) -> str:
        """The name of the video's media folder; without media a name that no folder has."""
        with self._database.reading() as connection:
            name = connection.scalar(select(videos_table.c.media).where(videos_table.c.id == video.id))
        return name or f"{video.fingerprint}-none"
