"""From a query to hits: a row per term, combined, compared under the filters, brought back with what explains them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder import Encoder
from search.query import ClipTerm, Hit, Query, QueryError, SegmentTerm, Term, TextTerm
from search.vector_index import Refreshable, VectorIndex

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video

_CANCELLED = 1e-2
"""A sum of rows shorter than this (the largest weight taken as 1) says nothing: rows stored as float16 are wrong by up
to 1e-3, so its direction would be made of rounding."""


class SearchEngine:
    """Answers queries over the rows that one encoder made. Holds what it is handed and closes none of it."""

    def __init__(self, library: Library, encoder: Encoder, index: VectorIndex) -> None:
        self.library = library
        self.encoder = encoder
        self.index = index

    def refresh(self) -> bool:
        """Let the index catch up with the library, so that what was indexed since is found. True if it changed."""
        return isinstance(self.index, Refreshable) and self.index.refresh()

    def search(self, query: Query) -> list[Hit]:
        """The best hits, at most `query.k`, best first; none where nothing is allowed, indexed or good enough.

        Raises QueryError for a term that cannot be turned into a row (an unknown segment, a clip of another shape) and
        for terms that cancel each other out; EncoderError and LibraryError from below.
        """
        rows = self._term_rows(query.terms)
        row = combine(rows, [term.weight for term in query.terms])
        allowed = self.library.segment_ids(query.filters, self.encoder.id) if query.filters else None
        if allowed is not None and allowed.size == 0:
            return []
        return self._hits(query, rows, row, allowed, self._hidden(query))

    def _term_rows(self, terms: Sequence[Term]) -> NDArray[np.float32]:
        """float32 (terms, D): texts in one batch, clips in one batch, segments as they are stored."""
        rows = np.empty((len(terms), self.encoder.dim), dtype=np.float32)
        texts = [(at, term.text) for at, term in enumerate(terms) if isinstance(term, TextTerm)]
        if texts:
            rows[[at for at, _ in texts]] = self.encoder.encode_texts([text for _, text in texts])
        clips = [(at, term.clip) for at, term in enumerate(terms) if isinstance(term, ClipTerm)]
        if clips:
            shape = self.encoder.clip_spec.shape
            for _, clip in clips:
                if clip.shape != shape:
                    raise QueryError(f"{self.encoder.id} takes clips of shape {shape}, got {clip.shape}")
            rows[[at for at, _ in clips]] = self.encoder.encode_clips(np.stack([clip for _, clip in clips]))
        stored = [(at, term.segment_id) for at, term in enumerate(terms) if isinstance(term, SegmentTerm)]
        if stored:
            rows[[at for at, _ in stored]] = self._stored_rows([segment_id for _, segment_id in stored])
        return rows

    def _stored_rows(self, ids: list[int]) -> NDArray[np.float32]:
        try:
            return self.library.embedding_rows(self.encoder.id, ids)
        except KeyError as error:
            raise QueryError(
                f"{error.args[0]}: it has gone since, or was indexed with another encoder; search for it again, "
                "or index its video with this encoder"
            ) from error

    def _hidden(self, query: Query) -> frozenset[int]:
        """Segments that the query itself is made of, and the rest of their shots where that is wanted."""
        asked = {term.segment_id for term in query.terms if isinstance(term, SegmentTerm)}
        if not (asked and query.exclude_same_shot):
            return frozenset(asked)
        hidden = set(asked)
        for segment, video in self.library.segments(sorted(asked)).values():
            assert video.id is not None, "what comes from the library has an id"
            hidden.update(
                other.id
                for other in self.library.segments_of(video.id)
                if other.shot_number == segment.shot_number and other.id is not None
            )
        return frozenset(hidden)

    def _hits(
        self,
        query: Query,
        rows: NDArray[np.float32],
        row: NDArray[np.float32],
        allowed: NDArray[np.int64] | None,
        hidden: frozenset[int],
    ) -> list[Hit]:
        """Ask the index for as many as it takes: hidden segments, and those that have gone meanwhile, are replaced."""
        wanted = query.k + len(hidden)
        while True:
            found_ids, found_scores = self.index.search(row[None, :], wanted, allowed)
            scores = dict(zip(found_ids[0].tolist(), found_scores[0].tolist(), strict=True))  # best first, as given
            good = [i for i in scores if query.threshold is None or scores[i] >= query.threshold]
            known = self._known([i for i in good if i not in hidden], rows)
            if len(known) >= query.k or len(scores) < wanted or len(good) < len(scores):
                break
            wanted *= 2
        return [
            Hit(rank=rank, score=scores[i], segment=known[i][0], video=known[i][1], term_scores=known[i][2])
            for rank, i in enumerate(list(known)[: query.k], start=1)
        ]

    def _known(self, ids: list[int], rows: NDArray[np.float32]) -> dict[int, tuple[Segment, Video, tuple[float, ...]]]:
        """Segment, video and the cosine with each term, for those of `ids` that are still there, in their order."""
        records = self.library.segments(ids)
        there = [i for i in ids if i in records]
        if not there:
            return {}
        try:
            cosines = self.library.embedding_rows(self.encoder.id, np.asarray(there, dtype=np.int64)) @ rows.T
        except KeyError:  # one went between the two questions; asking one by one tells which
            if len(there) == 1:
                return {}
            return {i: known for one in there for i, known in self._known([one], rows).items()}
        return {i: (*records[i], tuple(cosines[at].tolist())) for at, i in enumerate(there)}


def combine(rows: NDArray[np.float32], weights: Sequence[float]) -> NDArray[np.float32]:
    """The direction that a query is compared along: the weighted sum of its terms' rows, at length 1.

    So a hit's score is its cosine with that direction, between -1 and 1 whatever the number and size of the weights;
    only their proportions count. It is no embedding: nobody stores it or compares it as one. One term gives its row
    unchanged, bit for bit (mirrored where the weight is below 0).

    rows: float32 (terms, D). Returns float32 (D,). Raises QueryError where the terms cancel each other out.
    """
    used = [(row, weight) for row, weight in zip(rows, weights, strict=True) if weight != 0]
    if len(used) == 1:
        row, weight = used[0]
        return np.array(row if weight > 0 else -row, dtype=np.float32)
    largest = max(abs(weight) for _, weight in used)
    combined = np.zeros(rows.shape[1], dtype=np.float64)
    for row, weight in used:
        combined += np.float64(weight / largest) * row
    length = float(np.linalg.norm(combined))
    if length < _CANCELLED:
        raise QueryError("the terms cancel each other out, so every shot scores the same; change a weight or a term")
    return (combined / length).astype(np.float32)
