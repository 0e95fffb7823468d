"""The processes that train together: torch.distributed, started by torchrun's variables or over a file.

Without a group there is one process, and everything here costs nothing. Imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist

from training.distributed import rank, world_size

T = TypeVar("T")

TIMEOUT = timedelta(hours=2)
"""How long a process waits for the others: one validates and writes alone. If one ends, the others learn it at once."""


@contextmanager
def joined(
    backend: str = "gloo", *, rank: int = -1, processes: int = -1, init_file: Path | None = None, gpu: int | None = None
) -> Iterator[None]:
    """Join the group of processes that train together, within the block.

    Args:
        backend: gloo for CPUs, nccl for GPUs.
        rank: Number of this process, from 0. Not needed under torchrun.
        processes: Processes in all. Not needed under torchrun.
        gpu: The number of the GPU that is this process's own; None for none.
        init_file: A path that does not exist yet, in a folder that all processes see. None: torchrun's variables.

    Raises:
        ValueError: There are no such variables, or no rank or count.
    """
    method = "env://" if init_file is None else init_file.resolve().as_uri()
    if gpu is not None:
        torch.cuda.set_device(gpu)
    dist.init_process_group(backend, method, TIMEOUT, processes, rank)
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_lost_process(error: RuntimeError) -> bool:
    """Return whether an error says that another process of the group has ended."""
    return isinstance(error, dist.DistBackendError) or "gloo" in str(error)


def any_of(flag: bool, device: torch.device) -> bool:
    """Return whether the flag is set in any process, the same in all of them."""
    if world_size() == 1:
        return flag
    flags = torch.tensor(int(flag), device=device)
    dist.all_reduce(flags, dist.ReduceOp.MAX)
    return bool(flags.item())


def mean_of_all(values: torch.Tensor) -> torch.Tensor:
    """Return the mean of values over all processes; one that is not finite in any of them is not in the mean."""
    if world_size() > 1:
        dist.all_reduce(values)
        values /= world_size()
    return values


def from_first(value: T) -> T:
    """Return the first process's value in every process; it must be picklable."""
    if world_size() == 1:
        return value
    values = [value]
    dist.broadcast_object_list(values)
    return values[0]


def is_first() -> bool:
    """Return whether this is the process that writes, validates and reports."""
    return rank() == 0
