"""Search engine: combines a query into one direction, searches the vector index under its filters, and explains hits.

The row of each term comes from the encoder (texts, clips) or from the library (segments); `search.directions` merges
them. It asks one space; `search.several` asks more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters
from encoder import Encoder
from search.calibration.calibration import Calibration
from search.chain_ground import Asked, SpaceGround
from search.chain_query import Chain, ChainQuery
from search.chain_strengths import judged_chains
from search.chains import ChainSearch
from search.choosing import choose, excluded_ids
from search.directions import Direction
from search.query import Answer, Hit, Query, Term
from search.space import Space
from search.space_ranking import SpaceRanking
from search.vectors.vector_index import Ids, VectorIndex

if TYPE_CHECKING:
    from db.library import Library


class SearchEngine:
    """Answers queries over the rows of one encoder. Does not close its library, encoder or index."""

    def __init__(
        self, library: Library, encoder: Encoder, index: VectorIndex, calibration: Calibration | None = None
    ) -> None:
        """Create an engine.

        Args:
            library: Segments, videos and stored rows.
            encoder: Encodes texts and clips.
            index: The rows of this encoder in this library; see `Space.index`. If it is Refreshable, `refresh` updates
                it.
            calibration: Of this encoder in this library; without it, hits have no strength.
        """
        self.library = library
        self.space = Space(library, encoder, index, calibration)

    @classmethod
    def of(cls, space: Space) -> SearchEngine:
        """Return an engine over a space."""
        engine = cls.__new__(cls)
        engine.library, engine.space = space.library, space
        return engine

    @property
    def encoder(self) -> Encoder:
        """The encoder."""
        return self.space.encoder

    @property
    def index(self) -> VectorIndex:
        """The index of its rows."""
        return self.space.index

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of its strengths."""
        return self.space.calibration

    @property
    def first(self) -> SearchEngine:
        """This engine, which is that of the first encoder asked."""
        return self

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The one space that is asked."""
        return (self.space,)

    @property
    def voice_ids(self) -> tuple[tuple[str, ...], ...]:
        """The ids of the spaces of each encoder that is asked."""
        return ((self.space.id,),)

    def segment_ids(self, filters: Filters) -> Ids:
        """Return the segments that it can find and that pass filters, int64 (n,), ascending."""
        return self.library.segment_ids(filters, self.encoder.id)

    def refresh(self) -> bool:
        """Update the index from the library; see `Space.refresh`."""
        return self.space.refresh()

    def near_duplicate(self) -> float:
        """Return the cosine from which segments count as near-duplicates; see `Space.near_duplicate`."""
        return self.space.near_duplicate()

    def search(self, query: Query) -> list[Hit]:
        """Return the hits of `answer` without the counts, which is faster with filters or a threshold.

        Raises:
            QueryError, EncoderError, LibraryError: See `answer`.
        """
        return self._answer(query, counted=False).hits

    def answer(self, query: Query) -> Answer:
        """Return the best hits, and the number of segments they were chosen from.

        The rows of texts and clips are cached, so that changing weights or filters encodes nothing.

        Returns:
            At most `query.k` hits, best first, and the counts; see Answer. There are no hits if no segment passes the
            filters or reaches the threshold, or nothing is indexed.

        Raises:
            QueryError: A term has no row (an unknown segment, a clip of another shape), or the terms cancel each other.
            EncoderError: A text or clip cannot be encoded.
            LibraryError: The library cannot be read.
        """
        return self._answer(query, counted=True)

    def chains(self, query: ChainQuery) -> list[Chain]:
        """Return the best chains of segments that match the steps of a query, best first; see `search.chains`.

        Raises:
            QueryError, EncoderError, LibraryError: See `answer`.
        """
        asked = []
        for step in query.steps:
            direction, rows = self.space.direction(step.terms, plain_sum=query.plain_sum)
            asked.append(Asked(rows, direction))
        near = None if query.duplicates == "show" else self.near_duplicate()
        ground = SpaceGround(self.library, self.index, self.encoder.id, self.space.rows_of, asked)
        chains, reach = ChainSearch(ground).answer(query, near)
        calibration = self.space.calibration
        judge = calibration.judge() if calibration is not None and chains else None
        if judge is None or reach is None:
            return chains
        found = []
        for at, step in enumerate(query.steps):
            parts = [chain.parts[at] for chain in chains]
            ids = [part.segment.id for part in parts if part.segment.id is not None]
            cosines = np.array([part.term_scores for part in parts], dtype=np.float32)
            found.append(judge.strengths(step.terms, ids, cosines))
        return judged_chains(chains, query, found, reach)

    def scores(self, query: Query, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the score of each of these segments, ignoring the query's filters.

        Args:
            query: Only its terms are used.
            ids: Segment ids.

        Returns:
            float32 (n,), in the order of `ids`.

        Raises:
            KeyError: A segment has no row by this encoder.
            QueryError, EncoderError, LibraryError: See `answer`.
        """
        direction, _ = self.space.direction(query.terms, plain_sum=query.plain_sum)
        scores = direction.scores(self.library.embedding_rows(self.encoder.id, ids))
        return np.nan_to_num(scores, copy=False, nan=0.0)  # of damaged rows

    def described(self, query: Query, ids: Sequence[int]) -> list[Hit]:
        """Return these segments as hits of a query, with scores and strengths, ignoring its filters and limits.

        Args:
            query: Only its terms are used.
            ids: Segment ids. Those that are gone, or have no row by this encoder, are left out.

        Returns:
            In the order of `ids`, each of rank 1.

        Raises:
            QueryError, EncoderError, LibraryError: See `answer`.
        """
        direction, rows = self.space.direction(query.terms, plain_sum=query.plain_sum)
        ranking = SpaceRanking(self.space, replace(query, least_level=None), direction, rows)
        known = ranking.described(list(ids))
        _, stored = self.space.rows_of(list(known))
        scores = np.nan_to_num(direction.scores(stored), nan=0.0).tolist() if known else []
        every = ranking.judged(list(known), [each[2] for each in known.values()])
        return [
            Hit(rank=1, score=score, segment=segment, video=video, term_scores=cosine, strength=strength)
            for (segment, video, cosine), score, (_, strength, _) in zip(known.values(), scores, every, strict=True)
        ]

    def direction(self, terms: Sequence[Term], *, plain_sum: bool = False) -> Direction:
        """Return the direction of terms in this library: what segments are compared with; see `Space.direction`."""
        return self.space.direction(terms, plain_sum=plain_sum)[0]

    def _answer(self, query: Query, *, counted: bool) -> Answer:
        direction, rows = self.space.direction(query.terms, plain_sum=query.plain_sum)
        excluded = excluded_ids(self.library, query)
        allowed_ids = self.segment_ids(query.filters) if query.filters else None
        if allowed_ids is not None and allowed_ids.size == 0:
            return Answer(hits=[], allowed=0, matching=0, hidden=0)
        near = None if query.duplicates == "show" else query.near_duplicates or self.near_duplicate()
        ranking = SpaceRanking(self.space, query, direction, rows)
        found = choose(self.library, query, ranking, near, allowed_ids, excluded, self.space.set_ups())
        if not counted:
            return Answer(hits=found.hits, allowed=0, matching=0, hidden=found.hidden)
        row, matching = direction.row, found.matching
        left_out = np.asarray(sorted(excluded), dtype=np.int64)
        if allowed_ids is not None:
            allowed_ids = allowed_ids[~np.isin(allowed_ids, left_out)]
            allowed = int(allowed_ids.size)
        else:
            allowed = len(self.index) - (self.index.count(row, -np.inf, left_out) if excluded else 0)
        if query.threshold is None:
            matching = allowed
        elif matching is None:
            matching = self.index.count(row, query.threshold, allowed_ids)
            if allowed_ids is None and excluded:
                matching -= self.index.count(row, query.threshold, left_out)
        return Answer(hits=found.hits, allowed=allowed, matching=matching, hidden=found.hidden)
