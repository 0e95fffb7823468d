"""Expressions of FTS5 as queries of PostgreSQL.

Of FTS5's language, what `search.text` writes is read: phrases in quotes with a star after them, columns in braces, AND,
OR, NOT and brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from db.text.full_text_tokens import trigrams_of, words_of
from db.text.server.indexing import lexeme

_TOKEN = re.compile(r'\{(?P<column>\w+)\} :|"(?P<text>(?:[^"]|"")*)"(?P<star>\*?)|(?P<operator>AND|OR|NOT|[()])')
_STRENGTH = {"OR": 1, "AND": 2, "NOT": 3}
_WRITTEN = {"OR": "({} | {})", "AND": "({} & {})", "NOT": "({} & !{})"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other, or a trigram.

    Attributes:
        text: As it was quoted.
        own: Only in the line itself, not in the beginning of the next one.
        prefix: Whether the last word may be the beginning of one.
    """

    text: str
    own: bool
    prefix: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two parts of an expression.

    Attributes:
        operator: AND, OR or NOT; the right part of the latter is to be left out.
    """

    operator: str
    left: Node
    right: Node


Node = Phrase | Pair


def parse(expression: str) -> Node:
    """Return the tree of an expression. Raise ValueError if it is none that is read here."""
    tokens: list[re.Match[str]] = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise _refusal(expression)
        tokens.append(match)
        at = match.end() + len(expression[match.end() :]) - len(expression[match.end() :].lstrip())
    tokens.reverse()
    try:
        tree = _parsed(tokens, 0, own=False)
    except IndexError:
        raise _refusal(expression) from None
    if tokens:
        raise _refusal(expression)
    return tree


def wanted_phrases(node: Node) -> list[Phrase]:
    """Return the phrases of an expression in order, without those that are to be left out."""
    if isinstance(node, Phrase):
        return [node]
    return wanted_phrases(node.left) + ([] if node.operator == "NOT" else wanted_phrases(node.right))


def words_query(node: Node) -> str | None:
    """Return an expression of words as a tsquery; None if it has no word, and matches nothing."""
    every = list(dict.fromkeys(_phrases(node)))
    words = dict(zip(every, words_of([phrase.text for phrase in every]), strict=True))
    return _query(node, lambda phrase: phrase_query(phrase, words[phrase]))


def phrase_query(phrase: Phrase, words: list[str]) -> str | None:
    """Return the words of a phrase as a tsquery; None if there are none."""
    marks = ["A" if phrase.own else ""] * len(words)
    if words and phrase.prefix:
        marks[-1] += "*"
    parts = [f"{lexeme(word)}:{mark}" if mark else lexeme(word) for word, mark in zip(words, marks, strict=True)]
    return f"({' <-> '.join(parts)})" if parts else None


def trigrams_query(node: Node) -> str | None:
    """Return an expression of trigrams as a tsquery; one or two characters stand for all that begin with them."""

    def query(phrase: Phrase) -> str | None:
        if len(phrase.text) < 3:
            return f"{lexeme(phrase.text.lower())}:*"
        (found,) = trigrams_of([phrase.text])
        return f"({' & '.join(map(lexeme, found))})" if found else None

    return _query(node, query)


def _parsed(tokens: list[re.Match[str]], strength: int, *, own: bool) -> Node:
    """Take the part of an expression from the end of `tokens` whose operators are stronger than `strength`."""
    token = tokens.pop()
    if token["column"]:
        return _rest(_parsed(tokens, _STRENGTH["NOT"], own=token["column"] == "text"), tokens, strength, own=own)
    if token["operator"] == "(":
        inner = _parsed(tokens, 0, own=own)
        if tokens.pop()["operator"] != ")":
            raise IndexError
        return _rest(inner, tokens, strength, own=own)
    if token["text"] is None:
        raise IndexError
    phrase = Phrase(token["text"].replace('""', '"'), own, bool(token["star"]))
    return _rest(phrase, tokens, strength, own=own)


def _rest(left: Node, tokens: list[re.Match[str]], strength: int, *, own: bool) -> Node:
    while tokens and _STRENGTH.get(tokens[-1]["operator"] or "", 0) > strength:
        operator = tokens.pop()["operator"]
        left = Pair(operator, left, _parsed(tokens, _STRENGTH[operator], own=own))
    return left


def _phrases(node: Node) -> list[Phrase]:
    return [node] if isinstance(node, Phrase) else _phrases(node.left) + _phrases(node.right)


def _query(node: Node, of_phrase: Callable[[Phrase], str | None]) -> str | None:
    if isinstance(node, Phrase):
        return of_phrase(node)
    left, right = _query(node.left, of_phrase), _query(node.right, of_phrase)
    if left is None or right is None:  # FTS5, too, takes no notice of a phrase without a word
        return right if left is None and node.operator != "NOT" else left
    return _WRITTEN[node.operator].format(left, right)


def _refusal(expression: str) -> ValueError:
    return ValueError(f"no expression of FTS5 that is read here: {expression!r}")
