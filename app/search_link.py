"""Search links: a whole search as query parameters that can be saved, sent and typed by hand.

    ?q=a dog running&w=0.5&term=1:segment:42&term=-0.5:text:a cat&in=/footage&since=2025-01-01&score=0.2
    ?q=a red car "start the engine"&words=said&tw=0.7                                      words in quotes: in text
    ?q=a dog running&then=a cat&then=&then_term=3:1:segment:42&within=10&order=any        a chain of three steps

Parsing never fails: invalid parameters are dropped and reported, so that an old or damaged link still opens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import parse_qs, urlencode, urlsplit

from app.link_parameters import MAX_TEXT_CHARACTERS, PARAMETERS, TextScope, format_number, format_words
from app.times import parse_date
from db.records import Filters, Orientation
from search.strength import Level
from search.text.box import BoxText, split_box

if TYPE_CHECKING:
    from search.query import Duplicates, TakesOf

TermKind = Literal["text", "segment", "range", "file"]

FILTERS = (
    "folder", "name", "since", "until", "recorded_since", "recorded_until", "min_seconds", "max_seconds",
    "min_short_side", "orientation", "codec", "frame_rate", "camera", "has_sound", "least_level", "threshold",
    "one_per_video", "duplicates", "takes",
)  # fmt: skip
"""The fields of a SearchLink that narrow a search, in the order in which they are shown."""

DEFAULT_LIMIT = 200
MAX_TERMS = 16
MAX_STEPS = 8
DEFAULT_WITHIN_SECONDS = 20.0
EXCLUDED_WEIGHT = -0.5
"""Weight of what is not wanted: enough to bring it down among equals, and little enough for a much better match."""


@dataclass(frozen=True, slots=True)
class LinkTerm:
    """A query term: hits should resemble it or, with a negative weight, not resemble it.

    `value` depends on the kind. `text`: the words. `segment`: its id. `range`: SEGMENT:START_PTS-END_PTS, a range of
    its video. `file`: the token of a file that was dropped into the page. Raises ValueError for a value that its kind
    does not allow, or a weight outside -100 to 100.
    """

    kind: TermKind
    value: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(TermKind):
            raise ValueError(f"{self.kind!r} is not a kind of term; there are {', '.join(get_args(TermKind))}")
        if not math.isfinite(self.weight) or abs(self.weight) > 100:
            raise ValueError(f"a weight must be a number between -100 and 100, got {self.weight}")
        if not self.value.strip() or len(self.value) > MAX_TEXT_CHARACTERS:
            raise ValueError(f"a term needs between 1 and {MAX_TEXT_CHARACTERS} characters")
        if self.kind == "segment" and not (self.value.isascii() and self.value.isdecimal()):
            raise ValueError(f"a segment is named by its number, got {self.value!r}")
        if self.kind == "range":
            _ = self.range
        if self.kind == "file" and not (self.value.isascii() and self.value.isalnum()):
            raise ValueError("a dropped file is named by its token")

    @property
    def range(self) -> tuple[int, int, int]:
        """The (segment id, start pts, end pts) of a `range` term."""
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
        """Return a term for a range of a segment's video. Raises ValueError unless it ends after it starts."""
        return cls("range", f"{segment}:{start_pts}-{end_pts}")

    @classmethod
    def parse(cls, text: str) -> LinkTerm:
        """Parse a `term` parameter, WEIGHT:KIND:VALUE. Raises ValueError with a sentence for the user."""
        weight, _, rest = text.partition(":")
        kind, _, value = rest.partition(":")
        return cls(cast("TermKind", kind), value, float(weight))

    def format(self) -> str:
        """Return the value of the `term` parameter, WEIGHT:KIND:VALUE."""
        return f"{format_number(self.weight)}:{self.kind}:{format_words(self.value)}"


