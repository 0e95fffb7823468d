"""Figures of a few-shot evaluation: means over draws of examples, with intervals over draws and groups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from app.evaluation.figure import DRAWS, FEW_DRAWS, Figure
from app.evaluation.head_scores import class_average

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HeadName = Literal["linear", "mean", "map"]
"""A linear head on rows, a linear head on the unit-length mean of the tokens, a MAP head on the tokens."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A head that was trained on one draw of examples.

    Attributes:
        head: What was trained.
        shots: Examples of each class that were asked for; None for all.
        draw: Number of the draw, from 0.
        examples: How many were trained on.
        seconds: The training took, without making what it was trained on.
        scores: Logits of what was tested, float32 (n, classes).
    """

    head: HeadName
    shots: int | None
    draw: int
    examples: int
    seconds: float
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ProbeFigure:
    """What one head is worth with one number of examples, on average over draws.

    Attributes:
        head, shots: As in `Trial`.
        draws, examples, seconds: Number of draws, and means over them.
        accuracy: Top-1; mean average precision where there may be several labels.
        class_averaged: Top-1 averaged over classes; None where there may be several labels.
    """

    head: HeadName
    shots: int | None
    draws: int
    examples: float
    seconds: float
    accuracy: Figure
    class_averaged: Figure | None

    def record(self) -> dict[str, Any]:
        """Return JSON values."""
        averaged = None if self.class_averaged is None else self.class_averaged.record()
        return {
            "head": self.head,
            "examples_a_class": self.shots,
            "draws": self.draws,
            "examples": self.examples,
            "seconds": round(self.seconds, 3),
            "accuracy": self.accuracy.record(),
            "class_averaged": averaged,
        }


def figures_of(
    trials: Sequence[Trial],
    targets: NDArray[np.bool_],
    groups: Sequence[Hashable],
    *,
    multi_label: bool,
    background: int | None = None,
    seed: int | None = 0,
) -> tuple[ProbeFigure, ...]:
    """Return the figures of each head and number of examples, in the order of the trials.

    The bootstrap draws groups of the test and draws of examples alike, so the interval is about both: other videos, and
    other examples.

    Args:
        trials: Their scores are of the same test.
        targets: bool (n, classes), the truth of the test.
        groups: The group of each tested stretch.
        multi_label: Whether a stretch may have several labels.
        background: The class that is left out of means over classes.
        seed: Of the bootstrap; None for no intervals.
    """
    from metrics.classification import average_precision_by_class, hit_chances

    truth = targets.argmax(axis=1)
    alike: dict[tuple[HeadName, int | None], list[Trial]] = {}
    for trial in trials:
        alike.setdefault((trial.head, trial.shots), []).append(trial)
    figures = []
    for (head, shots), some in alike.items():
        scores = [trial.scores for trial in some]
        hits = [] if multi_label else [hit_chances(truth, each) for each in scores]

        def accuracy(draw: int, at: NDArray[np.intp], scores: Any = scores, hits: Any = hits) -> float | None:
            if multi_label:
                return average_precision_by_class(targets[at], scores[draw][at], background=background).mean
            return float(hits[draw][at].mean())

        def averaged(draw: int, at: NDArray[np.intp], hits: Any = hits) -> float | None:
            return class_average(truth[at], hits[draw][at], background)

        def figure(measure: Callable[[int, NDArray[np.intp]], float | None], draws: int = len(some)) -> Figure:
            return _over_draws(measure, draws, groups, FEW_DRAWS if multi_label else DRAWS, seed)

        figures.append(
            ProbeFigure(
                head,
                shots,
                len(some),
                sum(trial.examples for trial in some) / len(some),
                sum(trial.seconds for trial in some) / len(some),
                figure(accuracy),
                None if multi_label else figure(averaged),
            )
        )
    return tuple(figures)


def _over_draws(
    measure: Callable[[int, NDArray[np.intp]], float | None],
    draws: int,
    groups: Sequence[Hashable],
    times: int,
    seed: int | None,
) -> Figure:
    import numpy as np

    from metrics.bootstrap import bootstrap_interval

    def mean(of: Sequence[int], at: NDArray[np.intp]) -> float | None:
        known = [value for draw in of if (value := measure(draw, at)) is not None]
        return float(np.mean(known)) if known else None

    value = mean(range(draws), np.arange(len(groups), dtype=np.intp))
    if seed is None:
        return Figure(value, None)
    rng, others = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    interval = bootstrap_interval(
        lambda at: mean(others.integers(draws, size=draws).tolist(), at), groups, rng, draws=times
    )
    return Figure(value, interval)
