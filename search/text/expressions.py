"""Expressions of FTS5 for terms. All that a person typed is quoted.

Words are searched for in the column `joined`, a line with the beginning of the next one, only if they may be on both
sides; what is left out is looked for in `text`, the line alone.
"""

from __future__ import annotations

from collections.abc import Callable

from search.text.terms import All, Either, Piece, Term, Words, leaves, may_cross

Beginnings = Callable[[str], list[str]]
"""Returns the trigrams of the library that begin with one or two characters."""


def words_expression(term: Term) -> str:
    """Return the expression of a term without pieces, for `text_words`."""
    return _expression(term, "joined" if may_cross(term) else "text")


def word_expressions(term: Term) -> list[str]:
    """Return the expression of each word and phrase that a term without pieces wants."""
    column = "joined" if may_cross(term) else "text"
    return [_expression(leaf, column) for leaf in dict.fromkeys(leaves(term))]


def trigrams_expression(term: Term, beginnings: Beginnings) -> str | None:
    """Return an expression for `text_trigrams` that all lines match which match the term.

    Args:
        term: A term.
        beginnings: Called for pieces that are too short for a trigram.

    Returns:
        None if nothing can be said about trigrams, because words take part, whose accents may differ; "" if nothing in
        the library can match.
    """
    if isinstance(term, Words):
        return None
    if isinstance(term, Piece):
        return _of_piece(term, beginnings)
    if isinstance(term, All):
        found = [trigrams_expression(part, beginnings) for part in term.wanted]
        known = [each for each in found if each is not None]
        return None if not known else "" if "" in known else _joined(known, " AND ")
    found = [trigrams_expression(part, beginnings) for part in term.parts]
    if any(each is None for each in found):
        return None
    return _joined([each for each in found if each], " OR ")


def trigrams_of(text: str) -> list[str]:
    """Return the distinct trigrams of a text, quoted, in order."""
    return list(dict.fromkeys(quoted(text[at : at + 3]) for at in range(len(text) - 2)))


def quoted(text: str) -> str:
    """Return a string of FTS5."""
    return '"' + text.replace('"', '""') + '"'


def _expression(term: Term, column: str) -> str:
    if isinstance(term, Words):
        return f"{{{column}}} : {quoted(' '.join(term.words))}{'*' if term.prefix else ''}"
    if isinstance(term, Piece):
        raise TypeError("pieces have no words")
    if isinstance(term, Either):
        return _joined([_expression(part, column) for part in term.parts], " OR ")
    wanted = _joined([_expression(part, column) for part in term.wanted], " AND ")
    if not term.excluded:
        return wanted
    return f"({wanted} NOT {_joined([_expression(part, 'text') for part in term.excluded], ' OR ')})"


def _of_piece(piece: Piece, beginnings: Beginnings) -> str:
    parts = []
    for part in piece.parts:
        if len(part) >= 3:
            parts.append(_joined(trigrams_of(part), " AND "))
        else:
            parts.append(_joined([quoted(each) for each in beginnings(part.lower())], " OR "))
    return "" if "" in parts else _joined(parts, " AND ")


def _joined(parts: list[str], operator: str) -> str:
    return f"({operator.join(parts)})" if len(parts) > 1 else "".join(parts)
