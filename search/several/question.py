"""A question as each voice takes it, and what each voice sees of shots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.directions import Direction
from search.query import MissingRow, QueryError, Term
from search.space import Space
from search.vectors.vector_index import Ids

Voice = tuple[Space, ...]
"""The spaces of an encoder's rows, best first."""

Pattern = tuple[int, ...]
"""For each voice, the number of the space that it judges a shot by; -1 if it cannot judge it."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """A question in one space.

    Attributes:
        space: The space.
        terms: Of the question.
        direction: What segments are compared with.
        rows: float32 (terms, D), one for each term.
    """

    space: Space
    terms: Sequence[Term]
    direction: Direction
    rows: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What voices see of shots.

    Attributes:
        ids: int64 (n,), shots that at least one voice can judge.
        by: int64 (V, n), a Pattern for each.
        scores: float64 (V, n), the score in that space; 0 of damaged rows, NaN where there is no row.
        cosines: For each voice and each of its spaces, float32 (m, terms): of the shots that it judges by it, in order.
    """

    ids: Ids
    by: NDArray[np.int64]
    scores: NDArray[np.float64]
    cosines: tuple[tuple[NDArray[np.float32], ...], ...]

    def at(self, voice: int, space: int) -> NDArray[np.int64]:
        """Return the positions of the shots that a voice judges by a space."""
        return np.flatnonzero(self.by[voice] == space)

    def patterns(self) -> list[tuple[Pattern, NDArray[np.int64]]]:
        """Return every pattern that occurs, with the positions of its shots."""
        if not len(self.ids):
            return []
        different, number = np.unique(self.by, axis=1, return_inverse=True)
        of_shot = number.reshape(-1)
        return [(tuple(each.tolist()), np.flatnonzero(of_shot == at)) for at, each in enumerate(different.T)]


class Question:
    """A question to several voices.

    A space that lacks a row for an example, or has no terms, does not judge. So a voice may have nothing to say.

    Attributes:
        asked: For each voice, the question in each of its spaces that can take it, best first.
    """

    def __init__(
        self, voices: Sequence[Voice], terms_of: Callable[[str], Sequence[Term]], *, plain_sum: bool = False
    ) -> None:
        """Take a question.

        Args:
            voices: At least one.
            terms_of: Returns the terms for an encoder's id.
            plain_sum: As in Query.

        Raises:
            QueryError: No space can take it, or one refuses it: see `Space.direction`.
            EncoderError, LibraryError: See `Space.direction`.
        """
        missing: list[MissingRow] = []
        asked = []
        for voice in voices:
            found = []
            for space in voice:
                terms = terms_of(space.id)
                if not terms:
                    continue
                try:
                    direction, rows = space.direction(terms, plain_sum=plain_sum)
                except MissingRow as error:
                    missing.append(error)
                else:
                    found.append(Asking(space, terms, direction, rows))
            asked.append(tuple(found))
        if not any(asked):
            raise missing[0] if missing else QueryError("no encoder can take this question; index the example's video")
        self.asked: tuple[tuple[Asking, ...], ...] = tuple(asked)

    @property
    def every(self) -> list[Asking]:
        """The question in every space that can take it."""
        return [asking for voice in self.asked for asking in voice]

    def seen(self, ids: Ids) -> Seen:
        """Return what the voices see of these shots; those that none can judge are left out.

        Args:
            ids: int64 (n,), each once.

        Raises:
            LibraryError: The library cannot be read.
        """
        by = np.full((len(self.asked), len(ids)), -1)
        scores = np.full((len(self.asked), len(ids)), np.nan)
        cosines: list[list[NDArray[np.float32]]] = []
        for voice, askings in enumerate(self.asked):
            cosines.append([])
            for number, asking in enumerate(askings):
                wanted = np.flatnonzero((by[voice] < 0) & has_rows(asking.space, ids))
                there, rows = asking.space.rows_of(ids[wanted].tolist())
                wanted = wanted[np.isin(ids[wanted], np.asarray(there, np.int64))]
                by[voice, wanted] = number
                scores[voice, wanted] = np.nan_to_num(asking.direction.scores(rows), nan=0.0)
                cosines[voice].append(rows @ asking.rows.T)
        kept = (by >= 0).any(axis=0)
        return Seen(ids[kept], by[:, kept], scores[:, kept], tuple(tuple(each) for each in cosines))


def has_rows(space: Space, ids: Ids) -> NDArray[np.bool_]:
    """Return for each of these shots whether a space has a row of it."""
    known = space.segment_ids()
    if not known.size:
        return np.zeros(len(ids), np.bool_)
    at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.asarray(known[at] == ids, np.bool_)


def all_ids(found: Sequence[Ids]) -> Ids:
    """Return the shots that are in at least one of these, int64 (n,) each and together, ascending."""
    together = found[0]
    for each in found[1:]:
        if not np.array_equal(each, together):
            together = np.union1d(together, each)
    return together


def common_ids(spaces: Sequence[Space]) -> Ids:
    """Return the shots that every space has a row of, int64 (n,), ascending."""
    common = spaces[0].segment_ids()
    for space in spaces[1:]:
        common = common[has_rows(space, common)]
    return common
