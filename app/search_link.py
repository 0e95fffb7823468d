"""A search as a link: everything that was asked, as query parameters that can be kept, sent and typed by hand.

    ?q=a dog running&w=0.5&term=1:segment:42&term=-0.5:text:a cat&in=/footage&since=2025-01-01&score=0.2

Reading never fails: what cannot be understood is left out and named, so that an old or mangled link still opens.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, cast, get_args
from urllib.parse import quote, unquote_to_bytes, urlencode

from app.times import parse_date
from db.records import Filters

Kind = Literal["text", "segment", "range", "file"]
Orientation = Literal["landscape", "portrait", "square"]

DEFAULT_LIMIT, MOST_HITS = 200, 2000
MOST_TERMS, MOST_TEXT = 16, 2000
_RAW_BYTES = "bytes:"  # before a path whose bytes are not UTF-8, which no address can carry as text


@dataclass(frozen=True, slots=True)
class LinkTerm:
    """One thing that hits shall resemble, or with a weight below 0: not resemble.

    value: of `text` the words; of `segment` its id; of `range` SEGMENT:START_PTS-END_PTS, a range of the segment's
    video; of `file` the token of a file that was dropped into the page.
    """

    kind: Kind
    value: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"{self.kind!r} is no kind of term; there are {', '.join(get_args(Kind))}")
        if not math.isfinite(self.weight) or abs(self.weight) > 100:
            raise ValueError(f"a weight is a number between -100 and 100, got {self.weight}")
        if not self.value.strip() or len(self.value) > MOST_TEXT:
            raise ValueError(f"a term needs between 1 and {MOST_TEXT} characters")
        if self.kind == "segment" and not (self.value.isascii() and self.value.isdecimal()):
            raise ValueError(f"a segment is named by its number, got {self.value!r}")
        if self.kind == "range":
            _ = self.range
        if self.kind == "file" and not (self.value.isascii() and self.value.isalnum()):
            raise ValueError("a dropped file is named by its token")

    @property
    def range(self) -> tuple[int, int, int]:
        """(segment, start pts, end pts) of a `range` term."""
        segment, colon, pts = self.value.partition(":")
        start, dash, end = pts.rpartition("-")
        try:
            if not (colon and dash):
                raise ValueError
            found = int(segment), int(start), int(end)
        except ValueError:
            raise ValueError(f"a range is SEGMENT:START-END, got {self.value!r}") from None
        if found[0] < 0 or found[2] <= found[1]:
            raise ValueError(f"a range ends after it starts, got {self.value!r}")
        return found

    @classmethod
    def of_range(cls, segment: int, start_pts: int, end_pts: int) -> LinkTerm:
        """A range of a segment's video; ValueError where it does not end after it starts."""
        return cls("range", f"{segment}:{start_pts}-{end_pts}")

    def text(self) -> str:
        """As it stands in a link."""
        return f"{self.weight:g}:{self.kind}:{self.value}"

    @classmethod
    def parsed(cls, text: str) -> LinkTerm:
        """From a link; ValueError says what is wrong."""
        weight, _, rest = text.partition(":")
        kind, _, value = rest.partition(":")
        return cls(cast("Kind", kind), value, float(weight))


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLink:
    """What the page of searches asks. `since` and `until` are dates as typed (2025-03-01); None means no limit."""

    words: str = ""
    words_weight: float = 1.0
    terms: tuple[LinkTerm, ...] = ()
    folder: str | None = None
    name: str | None = None
    since: str | None = None
    until: str | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    min_short_side: int | None = None
    orientation: Orientation | None = None
    threshold: float | None = None
    one_per_video: bool = False
    hide_duplicates: bool = False
    limit: int = DEFAULT_LIMIT

    @property
    def asks(self) -> bool:
        """Whether there is anything to search for."""
        return bool(self.words.strip()) or bool(self.terms)

    @property
    def narrowed(self) -> int:
        """How many filters are set."""
        return sum(
            value is not None and value is not False
            for value in (
                self.folder, self.name, self.since, self.until, self.min_seconds, self.max_seconds, self.min_short_side,
                self.orientation, self.threshold, self.one_per_video, self.hide_duplicates,
            )
        )  # fmt: skip

    def filters(self, now: datetime | None = None) -> Filters:
        """For the library. now: aware, for ages such as `7d`."""
        moment = now or datetime.now().astimezone()
        return Filters(
            folder=self.folder,
            name=self.name,
            min_seconds=self.min_seconds,
            max_seconds=self.max_seconds,
            since_ns=None if self.since is None else parse_date(self.since, now=moment),
            until_ns=None if self.until is None else parse_date(self.until, now=moment, end=True),
            min_short_side=self.min_short_side,
            orientation=self.orientation,
        )

    def params(self) -> dict[str, list[str]]:
        """As query parameters; what is as usual is left out."""
        found: dict[str, list[str]] = {}
        for name, field in _PARAMS.items():
            value = getattr(self, field.name)
            if value != getattr(_USUAL, field.name):
                found[name] = [field.written(value)]
        if self.terms:
            found["term"] = [term.text() for term in self.terms]
        return found

    def query_string(self) -> str:
        """The part of an address after its question mark."""
        return urlencode(self.params(), doseq=True)

    def with_term(self, term: LinkTerm) -> SearchLink:
        """With one more term; one of the same kind and value only changes its weight."""
        others = tuple(each for each in self.terms if (each.kind, each.value) != (term.kind, term.value))
        return replace(self, terms=(*others, term)[-MOST_TERMS:])


