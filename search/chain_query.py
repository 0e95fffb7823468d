"""Chain queries ("A, then B") and their hits: frozen dataclasses, validated on creation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from db.records import Filters, Video
from search.query import Duplicates, Hit, OwnTerms, QueryError, SegmentTerm, Term, check_options
from search.strength import Level, Strength

MAX_STEPS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain: terms that are combined as those of a Query.

    Attributes:
        terms: At least one, with a weight other than 0 among them. Kept as a tuple.
        leave_out: Ids of segments that are not found by this step, nor what overlaps them. Its own SegmentTerms' never
            are.
        own_terms: As of a Query.

    Raises:
        QueryError: There are no terms, or all have weight 0.
    """

    terms: Sequence[Term]
    leave_out: frozenset[int] = frozenset()
    own_terms: OwnTerms = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        if not any(term.weight for term in self.terms):
            raise QueryError("a step is empty; give it words or an example")

    @property
    def own_ids(self) -> frozenset[int]:
        """Return the ids of the segments that this step never finds."""
        return self.leave_out | {term.segment_id for term in self.terms if isinstance(term, SegmentTerm)}


@dataclass(frozen=True, slots=True)
class ChainQuery:
    """Steps that follow each other within one video.

    Attributes:
        steps: 2 to MAX_STEPS. Kept as a tuple.
        within_seconds: Maximum time from the end of one part to the start of the next, 0 or more.
        any_order: Accept the parts in any order.
        filters: Restrict the search before vectors are compared.
        k: Maximum number of chains, 1 or more.
        per_video: Maximum number of chains per video, 1 or more. None means no limit.
        duplicates: What becomes of chains whose every part is a near-duplicate of that part of a better chain: stacked
            behind it (`Chain.alike`), left out, or chains of their own.
        plain_sum: Add the terms of each step as they are; see Query.
        least_level: Leave out chains that are weaker. None keeps all.

    Raises:
        QueryError: A value is out of range.
    """

    steps: Sequence[Step]
    within_seconds: float = 20.0
    any_order: bool = False
    filters: Filters = field(default_factory=Filters)
    k: int = 10
    per_video: int | None = None
    duplicates: Duplicates = "show"
    plain_sum: bool = False
    least_level: Level | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        if not 2 <= len(self.steps) <= MAX_STEPS:
            raise QueryError(f"a chain has 2 to {MAX_STEPS} steps, got {len(self.steps)}")
        if not (math.isfinite(self.within_seconds) and self.within_seconds >= 0):
            raise QueryError(f"the time between steps is 0 s or more, got {self.within_seconds}")
        check_options(self, "chain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Parts of one video that match the steps of a ChainQuery.

    Attributes:
        rank: The position in the ranking, from 1.
        score: The value by which chains are ranked, 0 to 1: see `search.chains`.
        strength: See `search.chain_strengths`; None without a calibration.
        video: The video of all parts.
        parts: One hit for each step, in the order of the steps; with `any_order`, times may not ascend. The rank of a
            part is the number of its step.
        alike: For each chain stacked behind this one, the ids of its parts.
    """

    rank: int
    score: float
    strength: Strength | None
    video: Video
    parts: tuple[Hit, ...]
    alike: tuple[tuple[int, ...], ...] = ()
