"""The speed at which this machine trains: by a few steps, or by a multiplication of matrices. Imports torch."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from training.batches import BatchSource
    from training.task import Task

_SIDE = 1024
_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Timed:
    """What steps took.

    Attributes:
        seconds: Of a step, without drawing its batch; of the first one, which is slower, nothing counts.
        peak_bytes: The most memory of the device that was in use; None where torch does not tell, as on a CPU.
    """

    seconds: float
    peak_bytes: int | None


def time_steps(task: Task, batches: BatchSource[Any], device: str, *, count: int = 2) -> Timed:
    """Take steps without an optimizer, and return the time of one. The task is left with gradients.

    Args:
        task: The task; it is moved to the device.
        batches: Its batches.
        device: The device, as torch names it.
        count: How many steps are timed, after one that is not.

    Raises:
        OSError: A batch cannot be read.
    """
    module = task.module.to(device).train()
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    seconds = []
    for number in range(count + 1):
        batch = batches.draw(number)
        module.zero_grad(set_to_none=True)
        began = _now(device)
        loss, _ = module(batch)
        loss.backward()
        seconds.append(_now(device) - began)
    return Timed(min(seconds[1:]), torch.cuda.max_memory_allocated(device) if cuda else None)


def matrix_flops(device: str) -> float:
    """Return the operations a second that this device reaches when it multiplies float32 matrices of 1,024 x 1,024."""
    first = torch.randn(_SIDE, _SIDE, device=device)
    count, began = 0, _now(device)
    first @ first  # the first one is slower
    while _now(device) - began < _SECONDS:
        first @ first
        count += 1
    return 2 * _SIDE**3 * max(1, count) / (_now(device) - began)


def _now(device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter()
