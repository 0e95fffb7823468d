"""One step of training: forward, backward, clipping, the optimizer, the average. Imports torch."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.averaging import WeightAverage
from training.distributed import rank, world_size
from training.loop_settings import LoopSettings, resolve_precision
from training.optimizers import OptimizerSettings, make_optimizer
from training.process_group import mean_of_all
from training.schedules import Schedule
from training.task import Task


class NotFinite(Exception):
    """The loss or its gradient is not finite. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken.

    Attributes:
        loss: Of its batch; the mean over processes.
        norm: L2 norm of the whole gradient, before it was clipped.
        rate: The learning rate.
        figures: What the task says of it, with the loss; numbers or scalar tensors.
    """

    loss: float
    norm: float
    rate: float
    figures: Mapping[str, Any]


class Trainer:
    """A task on its device, with its optimizer, schedule and average.

    Attributes:
        device: The device.
        precision: float32 or bfloat16.
        optimizer: Of the task's parameters.
        average: The average of `task.trained`, if the settings ask for one.
    """

    def __init__(self, task: Task, settings: LoopSettings) -> None:
        """Move the task to the device, in training mode.

        Raises:
            EncoderUnavailable: The device does not support the precision.
        """
        self._task, self._clip = task, settings.clip_norm
        self.device = torch.device(settings.device)
        self.precision = resolve_precision(settings.precision, settings.device)
        module = task.module.to(self.device).train()
        self._forward = module if world_size() == 1 else nn.parallel.DistributedDataParallel(module)
        self._parameters = [each for each in module.parameters() if each.requires_grad]
        peak, betas = settings.learning_rate, (settings.beta1, settings.beta2)
        self.optimizer = make_optimizer(task.parameter_groups(), OptimizerSettings(settings.optimizer, peak, betas))
        self._schedule = Schedule(
            peak, settings.steps, settings.warmup_steps, settings.schedule, end=settings.final_factor * peak
        )
        self.average = WeightAverage(task.trained, settings.average_decay) if settings.average_decay else None

    def take(self, step: int, batch: object) -> Taken:
        """Take step `step`, from 0, with a batch.

        Raises:
            NotFinite: In this process or another. Weights, optimizer and average are as before.
        """
        lower = torch.autocast(self.device.type, torch.bfloat16) if self.precision == "bfloat16" else nullcontext()
        with lower:
            loss, figures = self._forward(batch)
        loss.backward()
        norm = nn.utils.get_total_norm([each.grad for each in self._parameters if each.grad is not None])
        told, length = mean_of_all(torch.stack([loss.detach().float(), norm.float()])).tolist()  # one wait
        if not (math.isfinite(told) and math.isfinite(length)):
            self.optimizer.zero_grad()
            raise NotFinite(f"the {'gradient' if math.isfinite(told) else 'loss'} of step {step + 1} is not finite")
        if self._clip:
            nn.utils.clip_grads_with_norm_(self._parameters, self._clip, norm)
        rate = self._schedule.at(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._task.after_step()
        if self.average is not None:
            self.average.update(step)
        return Taken(told, length, rate, {**figures, "loss": told})


def seed_generators(seed: int, step: int, device: torch.device) -> None:
    """Seed the global generators of torch, NumPy and Python for a step, differently in each process.

    So what a step draws depends on its number alone, as its batch does, and a checkpoint needs no generator's state.
    (`torch.manual_seed` keeps a stack trace of each call for devices that are never used, which costs a millisecond.)
    """
    words = np.random.SeedSequence((seed, step, rank())).generate_state(3)
    number = int(words[0]) << 31 | int(words[1]) >> 1  # below 2^63
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)
    np.random.seed(words[1])  # noqa: NPY002  (a task may use libraries that draw from it)
    random.seed(int(words[2]))


@dataclass
class Means:
    """Means of figures since they were last taken. Tensors are added up on their device, without waiting for it."""

    totals: dict[str, Any] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)

    def add(self, figures: Mapping[str, Any]) -> None:
        for name, value in figures.items():
            value = value.detach() if isinstance(value, Tensor) else value
            self.totals[name] = self.totals.get(name, 0.0) + value
            self.count[name] = self.count.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        means = {name: float(total) / self.count[name] for name, total in self.totals.items()}
        self.totals, self.count = {}, {}
        return means
