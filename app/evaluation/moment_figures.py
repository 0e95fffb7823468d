"""Figures of moments: R@1 at an intersection over union, mIoU and mAP, with intervals over videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.evaluation.figure import Figure, figure_of
from app.evaluation.moment_run import MomentAnswer, Range

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class MomentFigures:
    """What some ranges are worth as answers.

    Attributes:
        recall: R@1 at each intersection over union of LEVELS.
        overlap: mIoU.
        precision: mAP at 0.5.
    """

    recall: dict[float, Figure]
    overlap: Figure
    precision: Figure

    def record(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            **{f"recall_at_1_iou_{level:g}": figure.record() for level, figure in self.recall.items()},
            "mean_iou": self.overlap.record(),
            "map_iou_0.5": self.precision.record(),
        }


def figures_of(
    answers: Sequence[MomentAnswer], ranges: Callable[[MomentAnswer], Sequence[Range]], *, seed: int
) -> MomentFigures:
    """Return the figures of some ranges of answers.

    Args:
        answers: All that count.
        ranges: The ranges of an answer, best first.
        seed: Of the intervals, which are over videos.
    """
    import numpy as np

    from metrics.moments import Moments

    each = [
        Moments(answer.question.moments, found, -np.arange(len(found), dtype=float))
        for answer in answers
        for found in [ranges(answer)]
    ]
    videos = [answer.question.video for answer in answers]

    def figure(values: Sequence[float]) -> Figure:
        array = np.array(values, dtype=np.float64)

        def mean(at: NDArray[np.intp]) -> float | None:
            return float(array[at].mean()) if len(at) else None

        return figure_of(mean, videos, seed=seed)

    return MomentFigures(
        {level: figure([one.hit(level) for one in each]) for level in LEVELS},
        figure([one.overlap for one in each]),
        figure([one.average_precision(0.5) for one in each]),
    )
