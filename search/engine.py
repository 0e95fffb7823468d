"""Search engine: combines a query into one direction, searches the vector index under its filters, and explains hits.

The row of each term comes from the encoder (texts, clips) or from the library (segments); `search.directions` merges
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder import Encoder
from search.calibration.calibration import Calibration
from search.calibration.judging import judged
from search.candidates import best_candidates
from search.chain_query import Chain, ChainQuery
from search.chain_strengths import judged_chains
from search.chains import Asked, ChainSearch
from search.covariance_file import CovarianceFile
from search.directions import Direction, direction_of, is_balanced
from search.duplicate_threshold import near_duplicate
from search.near_duplicates import MAX_COMPARED, MAX_COUNTED, Diversified, diversify
from search.query import Answer, ClipTerm, Hit, Query, QueryError, SegmentTerm, Term, TextTerm
from search.query_cache import QueryCache
from search.reachable import reachable_copies
from search.vectors.vector_index import Refreshable, RowStore, VectorIndex

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video

    Described = tuple[Segment, Video, tuple[float, ...]]
    """A segment, its video, and its cosine with each term."""


_SAME_SCORE = 1e-3
"""By how much the scores of two segments of one content may differ: of rows that were encoded apart."""


class SearchEngine:
    """Answers queries over the rows of one encoder. Does not close its library, encoder or index."""

    def __init__(
        self, library: Library, encoder: Encoder, index: VectorIndex, calibration: Calibration | None = None
    ) -> None:
        """Create an engine.

        Args:
            library: Segments, videos and stored rows.
            encoder: Encodes texts and clips.
            index: The rows of this encoder in this library. If it is Refreshable, `refresh` updates it; if it is a
                RowStore, rows are fetched from it, which is faster than reading them from the library.
            calibration: Of this encoder in this library; without it, hits have no strength.
        """
        self.library = library
        self.encoder = encoder
        self.index = index
        self.calibration = calibration
        self._query_cache = QueryCache(encoder)
        self._covariance = CovarianceFile(library, encoder.id, encoder.dim)
        self._near_duplicate: float | None = None  # the threshold, once it is needed

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
            self._near_duplicate = near_duplicate(self.library, self.encoder.id, self._existing_rows)
        return self._near_duplicate

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
            direction, rows = self._direction(step.terms, plain_sum=query.plain_sum)
            asked.append(Asked(rows, direction))
        near = None if query.duplicates == "show" else self.near_duplicate()
        search = ChainSearch(self.library, self.index, self.encoder.id, self._existing_rows)
        chains, reach = search.answer(query, asked, near)
        return judged_chains(chains, query, reach, self.calibration)

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
        direction, _ = self._direction(query.terms, plain_sum=query.plain_sum)
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
        direction, rows = self._direction(query.terms, plain_sum=query.plain_sum)
        known = self._describe(list(ids), rows)
        _, stored = self._existing_rows(list(known))
        scores = np.nan_to_num(direction.scores(stored), nan=0.0).tolist() if known else []
        cosines = [each[2] for each in known.values()]
        every = judged(replace(query, least_level=None), list(known), cosines, self.calibration)
        return [
            Hit(rank=1, score=score, segment=segment, video=video, term_scores=cosine, strength=strength)
            for (segment, video, cosine), score, (_, strength) in zip(known.values(), scores, every, strict=True)
        ]

    def excluded(self, query: Query) -> frozenset[int]:
        """Return the ids that a query leaves out: its own segments, the rest of their shots if requested, `leave_out`.

        Raises:
            LibraryError: The library cannot be read.
        """
        own = {term.segment_id for term in query.terms if isinstance(term, SegmentTerm)}
        out = own | query.leave_out
        if own and query.exclude_same_shot:
            for segment, video in self.library.segments(sorted(own)).values():
                assert video.id is not None, "what comes from the library has an id"
                out.update(
                    other.id
                    for other in self.library.segments_of(video.id)
                    if other.shot_number == segment.shot_number and other.id is not None
                )
        return frozenset(out)

    def direction(self, terms: Sequence[Term], *, plain_sum: bool = False) -> Direction:
        """Return the direction of terms in this library: what segments are compared with.

        Args:
            terms: At least one has a weight other than 0.
            plain_sum: As in Query.

        Raises:
            QueryError, EncoderError, LibraryError: See `answer`.
        """
        return self._direction(terms, plain_sum=plain_sum)[0]

    def _direction(self, terms: Sequence[Term], *, plain_sum: bool) -> tuple[Direction, NDArray[np.float32]]:
        """Return the direction and the row of each term, float32 (terms, D)."""
        rows = self._term_rows(terms)
        needed = is_balanced(terms) and not plain_sum
        covariance = self._covariance.covariance(lambda ids: self._existing_rows(ids)[1]) if needed else None
        return direction_of(terms, rows, covariance), rows

    def _answer(self, query: Query, *, counted: bool) -> Answer:
        direction, rows = self._direction(query.terms, plain_sum=query.plain_sum)
        row = direction.row
        excluded = self.excluded(query)
        allowed_ids = self.library.segment_ids(query.filters, self.encoder.id) if query.filters else None
        if allowed_ids is not None and allowed_ids.size == 0:
            return Answer(hits=[], allowed=0, matching=0, hidden=0)
        hits, hidden, matching = self._hits(query, rows, direction, allowed_ids, excluded)
        if not counted:
            return Answer(hits=hits, allowed=0, matching=0, hidden=hidden)
        excluded_ids = np.asarray(sorted(excluded), dtype=np.int64)
        if allowed_ids is not None:
            allowed_ids = allowed_ids[~np.isin(allowed_ids, excluded_ids)]
            allowed = int(allowed_ids.size)
        else:
            allowed = len(self.index) - (self.index.count(row, -np.inf, excluded_ids) if excluded else 0)
        if query.threshold is None:
            matching = allowed
        elif matching is None:
            matching = self.index.count(row, query.threshold, allowed_ids)
            if allowed_ids is None and excluded:
                matching -= self.index.count(row, query.threshold, excluded_ids)
        return Answer(hits=hits, allowed=allowed, matching=matching, hidden=hidden)

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
                    raise QueryError(f"{self.encoder.id} takes clips of shape {shape}, got {clip.shape}")
            rows[[at for at, _ in clips]] = self._query_cache.of_clips([clip for _, clip in clips])
        stored = [(at, term.segment_id) for at, term in enumerate(terms) if isinstance(term, SegmentTerm)]
        if stored:
            rows[[at for at, _ in stored]] = self._stored_rows([segment_id for _, segment_id in stored])
        return rows

    def _stored_rows(self, ids: list[int]) -> NDArray[np.float32]:
        try:
            rows = self.library.embedding_rows(self.encoder.id, ids)
        except KeyError as error:
            raise QueryError(
                f"{error.args[0]}: it has been removed since, or was indexed with another encoder; search for it "
                "again, "
                "or index its video with this encoder"
            ) from error
        damaged = np.flatnonzero(np.isnan(rows).any(axis=1))
        if damaged.size:
            raise QueryError(
                f"the embedding of segment {ids[int(damaged[0])]} is damaged, so nothing can be compared with it; "
                "`prismsearch doctor` names its video, which must be indexed again"
            )
        return rows

    def _hits(
        self,
        query: Query,
        rows: NDArray[np.float32],
        direction: Direction,
        allowed_ids: NDArray[np.int64] | None,
        excluded: frozenset[int],
    ) -> tuple[list[Hit], int, int | None]:
        """Return (hits, hidden, matching); matching is None unless the whole ranking was examined.

        Excluded segments, segments removed meanwhile and hidden hits are replaced by the next best: the index is
        searched for more candidates until there are enough, down to MAX_COMPARED or MAX_COUNTED.
        """
        near = None if query.duplicates == "show" else query.near_duplicates or self.near_duplicate()
        diversified = query.per_video is not None or near is not None
        limit = max(query.k, MAX_COUNTED if near is None else MAX_COMPARED) + len(excluded)
        wanted = query.k + len(excluded)
        if query.per_video is not None:
            wanted = min(limit, 4 * wanted + 256)  # enough for nearly all queries; a GPU search is limited to 2048
        elif near is not None:
            wanted = min(limit, wanted + max(30, 2 * wanted // 5))  # of 100,000 rows, 200 hits are no slower with it
        while True:
            scores, complete = best_candidates(
                self.index, direction, wanted, allowed_ids, query.threshold, self._existing_rows
            )
            good = [i for i in scores if query.threshold is None or scores[i] >= query.threshold]
            ended = complete or len(good) < len(scores)
            candidates = [i for i in good if i not in excluded]
            if diversified:
                chosen = self._diversify(candidates, query, near)
            else:
                chosen = Diversified(candidates, 0, [[] for _ in candidates])
            known = self._describe(chosen.ids, rows)
            if diversified and len(known) < len(chosen.ids):  # some have gone, which must not hide what is there
                there = self.library.video_ids(candidates)
                chosen = self._diversify([i for i in candidates if i in there], query, near)
                known = self._describe(chosen.ids, rows)
            if len(known) >= query.k or ended or (diversified and wanted >= limit):
                break
            wanted = min(limit, 4 * wanted) if diversified else 2 * wanted
        alike = dict(zip(chosen.ids, chosen.alike, strict=True))
        if near is not None:
            hide = query.duplicates == "hide"
            copied = {i: each for i, each in known.items() if hide or _has_copy(i, alike[i], scores)}
            if copied:
                known = known | self._reachable(copied, rows, allowed_ids, excluded)
            alike = {i: [i if other == each[0].id else other for other in alike[i]] for i, each in known.items()}
        shown = list(known)[: query.k]
        found = [known[i] for i in shown]
        ids = [segment.id for segment, _, _ in found if segment.id is not None]
        strengths = judged(query, ids, [cosines for _, _, cosines in found], self.calibration)
        hits = [
            Hit(
                rank=rank,
                score=scores[shown[at]],
                segment=found[at][0],
                video=found[at][1],
                term_scores=found[at][2],
                strength=strength,
                alike=tuple(alike[shown[at]]),
            )
            for rank, (at, strength) in enumerate(strengths, start=1)
        ]
        return hits, chosen.hidden, len(candidates) if ended else None

    def _diversify(self, candidates: list[int], query: Query, near: float | None) -> Diversified:
        return diversify(
            candidates,
            query.k,
            per_video=query.per_video,
            near_duplicates=near,
            stack=query.duplicates == "stack",
            videos_of=None if query.per_video is None else self.library.video_ids,
            rows_of=self._existing_rows,
        )

    def _reachable(
        self,
        known: dict[int, Described],
        rows: NDArray[np.float32],
        allowed_ids: NDArray[np.int64] | None,
        excluded: frozenset[int],
    ) -> dict[int, Described]:
        """Return the described segments by id, with hits in missing files replaced by hits in available copies."""

        def is_allowed(segment_id: int) -> bool:
            return segment_id not in excluded and (allowed_ids is None or bool(np.isin(segment_id, allowed_ids)))

        copies = reachable_copies(self.library, {i: each[:2] for i, each in known.items()}, is_allowed)
        if not copies:
            return known
        described = self._describe(list(copies.values()), rows)
        return {i: described.get(copies.get(i, i), each) for i, each in known.items()}

    def _describe(self, ids: list[int], rows: NDArray[np.float32]) -> dict[int, Described]:
        """Return segment, video and cosine with each term for the `ids` that still exist, in order."""
        records = self.library.segments(ids)
        there, stored = self._existing_rows([i for i in ids if i in records])
        cosines = (stored @ rows.T).tolist()
        return {i: (*records[i], tuple(cosines[at])) for at, i in enumerate(there)}

    def _existing_rows(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Return the `ids` that still have a row, in order, and the rows, float32 (n, D)."""
        if not ids:
            return [], np.empty((0, self.encoder.dim), dtype=np.float32)
        try:
            if isinstance(self.index, RowStore):
                return ids, self.index.rows_of(np.asarray(ids, dtype=np.int64))
            return ids, self.library.embedding_rows(self.encoder.id, ids)
        except KeyError:  # one was removed since its id was found; reading the halves shows which
            if len(ids) == 1:
                return self._existing_rows([])
            middle = len(ids) // 2
            first, second = self._existing_rows(ids[:middle]), self._existing_rows(ids[middle:])
            return first[0] + second[0], np.concatenate([first[1], second[1]])


def _has_copy(segment_id: int, alike: list[int], scores: dict[int, float]) -> bool:
    """Return whether a segment of the same content, which has the same score, may be behind a hit."""
    return any(abs(scores[other] - scores[segment_id]) < _SAME_SCORE for other in alike)
