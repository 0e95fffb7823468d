"""What the training loop trains: a module whose forward pass is the loss of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class Task(Protocol):
    """A stage of training.

    Implementations derive from `torch.nn.Module`: the loop saves `module.state_dict()`, moves it to a device and wraps
    it for several processes (`DistributedDataParallel` calls forward).
    """

    @property
    def module(self) -> nn.Module:
        """The module to call with a batch, which returns (loss, figures): a scalar tensor and named detached numbers.

        It holds everything that a checkpoint must hold, frozen parts included.
        """
        ...

    @property
    def trained(self) -> nn.Module:
        """The network that comes out of the run, whose weights the loop averages; a part of `module`."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the trainable parameters in groups for an optimizer, each with its `weight_decay`."""
        ...

    def after_step(self) -> None:
        """Change parameters after an optimizer step, such as to keep a temperature in its bounds."""
        ...

    def validate(self) -> Mapping[str, float]:
        """Return figures on clips that are never trained on; empty if there are none. Larger is better."""
        ...


def trainable(module: nn.Module) -> Iterable[tuple[str, Tensor]]:
    """Yield the names and parameters of a module that require gradients."""
    return ((name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad)
