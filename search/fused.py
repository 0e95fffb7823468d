"""A question of pictures and words, and the shots that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from db.records import Filters, Video
from db.timed_text import TextKind
from search.query import Hit, Query, QueryError
from search.strength import Strength
from search.text.finding import TextHit
from search.text.matches import TextPart

TEXT_WEIGHT = 0.5
"""More finds more where both channels know something, and loses shots to words that are said elsewhere by chance:
measured by benchmarks/text_fusion.py. A word that only one shot has counts as much as the surest picture."""

Channel = Literal["picture", "said", "written", "chapter", "tag"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedQuery:
    """Words to look for in text, alone or beside a query for pictures.

    Attributes:
        texts: At least one.
        picture: The query for pictures; None for text alone. Its `threshold` and `least_level` are for shots that no
            words were found in. Its filters must be those given here.
        text_weight: How much words count, 0 to 1, against 1 minus that for the picture.
        filters: Only segments that pass these.
        k: Hits wanted, at least 1.
        per_video: At most this many of a video; None: no limit.
        by_ranks: Fuse ranks, also where strengths are known.

    Raises:
        QueryError: A value is out of range.
    """

    texts: Sequence[TextPart]
    picture: Query | None = None
    text_weight: float = TEXT_WEIGHT
    filters: Filters = field(default_factory=Filters)
    k: int = 10
    per_video: int | None = None
    by_ranks: bool = False

    @property
    def kinds(self) -> tuple[TextKind, ...] | None:
        """Return the kinds of text that are searched; None for all."""
        known = [part.kinds for part in self.texts if part.kinds is not None]
        return None if len(known) < len(self.texts) else tuple(kind for kinds in known for kind in kinds)

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(self.texts))
        if not self.texts:
            raise QueryError("there are no words to look for in text; give some")
        if not 0 <= self.text_weight <= 1:
            raise QueryError(f"the weight of text is from 0 to 1, got {self.text_weight}")
        if self.k < 1 or (self.per_video is not None and self.per_video < 1):
            raise QueryError("at least 1 hit must be wanted, also of a video")


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedHit:
    """A shot that was found.

    Attributes:
        rank: From 1.
        score: The value by which hits are ranked.
        hit: The segment and what the picture channel says of it: its own score and strength. Of a search in text alone,
            the score is 0 and there are no term scores.
        lines: What matches in it, best first; empty if only the picture does.
        channels: By which it was found.
    """

    rank: int
    score: float
    hit: Hit
    lines: tuple[TextHit, ...]
    channels: tuple[Channel, ...]

    @property
    def video(self) -> Video:
        """Return its video."""
        return self.hit.video

    @property
    def strength(self) -> Strength | None:
        """Return the picture's strength; None where words were found, which are no matter of chance."""
        return None if self.lines else self.hit.strength

    @property
    def played(self) -> Hit:
        """Return what to play or cut. Found by words alone, it begins at the word and ends no earlier than its line."""
        segment, video = self.hit.segment, self.video
        if self.lines and "picture" not in self.channels:
            first, line = self.lines[0].at_ms, self.lines[0].line
            start, end = (_pts(video, each) for each in (first, line.line.end_ms))
            if line.kind != "tag" and segment.start_pts <= start < segment.end_pts:
                segment = replace(segment, start_pts=start, end_pts=min(max(segment.end_pts, end), video.end_pts))
        return replace(self.hit, rank=self.rank, score=self.score, segment=segment)


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedAnswer:
    """Hits, best first.

    Attributes:
        hits: At most `k`.
        matched: Segments that pass the filters and in which words were found.
        complete: False if more lines match than were looked at, or the time for a regular expression was over.
    """

    hits: list[FusedHit]
    matched: int
    complete: bool


def _pts(video: Video, milliseconds: int) -> int:
    return video.start_pts + round(Fraction(milliseconds, 1000) / video.time_base)
