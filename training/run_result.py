"""What the training loop tells: how far a run is, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.checkpoints import Best


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        loss: Of the last step.
        seconds_per_step: Mean since this process began, validation and checkpoints included.
    """

    step: int
    steps: int
    loss: float
    seconds_per_step: float


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run, or a part of it, ended.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        finished: Whether all steps are done, or patience has ended it; else it was stopped.
        reason: Why it is finished, in a sentence without its full stop; "" if it was stopped.
        resumed_from: Steps that were done before; None if the run began here.
        best: The best validation, if there was one.
        figures: The newest means, loss among them; none if nothing was done.
        seconds: How long this part took.
    """

    step: int
    steps: int
    finished: bool
    reason: str
    resumed_from: int | None
    best: Best | None
    figures: Mapping[str, float]
    seconds: float
