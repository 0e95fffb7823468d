"""Output of hits of words and pictures: which channel found each, when the word comes, and the line, marked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from app.shell.hits import Output, Parts, hit_record, is_weak, parts_of, shot_cells, show_results, span_seconds
from app.shell.marked_line import marked_pieces
from app.shell.terminal import printable, table
from app.times import format_timestamp

if TYPE_CHECKING:
    from db.library import Library
    from search.fused import FusedHit
    from search.text.finding import TextHit

_BEFORE, _LINE = 24, 72  # characters shown before the first word of a long line, and in all


def show_fused(
    library: Library, hits: Sequence[FusedHit], output: Output, question: dict[str, Any], *, nothing: str
) -> None:
    """Print hits in the chosen form; see `show_results`. --open plays from the word where only words were found."""
    parts = parts_of(library, (each.hit for each in hits))
    show_results(
        "hits",
        hits,
        output,
        question,
        nothing=nothing,
        record=lambda hit: fused_record(hit, parts),
        lines=lambda each: fused_lines(each, parts),
        to_open=lambda hit: hit.played,
    )


def fused_lines(hits: Sequence[FusedHit], parts: Parts) -> list[str]:
    """Return one aligned line for each hit: rank, score, shot, channels, time of the word, file, and the line."""
    rows = []
    for hit in hits:
        times, place = shot_cells(hit.hit, parts, weak=is_weak(hit))
        rows.append(
            (
                str(hit.rank),
                f"{hit.score:.3f}",
                times,
                "+".join(hit.channels),
                _time(hit.lines[0].at_ms) if hit.lines else "-",
                place,
                _lines_text(hit.lines),
            )
        )
    return table(rows, ">><<<<<")


def fused_record(hit: FusedHit, parts: Parts) -> dict[str, Any]:
    """Return a hit as JSON values: a hit's, from the word on where only words were found, and its lines."""
    shot_start, shot_end = span_seconds(hit.hit)
    return {
        **hit_record(hit.played, parts),
        "shot_start_seconds": round(float(shot_start), 6),
        "shot_end_seconds": round(float(shot_end), 6),
        "channels": list(hit.channels),
        "picture_score": round(float(hit.hit.score), 6) if hit.hit.term_scores else None,
        "lines": [line_record(each) for each in hit.lines],
    }


def line_record(hit: TextHit) -> dict[str, Any]:
    """Return a line that matches as JSON values; `spans` are the first character of each match, and one past its end.

    Characters are Unicode code points; times are seconds from the first frame shown.
    """
    line = hit.line.line
    return {
        "kind": hit.line.kind,
        "text": hit.text,
        "spans": [list(each) for each in hit.ranges],
        "word_seconds": hit.at_ms / 1000,
        "word_timecode": _time(hit.at_ms),
        "start_seconds": line.start_ms / 1000,
        "end_seconds": line.end_ms / 1000,
        "confidence": line.confidence,
    }


def marked(hit: TextHit, *, bold: bool) -> str:
    """Return the part of a line around its first match, as one printable line; matches are bold on a terminal."""
    pieces = marked_pieces(hit, before=_BEFORE, most=_LINE)
    return "".join(
        click.style(_one_line(text), bold=True) if found and bold else _one_line(text) for text, found in pieces
    )


def _lines_text(lines: Sequence[TextHit]) -> str:
    if not lines:
        return ""
    more = f"  (+{len(lines) - 1:,} more)" if len(lines) > 1 else ""
    return marked(lines[0], bold=sys.stdout.isatty()) + more


def _one_line(text: str) -> str:
    return printable("".join(" " if each.isspace() else each for each in text))


def _time(milliseconds: int) -> str:
    return format_timestamp(milliseconds / 1000)
