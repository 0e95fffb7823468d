"""Ranking of shots by several voices; see `search.choosing.Ranking`.

A question of one text or one example ranks by the strength of what the voices say together, any other by their
standing (`search.several.standing`). Candidates are the best of each space, so that a shot that is far down in all of
them is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.candidates import best_candidates
from search.choosing import Judged
from search.several.question import Question, Seen, all_ids, has_rows
from search.several.standing import Standing
from search.several.verdicts import Jury, Verdicts
from search.space import Space
from search.strength import Level
from search.vectors.vector_index import Ids

if TYPE_CHECKING:
    from db.library import Library
    from search.choosing import Described

DEPTH = 1_024
"""Candidates of each space, at least: all of a small library. A GPU gives 2048 at most."""


class SeveralRanking:
    """The ranking of one question."""

    def __init__(
        self,
        library: Library,
        question: Question,
        jury: Jury,
        total: int,
        *,
        least_level: Level | None = None,
        threshold: float | None = None,
    ) -> None:
        """Make the ranking.

        Args:
            library: The library.
            question: What is asked.
            jury: Gives the verdicts.
            total: Number of shots that are asked.
            least_level: Leave out hits that are weaker.
            threshold: Leave out shots whose score in the space that judges them is lower. For one voice.
        """
        self._library, self._question, self._jury, self._total = library, question, jury, total
        self._least_level, self._threshold = least_level, threshold

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self._question)

    @property
    def _spaces(self) -> list[Space]:
        return [asking.space for asking in self._question.every]

    def best(self, wanted: int, allowed_ids: Ids | None, threshold: float | None) -> tuple[dict[int, float], bool]:
        """Return (scores by segment id, best first; whether there are no others). `threshold` is not used."""
        found, complete = [], True
        for asking in self._question.every:
            space, depth = asking.space, max(DEPTH, 4 * wanted)
            scores, is_all = best_candidates(
                space.index, asking.direction, depth, allowed_ids, self._threshold, space.rows_of
            )
            below = self._threshold is not None and any(each < self._threshold for each in scores.values())
            complete &= is_all or below
            found.append(np.unique(np.fromiter(scores, np.int64, len(scores))))
        ids, values = self.values(all_ids(found))
        order = np.lexsort((ids, -values))[:wanted]
        best = {int(ids[at]): float(values[at]) for at in order}
        return best, complete and len(best) == len(ids)

    def values(self, ids: Ids) -> tuple[Ids, NDArray[np.float64]]:
        """Return those of these shots that can be judged and reach the threshold, and the value that ranks each."""
        seen = self._seen(ids)
        values = self._verdicts(seen).values() if self._has_one_part else None
        return seen.ids, self._standing.values(seen) if values is None else values

    def verdicts(self, ids: Ids) -> tuple[Ids, Verdicts]:
        """Return those of these shots that can be judged, and the verdicts on them."""
        seen = self._question.seen(ids)
        return seen.ids, self._verdicts(seen)

    def rows_of(self, ids: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Return the `ids` that still have a row, and rows that can be compared: of shots in one space, the cosine is
        that of their rows there, else it is 0. Each shot counts in the first space that has it.
        """
        spaces = self._spaces
        ends = np.cumsum([0, *(space.encoder.dim for space in spaces)])
        rows = np.zeros((len(ids), int(ends[-1])), np.float32)
        rest, wanted = np.arange(len(ids)), np.asarray(ids, np.int64)
        for number, asking in enumerate(self._question.every):
            has = has_rows(asking.space, wanted[rest])
            there, own = asking.space.rows_of(wanted[rest[has]].tolist())
            at = rest[np.isin(wanted[rest], np.asarray(there, np.int64))]
            rows[at, ends[number] : ends[number + 1]] = own
            rest = np.setdiff1d(rest, at, assume_unique=True)
        kept = np.setdiff1d(np.arange(len(ids)), rest, assume_unique=True)
        return wanted[kept].tolist(), rows[kept]

    def described(self, ids: list[int]) -> dict[int, Described]:
        """Return segment, video and cosine with each term, in the first space that judges it, of `ids` in order."""
        records = self._library.segments(ids)
        seen = self._question.seen(np.asarray([i for i in ids if i in records], np.int64))
        cosines: dict[int, tuple[float, ...]] = {}
        for voice, of_spaces in enumerate(seen.cosines):
            for number, found in enumerate(of_spaces):
                for segment_id, each in zip(seen.ids[seen.at(voice, number)].tolist(), found.tolist(), strict=True):
                    cosines.setdefault(segment_id, tuple(each))
        return {i: (*records[i], cosines[i]) for i in ids if i in cosines}

    def judged(self, ids: list[int], cosines: Sequence[Sequence[float]]) -> list[Judged]:
        """Return those of these segments that reach the least level. `cosines` are not used."""
        known, found = self.verdicts(np.asarray(ids, np.int64))
        at = {segment_id: number for number, segment_id in enumerate(known.tolist())}
        judged: list[Judged] = []
        for place, segment_id in enumerate(ids):
            strength = found.strengths[at[segment_id]] if segment_id in at else None
            if self._least_level is None or strength is None or strength.reaches(self._least_level):
                judged.append((place, strength, found.opinions[at[segment_id]] if segment_id in at else ()))
        return judged

    @property
    def _has_one_part(self) -> bool:
        """Whether the question is one text or one example in every space."""
        terms = [[term for term in asking.terms if term.weight] for asking in self._question.every]
        return all(len(each) == 1 and each[0].weight > 0 for each in terms)

    def _seen(self, ids: Ids) -> Seen:
        seen = self._question.seen(ids)
        if self._threshold is None:
            return seen
        (scores,) = seen.scores
        return self._question.seen(seen.ids[scores >= self._threshold])

    def _verdicts(self, seen: Seen) -> Verdicts:
        return self._jury.verdicts(self._question, seen, self._total)
