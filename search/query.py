"""Queries, hits and answers: frozen dataclasses, validated on creation, so that no invalid query reaches a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from db.records import Filters, Segment, Video
from search.near_duplicates import NEAR_DUPLICATE
from search.strength import LEVELS, Level, Opinion, Strength
from search.takes.stacking import Takes

Duplicates = Literal["stack", "hide", "show"]
"""What becomes of near-duplicates of a better hit: stacked behind it, left out, or hits of their own."""


TakesOf = Duplicates
"""What becomes of other takes of a better hit, likewise."""


class QueryError(ValueError):
    """An invalid query; the message says what to change. Errors of the library are never raised as this."""


class MissingRow(QueryError):
    """A segment of the query has no row by the encoder that is asked."""


class _Options(Protocol):
    """The options that a Query and a ChainQuery share."""

    @property
    def k(self) -> int: ...
    @property
    def per_video(self) -> int | None: ...
    @property
    def duplicates(self) -> Duplicates: ...
    @property
    def least_level(self) -> Level | None: ...


def check_options(query: _Options, found: str) -> None:
    """Check the options that all queries share.

    Args:
        query: The query.
        found: What it finds, in the singular.

    Raises:
        QueryError: A value is out of range.
    """
    if query.k < 1:
        raise QueryError(f"k is the number of {found}s wanted and must be at least 1, got {query.k}")
    if query.per_video is not None and query.per_video < 1:
        raise QueryError(f"at least 1 {found} of a video must be wanted, got {query.per_video}")
    if query.duplicates not in get_args(Duplicates):
        raise QueryError(f"near-duplicates are {', '.join(get_args(Duplicates))}, got {query.duplicates!r}")
    if query.least_level is not None and query.least_level not in LEVELS:
        raise QueryError(f"a level must be one of {', '.join(LEVELS)}, got {query.least_level!r}")


@dataclass(frozen=True, slots=True)
class TextTerm:
    """Words to search for.

    Attributes:
        text: A few words, not blank.
        weight: Importance next to other terms, finite; below 0 lowers the score of what resembles the term.

    Raises:
        QueryError: The text is blank or the weight is not finite.
    """

    text: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise QueryError("the search text is empty; write a few words that describe the shot")
        _check_weight(self.weight)


@dataclass(frozen=True, slots=True)
class SegmentTerm:
    """A segment of the library as an example. It is never a hit of its own query.

    Attributes:
        segment_id: Not negative.
        weight: As for TextTerm.

    Raises:
        QueryError: The id is negative or the weight is not finite.
    """

    segment_id: int
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.segment_id < 0:
            raise QueryError(
                f"segment ids are not negative, got {self.segment_id}; take one from a hit or from the list"
            )
        _check_weight(self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class ClipTerm:
    """A clip from any source as an example. Compared by identity, as arrays are.

    Attributes:
        clip: uint8 (T, S, S, 3) RGB, of the encoder's own shape.
        weight: As for TextTerm.

    Raises:
        QueryError: The array is not a clip or the weight is not finite.
    """

    clip: NDArray[np.uint8]
    weight: float = 1.0

    def __post_init__(self) -> None:
        shape, dtype = np.shape(self.clip), getattr(self.clip, "dtype", None)
        if len(shape) != 4 or shape[-1] != 3 or 0 in shape or dtype != np.uint8:
            raise QueryError(
                f"a clip is uint8 (T, S, S, 3) RGB, got {dtype} {shape}; read it with indexer.media.clip.read_clip"
            )
        _check_weight(self.weight)


Term = TextTerm | SegmentTerm | ClipTerm

OwnTerms = Mapping[str, Sequence[Term]]
"""The terms of encoders that take others than the first one, by the id of the encoder: clips of their own shape."""


@dataclass(frozen=True, slots=True)
class Query:
    """Terms to search for, and the search options.

    Attributes:
        terms: At least one, with a weight other than 0 among them. Kept as a tuple.
        filters: Restrict the search before vectors are compared.
        k: Maximum number of hits, 1 or more.
        threshold: The minimum score, -1 to 1 (see Hit). None means no minimum.
        exclude_same_shot: Leave out every segment of the shots that the query's SegmentTerms come from. The parts of
            one long shot overlap, so they are each other's nearest neighbours and show nothing new.
        per_video: Maximum number of hits per video, 1 or more. None means no limit.
        duplicates: What becomes of near-duplicates of a better hit: stacked behind it (`Hit.alike`), left out, or
            shown as hits of their own. Unless they are shown, and for `per_video`, the next best segments take their
            place; see `search.near_duplicates` for the limits.
        near_duplicates: Cosine with a better hit from which a segment is its near-duplicate, above 0 to 1; given alone,
            it leaves them out. None means as measured for the encoder; see `search.duplicate_threshold`.
        takes: What becomes of other takes of the set-up of a better hit (`Hit.takes`), as for near-duplicates; they are
            those that were found after indexing, whether they are among the candidates or not.
        leave_out: Ids of segments to exclude. The segments of SegmentTerms are always excluded.
        plain_sum: Add the rows of terms as they are, without bringing them to one scale (see `search.directions`).
        least_level: Leave out hits that are weaker. None keeps all.
        own_terms: In an answer of several spaces, the terms of encoders that take others than `terms`.

    Raises:
        QueryError: A value is out of range. It is a ValueError.
    """

    terms: Sequence[Term]
    filters: Filters = field(default_factory=Filters)
    k: int = 10
    threshold: float | None = None
    exclude_same_shot: bool = False
    per_video: int | None = None
    duplicates: Duplicates = "show"
    near_duplicates: float | None = None
    takes: TakesOf = "show"
    leave_out: frozenset[int] = frozenset()
    plain_sum: bool = False
    least_level: Level | None = None
    own_terms: OwnTerms = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))  # so that changing a passed list cannot change the query
        if not self.terms:
            raise QueryError("the query has no terms; give it words, a segment or a clip")
        if all(term.weight == 0 for term in self.terms):
            raise QueryError("every term has weight 0, so nothing is searched for; give at least one term a weight")
        if self.near_duplicates is not None and self.duplicates == "show":
            object.__setattr__(self, "duplicates", "hide")
        if self.threshold is not None and math.isnan(self.threshold):
            raise QueryError("the threshold is not a number; scores lie between -1 and 1")
        check_options(self, "hit")
        if self.takes not in get_args(TakesOf):
            raise QueryError(f"takes are {', '.join(get_args(TakesOf))}, got {self.takes!r}")
        if self.near_duplicates is not None and not 0 < self.near_duplicates <= 1:
            raise QueryError(
                f"near-duplicates are told by a cosine above 0 and at most 1, got {self.near_duplicates}; "
                f"{NEAR_DUPLICATE} is usual"
            )

    def for_encoder(self, encoder_id: str) -> Query:
        """Return the query as one encoder alone takes it. Raise QueryError if it has no terms for it."""
        return replace(self, terms=self.own_terms.get(encoder_id, self.terms), own_terms={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A segment that was found.

    Attributes:
        rank: The position in the ranking, from 1.
        score: The value by which hits are ranked: the cosine with the query's direction, less the penalties of terms of
            negative weight (see `search.directions`).
        segment: The segment.
        video: Its video.
        term_scores: The cosine of the hit with each term alone, in the order of the query's terms and without weights,
            which shows why it was found.
        strength: How far the hit stands above what unrelated questions get; None without a calibration.
        alike: Ids of the segments stacked behind the hit: near-duplicates of it, and of no better hit, best first.
            Those are counted that rank among the candidates, which are several times as many as the hits.
        takes: If it is a take of a set-up of which others pass the filters, for each take in the order of recording the
            ids of the segments that show it, its own included; empty for a take that does not pass.
        set_up: The name that a person gave the takes of its set-up; "" for none.
        opinions: In an answer of several spaces, what each encoder thinks of it; see `search.several`.
    """

    rank: int
    score: float
    segment: Segment
    video: Video
    term_scores: tuple[float, ...]
    strength: Strength | None = None
    alike: tuple[int, ...] = ()
    takes: Takes = ()
    set_up: str = ""
    opinions: tuple[Opinion, ...] = ()

    @property
    def take(self) -> int | None:
        """Return the number of the take that it is, from 1; None if it has no others."""
        return next((at for at, run in enumerate(self.takes, 1) if self.segment.id in run), None)

    @property
    def is_quick(self) -> bool:
        """Return whether a quick row stands in for one that an encoder has not made yet."""
        return any(each.quick for each in self.opinions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Hits, and the number of segments they were chosen from. Counts exclude segments that the query itself leaves out.

    Attributes:
        hits: Best first.
        allowed: Number of segments that pass the filters; without filters, of all segments.
        matching: Exact number of those that reach the threshold; without a threshold, the same as `allowed`.
        hidden: Number of segments better than the last hit that were removed as near-duplicates or by `per_video`.
    """

    hits: list[Hit]
    allowed: int
    matching: int
    hidden: int

    @property
    def stacked(self) -> int:
        """Return the number of near-duplicates behind all hits."""
        return sum(len(hit.alike) for hit in self.hits)

    @property
    def stacked_takes(self) -> int:
        """Return the number of other takes of all hits."""
        return sum(sum(bool(run) for run in hit.takes) - 1 for hit in self.hits if hit.takes)


def _check_weight(weight: float) -> None:
    if not math.isfinite(weight):
        raise QueryError(f"a weight must be a finite number, got {weight}; 1 is usual, below 0 pushes away")
