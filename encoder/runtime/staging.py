"""Clips on their way to a GPU: copied into pinned memory, and sent on a stream of their own while others compute."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_SLOTS = 2
"""One is filled while the other travels."""


@dataclass(slots=True)
class _Slot:
    pinned: Tensor
    sent: torch.cuda.Event = field(default_factory=torch.cuda.Event)


class Staging:
    """Sends clips to one CUDA device; used by one thread."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._slots: list[_Slot] = []
        self._turn = 0

    def send(self, clips: NDArray[np.uint8]) -> Tensor:
        """uint8 (B, T, S, S, 3) -> the same on the device, ready for what is next on the current stream.

        Returns before the clips have arrived, but with its own copy of them.
        """
        slot = self._slot(clips.size)
        staged = slot.pinned[: clips.size].view(clips.shape)
        staged.copy_(torch.from_numpy(np.ascontiguousarray(clips)))
        computing = torch.cuda.current_stream(self._device)
        with torch.cuda.stream(self._stream):
            there = staged.to(self._device, non_blocking=True)
            slot.sent.record(self._stream)
        computing.wait_event(slot.sent)
        there.record_stream(computing)  # else its memory would be handed out again while it is being read
        return there

    def _slot(self, size: int) -> _Slot:
        """The next slot of `size` bytes or more, once what it held has left."""
        self._turn = (self._turn + 1) % _SLOTS
        if len(self._slots) < _SLOTS:
            self._slots.append(_Slot(self._pinned(size)))
            self._turn = len(self._slots) - 1
        slot = self._slots[self._turn]
        slot.sent.synchronize()  # at once for one that was never recorded
        if slot.pinned.numel() < size:
            slot.pinned = self._pinned(size)
        return slot

    @staticmethod
    def _pinned(size: int) -> Tensor:
        return torch.empty(size, dtype=torch.uint8, pin_memory=True)
