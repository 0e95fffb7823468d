"""Schedules of the learning rate: a linear warm-up, then a cosine, a line, or a constant.

The published ones are a line for stage 1 and a cosine for stage 2 (VideoPrism, arXiv 2402.13217, appendix C). Values
are those of optax (`warmup_cosine_decay_schedule`, and `linear_schedule`s joined).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Decay = Literal["cosine", "linear", "constant"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning rate for each step.

    Attributes:
        peak: The rate at the end of the warm-up.
        steps: Steps in all, warm-up included.
        warmup: Steps of the warm-up.
        decay: How the rate falls from `peak` to `end` after the warm-up; a constant stays at `peak`.
        start: The rate at step 0, if there is a warm-up. At 0, the published value, the first step changes nothing.
        end: The rate after the last step; unused by a constant.

    Raises:
        ValueError: A value is out of range.
    """

    peak: float
    steps: int
    warmup: int = 0
    decay: Decay = "cosine"
    start: float = 0.0
    end: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.peak < math.inf or not 0 <= self.start <= self.peak or not 0 <= self.end <= self.peak:
            raise ValueError("a learning rate rises from 0 or more to its peak, and falls from there to 0 or more")
        if not 0 <= self.warmup < self.steps:
            raise ValueError(f"a warm-up of {self.warmup} steps does not end within {self.steps} steps")
        if self.decay not in get_args(Decay):
            raise ValueError(f"a schedule is one of {', '.join(get_args(Decay))}, not {self.decay}")

    def at(self, step: int) -> float:
        """Return the rate of a step, from 0; beyond the last step, that of the end."""
        if step < self.warmup:
            return self.start + (self.peak - self.start) * step / self.warmup
        if self.decay == "constant":
            return self.peak
        done = min(1.0, (step - self.warmup) / (self.steps - self.warmup))
        left = 1 - done if self.decay == "linear" else (1 + math.cos(math.pi * done)) / 2
        return self.end + (self.peak - self.end) * left
