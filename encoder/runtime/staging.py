"""Staging of clips: copied to pinned memory and sent to a GPU on a separate stream, while others are computed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SLOTS = 2
"""One buffer is filled while the other is sent."""


@dataclass(slots=True)
class _Slot:
    pinned: Tensor
    sent: torch.cuda.Event = field(default_factory=torch.cuda.Event)


class Staging:
    """A sender of clips to one CUDA device, for use by one thread."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._slots: list[_Slot] = []
        self._turn = 0

    def send(self, clips: NDArray[np.uint8]) -> Tensor:
        """Start to send clips, uint8 (B, T, S, S, 3), and return the tensor on the device.

        The current stream waits for it. The call returns before the clips have arrived, but it has copied them: the
        array may be changed.
        """
        slot = self._slot(clips.size)
        staged = slot.pinned[: clips.size].view(clips.shape)
        staged.copy_(torch.from_numpy(np.ascontiguousarray(clips)))
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            there = staged.to(self._device, non_blocking=True)
            slot.sent.record(self._stream)
        computing.wait_event(slot.sent)
        there.record_stream(computing)  # or its memory could be reused while it is being read
        return there

    def _slot(self, size: int) -> _Slot:
        """Return the next slot, of `size` bytes or more, once its previous content has been sent."""
        self._turn = (self._turn + 1) % _SLOTS
        if len(self._slots) < _SLOTS:
            self._slots.append(_Slot(self._pinned(size)))
            self._turn = len(self._slots) - 1
        slot = self._slots[self._turn]
        slot.sent.synchronize()  # returns at once if never recorded
        if slot.pinned.numel() < size:
            slot.pinned = self._pinned(size)
        return slot

    @staticmethod
    def _pinned(size: int) -> Tensor:
        return torch.empty(size, dtype=torch.uint8, pin_memory=True)
