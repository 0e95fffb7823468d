"""A moment: what was found within the shot of a hit."""

from __future__ import annotations

from dataclasses import dataclass

MAY_RUN_BACKWARDS = 1.5
"""From this `Moment.backwards` on, what happens may run the other way. On the demo world, motions score -1.1 and less,
and most of their opposites 1.4 and more (`python -m demo.directions`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The stretch of a shot that answers a question.

    Attributes:
        start_pts: pts of its first frame.
        end_pts: pts of the first frame after it, or the end of the stretch that was looked through.
        is_whole: Whether nothing within that stretch stands out: then it is all of it.
        score: Of the moment as one clip, as scores of hits are.
        whole_score: Likewise, of all that was looked through.
        curve: pts of the middle, and score, of every window that was compared, ascending.
        backwards: For a question with a direction or an order: by how many standard deviations of what unrelated
            questions get the reversed moment scores higher. None for any other question.
        seconds: Time that it took.
    """

    start_pts: int
    end_pts: int
    is_whole: bool
    score: float
    whole_score: float
    curve: tuple[tuple[int, float], ...]
    backwards: float | None
    seconds: float

    def __post_init__(self) -> None:
        if self.end_pts <= self.start_pts:
            raise ValueError(f"a moment must end after it starts, got {self.start_pts}-{self.end_pts}")

    @property
    def may_run_backwards(self) -> bool:
        """Whether the reversed moment answers the question better: what happens may run the other way."""
        return self.backwards is not None and self.backwards >= MAY_RUN_BACKWARDS
