"""A tree of what a person's words ask for: words and phrases, pieces of scripts without spaces, AND, OR and NOT."""

from __future__ import annotations

from dataclasses import dataclass


class TextQueryError(ValueError):
    """Words or a pattern that cannot be searched for; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Words:
    """Whole words that follow each other. Accents and case do not matter.

    Attributes:
        words: At least one, of letters and digits alone.
        prefix: Whether the last one may be the beginning of a word.
    """

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters in a row, in scripts that do not separate words by spaces, or symbols. Case does not matter.

    Attributes:
        parts: At least one; between two of them there may be space.
    """

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """All of some terms, and none of others.

    Attributes:
        wanted: At least one.
        excluded: Looked for in the line alone, not in the beginning of the next one.
    """

    wanted: tuple[Term, ...]
    excluded: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of some terms.

    Attributes:
        parts: At least two.
    """

    parts: tuple[Term, ...]


Term = Words | Piece | All | Either


def leaves(term: Term) -> list[Words | Piece]:
    """Return the words and pieces that a term wants, in order, without what it excludes."""
    if isinstance(term, Words | Piece):
        return [term]
    return [leaf for part in (term.wanted if isinstance(term, All) else term.parts) for leaf in leaves(part)]


def has_pieces(term: Term) -> bool:
    """Return whether there is a Piece in a term, among what it excludes, too."""
    if isinstance(term, Words | Piece):
        return isinstance(term, Piece)
    parts = (*term.wanted, *term.excluded) if isinstance(term, All) else term.parts
    return any(map(has_pieces, parts))


def may_cross(term: Term) -> bool:
    """Return whether a term may be partly in a line and partly in the next one, as a single word cannot."""
    if isinstance(term, Words):
        return len(term.words) > 1
    if isinstance(term, Piece):
        return True
    if isinstance(term, All):
        return len(term.wanted) > 1 or may_cross(term.wanted[0])
    return any(map(may_cross, term.parts))
