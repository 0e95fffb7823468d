"""Ground of chains over several spaces; see `search.chain_ground.Ground`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters
from search.chain_ground import PartScore
from search.chain_paths import Floats
from search.several.question import Question, all_ids
from search.several.ranking import SeveralRanking
from search.several.standing import Standing
from search.vectors.vector_index import Ids

if TYPE_CHECKING:
    from db.library import Library

_BLOCK = 8_192  # shots judged at a time, which bounds memory


class SeveralGround:
    """The segments of several spaces, and their standing in each step."""

    def __init__(self, library: Library, questions: Sequence[Question], rankings: Sequence[SeveralRanking]) -> None:
        """Create the ground.

        Args:
            library: The library.
            questions: One for each step.
            rankings: Likewise.
        """
        self.library = library
        self._questions, self._rankings = questions, rankings
        self._standings = [Standing(each) for each in questions]
        spaces = {asking.space.id: asking.space for each in questions for asking in each.every}
        self._spaces = list(spaces.values())

    def __len__(self) -> int:
        return len(all_ids([space.segment_ids() for space in self._spaces]))

    def owners(self) -> tuple[Ids, NDArray[np.int64]]:
        found = [self.library.owners(space.id) for space in self._spaces]
        ids, first = np.unique(np.concatenate([ids for ids, _ in found]), return_index=True)
        return ids, np.concatenate([owners for _, owners in found])[first]

    def segment_ids(self, filters: Filters) -> Ids:
        return all_ids([self.library.segment_ids(filters, space.id) for space in self._spaces])

    def z_scores(self, ids: Ids) -> Floats:
        found = np.full((len(self._questions), len(ids)), np.nan)
        for step, (question, standing) in enumerate(zip(self._questions, self._standings, strict=True)):
            for start in range(0, len(ids), _BLOCK):
                block = ids[start : start + _BLOCK]
                seen = question.seen(block)
                found[step, start + np.flatnonzero(np.isin(block, seen.ids))] = standing.values(seen)
        return found

    def best(self, wanted: int, allowed: Ids | None) -> tuple[Ids, Floats]:
        steps = []
        for question, standing in zip(self._questions, self._standings, strict=True):
            found = [
                np.unique(asking.space.index.search(asking.direction.row[None, :], wanted, allowed)[0][0])
                for asking in question.every
            ]
            seen = question.seen(all_ids(found))
            values = standing.values(seen)
            order = np.lexsort((seen.ids, -values))[:wanted]
            steps.append((seen.ids[order], values[order]))
        shortest = min(len(ids) for ids, _ in steps)
        return np.stack([ids[:shortest] for ids, _ in steps]), np.stack([values[:shortest] for _, values in steps])

    def described(self, ids: list[int]) -> Iterator[tuple[int, NDArray[np.float32], list[PartScore]]]:
        wanted = np.unique(np.asarray(ids, np.int64))
        by_step: list[dict[int, PartScore]] = []
        for ranking in self._rankings:
            there, values = ranking.values(wanted)
            cosines = {i: each[2] for i, each in ranking.described(there.tolist()).items()}
            by_step.append(
                {
                    i: PartScore(value, cosines[i])
                    for i, value in zip(there.tolist(), values.tolist(), strict=True)
                    if i in cosines
                }
            )
        there_ids, rows = self._rankings[0].rows_of(ids)
        for segment_id, row in zip(there_ids, rows, strict=True):
            if all(segment_id in each for each in by_step):
                yield segment_id, row, [each[segment_id] for each in by_step]
