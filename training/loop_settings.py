"""Settings of the training loop. Importing this module does not import torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Precision = Literal["float32", "bfloat16"]
PrecisionChoice = Literal["auto", "float32", "bfloat16"]

FREE = frozenset({"device", "save_every", "journal_every", "keep"})
"""Names of the settings that a resumed run may change: they shape nothing that is trained."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How a task is trained. No number here is published by VideoPrism's authors but where a stage says so.

    Attributes:
        steps: Steps of the whole run, which its schedule is made for.
        seed: Of dropout and of whatever else draws from the global generators of torch, NumPy and Python in a step.
        optimizer: adamw or adafactor. Weight decay is that of the task's groups of parameters.
        learning_rate: The highest that the schedule reaches.
        beta1: Decay of AdamW's mean of gradients.
        beta2: Decay of AdamW's mean of squared gradients.
        schedule: How the learning rate falls after the warm-up.
        warmup_steps: Steps in which the learning rate rises from 0.
        final_factor: The learning rate at the end, as a share of `learning_rate`.
        clip_norm: Longest gradient, in L2 norm over all parameters; longer ones are shortened to it. 0: any.
        average_decay: Decay of the moving average of weights (EMA), which is lower in the first steps. 0: no average.
        precision: float32, or bfloat16 (autocast; weights stay float32). auto: bfloat16 on CUDA devices that compute in
            it, else float32.
        validate_every: Steps between validations; there is one at the end, too. 0: none.
        best_by: The figure of the validation that the best checkpoint is best in; "": its first.
        patience: Validations in a row without a better one, after which the run ends before its last step. 0: it never
            does.
        device: The device to train on, as torch names it.
        save_every: Steps between checkpoints.
        journal_every: Steps between lines of the journal.
        keep: Newest checkpoints to keep, beside the best.

    Raises:
        ValueError: A value is out of range.
    """

    steps: int
    seed: int = 0
    optimizer: Literal["adamw", "adafactor"] = "adamw"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_steps: int = 0
    final_factor: float = 0.0
    clip_norm: float = 1.0
    average_decay: float = 0.0
    precision: PrecisionChoice = "auto"
    validate_every: int = 0
    best_by: str = ""
    patience: int = 0
    device: str = "cpu"
    save_every: int = 500
    journal_every: int = 50
    keep: int = 3

    def __post_init__(self) -> None:
        for name, least in (
            ("steps", 1), ("seed", 0), ("warmup_steps", 0), ("validate_every", 0), ("patience", 0), ("save_every", 1),
            ("journal_every", 1), ("keep", 1),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise ValueError(f"{name} is at least {least}, got {getattr(self, name)}")
        if self.seed >= 1 << 63:
            raise ValueError(f"seed is below 2^63, got {self.seed}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is a number above 0, got {self.learning_rate}")
        if not 0 <= self.clip_norm < math.inf:
            raise ValueError(f"clip_norm is a number from 0, got {self.clip_norm}")
        if not 0 <= self.final_factor <= 1:
            raise ValueError(f"final_factor is from 0 to 1, got {self.final_factor}")
        for name in ("beta1", "beta2", "average_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is from 0 to below 1, got {getattr(self, name)}")
        if self.warmup_steps >= self.steps:
            raise ValueError(f"the warm-up of {self.warmup_steps} steps leaves none of {self.steps}")
        for name, choices in (
            ("optimizer", ("adamw", "adafactor")),
            ("schedule", ("cosine", "linear", "constant")),
            ("precision", get_args(PrecisionChoice)),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {', '.join(choices)}, got {getattr(self, name)!r}")


def resolve_precision(choice: PrecisionChoice, device: str) -> Precision:
    """Return the precision to train in.

    Raises:
        EncoderUnavailable: bfloat16 is asked of a device that does not compute in it, where it would only be slow.
    """
    from encoder.errors import EncoderUnavailable
    from encoder.runtime.precision import checked_precision

    if choice == "float32" or (choice == "auto" and not device.startswith("cuda")):
        return "float32"
    try:
        checked_precision("bfloat16", device)
    except EncoderUnavailable:
        if choice == "auto":
            return "float32"
        raise
    return "bfloat16"
