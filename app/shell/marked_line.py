"""A line that matches, around its first match, in pieces that are highlighted or not: for the shell and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.shell.terminal import display_width

if TYPE_CHECKING:
    from search.text.finding import TextHit

Piece = tuple[str, bool]
"""A part of a text, and whether it matches."""


def marked_pieces(hit: TextHit, *, before: int, most: int) -> list[Piece]:
    """Return the part of a line around its first match, with "…" where something is left out.

    Args:
        hit: The line.
        before: Characters shown before the first match, if the line is longer than `most`.
        most: Characters shown in all.
    """
    first = hit.ranges[0][0] if hit.ranges else 0
    begin = 0 if display_width(hit.text) <= most else max(0, first - before)
    end = min(len(hit.text), begin + most)
    pieces, at = [("…" if begin else "", False)], begin
    for start, stop in hit.ranges:
        if start >= end:
            break
        pieces += [(hit.text[at:start], False), (hit.text[start : min(stop, end)], True)]
        at = min(stop, end)
    pieces += [(hit.text[at:end], False), ("…" if end < len(hit.text) else "", False)]
    return [piece for piece in pieces if piece[0]]
