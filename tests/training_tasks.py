"""Small tasks for tests of training: a regression through dropout, on batches drawn from their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.batches import CaptionedBatch
from training.loop_settings import LoopSettings
from training.losses import Temperature, contrastive_loss
from training.run_folder import RunFolder
from training.task_module import TaskModule

WIDTH = 6


class Numbers:
    """Batches (rows, answers) that depend on their number alone."""

    def __init__(self, rows: int = 8) -> None:
        self.rows = rows

    def draw(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rng = np.random.default_rng((7, number))
        rows = rng.standard_normal((self.rows, WIDTH)).astype(np.float32)
        return rows, rows.sum(1, keepdims=True) * np.float32(0.3)


class Regression(nn.Module):
    """A frozen layer, a layer that comes out of the run, a head that does not, dropout, a buffer, a bounded number."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.frozen = nn.Linear(WIDTH, WIDTH).requires_grad_(False)
            self.network = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Dropout(dropout))
            self.head = nn.Linear(WIDTH, 1)
        self.scale = nn.Parameter(torch.tensor(0.9))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.validations = 0

    def forward(self, batch: tuple[NDArray[np.float32], NDArray[np.float32]]) -> tuple[Tensor, Mapping[str, Any]]:
        rows, answers = (torch.from_numpy(each) for each in batch)
        self.seen += len(rows)
        error = self.scale * self.head(self.network(self.frozen(rows))) - answers
        loss = error.square().mean()
        return loss, {"error": error.detach().abs().mean()}

    @property
    def module(self) -> nn.Module:
        return self

    @property
    def trained(self) -> nn.Module:
        return self.network

    def parameter_groups(self) -> list[dict[str, Any]]:
        return [
            {"params": [self.network[0].weight, self.head.weight], "weight_decay": 0.05},
            {"params": [self.network[0].bias, self.head.bias, self.scale], "weight_decay": 0.0},
        ]

    def after_step(self) -> None:
        with torch.no_grad():
            self.scale.clamp_(0.5, 1.0)

    def validate(self) -> Mapping[str, float]:
        """A figure that depends on the weights, and goes up and down."""
        assert not self.training
        torch.rand(3)
        np.random.random(3)  # noqa: NPY002
        return {"odd": float("nan"), "quality": float(torch.sin(40 * self.network[0].weight.sum()))}


def settings(**changed: Any) -> LoopSettings:
    """Settings of 24 steps with everything that a checkpoint has to hold."""
    usual: dict[str, Any] = {
        "steps": 24, "learning_rate": 0.02, "warmup_steps": 3, "average_decay": 0.9, "validate_every": 5,
        "best_by": "quality", "save_every": 4, "journal_every": 5,
    }  # fmt: skip
    return LoopSettings(**usual | changed)


def everything(folder: RunFolder) -> dict[str, Any]:
    """What the newest checkpoint holds, without the settings."""
    found = folder.checkpoints.newest()
    assert found is not None
    return {"step": found.step, "best": found.facts["best"], **found.state}


def require_same_bits(first: Any, second: Any, where: str = "") -> None:
    """Compare nested states, tensors bit for bit."""
    if isinstance(first, Tensor):
        assert first.dtype == second.dtype, where
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            require_same_bits(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for place, (one, other) in enumerate(zip(first, second, strict=True)):
            require_same_bits(one, other, f"{where}[{place}]")
    else:
        assert first == second, where


class CaptionedNumbers:
    """Clips of noise, with captions of which some are equal."""

    def __len__(self) -> int:
        return 20

    def clip(self, position: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        noise = rng.integers(0, 9, (1, 2, 2, 3))
        return (np.random.default_rng(position).integers(0, 240, (1, 2, 2, 3)) + noise).astype(np.uint8)

    def captions(self, position: int) -> Sequence[str]:
        return [f"a thing {position % 7}", f"thing  {position % 7}!"]


class Contrast(TaskModule):
    """Two small towers under a contrastive loss over all processes."""

    weight_decay = 0.1

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            self.video, self.text = nn.Linear(12, 8), nn.EmbeddingBag(64, 8)
        self.temperature = Temperature()

    def forward(self, batch: CaptionedBatch) -> tuple[Tensor, Mapping[str, Any]]:
        clips = torch.from_numpy(batch.clips).flatten(1).float() / 255
        ids = torch.tensor([[ord(each) % 64 for each in sentence[:8]] for sentence in batch.captions])
        rows = [nn.functional.normalize(each, dim=1) for each in (self.video(clips), self.text(ids))]
        return contrastive_loss(*rows, torch.from_numpy(batch.positives), self.temperature.log_scale), {}

    @property
    def trained(self) -> nn.Module:
        return self

    def validate(self) -> Mapping[str, float]:
        return {}
