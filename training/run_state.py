"""The state of a run: what a checkpoint holds of a task, its optimizer and its average. Imports torch.

Frozen parameters are not in it, or each checkpoint of a small head would hold a whole network. Their digest is: whoever
goes on has to begin from the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from training.averaging import WeightAverage
from training.checkpoints import Best
from training.errors import DamagedCheckpoint, TrainingError

if TYPE_CHECKING:
    from training.run_folder import RunFolder
    from training.task import Task


class RunState:
    """A task, its optimizer and its average, as one thing to save and to restore.

    Args:
        module: The module of the task.
        optimizer: Of its parameters.
        average: Of the network that comes out of the run; None if it is not averaged.
    """

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, average: WeightAverage | None) -> None:
        self._module, self._optimizer, self._average = module, optimizer, average
        self._frozen = frozen_digest(module)

    def capture(self) -> dict[str, Any]:
        """Return the state, for a checkpoint; not copies."""
        return {
            "module": _kept(self._module),
            "optimizer": self._optimizer.state_dict(),
            "average": {} if self._average is None else self._average.state(),
            "frozen": self._frozen,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state.

        Raises:
            TrainingError: It is of another network or optimizer.
        """
        _restore_module(state, self._module, self._frozen)
        try:
            self._optimizer.load_state_dict(state["optimizer"])
            if self._average is not None:
                self._average.restore(state["average"])
        except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            raise TrainingError(f"the checkpoint is of another optimizer or average: {error}") from error


def load_trained(folder: RunFolder, task: Task, which: str = "best") -> int:
    """Give a task the weights of a checkpoint; to its network, averaged ones if the run averages.

    Args:
        folder: Of the run.
        task: The task, made as for the run.
        which: best, by validation, or last. Without a validation, the best is the last.

    Returns:
        Steps done before the checkpoint.

    Raises:
        TrainingError: There is no checkpoint, it is damaged, or it is of another network.
    """
    found = folder.checkpoints.newest()
    if found is None:
        raise TrainingError(f"the run in {folder.path} has no checkpoint yet")
    best = Best.of(found.facts)
    if which == "best" and best is not None and best.step != found.step:
        try:
            found = folder.checkpoints.load(best.step)
        except DamagedCheckpoint as error:
            raise DamagedCheckpoint(
                f"the best checkpoint is lost ({error}); that of step {found.step} is the last"
            ) from error
    _restore_module(found.state, task.module, frozen_digest(task.module))
    try:
        parameters = dict(task.trained.named_parameters())
        with torch.no_grad():
            for name, value in found.state["average"].items():
                parameters[name].copy_(value)
    except (KeyError, AttributeError, TypeError, RuntimeError) as error:
        raise TrainingError(f"the checkpoint is of another average: {error}") from error
    return found.step


def frozen_digest(module: nn.Module) -> str:
    """Return the SHA-256 of the parameters that do not require gradients: names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            values = parameter.detach().cpu().contiguous()
            digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
            digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _kept(module: nn.Module) -> dict[str, Tensor]:
    frozen = {name for name, each in module.named_parameters(remove_duplicate=False) if not each.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def _tensors(values: Any) -> dict[str, Tensor]:
    """Return the tensors in a part of a checkpoint, which may be another program's."""
    return {name: each for name, each in values.items() if isinstance(each, Tensor)} if isinstance(values, dict) else {}


@torch.no_grad()
def _restore_module(state: Mapping[str, Any], module: nn.Module, frozen: str) -> None:
    if state.get("frozen") != frozen:
        raise TrainingError(
            "the frozen weights are not those that the run began with: use the same encoder, or begin another run"
        )
    kept, saved = _kept(module), _tensors(state.get("module"))
    other = sorted(kept.keys() ^ saved.keys()) or [n for n in kept if kept[n].shape != saved[n].shape]
    if other:
        raise TrainingError(f"the checkpoint is of another network: {other[0]} differs")
    for name, value in kept.items():
        value.copy_(saved[name])
