"""From a query to hits: a row per term, combined, compared under the filters, brought back with what explains them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder import Encoder
from search.query import Answer, ClipTerm, Hit, Query, QueryError, SegmentTerm, Term, TextTerm
from search.query_cache import TermRows
from search.ranking import MOST_COMPARED, MOST_COUNTED, Chosen, choose
from search.vectors.vector_index import HoldsRows, Refreshable, VectorIndex

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
        self._remembered = TermRows(encoder)

    def refresh(self) -> bool:
        """Let the index catch up with the library, so that what was indexed since is found. True if it changed."""
        return isinstance(self.index, Refreshable) and self.index.refresh()

    def search(self, query: Query) -> list[Hit]:
        """The hits of `answer`, without counting what else there is."""
        return self._answer(query, counted=False).hits

    def answer(self, query: Query) -> Answer:
        """The best hits, at most `query.k`, best first, and out of how many; see Answer.

        No hits where nothing is allowed, indexed or good enough. The rows of texts and clips are remembered, so that
        asking again with other weights or filters encodes nothing.
        Raises QueryError for a term that cannot be turned into a row (an unknown segment, a clip of another shape) and
        for terms that cancel each other out; EncoderError and LibraryError from below.
        """
        return self._answer(query, counted=True)

    def scores(self, query: Query, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 (n,): how each of these segments scores, whatever the query's filters, in the order of `ids`.

        Raises KeyError for a segment that has no row by this encoder, and what `answer` raises.
        """
        row = combine(self._term_rows(query.terms), [term.weight for term in query.terms])
        return np.asarray(self.library.embedding_rows(self.encoder.id, ids) @ row, dtype=np.float32)

    def _answer(self, query: Query, *, counted: bool) -> Answer:
        rows = self._term_rows(query.terms)
        row = combine(rows, [term.weight for term in query.terms])
        own = self._left_out(query)
        among = self.library.segment_ids(query.filters, self.encoder.id) if query.filters else None
        if among is not None and among.size == 0:
            return Answer(hits=[], allowed=0, matching=0, hidden=0)
        hits, hidden, matching = self._hits(query, rows, row, among, own)
        if not counted:
            return Answer(hits=hits, allowed=0, matching=0, hidden=hidden)
        own_ids = np.asarray(sorted(own), dtype=np.int64)
        if among is not None:
            among = among[~np.isin(among, own_ids)]
            allowed = int(among.size)
        else:
            allowed = len(self.index) - self.index.count(row, -np.inf, own_ids)
        if query.threshold is None:
            matching = allowed
        elif matching is None:
            matching = self.index.count(row, query.threshold, among)
            if among is None:
                matching -= self.index.count(row, query.threshold, own_ids)
        return Answer(hits=hits, allowed=allowed, matching=matching, hidden=hidden)

    def _term_rows(self, terms: Sequence[Term]) -> NDArray[np.float32]:
        """float32 (terms, D): texts in one batch, clips in one batch, segments as they are stored."""
        rows = np.empty((len(terms), self.encoder.dim), dtype=np.float32)
        texts = [(at, term.text) for at, term in enumerate(terms) if isinstance(term, TextTerm)]
        if texts:
            rows[[at for at, _ in texts]] = self._remembered.of_texts([text for _, text in texts])
        clips = [(at, term.clip) for at, term in enumerate(terms) if isinstance(term, ClipTerm)]
        if clips:
            shape = self.encoder.clip_spec.shape
            for _, clip in clips:
                if clip.shape != shape:
                    raise QueryError(f"{self.encoder.id} takes clips of shape {shape}, got {clip.shape}")
            rows[[at for at, _ in clips]] = self._remembered.of_clips([clip for _, clip in clips])
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

    def _left_out(self, query: Query) -> frozenset[int]:
        """Segments that the query itself is made of, the rest of their shots where that is wanted, and `leave_out`."""
        asked = {term.segment_id for term in query.terms if isinstance(term, SegmentTerm)}
        out = asked | query.leave_out
        if asked and query.exclude_same_shot:
            for segment, video in self.library.segments(sorted(asked)).values():
                assert video.id is not None, "what comes from the library has an id"
                out.update(
                    other.id
                    for other in self.library.segments_of(video.id)
                    if other.shot_number == segment.shot_number and other.id is not None
                )
        return frozenset(out)

    def _hits(
        self,
        query: Query,
        rows: NDArray[np.float32],
        row: NDArray[np.float32],
        among: NDArray[np.int64] | None,
        own: frozenset[int],
    ) -> tuple[list[Hit], int, int | None]:
        """(hits, hidden, matching where the ranking was seen to its end, else None).

        The index is asked for as many as it takes: segments that are left out, and those that have gone meanwhile,
        are replaced, and so are hits that make way for others, down to MOST_COMPARED or MOST_COUNTED.
        """
        thinned = query.per_video is not None or query.near_duplicates is not None
        most = max(query.k, MOST_COUNTED if query.near_duplicates is None else MOST_COMPARED) + len(own)
        wanted = query.k + len(own)
        if thinned:
            wanted = min(most, 4 * wanted + 256)  # enough for nearly all, and a GPU takes no more than 2048
        while True:
            found_ids, found_scores = self.index.search(row[None, :], wanted, among)
            scores = dict(zip(found_ids[0].tolist(), found_scores[0].tolist(), strict=True))  # best first, as given
            good = [i for i in scores if query.threshold is None or scores[i] >= query.threshold]
            ended = len(scores) < wanted or len(good) < len(scores)
            candidates = [i for i in good if i not in own]
            if thinned:
                chosen = choose(
                    candidates,
                    query.k,
                    per_video=query.per_video,
                    near_duplicates=query.near_duplicates,
                    videos_of=self.library.video_ids,
                    rows_of=self._rows_there,
                )
            else:
                chosen = Chosen(candidates, 0)
            known = self._known(chosen.ids, rows)
            if len(known) >= query.k or ended or (thinned and wanted >= most):
                break
            wanted = min(most, 8 * wanted) if thinned else 2 * wanted
        hits = [
            Hit(rank=rank, score=scores[i], segment=known[i][0], video=known[i][1], term_scores=known[i][2])
            for rank, i in enumerate(list(known)[: query.k], start=1)
        ]
        return hits, chosen.hidden, len(candidates) if ended else None

    def _known(self, ids: list[int], rows: NDArray[np.float32]) -> dict[int, tuple[Segment, Video, tuple[float, ...]]]:
        """Segment, video and the cosine with each term, for those of `ids` that are still there, in their order."""
        records = self.library.segments(ids)
        there, stored = self._rows_there([i for i in ids if i in records])
        cosines = (stored @ rows.T).tolist()
        return {i: (*records[i], tuple(cosines[at])) for at, i in enumerate(there)}

    def _rows_there(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Those of `ids` that still have a row, in their order, and the rows: float32 (n, D)."""
        if not ids:
            return [], np.empty((0, self.encoder.dim), dtype=np.float32)
        try:
            if isinstance(self.index, HoldsRows):
                return ids, self.index.rows_of(np.asarray(ids, dtype=np.int64))
            return ids, self.library.embedding_rows(self.encoder.id, ids)
        except KeyError:  # one went since its id was found; asking for halves tells which
            if len(ids) == 1:
                return self._rows_there([])
            middle = len(ids) // 2
            first, second = self._rows_there(ids[:middle]), self._rows_there(ids[middle:])
            return first[0] + second[0], np.concatenate([first[1], second[1]])


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
