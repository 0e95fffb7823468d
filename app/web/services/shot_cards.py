"""Cards of segments and hits, as views receive them. Names are made valid Unicode; requests go by ids alone."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.link_parameters import encode_path
from app.shell.encoder_labels import labels_of
from app.shell.marked_line import marked_pieces

if TYPE_CHECKING:
    from db.records import Segment, Video
    from search.chain_query import Chain
    from search.fused import FusedHit
    from search.query import Hit
    from search.strength import Opinion, Strength
    from search.text.finding import TextHit

_BEFORE, _LINE = 40, 140  # characters shown before the first word of a long line, and in all


Parts = Mapping[int, tuple[int, int]]
"""Which part of its shot each segment is, and of how many: `Library.shot_parts`."""


def part_fields(segment: Segment, parts: Parts) -> dict[str, int]:
    """Return which part of its shot a segment is, and of how many, from 1."""
    part, count = parts.get(segment.id or 0, (1, 1))
    return {"part": part, "part_count": count}


def shot_card(segment: Segment, video: Video, parts: Parts) -> dict[str, Any]:
    """Return a segment as a card without a score."""
    start, end = video.seconds(segment.start_pts), video.seconds(segment.end_pts)
    path = Path(video.path)
    return {
        "id": segment.id,
        "name": encode_path(path.name),
        "folder": encode_path(str(path.parent)),
        "start": start,
        "end": end,
        **part_fields(segment, parts),
        "missing": not os.path.exists(video.path),
        "score": None,
        "share": None,
        "strength": None,
        "alike": [],
    }


def hit_card(hit: Hit, best: float, parts: Parts, *, stacks_takes: bool = False) -> dict[str, Any]:
    """Return a hit as a card.

    Args:
        hit: The hit.
        parts: Of the hits' segments.
        stacks_takes: Whether other takes stand behind it, and are no hits of their own.
        best: The best score of the search. `share` is a part of it: the length of the bar where there is no strength.
    """
    return {
        **shot_card(hit.segment, hit.video, parts),
        "score": round(float(hit.score), 4),
        "share": round(max(0.0, float(hit.score)) / max(best, 1e-6), 3),
        "strength": strength_record(hit.strength),
        **stack_fields(hit, stacks_takes=stacks_takes),
        "quick": hit.is_quick,
        "opinions": opinion_cards(hit.opinions),
    }


def stack_fields(hit: Hit, *, stacks_takes: bool) -> dict[str, Any]:
    """Return what stands behind a hit: its near-duplicates; which take it is, and the others that may be shown, in
    their order, each with the segments that show it."""
    others = [{"number": number, "ids": list(run)} for number, run in enumerate(hit.takes, 1) if number != hit.take]
    return {
        "alike": list(hit.alike),
        "take": None if hit.take is None else {"number": hit.take, "count": len(hit.takes)},
        "takes": [each for each in others if each["ids"]] if stacks_takes else [],
        "set_up": hit.set_up,
    }


def opinion_cards(opinions: Sequence[Opinion]) -> list[dict[str, Any]]:
    """Return what each of several encoders thinks of a hit: its short name, its strength, whether its row is quick.

    The name is that of the encoder whose search it is, also where a quick row stands in.
    """
    names = labels_of(each.encoder_id for each in opinions)
    return [
        {"encoder": names[each.encoder_id], "strength": strength_record(each.strength), "quick": each.quick}
        for each in opinions
    ]


def fused_card(found: FusedHit, best: float, parts: Parts, *, stacks_takes: bool = False) -> dict[str, Any]:
    """Return a hit of words and pictures as a card.

    Only a hit that the picture found, too, has a score and a strength, which are the picture's. `found` has the
    channels, how many lines match, and the one that is shown: the time of the word in seconds, from where to play (None
    unless the word comes within the shot), its source, and its pieces, each with whether it matches.

    Args:
        found: The hit.
        best: The best score of the picture; see `hit_card`.
        parts: Of the hits' segments.
        stacks_takes: As for `hit_card`.
    """
    hit = found.hit
    card = hit_card(hit, best, parts) if "picture" in found.channels else shot_card(hit.segment, hit.video, parts)
    said = [each for each in found.lines if each.line.kind != "tag" and _is_within(each, hit)]
    line = next(iter([*said, *found.lines]), None)
    return {
        **card,
        **stack_fields(hit, stacks_takes=stacks_takes),
        "found": {
            "channels": list(found.channels),
            "line": None
            if line is None
            else {
                "time": None if line.line.kind == "tag" else line.at_ms / 1000,
                "from": line.at_ms / 1000 if said else None,
                "source": line.line.source_id,
                "pieces": [list(piece) for piece in marked_pieces(line, before=_BEFORE, most=_LINE)],
            },
            "lines": len(found.lines),
        },
    }


def _is_within(line: TextHit, hit: Hit) -> bool:
    start, end = (hit.video.seconds(pts) for pts in (hit.segment.start_pts, hit.segment.end_pts))
    return start <= line.at_ms / 1000 < end


def strength_record(strength: Strength | None) -> dict[str, Any] | None:
    """Return a strength with its level, or None for none."""
    if strength is None:
        return None
    return {
        "value": round(strength.value, 3),
        "chance": round(strength.chance, 6),
        "level": strength.level,
        "estimated": strength.normal,
    }


def chain_card(chain: Chain, parts_of_shots: Parts) -> dict[str, Any]:
    """Return a chain as a card: its parts in the order of time, each with the number of its step, and its span.

    `first` is the segment that the span's pts are counted with.
    """
    parts = sorted(chain.parts, key=lambda part: part.segment.start_pts)
    first, last = parts[0], max(parts, key=lambda part: part.segment.end_pts)
    cards = [{**hit_card(part, 1.0, parts_of_shots), "step": part.rank} for part in parts]
    return {
        "rank": chain.rank,
        "score": round(float(chain.score), 4),
        "strength": strength_record(chain.strength),
        "name": cards[0]["name"],
        "folder": cards[0]["folder"],
        "missing": cards[0]["missing"],
        "start": cards[0]["start"],
        "end": max(card["end"] for card in cards),
        "start_pts": first.segment.start_pts,
        "end_pts": last.segment.end_pts,
        "first": first.segment.id,
        "alike": len(chain.alike),
        "parts": cards,
    }
