"""Output of chains: a line for each for people, JSON and paths for scripts, or a video player."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app.shell.hits import (
    Output,
    Parts,
    hit_record,
    is_weak,
    part_mark,
    parts_of,
    show_results,
    span_seconds,
    strength_fields,
)
from app.shell.result_record import place_fields
from app.shell.terminal import display_path, table
from app.times import format_timestamp

if TYPE_CHECKING:
    from db.library import Library
    from search.chain_query import Chain
    from search.query import Hit


def show_chains(
    library: Library, chains: Sequence[Chain], output: Output, question: dict[str, Any], *, nothing: str
) -> None:
    """Print chains of a library in the chosen form; see `show_results`. --open plays the part that is first in time."""
    parts = parts_of(library, (part for chain in chains for part in chain.parts))
    show_results(
        "chains",
        chains,
        output,
        question,
        nothing=nothing,
        record=lambda chain: chain_record(chain, parts),
        lines=lambda each: chain_lines(each, parts),
        to_open=lambda chain: in_time(chain)[0],
    )


def chain_lines(chains: Sequence[Chain], parts: Parts) -> list[str]:
    """Return one aligned line for each chain: rank, score, the time range of each step, file."""
    rows = []
    for chain in chains:
        spans = [_step_text(hit, parts) for hit in chain.parts]
        path = display_path(chain.video.path) + (f"  (+{len(chain.alike):,} alike)" if chain.alike else "")
        path += "  (quick)" if any(part.is_quick for part in chain.parts) else ""
        path += "  (weak)" if is_weak(chain) else ""
        path += "" if os.path.exists(chain.video.path) else "  (offline)"
        rows.append((str(chain.rank), f"{chain.score:.3f}", " + ".join(spans), path))
    return table(rows, ">><<")


def _step_text(hit: Hit, parts: Parts) -> str:
    start, end = span_seconds(hit)
    return f"{format_timestamp(start)}-{format_timestamp(end)}{part_mark(hit, parts, ' ')}"


def chain_record(chain: Chain, parts: Parts) -> dict[str, Any]:
    """Return a chain as JSON values: its span as a hit has its range, and its parts as hits, in the order of steps."""
    from app.exporting.lists import identity_record
    from indexer.identity import Identity

    return {
        **place_fields(chain, *chain_span(chain)),
        **strength_fields(chain.strength),
        "alike": [list(ids) for ids in chain.alike],
        "parts": [hit_record(part, parts) for part in chain.parts],
        **identity_record(Identity.of(chain.video)),
    }


def chain_span(chain: Chain) -> tuple[Fraction, Fraction]:
    """Return the exact start of the first part and end of the last, in seconds from the first frame shown."""
    spans = [span_seconds(part) for part in chain.parts]
    return min(start for start, _ in spans), max(end for _, end in spans)


def in_time(chain: Chain) -> list[Hit]:
    """Return the parts of a chain as they follow each other in the video."""
    return sorted(chain.parts, key=lambda part: part.segment.start_pts)
