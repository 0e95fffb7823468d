"""The common part of tasks that are modules of their own. Imports torch."""

from __future__ import annotations

from typing import Any

from torch import nn

from training.losses import Temperature
from training.optimizers import parameter_groups


class TaskModule(nn.Module):
    """A base of `Task` implementations: the module of the task is the task itself.

    Attributes:
        weight_decay: Of trained matrices; subclasses set it.
    """

    weight_decay: float

    @property
    def module(self) -> nn.Module:
        """See `Task.module`."""
        return self

    def parameter_groups(self) -> list[dict[str, Any]]:
        """See `Task.parameter_groups`."""
        return parameter_groups(self, self.weight_decay)

    def after_step(self) -> None:
        """Put temperatures back into their bounds."""
        for part in self.children():
            if isinstance(part, Temperature):
                part.clip_()
