"""Several processes that train together, started by torchrun. Its variables are read here and nowhere else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, USAGE
from app.shell.interrupt import stopped_code

_STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"


@dataclass(frozen=True, slots=True)
class Processes:
    """Which of how many processes this is.

    Attributes:
        rank: From 0; the first one prepares, validates, writes and prints.
        count: How many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prints."""
        return self.rank == 0


@contextmanager
def training_processes(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, within the block; without torchrun, there is one.

    All but the first are quiet within the block. Each has its own GPU.

    Args:
        device: The device to train on, as torch names it.

    Raises:
        CommandError: torchrun's variables are wrong, or another process of the group has ended.
    """
    if _STARTED_BY_TORCHRUN not in os.environ:
        yield Processes()
        return
    try:
        rank, count, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    except (KeyError, ValueError) as error:
        raise CommandError(f"torchrun's variables are not what they should be ({error})", USAGE) from error
    if count == 1:
        yield Processes()
        return
    from training.process_group import is_lost_process, joined

    gpu = local if device.startswith("cuda") else None
    with open(os.devnull, "w") as nowhere, joined("gloo" if gpu is None else "nccl", gpu=gpu):
        quiet = contextlib.nullcontext() if rank == 0 else contextlib.redirect_stderr(nowhere)
        try:
            with quiet:
                yield Processes(rank, count)
        except KeyboardInterrupt:
            if rank == 0:
                raise
            raise click.exceptions.Exit(stopped_code()) from None
        except RuntimeError as error:
            if not is_lost_process(error):
                raise
            raise CommandError("another process of this run has ended; its own message says why", FAILED) from error
