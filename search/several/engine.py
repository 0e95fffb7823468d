"""Search engine over several spaces: encoders that judge together, and quick rows beside full ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters
from encoder import Encoder
from search.chain_query import Chain, ChainQuery
from search.chain_strengths import judged_chains
from search.chains import ChainSearch
from search.choosing import choose, excluded_ids
from search.engine import SearchEngine
from search.query import Answer, Hit, OwnTerms, Query, QueryError, Term
from search.several.chain_ground import SeveralGround
from search.several.question import Question, Voice, all_ids
from search.several.ranking import SeveralRanking
from search.several.verdicts import Jury
from search.space import Space
from search.strength import Opinion, Strength
from search.takes.stored import StoredSetUps
from search.vectors.vector_index import Ids

if TYPE_CHECKING:
    from db.library import Library


class SeveralEngine:
    """Answers queries over the rows of several spaces, as `SearchEngine` does over those of one.

    Hits have the opinions of all voices, and are ranked by `score`: a strength, or for questions of several parts a
    standing. If only one space has rows, it answers alone.
    """

    def __init__(self, voices: Sequence[Voice]) -> None:
        """Create an engine.

        Args:
            voices: The spaces of one library, at least one of each voice.
        """
        self.voices = tuple(tuple(voice) for voice in voices)
        self._jury = Jury()
        self._set_ups = StoredSetUps(self.library.directory, [space.id for space in self.spaces])

    @property
    def library(self) -> Library:
        """The library."""
        return self.voices[0][0].library

    @property
    def encoder(self) -> Encoder:
        """The first encoder."""
        return self.voices[0][0].encoder

    @property
    def first(self) -> SearchEngine:
        """An engine of the first encoder alone, over its full rows."""
        return SearchEngine.of(self.voices[0][0])

    @property
    def spaces(self) -> tuple[Space, ...]:
        """All spaces."""
        return tuple(space for voice in self.voices for space in voice)

    @property
    def voice_ids(self) -> tuple[tuple[str, ...], ...]:
        """The ids of the spaces of each encoder that is asked: its full rows, then its quick ones."""
        return tuple(tuple(space.id for space in voice) for voice in self.voices)

    def segment_ids(self, filters: Filters) -> Ids:
        """Return the segments that it can find and that pass filters, int64 (n,), ascending."""
        return all_ids([self.library.segment_ids(filters, space.id) for space in self.spaces])

    def refresh(self) -> bool:
        """Update all indexes from the library; see `Space.refresh`."""
        changed = [space.refresh() for space in self.spaces]  # all of them, not only up to the first that changed
        return any(changed)

    def search(self, query: Query) -> list[Hit]:
        """Return the hits of `answer`."""
        return self.answer(query).hits

    def answer(self, query: Query) -> Answer:
        """Return the best hits, and the number of segments they were chosen from; see `SearchEngine.answer`.

        Raises:
            QueryError: No space can take the question, or a minimum score is asked of several encoders.
            EncoderError, LibraryError: See `SearchEngine.answer`.
        """
        only = self._only()
        if only is not None:
            found = SearchEngine.of(only).answer(query.for_encoder(only.id))
            return replace(found, hits=[_with_opinion(hit, only) for hit in found.hits])
        if query.threshold is not None and len(self.voices) > 1:
            raise QueryError("a minimum score is one encoder's cosine, and several are asked; use a minimum strength")
        question = self._question(query.terms, query.own_terms, plain_sum=query.plain_sum)
        spaces = [asking.space for asking in question.every]
        excluded = excluded_ids(self.library, query)
        known = all_ids([space.segment_ids() for space in spaces])
        allowed_ids = (
            all_ids([self.library.segment_ids(query.filters, space.id) for space in spaces]) if query.filters else None
        )
        if allowed_ids is not None and allowed_ids.size == 0:
            return Answer(hits=[], allowed=0, matching=0, hidden=0)
        ranking = SeveralRanking(
            self.library,
            question,
            self._jury,
            len(known),
            least_level=query.least_level,
            threshold=query.threshold,
        )
        near = None
        if query.duplicates != "show":
            near = query.near_duplicates or max(space.near_duplicate() for space in spaces)
        chosen = choose(
            self.library, replace(query, threshold=None), ranking, near, allowed_ids, excluded, self._set_ups.current()
        )
        wanted = known if allowed_ids is None else allowed_ids
        wanted = wanted[~np.isin(wanted, np.asarray(sorted(excluded), np.int64))]
        matching = len(wanted) if query.threshold is None else _reaching(question, query.threshold, wanted)
        return Answer(hits=chosen.hits, allowed=len(wanted), matching=matching, hidden=chosen.hidden)

    def chains(self, query: ChainQuery) -> list[Chain]:
        """Return the best chains of segments, best first; see `SearchEngine.chains`."""
        only = self._only()
        if only is not None:
            steps = [replace(step, terms=step.own_terms.get(only.id, step.terms)) for step in query.steps]
            chains = SearchEngine.of(only).chains(replace(query, steps=steps))
            return [replace(each, parts=tuple(_with_opinion(part, only) for part in each.parts)) for each in chains]
        questions = [self._question(step.terms, step.own_terms, plain_sum=query.plain_sum) for step in query.steps]
        total = len(self.segment_ids(Filters()))
        rankings = [SeveralRanking(self.library, each, self._jury, total) for each in questions]
        near = None if query.duplicates == "show" else max(space.near_duplicate() for space in self.spaces)
        found, reach = ChainSearch(SeveralGround(self.library, questions, rankings)).answer(query, near)
        if reach is None or not found:
            return found
        by_step: list[list[Strength | None]] = []
        opinions: list[list[tuple[Opinion, ...]]] = []
        for at, ranking in enumerate(rankings):
            ids = [chain.parts[at].segment.id or 0 for chain in found]
            judged = ranking.judged(ids, [])
            by_step.append([strength for _, strength, _ in judged])
            opinions.append([each for _, _, each in judged])
        chains = [
            replace(
                chain,
                parts=tuple(replace(part, opinions=opinions[at][number]) for at, part in enumerate(chain.parts)),
            )
            for number, chain in enumerate(found)
        ]
        return judged_chains(chains, query, by_step, reach)

    def described(self, query: Query, ids: Sequence[int]) -> list[Hit]:
        """Return these segments as hits of a query, ignoring its filters and limits; see `SearchEngine.described`."""
        only = self._only()
        if only is not None:
            found = SearchEngine.of(only).described(query.for_encoder(only.id), ids)
            return [_with_opinion(hit, only) for hit in found]
        ranking = self._ranking(query)
        known = ranking.described(list(dict.fromkeys(ids)))
        there, values = ranking.values(np.array(list(known), np.int64))
        scores = dict(zip(there.tolist(), values.tolist(), strict=True))
        return [
            Hit(
                rank=1,
                score=scores.get(segment_id, 0.0),
                segment=segment,
                video=video,
                term_scores=cosines,
                strength=strength,
                opinions=opinions,
            )
            for (segment_id, (segment, video, cosines)), (_, strength, opinions) in zip(
                known.items(), ranking.judged(list(known), []), strict=True
            )
        ]

    def scores(self, query: Query, ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the score of each of these segments, ignoring the query's filters; see `SearchEngine.scores`.

        Raises:
            KeyError: A segment has no row in any space that can take the question.
        """
        only = self._only()
        if only is not None:
            return SearchEngine.of(only).scores(query.for_encoder(only.id), ids)
        wanted = np.asarray(ids, np.int64)
        there, values = self._ranking(query).values(np.unique(wanted))
        at = np.minimum(np.searchsorted(there, wanted), max(0, len(there) - 1))
        if len(wanted) and (not len(there) or (there[at] != wanted).any()):
            raise KeyError("a segment has no row by any of these encoders")
        return values[at].astype(np.float32)

    def _only(self) -> Space | None:
        """Return the only space that has rows; the first one if none has. None if there are several."""
        held = [space for space in self.spaces if len(space.index)]
        if len(held) > 1:
            return None
        return held[0] if held else self.voices[0][0]

    def _question(self, terms: Sequence[Term], own_terms: OwnTerms, *, plain_sum: bool) -> Question:
        held = [tuple(space for space in voice if len(space.index)) for voice in self.voices]
        return Question(held, lambda encoder_id: own_terms.get(encoder_id, terms), plain_sum=plain_sum)

    def _ranking(self, query: Query) -> SeveralRanking:
        question = self._question(query.terms, query.own_terms, plain_sum=query.plain_sum)
        total = len(all_ids([asking.space.segment_ids() for asking in question.every]))
        return SeveralRanking(self.library, question, self._jury, total)


def _with_opinion(hit: Hit, space: Space) -> Hit:
    return replace(hit, opinions=(Opinion(encoder_id=space.id, strength=hit.strength, quick=space.is_quick),))


def _reaching(question: Question, threshold: float, ids: Ids) -> int:
    """Return how many of these shots score at least the threshold in the space of the one voice that judges them."""
    (scores,) = question.seen(ids).scores
    return int((scores >= threshold).sum())
