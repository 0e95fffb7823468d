"""The read-only half of a library's interface."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from db import health, library_settings, overview, reading, vanished, vectors
from db.database import Database
from db.media import MediaStore
from db.overview import VideoOverview
from db.records import (
    CutSettings,
    EncoderChoice,
    EncoderRow,
    Facets,
    Failure,
    Filters,
    KnownFile,
    Segment,
    Shot,
    Stamp,
    Stats,
    Video,
)
from db.schema import vanished_videos as vanished_table
from db.schema import videos as videos_table
from db.segment_table import SegmentTables
from db.segment_times import SegmentTimes, Span, segment_times, segments_at
from db.shot_parts import shot_parts
from db.vanished import VanishedVideo
from db.watch import Watch


class LibraryQueries:
    """The queries of a library. Each call is one read transaction.

    Attributes:
        directory: The library's folder; of one on a server, this machine's folder for what is made from it.
        id: The permanent uuid of the library.
    """

    def __init__(self, directory: Path, database: Database, library_id: str) -> None:
        self.directory = directory
        self.id = library_id
        self._database = database
        self._media = MediaStore(database)
        self._tables = SegmentTables(database, library_id)
        self._watch = Watch(database)

    @property
    def name(self) -> str:
        """The library, as messages name it: its folder, or its address without a password and folders."""
        return self._database.name

    @property
    def media_directory(self) -> Path:
        """The folder of posters and previews."""
        return self._media.directory

    @property
    def place(self) -> str:
        """What opens the library again: its folder, or its address without a password."""
        return self._database.place

    @property
    def read_only(self) -> bool:
        """Whether nothing in the library can be changed, because of its medium or of permissions."""
        return self._database.read_only

    # Videos

    def videos(self, folder: str | None = None) -> list[Video]:
        """Return all videos, or those below a folder, by path.

        Raises:
            ValueError: The folder is not an absolute path.
        """
        with self._database.reading() as connection:
            return reading.videos_where(connection, None if folder is None else reading.below(connection, folder))

    def video(self, video_id: int) -> Video:
        """Return a video. Raise KeyError for an unknown id."""
        with self._database.reading() as connection:
            return reading.video(connection, video_id)

    def video_at(self, path: str) -> Video | None:
        """Return the video at an absolute path, or None."""
        with self._database.reading() as connection:
            return next(iter(reading.videos_where(connection, videos_table.c.path == path)), None)

    def videos_with_fingerprint(self, fingerprint: str) -> list[Video]:
        """Return the videos with a fingerprint, by path."""
        with self._database.reading() as connection:
            return reading.videos_where(connection, videos_table.c.fingerprint == fingerprint)

    def known_files(self, encoder_id: str) -> dict[str, KnownFile]:
        """Return the state of each file when it was indexed, by path.

        Args:
            encoder_id: The encoder to which `recipe` and `embedded` of the result refer.
        """
        with self._database.reading() as connection:
            return reading.known_files(connection, encoder_id)

    def known_file(self, path: str, encoder_id: str) -> KnownFile | None:
        """Return the state of the file at a path when it was indexed, as in `known_files`; None if it was not."""
        with self._database.reading() as connection:
            return reading.known_files(connection, encoder_id, path).get(path)

    def vanished_videos(self, folder: str | None = None) -> list[VanishedVideo]:
        """Return the videos whose files have vanished and whose rows are kept, by path.

        Args:
            folder: Only those that were below this absolute path.
        """
        with self._database.reading() as connection:
            condition = None if folder is None else reading.below(connection, folder, vanished_table.c.path)
            return vanished.vanished_videos(connection, condition)

    def vanished_files(self, encoder_id: str) -> list[tuple[str, KnownFile]]:
        """Return path and state of each vanished file, as `known_files` does. Several may have had one path."""
        with self._database.reading() as connection:
            return vanished.vanished_files(connection, encoder_id)

    def folders(self) -> list[str]:
        """Return the folders that directly contain videos, sorted."""
        with self._database.reading() as connection:
            return reading.folders(connection)

    def overview(self) -> list[VideoOverview]:
        """Return every video with counts of its parts, by path, in a few queries."""
        with self._database.reading() as connection:
            return overview.overview(connection)

    def failures(self) -> list[Failure]:
        """Return all failures, by path."""
        with self._database.reading() as connection:
            return reading.all_failures(connection)

    def failure_at(self, path: str) -> Failure | None:
        """Return the failure of the file at a path, or None."""
        with self._database.reading() as connection:
            return next(iter(reading.all_failures(connection, path)), None)

    # Segments

    def shots(self, video_id: int) -> list[Shot]:
        """Return the shots of a video, by number; empty for an unknown id."""
        with self._database.reading() as connection:
            return reading.shots_of(connection, video_id)

    def segment_count(self) -> int:
        """Return the number of segments, with rows of any encoder or of none."""
        with self._database.reading() as connection:
            return reading.segment_count(connection)

    def segments_of(self, video_id: int) -> list[Segment]:
        """Return the segments of a video, by number; empty for an unknown id."""
        with self._database.reading() as connection:
            return reading.segments_of(connection, video_id)

    def newest_shots(self, count: int, filters: Filters | None = None) -> list[tuple[Segment, Video]]:
        """Return the first segment of each of the newest videos by file time, with the video, the newest first.

        Args:
            count: Number of videos.
            filters: Only videos that pass them, as in `filtered_videos`.

        Raises:
            ValueError: The filters' folder is not an absolute path.
        """
        chosen = self.filtered_videos(filters).tolist() if filters else None
        with self._database.reading() as connection:
            return reading.newest_shots(connection, count, chosen)

    def segments(self, ids: Iterable[int]) -> dict[int, tuple[Segment, Video]]:
        """Return segments with their videos, by segment id. Unknown ids are left out."""
        with self._database.reading() as connection:
            return reading.segments_by_id(connection, ids)

    def segment_times(self, video_ids: Iterable[int]) -> SegmentTimes:
        """Return the times of all segments of these videos, as arrays, by video and start."""
        with self._database.reading() as connection:
            return segment_times(connection, video_ids)

    def segments_at(self, spans: Sequence[Span]) -> list[tuple[int, ...]]:
        """Return, for each span, the ids of the segments that it shares time with, by time.

        Args:
            spans: Videos, with start and end in milliseconds from the first frame shown. One without length is an
                instant. Those of unknown videos share time with nothing.
        """
        with self._database.reading() as connection:
            return segments_at(connection, spans)

    def shot_parts(self, segment_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Return which part of its shot each segment is, and of how many, from 1. Unknown ids are left out."""
        with self._database.reading() as connection:
            return shot_parts(connection, segment_ids)

    def shot_count(self, filters: Filters, *encoder_ids: str) -> int:
        """Return the number of shots that `segment_ids` of these encoders are of: each counts once.

        Raises:
            ValueError: The filters' folder is not an absolute path.
        """
        return self._tables.shot_count(filters, encoder_ids)

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
            KeyError: The id is unknown.
        """
        with self._database.reading() as connection:
            return reading.segments_around(connection, segment_id, before, after)

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """Return the segments that pass the filters and have an embedding by an encoder.

        Args:
            filters: All limits are inclusive.
            encoder_id: The encoder.

        Returns:
            int64 (N,), ascending. The array is shared and read-only.

        Raises:
            ValueError: The filters' folder is not an absolute path.
        """
        return self._tables.allowed(filters, encoder_id)

    def filtered_videos(self, filters: Filters) -> NDArray[np.int64]:
        """Return int64 (n,): the videos that pass the filters, indexed by any encoder or none.

        Limits on the length of segments are left out: a video has segments of many lengths.

        Raises:
            ValueError: The filters' folder is not an absolute path.
        """
        return self._tables.allowed_videos(filters)

    def facets(self) -> Facets:
        """Return the codecs, nominal frame rates and cameras that the videos have."""
        return self._tables.facets()

    def owners(self, encoder_id: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the segments that an encoder has embedded, with their videos.

        Returns:
            Segment ids, ascending, and the ids of their videos: two arrays of int64 (N,), shared and read-only.
        """
        return self._tables.owners(encoder_id)

    # Embeddings

    def embeddings(
        self, encoder_id: str, after: int = 0, batch: int = 8192
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield all embeddings by an encoder in batches, by ascending segment id.

        Each batch is its own transaction, so that a slow reader blocks no one. A reader that needs one consistent state
        compares `stamp` before and after.

        Args:
            encoder_id: The encoder.
            after: Begin with the first segment id above this.
            batch: Rows in a batch; the last one may have fewer.

        Yields:
            Segment ids int64 (n,) and rows float32 (n, D), all NaN for damaged rows.

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
            float32 (n, D), in the order of `ids`; all NaN for damaged rows.

        Raises:
            KeyError: A segment has no embedding by this encoder.
        """
        with self._database.reading() as connection:
            return vectors.rows_of(connection, encoder_id, ids)

    def stamp(self, encoder_id: str) -> Stamp:
        """Return the state of an encoder's embeddings, which shows what a copy of them lacks: see `Stamp`."""
        with self._database.reading() as connection:
            return vectors.stamp(connection, self.id, encoder_id)

    def encoders(self) -> list[EncoderRow]:
        """Return the encoders that have embedded anything, in the order of their first use."""
        with self._database.reading() as connection:
            return vectors.encoder_rows(connection)

    def change_token(self) -> str:
        """Return a token that changes whenever any process writes to the library.

        It costs one small SQLite query, however large the library. Data read after this call has the token's state or a
        later one, so a cache must get the token first and read afterwards. Tokens are comparable only within one
        process; another process, or a reopened library, has different tokens for the same state.
        """
        return self._watch.token()

    # Settings that shape rows and cuts

    def encoder_choices(self) -> list[EncoderChoice]:
        """Return how each encoder is loaded, most recently used first: that one is the library's own."""
        with self._database.reading() as connection:
            return library_settings.all_encoder_choices(connection)

    def cut_settings(self) -> CutSettings | None:
        """Return how videos are cut, or None if no index run has stored it (before format 4)."""
        with self._database.reading() as connection:
            return library_settings.cut_settings(connection)

    def keep_vanished_days(self) -> int:
        """Return for how many days the rows of vanished files are kept."""
        with self._database.reading() as connection:
            return library_settings.keep_vanished_days(connection)

    def recipes(self) -> dict[str, int]:
        """Return the number of encodings (a video by an encoder) per recipe, that of the newest video first."""
        with self._database.reading() as connection:
            return library_settings.recipes(connection)

    # Media

    def poster_path(self, video: Video, segment_number: int) -> Path:
        """Return the path of a segment's JPEG. The file exists if the video was added with media."""
        return self._media.poster(self._media_name(video), segment_number)

    def preview_path(self, video: Video, segment_number: int) -> Path:
        """Return the path of a segment's short MP4. The file exists if the segment was added with a preview."""
        return self._media.preview(self._media_name(video), segment_number)

    def lacking_media(self, video_ids: Iterable[int]) -> set[int]:
        """Return those of the videos whose posters or previews are missing, empty or cut short. Costs a stat per file.

        A power cut or a person may have removed them. Of copies that share them, one is returned; videos that were
        stored without any are not.
        """
        with self._database.reading() as connection:
            stored = {each[1]: each for each in reading.media_of(connection, video_ids)}
        return {
            video_id
            for video_id, name, segments, media_bytes in stored.values()
            if not self._media.is_whole(name, segments, media_bytes)
        }

    # Statistics

    def stats(self) -> Stats:
        """Return the statistics of the library. No media file is read."""
        with self._database.reading() as connection:
            return health.stats(connection, self._database)

    def _media_name(self, video: Video) -> str:
        """Return the name of the video's media folder; without media, the name of no existing folder."""
        with self._database.reading() as connection:
            name = connection.scalar(select(videos_table.c.media).where(videos_table.c.id == video.id))
        return name or f"{video.fingerprint}-none"