def read_link(params: Mapping[str, Sequence[str]]) -> tuple[SearchLink, list[str]]:
    """The search that query parameters ask for, and a sentence for each that cannot be understood."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, field in _PARAMS.items():
        for text in list(params.get(name, ()))[-1:]:
            try:
                values[field.name] = field.read(text)
            except ValueError as error:
                problems.append(f"the link says {name}={text[:80]}, which is left out: {error}")
    terms = []
    for text in list(params.get("term", ()))[:MOST_TERMS]:
        try:
            terms.append(LinkTerm.parsed(text))
        except ValueError as error:
            problems.append(f"the link says term={text[:80]}, which is left out: {error}")
    return SearchLink(terms=tuple(terms), **values), problems


@dataclass(frozen=True, slots=True)
class _Param:
    name: str  # of SearchLink's field
    read: Any
    written: Any = str


def _words(text: str) -> str:
    return text[:MOST_TEXT]


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("that is not a number")
    return value


def _length(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise ValueError("a length is not negative")
    return value


def _whole(most: int) -> Any:
    def read(text: str) -> int:
        value = int(text)
        if not 1 <= value <= most:
            raise ValueError(f"it lies between 1 and {most}")
        return value

    return read


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("a date is written 2025-03-01") from None


def _orientation(text: str) -> Orientation:
    if text not in get_args(Orientation):
        raise ValueError(f"there are {', '.join(get_args(Orientation))}")
    return cast("Orientation", text)


def _yes(text: str) -> bool:
    if text not in ("1", "0"):
        raise ValueError("it is 1 or 0")
    return text == "1"


def path_text(path: str) -> str:
    """A path as text that any address and any page can carry."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return _RAW_BYTES + quote(os.fsencode(path))
    return path


def _path(text: str) -> str:
    path = os.fsdecode(unquote_to_bytes(text[len(_RAW_BYTES) :])) if text.startswith(_RAW_BYTES) else text
    if not os.path.isabs(path) or "\0" in path:
        raise ValueError("a folder or file is named by its whole path")
    return path


def _plain(value: float) -> str:
    return f"{value:g}"


_PARAMS = {
    "q": _Param("words", _words),
    "w": _Param("words_weight", _number, _plain),
    "in": _Param("folder", _path, path_text),
    "name": _Param("name", _words),
    "since": _Param("since", _day),
    "until": _Param("until", _day),
    "min": _Param("min_seconds", _length, _plain),
    "max": _Param("max_seconds", _length, _plain),
    "res": _Param("min_short_side", _whole(100_000)),
    "shape": _Param("orientation", _orientation),
    "score": _Param("threshold", _number, _plain),
    "one": _Param("one_per_video", _yes, lambda value: "1" if value else "0"),
    "dups": _Param("hide_duplicates", _yes, lambda value: "1" if value else "0"),
    "k": _Param("limit", _whole(MOST_HITS)),
}
_USUAL = SearchLink()
