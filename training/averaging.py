"""The moving average of weights (EMA): what a run hands out, less noisy than the last step's. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.task import trainable


class WeightAverage:
    """The average of the trainable parameters of a network; frozen ones and buffers are their own.

    After step n (from 0) the average moves by 1 - min(decay, (1 + n) / (10 + n)) towards the weights: in the first
    steps it follows them, as the average of so few is worth little. (The warm-up of TensorFlow's
    ExponentialMovingAverage.)
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self._names = [name for name, _ in trainable(network)]
        self._parameters = [parameter for _, parameter in trainable(network)]
        self._values = [parameter.detach().clone() for parameter in self._parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average after step `step`, from 0."""
        kept = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._values, self._parameters, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network its averaged weights within the block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state(self) -> dict[str, Tensor]:
        """Return the averaged parameters by name; not copies."""
        return dict(zip(self._names, self._values, strict=True))

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take on what `state` returned.

        Raises:
            KeyError: A parameter is not in it.
        """
        for name, value in zip(self._names, self._values, strict=True):
            value.copy_(state[name])

    def _swap(self) -> None:
        for place, parameter in enumerate(self._parameters):
            parameter.data, self._values[place] = self._values[place], parameter.data
