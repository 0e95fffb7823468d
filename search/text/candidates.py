"""Lines that may match a term, from the full-text indexes: words by one, scripts without spaces by the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.text.matches import Matches
from db.timed_text import TextKind
from search.text.expressions import trigrams_expression, word_expressions, words_expression
from search.text.terms import All, Either, Term, has_pieces

if TYPE_CHECKING:
    from db.library import Library

_MOST_TRIGRAMS = {1: 150, 2: 400}
"""Trigrams that begin with one or two characters, of which one must be in a line. FTS5 compares all of them at each
line: 400 take 20 ms."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Lines that may match.

    Attributes:
        ids: int64 (n,), best first.
        complete: False if there are more.
        checked: Whether all of them match; else each must be looked at.
    """

    ids: NDArray[np.int64]
    complete: bool
    checked: bool


def candidates(
    library: Library, term: Term, kinds: Collection[TextKind] | None, videos: NDArray[np.int64] | None
) -> Candidates:
    """Return the lines that may match a term, at most `db.text.matches.MOST`, or as many of each part.

    Args:
        library: The library.
        term: What is searched for.
        kinds, videos: Only lines of these; None for all.
    """
    if not has_pieces(term):
        found = library.texts.match_words(words_expression(term), word_expressions(term), kinds, videos)
        return Candidates(found.ids, found.complete, True)
    too_many = False

    def beginnings(short: str) -> list[str]:
        nonlocal too_many
        most = _MOST_TRIGRAMS[len(short)]
        trigrams = library.texts.trigrams_beginning_with(short, most + 1)
        too_many |= len(trigrams) > most
        return trigrams[:most]

    trigrams = trigrams_expression(term, beginnings)
    if trigrams is not None:
        found = library.texts.match_trigrams(trigrams, kinds, videos, ranked=True) if trigrams else _NOTHING
        return Candidates(found.ids, found.complete and not too_many, False)
    if isinstance(term, All):  # all of them have the first part
        first = candidates(library, term.wanted[0], kinds, videos)
        return Candidates(first.ids, first.complete, False)
    assert isinstance(term, Either), "a word alone has no pieces"
    parts = [candidates(library, part, kinds, videos) for part in term.parts]
    ids = np.array(list(dict.fromkeys(number for part in parts for number in part.ids.tolist())), np.int64)
    return Candidates(ids, all(part.complete for part in parts), False)


_NOTHING = Matches(np.zeros(0, np.int64), True)
