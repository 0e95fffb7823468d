"""Timed text: lines of subtitles, speech, writing on screen, chapters and tags. Each call is one transaction.

Text belongs to a video: it is hidden, brought back and removed with it, and stays when the video is indexed again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from db.claims import Claim
from db.database import Database
from db.text import matches, matching, reading, writing
from db.text.matches import Matches
from db.text.ranges import TextRanges
from db.text.reading import StoredLine, TextCount
from db.timed_text import TextKind, TextSource, TimedLine


class Texts:
    """The timed text of a library: `library.texts`. Any method may raise a LibraryError (see `db.errors`).

    Searching needs expressions of FTS5: `search.text` makes them from a person's words, and is what others call.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ranges = TextRanges(database)

    def replace(
        self, video_id: int, source: TextSource, lines: Iterable[TimedLine], *, claim: Claim | None = None
    ) -> int:
        """Store a source of a video with all its lines, in place of the one of its kind and origin.

        Control characters in texts become spaces, except line feeds; lines that are blank then are left out.

        Args:
            video_id: The video.
            source: Its ids and number of lines are ignored.
            lines: In any order; there may be none.
            claim: The claim on this work, if it may have lapsed.

        Returns:
            The source's id.

        Raises:
            KeyError: No video has the id (it may have been removed meanwhile, or hidden). Nothing is changed.
            ClaimLost: The work may be another worker's now. Nothing is changed.
        """
        with self._database.writing() as connection:
            if claim is not None:
                claim.confirm(connection)
            return writing.put_source(connection, video_id, source, lines)

    def remove(self, source_ids: Iterable[int]) -> int:
        """Remove sources with their lines. Return how many there were."""
        with self._database.writing() as connection:
            return writing.delete_sources(connection, source_ids)

    def sources(self, video_id: int) -> list[TextSource]:
        """Return the sources of a video, by kind and origin; empty for an unknown id."""
        with self._database.reading() as connection:
            return reading.sources_of(connection, [video_id]).get(video_id, [])

    def sources_of(self, video_ids: Iterable[int] | None = None) -> dict[int, list[TextSource]]:
        """Return the sources of videos (None: of all), as `sources` does, by the id of the video."""
        with self._database.reading() as connection:
            return reading.sources_of(connection, video_ids)

    def lines(
        self,
        video_id: int,
        *,
        kinds: Collection[TextKind] | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        source_id: int | None = None,
    ) -> list[StoredLine]:
        """Return the lines of a video in the order of their times; empty for an unknown id.

        Args:
            video_id: The video.
            kinds: Only these.
            start_ms, end_ms: Only lines that are said or shown at some time in [start_ms, end_ms), in milliseconds from
                the first frame shown. A line without length is at its start.
            source_id: Only of this source.
        """
        with self._database.reading() as connection:
            return reading.lines_of(connection, video_id, kinds, start_ms, end_ms, source_id)

    def lines_by_id(self, ids: Iterable[int]) -> dict[int, StoredLine]:
        """Return lines by their ids. Unknown ids are left out."""
        with self._database.reading() as connection:
            return reading.lines_by_id(connection, ids)

    def counts(self) -> dict[TextKind, TextCount]:
        """Return how much text of each kind there is; kinds without any are left out."""
        with self._database.reading() as connection:
            return reading.counts(connection)

    # Searching, for search.text

    def match_words(
        self,
        expression: str,
        words: Sequence[str],
        kinds: Collection[TextKind] | None = None,
        videos: NDArray[np.int64] | None = None,
    ) -> Matches:
        """Return the lines whose words match, best first, then by video and time; at most `matches.MOST`.

        Args:
            expression: Of FTS5, over the columns `text` (a line) and `joined` (with the beginning of the next one).
            words: Each word or phrase of the expression alone.
            kinds, videos: Only lines of these; None for all.
        """
        ranges = self._ranges.ranges(kinds, videos)
        if not ranges:
            return _NOTHING
        with self._database.reading() as connection:
            found = matching.match(connection, "text_words", expression, ranges, matches.MOST)
            ranks = matching.relevance(connection, expression, words, ranges, found)
        return self._ranked(found, ranks)

    def match_trigrams(
        self,
        expression: str,
        kinds: Collection[TextKind] | None = None,
        videos: NDArray[np.int64] | None = None,
        *,
        limit: int = matches.MOST,
        ranked: bool = False,
    ) -> Matches:
        """Return lines that have the trigrams of an expression somewhere in `joined`: each must be checked.

        They are in the order of their ids or, if `ranked`, the shortest first, then by video and time.
        """
        ranges = self._ranges.ranges(kinds, videos)
        if not ranges:
            return _NOTHING
        with self._database.reading() as connection:
            found = matching.match(connection, "text_trigrams", expression, ranges, limit)
            if not ranked:
                return found
            lengths = matching.lengths(connection, found)
        return self._ranked(found, lengths)

    def trigrams_beginning_with(self, beginning: str, limit: int) -> list[str]:
        """Return trigrams of the library that begin with one or two characters in lower case."""
        with self._database.reading() as connection:
            return matching.terms_beginning_with(connection, beginning, limit)

    def all_lines(self, kinds: Collection[TextKind] | None, videos: NDArray[np.int64] | None, limit: int) -> Matches:
        """Return the first lines of these kinds and videos, by id."""
        with self._database.reading() as connection:
            return matching.all_lines(connection, self._ranges.ranges(kinds, videos), limit)

    def texts(self, ids: NDArray[np.int64]) -> list[tuple[int, str]]:
        """Return id and text of lines, by id. Unknown ids are left out."""
        with self._database.reading() as connection:
            return list(matching.texts(connection, ids))

    def videos_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return int64 (n,): the videos of lines, 0 for unknown ids."""
        return self._ranges.videos_of(ids)

    def _ranked(self, found: Matches, ranks: NDArray[np.float64]) -> Matches:
        """Return matches by their ranks, those of one rank by video and time."""
        order = np.lexsort([found.ids, self._ranges.videos_of(found.ids), ranks])
        return Matches(found.ids[order], found.complete)


_NOTHING = Matches(np.zeros(0, np.int64), True)
