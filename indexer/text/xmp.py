"""XMP files beside videos: titles, descriptions, keywords, and the markers of editing programs, with times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from db.timed_text import TextKind, TimedLine
from indexer.text.cues import MAX_TEXT, Cue
from indexer.text.lines import to_lines
from indexer.text.markup import tidy
from indexer.text.xml_tree import Element, parse_xml

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_DM = "http://ns.adobe.com/xmp/1.0/DynamicMedia/"
_FIELDS = (
    ("title", f"{_DC} title"),
    ("description", f"{_DC} description"),
    ("keywords", f"{_DC} subject"),
    ("headline", f"{_PHOTOSHOP} Headline"),
    ("artist", f"{_DC} creator"),
    ("comment", f"{_DM} logComment"),
    ("scene", f"{_DM} scene"),
    ("shot", f"{_DM} shotName"),
)
_COUNT = re.compile(r"(-?\d{1,18})(?:f(\d{1,15})(?:s(\d{1,9}))?)?")
_RATE = re.compile(r"f(\d{1,15})(?:s(\d{1,9}))?")
_MOST_MARKERS = 10_000
_MOST_VALUES = 1_000


def read_xmp(text: str, *, rate: Fraction, duration_ms: int) -> Iterator[tuple[TextKind, str, tuple[TimedLine, ...]]]:
    """Yield kind, title and lines of what a packet states. Each field is a source of its own; markers are chapters.

    Args:
        text: The content of the file.
        rate: Frames per second of the video, for markers of a track that states none.
        duration_ms: Length of the video, for which the fields hold.

    Raises:
        ValueError: It is no XML that can be read.
    """
    root = parse_xml(text)
    for title, name in _FIELDS:
        values = [value for found in _properties(root, name) for value in _values(found)]
        texts = list(dict.fromkeys(tidy(value[:MAX_TEXT]) for value in values[:_MOST_VALUES]))
        lines = tuple(TimedLine(0, duration_ms, each) for each in texts if each)
        if lines:
            yield "tag", title, lines
    markers = list(_markers(root, rate))[:_MOST_MARKERS]
    lines = to_lines(markers, duration_ms=duration_ms).lines if markers else ()
    if lines:
        yield "chapter", "markers", lines


def _properties(root: Element, name: str) -> Iterator[Element | str]:
    """Yield the values of a property of the file itself: attributes and elements of the descriptions at the top."""
    for rdf in [root, *root.elements]:
        if rdf.name == f"{_RDF} RDF":
            for description in rdf.elements:
                if name in description.attributes:
                    yield description.attributes[name]
                yield from (each for each in description.elements if each.name == name)


def _values(found: Element | str) -> list[str]:
    """Return the values of a property: one, or those of its list."""
    if isinstance(found, str):
        return [found]
    lists = [each for each in found.elements if each.name in (f"{_RDF} {kind}" for kind in ("Alt", "Bag", "Seq"))]
    items = [item.text for each in lists for item in each.elements if item.name == f"{_RDF} li"]
    return items if lists else [found.text]


def _markers(root: Element, rate: Fraction) -> Iterator[Cue]:
    for found in _properties(root, f"{_DM} Tracks"):
        for track in _items(found):
            stated = _RATE.fullmatch(_field(track, "frameRate").strip())
            track_rate = _ratio(stated[1], stated[2]) or rate if stated else rate
            for inner in track.elements:
                if inner.name == f"{_DM} markers":
                    for number, marker in enumerate(_items(inner), 1):
                        cue = _marker(marker, number, track_rate)
                        if cue is not None:
                            yield cue


def _marker(marker: Element, number: int, rate: Fraction) -> Cue | None:
    start = _milliseconds(_field(marker, "startTime") or "0", rate)
    length = _milliseconds(_field(marker, "duration") or "0", rate)
    words = dict.fromkeys(tidy(_field(marker, name)[:MAX_TEXT]) for name in ("name", "comment"))
    text = "\n".join(each for each in words if each)
    if start is None or not text:
        return None
    return Cue(number, start, start + max(0, length or 0), text)


def _items(found: Element | str) -> Iterator[Element]:
    """Yield the items of a list of structures, which may have a description of their own inside."""
    if isinstance(found, str):
        return
    for each in found.elements:
        for item in each.elements:
            if item.name == f"{_RDF} li":
                inner = [child for child in item.elements if child.name == f"{_RDF} Description"]
                yield inner[0] if inner else item


def _field(item: Element, name: str) -> str:
    full = f"{_DM} {name}"
    return item.attributes.get(full) or next((each.text for each in item.elements if each.name == full), "")


def _milliseconds(text: str, rate: Fraction) -> int | None:
    """Return a time: a number of frames at the rate of the track, or at one that it states itself, `48f24000s1001`."""
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        return None
    own = _ratio(found[2], found[3]) if found[2] else rate
    return None if own is None else round(int(found[1]) * 1000 / own)


def _ratio(above: str, below: str | None) -> Fraction | None:
    return Fraction(int(above), int(below or 1)) if int(above) and int(below or 1) else None
