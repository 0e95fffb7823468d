"""SubStation Alpha (.ssa, .ass): one dialogue a line, with columns that a line above them names."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.text.cues import MAX_TEXT, NO_TIMES, Cue, Damage, time_of
from indexer.text.markup import plain_substation

_COLUMNS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")


def is_substation(text: str) -> bool:
    """Return whether a text is in this format."""
    head = text[:20_000].lower()
    return "[script info]" in head or "\ndialogue:" in head or head.startswith("dialogue:") or "\n[events]" in head


def read_substation(text: str) -> Iterator[Cue | Damage]:
    """Yield the dialogues of a file; comments, styles, fonts and pictures are passed over.

    Args:
        text: The content, with line feeds between its lines.
    """
    columns: tuple[str, ...] = _COLUMNS
    in_events = True
    for place, line in enumerate(text.split("\n"), 1):
        head = line[:40].lstrip().lower()
        if head.startswith("["):
            in_events = head.startswith("[events]")
        elif in_events and head.startswith("format:"):
            named = tuple(name.strip().lower() for name in line[:1000].partition(":")[2].split(","))
            if {"start", "end"} <= set(named) and named[-1] == "text":
                columns = named
        elif in_events and head.startswith("dialogue:"):
            yield _dialogue(place, line.partition(":")[2], columns)


def _dialogue(place: int, line: str, columns: tuple[str, ...]) -> Cue | Damage:
    cells = line[: 4 * MAX_TEXT].split(",", len(columns) - 1)
    if len(cells) < len(columns):
        return Damage(place, "it is cut off")
    named = dict(zip(columns, cells, strict=True))
    start, end = _time(named["start"]), _time(named["end"])
    if start is None or end is None:
        return Damage(place, NO_TIMES)
    return Cue(place, start, end, plain_substation(named["text"]))


def _time(text: str) -> int | None:
    text = text.strip()
    value = time_of(text.removeprefix("-"))
    return -value if value is not None and text.startswith("-") else value
