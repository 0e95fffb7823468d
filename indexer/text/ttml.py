"""Timed Text Markup Language (.ttml, .dfxp): paragraphs with times, which may count from those of what is around."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from indexer.text.cues import MAX_TEXT, NO_TIMES, Cue, Damage
from indexer.text.markup import tidy
from indexer.text.xml_tree import Element, parse_xml

_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_CLOCK = re.compile(r"(\d{1,4}):(\d\d):(\d\d)(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d+)?)?")
_SECONDS = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}  # of a unit
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Rates:
    frames: Fraction
    ticks: Fraction


def read_ttml(text: str) -> tuple[str, list[Cue | Damage]] | None:
    """Return language and cues of a document; None for any other XML. Places of cues are numbers of paragraphs.

    Raises:
        ValueError: It is no XML that can be read.
    """
    root = parse_xml(text)
    if _local(root.name) != "tt":
        return None
    language = root.attributes.get("http://www.w3.org/XML/1998/namespace lang", "")
    numbers = iter(range(1, 1 << 62))
    return language, list(_cues(root, 0, None, _rates(root), numbers))


def _cues(
    element: Element, begin_ms: int, end_ms: int | None, rates: _Rates, numbers: Iterator[int]
) -> Iterator[Cue | Damage]:
    for child in element.elements:
        name = _local(child.name)
        if name not in ("body", "div", "p", "span"):
            continue
        number = next(numbers) if name == "p" else 0
        try:
            start, end = _span(child, begin_ms, end_ms, rates)
        except ValueError:
            yield Damage(number, NO_TIMES)
            continue
        has_own_times = "begin" in child.attributes
        if name in ("p", "span") and has_own_times:
            yield Cue(number, start, end, _text(child))
        else:
            yield from _cues(child, start, end, rates, numbers)


def _span(element: Element, begin_ms: int, end_ms: int | None, rates: _Rates) -> tuple[int, int | None]:
    """Return start and end of an element. Raise ValueError if it states times that cannot be read."""
    stated = {name: element.attributes.get(name) for name in ("begin", "end", "dur")}
    times = {name: _time(value, rates) for name, value in stated.items() if value is not None}
    start = begin_ms + times.get("begin", 0)
    ends = [begin_ms + times["end"]] if "end" in times else []
    ends += [start + times["dur"]] if "dur" in times else []
    return start, min(ends, default=end_ms)


def _time(text: str, rates: _Rates) -> int:
    offset = _OFFSET.fullmatch(text.strip())
    if offset is not None:
        value = Fraction(offset[1])
        units = {**_SECONDS, "f": 1 / rates.frames, "t": 1 / rates.ticks}
        return round(value * units[offset[2]] * 1000)
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        raise ValueError(text)
    hours, minutes, seconds, fraction, frames = clock.groups()
    whole = Fraction(int(hours) * 3600 + int(minutes) * 60 + int(seconds))
    part = Fraction(f"0.{fraction}") if fraction else Fraction(int(frames or 0)) / rates.frames
    return round((whole + part) * 1000)


def _rates(root: Element) -> _Rates:
    """Return the rates that a document states; 30 frames per second if it states none, as the standard has it."""
    stated = {_local(name): value for name, value in root.attributes.items()}
    frames = Fraction(_positive(stated.get("frameRate"), 30))
    multiplier = [_positive(each, 1) for each in stated.get("frameRateMultiplier", "1 1").replace(":", " ").split()[:2]]
    if len(multiplier) == 2:
        frames *= Fraction(*multiplier)
    return _Rates(frames, Fraction(_positive(stated.get("tickRate"), max(1, round(frames)))))


def _positive(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"0*[1-9]\d{0,8}", text) else otherwise


def _text(element: Element) -> str:
    rows: list[str] = []
    _collect(element, rows)
    return tidy("".join(rows)[: 2 * MAX_TEXT])


def _collect(element: Element, into: list[str]) -> None:
    """Collect texts; nesting is limited by `parse_xml`."""
    for child in element.children:
        if isinstance(child, str):
            into.append(_SPACE.sub(" ", child))
        elif _local(child.name) == "br":
            into.append("\n")
        elif _local(child.name) == "span":
            _collect(child, into)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
