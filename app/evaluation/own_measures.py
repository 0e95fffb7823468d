"""Measures over a person's own questions, with intervals, and their comparison with those of another run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from metrics.bootstrap import bootstrap_interval
from metrics.retrieval import Ranks

if TYPE_CHECKING:
    from app.evaluation.own_search import OwnResult

AT = (1, 5, 10)
LEAST_GROUPS = 5
"""With fewer videos, there is no interval: draws of so few are nearly all alike."""
Kind = Literal["share", "rank"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a question, as far as measures need it: of this run, or of a stored one.

    Attributes:
        text, group: See `OwnResult`.
        shots, videos: (above, equal) of its rank; None without answers.
        good: Whether the search claims a good match; None where that is not known.
    """

    text: str
    group: str
    shots: tuple[int, int] | None
    videos: tuple[int, int] | None
    good: bool | None

    @classmethod
    def of(cls, result: OwnResult) -> Outcome:
        """Return the outcome of a result."""
        rank, verdict = result.rank, result.verdict
        return cls(
            result.text,
            result.group,
            None if rank is None else (rank.shots.above, rank.shots.equal),
            None if rank is None else (rank.videos.above, rank.videos.equal),
            None if verdict is None else verdict.good,
        )


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of some questions.

    Attributes:
        name: In JSON; `label` for people.
        kind: A share from 0 to 1, or a rank from 1.
        value, interval: None if they are not defined, for example without questions of its kind.
        questions: Number of those that it is over.
    """

    name: str
    label: str
    kind: Kind
    value: float | None
    interval: tuple[float, float] | None
    questions: int

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The ends of the interval, None without one."""
        return (None, None) if self.interval is None else self.interval

    def record(self) -> dict[str, Any]:
        """Return the measure as JSON values."""
        interval = None if self.interval is None else [round(each, 6) for each in self.interval]
        value = None if self.value is None else round(self.value, 6)
        return {"value": value, "interval": interval, "questions": self.questions}


def measures_of(outcomes: Sequence[Outcome], seed: int) -> list[Measure]:
    """Return all measures, with 95 % intervals by the bootstrap over videos.

    Args:
        outcomes: Of all questions.
        seed: Of the bootstrap.
    """
    return [
        _measure(name, label, kind, values, [each.group for each in chosen], seed)
        for name, label, kind, chosen, values in _columns(outcomes)
    ]


def compare(outcomes: Sequence[Outcome], others: Mapping[str, Outcome], seed: int) -> tuple[list[Measure], int]:
    """Return the difference of each measure to that of another run, over the questions that both have.

    Args:
        outcomes: Of this run.
        others: Of the other one, by question.
        seed: Of the bootstrap.

    Returns:
        This run minus the other, and the number of questions in common.
    """
    same = [each for each in outcomes if each.text in others and _alike(each, others[each.text])]
    rows = zip(_columns(same), _columns([others[each.text] for each in same]), strict=True)
    found = []
    for (name, label, kind, chosen, mine), (*_, theirs) in rows:
        groups = [each.group for each in chosen]
        found.append(_measure(name, label, kind, mine, groups, seed, theirs))
    return found, len(same)


def _alike(one: Outcome, other: Outcome) -> bool:
    """Return whether both runs asked and judged a question alike, so that it can be compared."""
    return (one.shots is None, one.good is None) == (other.shots is None, other.good is None)


_Column = tuple[str, str, Kind, list[Outcome], NDArray[np.float64]]


def _columns(outcomes: Sequence[Outcome]) -> list[_Column]:
    """Return (name, label, kind, outcomes, their values) of each measure."""
    answered = [each for each in outcomes if each.shots is not None and each.videos is not None]
    shots = _ranks([each.shots for each in answered if each.shots is not None])
    videos = _ranks([each.videos for each in answered if each.videos is not None])
    columns: list[_Column] = []
    for what, ranks in (("shots", shots), ("videos", videos)):
        columns += [(f"{what}_r{k}", f"R@{k} {what}", "share", answered, ranks.within(k)) for k in AT]
        columns.append((f"{what}_medr", f"MedR {what}", "rank", answered, ranks.expected))
    judged = [each for each in answered if each.good is not None]
    none = [each for each in outcomes if each.shots is None and each.good is not None]
    for name, label, chosen, right in (
        ("good_match", "good match where there is one", judged, True),
        ("no_good_match", "no good match where there is none", none, False),
    ):
        values = np.array([each.good is right for each in chosen], dtype=np.float64)
        columns.append((name, label, "share", chosen, values))
    return columns


def _ranks(pairs: Sequence[tuple[int, int]]) -> Ranks:
    above, equal = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Ranks(above, equal, np.ones_like(above))


def _measure(
    name: str,
    label: str,
    kind: Kind,
    values: NDArray[np.float64],
    groups: Sequence[str],
    seed: int,
    less: NDArray[np.float64] | None = None,
) -> Measure:
    """Return the mean of shares or the median of ranks; less that of other values of the same questions."""
    middle: Callable[[NDArray[np.float64]], float] = (
        (lambda of: float(np.mean(of))) if kind == "share" else (lambda of: float(np.median(of)))
    )

    def of(at: NDArray[np.intp]) -> float | None:
        return None if not at.size else middle(values[at]) - (0.0 if less is None else middle(less[at]))

    value = of(np.arange(len(values)))
    enough = len(set(groups)) >= LEAST_GROUPS
    interval = bootstrap_interval(of, groups, np.random.default_rng(seed)) if enough else None
    return Measure(name, label, kind, value, interval, len(values))
