"""Occurrences of a term in a line: what to highlight, and whether it is there at all if only trigrams were compared.

The full-text index says which lines have the words; this finds them again in the text, with accents and case folded
character by character, so that places stay the same.
"""

from __future__ import annotations

import re
import unicodedata

from search.text.terms import All, Piece, Term, Words

Range = tuple[int, int]
"""First character, and one past the last one."""


class _Fold(dict[int, str]):
    """For str.translate: each character without accent, in lower case."""

    def __missing__(self, code: int) -> str:
        letter = unicodedata.normalize("NFD", chr(code))[0].lower()
        self[code] = folded = letter if len(letter) == 1 else chr(code)
        return folded


class _Lower(dict[int, str]):
    """For str.translate: each character in lower case, where that is one."""

    def __missing__(self, code: int) -> str:
        letter = chr(code).lower()
        self[code] = folded = letter if len(letter) == 1 else chr(code)
        return folded


class Occurrences:
    """The occurrences of one term."""

    def __init__(self, term: Term) -> None:
        self._term = term
        self._fold, self._lower = _Fold(), _Lower()
        self._patterns: dict[Words | Piece, re.Pattern[str]] = {}

    def ranges(self, text: str, own: int | None = None) -> list[Range] | None:
        """Return where the words of the term are in a text; None if the text does not match.

        Args:
            text: A line, perhaps with the beginning of the next one.
            own: Characters of the line alone, in which nothing may be that is left out; None for all.
        """
        found = self._find(self._term, text, len(text) if own is None else own)
        return None if found is None else _merged(found)

    def _find(self, term: Term, text: str, own: int) -> list[Range] | None:
        if isinstance(term, Words | Piece):
            fold = self._fold if isinstance(term, Words) else self._lower
            return [match.span() for match in self._pattern(term).finditer(text.translate(fold))] or None
        if isinstance(term, All):
            found: list[Range] = []
            for part in term.wanted:
                ranges = self._find(part, text, own)
                if ranges is None:
                    return None
                found += ranges
            line = text[:own]
            return None if any(self._find(part, line, own) is not None for part in term.excluded) else found
        each = [ranges for part in term.parts if (ranges := self._find(part, text, own)) is not None]
        return [span for ranges in each for span in ranges] if each else None

    def _pattern(self, leaf: Words | Piece) -> re.Pattern[str]:
        if leaf not in self._patterns:
            if isinstance(leaf, Words):
                words = r"[\W_]+".join(re.escape(word.translate(self._fold)) for word in leaf.words)
                end = "" if leaf.prefix else r"(?![^\W_])"
                pattern = rf"(?<![^\W_]){words}{end}" + (r"[^\W_]*" if leaf.prefix else "")
            else:
                pattern = r"\s*".join(re.escape(part.translate(self._lower)) for part in leaf.parts)
            self._patterns[leaf] = re.compile(pattern)
        return self._patterns[leaf]


def _merged(ranges: list[Range]) -> list[Range]:
    """Return ranges in order, those that overlap as one."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
