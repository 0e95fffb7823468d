"""Space: the rows of one encoder in a library, with all that one search of them needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters
from encoder import Encoder
from search.calibration.calibration import Calibration
from search.covariance_file import CovarianceFile
from search.directions import Direction, direction_of, is_balanced
from search.duplicate_threshold import near_duplicate
from search.query import ClipTerm, MissingRow, QueryError, SegmentTerm, Term, TextTerm
from search.query_cache import QueryCache
from search.takes.stored import SetUps, StoredSetUps
from search.vectors.vector_index import Ids, Refreshable, RowStore, VectorIndex

if TYPE_CHECKING:
    from db.library import Library


class Space:
    """The rows of one encoder. Does not close its library, encoder or index.

    Attributes:
        library: Segments, videos and stored rows.
        encoder: Encodes texts and clips.
        index: The rows of this encoder in this library. If it is a RowStore, rows are fetched from it, which is faster
            than reading them from the library.
        calibration: Of this encoder in this library; without it, nothing has a strength.
        is_quick: Whether its rows stand in for those of another space, until these are made.
    """

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        index: VectorIndex,
        calibration: Calibration | None = None,
        *,
        is_quick: bool = False,
    ) -> None:
        self.library = library
        self.encoder = encoder
        self.index = index
        self.calibration = calibration
        self.is_quick = is_quick
        self._query_cache = QueryCache(encoder)
        self._covariance = CovarianceFile(library, encoder.id, encoder.dim)
        self._near_duplicate: float | None = None  # the threshold, once it is needed
        self._set_ups = StoredSetUps(library.directory, [encoder.id])

    @property
    def id(self) -> str:
        """The id of the encoder."""
        return self.encoder.id

    def refresh(self) -> bool:
        """Update the index from the library, so that newly indexed segments are found.

        Returns:
            True if the index changed.

        Raises:
            LibraryError: The library cannot be read.
        """
        changed = isinstance(self.index, Refreshable) and self.index.refresh()
        if changed:
            self._near_duplicate = None
        return changed

    def near_duplicate(self) -> float:
        """Return the cosine from which segments of this library count as near-duplicates.

        Raises:
            LibraryError: The library cannot be read.
        """
        if self._near_duplicate is None:
            self._near_duplicate = near_duplicate(self.library, self.id, self.rows_of)
        return self._near_duplicate

    def set_ups(self) -> SetUps:
        """Return the set-up of each segment that has takes, as far as they were found."""
        return self._set_ups.current()

    def segment_ids(self) -> Ids:
        """Return all segments that have a row, int64 (n,), ascending."""
        return self.library.segment_ids(Filters(), self.id)

    def direction(self, terms: Sequence[Term], *, plain_sum: bool = False) -> tuple[Direction, NDArray[np.float32]]:
        """Return the direction of terms in this space, and the row of each term, float32 (terms, D).

        Args:
            terms: At least one has a weight other than 0.
            plain_sum: As in Query.

        Raises:
            MissingRow: A segment has no row here.
            QueryError: A clip has another shape, or the terms cancel each other.
            EncoderError: A text or clip cannot be encoded.
            LibraryError: The library cannot be read.
        """
        rows = self._term_rows(terms)
        needed = is_balanced(terms) and not plain_sum
        covariance = self._covariance.covariance(lambda ids: self.rows_of(ids)[1]) if needed else None
        return direction_of(terms, rows, covariance), rows

    def rows_of(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Return the `ids` that still have a row, in order, and the rows, float32 (n, D)."""
        if not ids:
            return [], np.empty((0, self.encoder.dim), dtype=np.float32)
        try:
            if isinstance(self.index, RowStore):
                return ids, self.index.rows_of(np.asarray(ids, dtype=np.int64))
            return ids, self.library.embedding_rows(self.id, ids)
        except KeyError:  # one was removed since its id was found; reading the halves shows which
            if len(ids) == 1:
                return self.rows_of([])
            middle = len(ids) // 2
            first, second = self.rows_of(ids[:middle]), self.rows_of(ids[middle:])
            return first[0] + second[0], np.concatenate([first[1], second[1]])

    def _term_rows(self, terms: Sequence[Term]) -> NDArray[np.float32]:
        """Return float32 (terms, D): texts encoded in one batch, clips in one batch, segments as stored."""
        rows = np.empty((len(terms), self.encoder.dim), dtype=np.float32)
        texts = [(at, term.text) for at, term in enumerate(terms) if isinstance(term, TextTerm)]
        if texts:
            rows[[at for at, _ in texts]] = self._query_cache.of_texts([text for _, text in texts])
        clips = [(at, term.clip) for at, term in enumerate(terms) if isinstance(term, ClipTerm)]
        if clips:
            shape = self.encoder.clip_spec.shape
            for _, clip in clips:
                if clip.shape != shape:
                    raise QueryError(f"{self.id} takes clips of shape {shape}, got {clip.shape}")
            rows[[at for at, _ in clips]] = self._query_cache.of_clips([clip for _, clip in clips])
        stored = [(at, term.segment_id) for at, term in enumerate(terms) if isinstance(term, SegmentTerm)]
        if stored:
            rows[[at for at, _ in stored]] = self._stored_rows([segment_id for _, segment_id in stored])
        return rows

    def _stored_rows(self, ids: list[int]) -> NDArray[np.float32]:
        try:
            rows = self.library.embedding_rows(self.id, ids)
        except KeyError as error:
            raise MissingRow(
                f"{error.args[0]}: it has been removed since, or was indexed with another encoder; search for it "
                "again, or index its video with this encoder"
            ) from error
        damaged = np.flatnonzero(np.isnan(rows).any(axis=1))
        if damaged.size:
            raise QueryError(
                f"the embedding of segment {ids[int(damaged[0])]} is damaged, so nothing can be compared with it; "
                "`prismsearch doctor` names its video, which must be indexed again"
            )
        return rows
