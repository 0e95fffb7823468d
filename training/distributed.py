"""Rows of all processes, with gradients: what a contrastive loss needs to compare clips across processes.

Letters in shapes: W processes, b rows of each. Without a process group there is one process. Imports torch.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """Return the number of processes that train together, W."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number, from 0."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of their numbers; gradients flow back to each.

    The gradient of a process's rows is the sum of what all processes have for them. So if each backs from its own share
    of a loss, parameters get, summed over processes, the gradient of the sum of the shares. `DistributedDataParallel`
    takes the mean over processes; a loss whose shares are scaled by W comes out right (`losses.contrastive_loss`).
    `torch.distributed.nn.functional.all_gather` does the same, but is deprecated in favour of a private function.

    Args:
        rows: (b, ...), of the same shape in all processes, which must all call this together.

    Returns:
        (W*b, ...); `rows` itself if there is one process.
    """
    if world_size() == 1:
        return rows
    gathered: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]
    return gathered


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        summed = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed.chunk(world_size())[rank()]