@dataclass(frozen=True, slots=True)
class LinkStep:
    """A later step of a chain ("A, then B"): words of weight 1, and other terms. The first step is the link's own."""

    words: str = ""
    terms: tuple[LinkTerm, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to search for."""
        return not self.words.strip() and not self.terms


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLink:
    """A search on the search page. A filter that is None is not set.

    `words` are as typed into the box: what stands in quotes is searched for in text, the rest in pictures.
    """

    words: str = ""
    words_weight: float = 1.0  # of those for pictures, beside `terms`
    text_in: TextScope = "text"  # which words of videos are searched
    text_weight: float | None = None  # of quoted words beside a picture, 0 to 1; None: as measured
    terms: tuple[LinkTerm, ...] = ()
    then: tuple[LinkStep, ...] = ()  # makes the search one for chains
    within_seconds: float = DEFAULT_WITHIN_SECONDS  # between the parts of a chain
    any_order: bool = False  # of the parts of a chain
    folder: str | None = None
    name: str | None = None
    since: str | None = None  # a date as typed, such as 2025-03-01
    until: str | None = None  # inclusive
    recorded_since: str | None = None  # likewise, of the recording
    recorded_until: str | None = None  # inclusive
    min_seconds: float | None = None
    max_seconds: float | None = None
    min_short_side: int | None = None  # pixels
    orientation: Orientation | None = None
    codec: str | None = None
    frame_rate: float | None = None  # nominal
    camera: str | None = None  # make and model, or words of them
    has_sound: bool | None = None
    least_level: Level | None = None  # weaker hits are left out
    threshold: float | None = None  # cosine
    one_per_video: bool = False
    duplicates: Duplicates = "stack"
    takes: TakesOf = "stack"
    plain_sum: bool = False  # of the terms as they are, without bringing them to one scale
    limit: int = DEFAULT_LIMIT

    @property
    def has_query(self) -> bool:
        """Whether there are words, terms or later steps to search for."""
        return bool(self.words.strip() or self.terms or self.then)

    @property
    def box(self) -> BoxText:
        """Its words for pictures, and those for text. Without quotes they are as typed."""
        found = split_box(self.words)
        return found if found.words else BoxText(self.words, "")

    @property
    def has_text(self) -> bool:
        """Whether words are to be searched for in text."""
        return bool(self.box.words)

    @property
    def is_text_alone(self) -> bool:
        """Whether it asks for nothing but words in text."""
        return self.has_text and not (self.box.picture or self.terms or self.then)

    @property
    def asks_pictures(self) -> bool:
        """Whether it asks for anything but words in text."""
        return self.has_query and not self.is_text_alone

    @property
    def is_chain(self) -> bool:
        """Whether it asks for chains: for shots that follow each other in one video."""
        return bool(self.then)

    @property
    def has_moments(self) -> bool:
        """Whether its hits have moments: later steps, and words in quotes, say when it is themselves."""
        return self.has_query and not self.is_chain and not self.has_text

    @property
    def texts(self) -> list[str]:
        """All words to search for in pictures, of every step."""
        terms = [*self.terms, *(term for step in self.then for term in step.terms)]
        words = [self.box.picture, *(step.words for step in self.then)]
        return [*filter(str.strip, words), *(term.value for term in terms if term.kind == "text")]

    @property
    def active_filters(self) -> tuple[str, ...]:
        """The names of the filters that are set."""
        return tuple(name for name in FILTERS if getattr(self, name) != getattr(_DEFAULTS, name))

    @property
    def filter_count(self) -> int:
        """The number of filters that are set."""
        return len(self.active_filters)

    def without(self, *names: str) -> SearchLink:
        """Return the search without these filters."""
        return replace(self, **{name: getattr(_DEFAULTS, name) for name in names})

    def filters(self, now: datetime | None = None) -> Filters:
        """Return the filters for the library.

        Args:
            now: The current time, with a time zone; dates may be relative to it.
        """
        now = now or datetime.now().astimezone()
        recorded_since, recorded_until = (
            None if day is None else parse_date(day, now=now, end=end) // 10**9
            for day, end in ((self.recorded_since, False), (self.recorded_until, True))
        )
        return Filters(
            folder=self.folder,
            name=self.name,
            min_seconds=self.min_seconds,
            max_seconds=self.max_seconds,
            since_ns=None if self.since is None else parse_date(self.since, now=now),
            until_ns=None if self.until is None else parse_date(self.until, now=now, end=True),
            recorded_since=recorded_since,
            recorded_until=recorded_until,
            min_short_side=self.min_short_side,
            orientation=self.orientation,
            codec=self.codec,
            frame_rate=self.frame_rate,
            camera=self.camera,
            has_sound=self.has_sound,
        )

    def params(self) -> dict[str, list[str]]:
        """Return the query parameters. Default values are left out."""
        params: dict[str, list[str]] = {}
        for name, parameter in PARAMETERS.items():
            value = getattr(self, parameter.field)
            if value != getattr(_DEFAULTS, parameter.field):
                params[name] = [parameter.format(value)]
        if self.terms:
            params["term"] = [term.format() for term in self.terms]
        if self.then:
            params["then"] = [format_words(step.words) for step in self.then]
            terms = [f"{at}:{term.format()}" for at, step in enumerate(self.then, 2) for term in step.terms]
            params |= {"then_term": terms} if terms else {}
        return params

    def query_string(self) -> str:
        """Return the query string of a URL, without the question mark."""
        return urlencode(self.params(), doseq=True)

    def with_picture_words(self, words: str) -> SearchLink:
        """Return the link with other words for pictures; those in quotes stay."""
        return replace(self, words=" ".join(filter(None, (words.strip(), self.box.words))))

    def with_term(self, term: LinkTerm) -> SearchLink:
        """Return the link with one more term, or with the weight of an equal one changed."""
        others = tuple(each for each in self.terms if (each.kind, each.value) != (term.kind, term.value))
        return replace(self, terms=(*others, term)[-MAX_TERMS:])


_DEFAULTS = SearchLink()


def parse_link(params: Mapping[str, Sequence[str]]) -> tuple[SearchLink, list[str]]:
    """Parse query parameters.

    Args:
        params: The values of each parameter, blank ones included. The last one counts, except for `term`, `then` and
            `then_term`.

    Returns:
        The search without invalid parts, and a sentence about each of those.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, parameter in PARAMETERS.items():
        for text in list(params.get(name, ()))[-1:]:
            try:
                values[parameter.field] = parameter.parse(text)
            except ValueError as error:
                problems.append(_left_out(name, text, error))
    terms = []
    for text in list(params.get("term", ()))[:MAX_TERMS]:
        try:
            terms.append(LinkTerm.parse(text))
        except ValueError as error:
            problems.append(_left_out("term", text, error))
    return SearchLink(terms=tuple(terms), then=_parse_steps(params, problems), **values), problems


def _parse_steps(params: Mapping[str, Sequence[str]], problems: list[str]) -> tuple[LinkStep, ...]:
    words = [text[:MAX_TEXT_CHARACTERS] for text in params.get("then", ())][: MAX_STEPS - 1]
    terms: list[list[LinkTerm]] = [[] for _ in words]
    for text in list(params.get("then_term", ()))[: MAX_TERMS * MAX_STEPS]:
        number, _, term = text.partition(":")
        try:
            if not (number.isascii() and number.isdecimal() and 2 <= int(number) <= len(words) + 1):
                raise ValueError(f"there is no step {number[:20]} after the first")
            if len(terms[int(number) - 2]) < MAX_TERMS:
                terms[int(number) - 2].append(LinkTerm.parse(term))
        except ValueError as error:
            problems.append(_left_out("then_term", text, error))
    steps = [LinkStep(text, tuple(own)) for text, own in zip(words, terms, strict=True)]
    return tuple(step for step in steps if not step.is_blank)


def _left_out(name: str, text: str, error: ValueError) -> str:
    return f"the link says {name}={text[:80]}, which is ignored: {error}"


def parse_address(text: str) -> tuple[SearchLink, list[str]]:
    """Parse a link as copied from a browser: an address with a query, or only its query string; see `parse_link`."""
    whole = text.strip()
    query = urlsplit(whole).query if whole.startswith(("http://", "https://")) else whole.removeprefix("?")
    return parse_link(parse_qs(query, keep_blank_values=True))
