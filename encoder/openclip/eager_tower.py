"""The image tower of an open_clip model as open_clip computes it, on any device."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.errors import EncoderUnavailable
from encoder.runtime.allocator import keep_large_blocks
from encoder.runtime.precision import Precision

PICTURES_AT_ONCE = 64
"""Pictures of a batch, of as many clips as have them."""


class EagerTower:
    """An image tower as open_clip computes it, in float32 or under autocast to bfloat16. It begins on the CPU."""

    def __init__(self, model: Any, precision: Precision = "float32") -> None:
        """Wrap a model. precision: float32 or bfloat16."""
        self.compute_in(precision)
        self._model = model
        preprocessing = model.visual.preprocess_cfg
        self._mean, self._std = (torch.tensor(preprocessing[each]).view(1, 3, 1, 1) for each in ("mean", "std"))
        self.size = int(np.max(preprocessing["size"]))
        keep_large_blocks()

    def compute_in(self, precision: Precision) -> None:
        """Compute in float32 or bfloat16 from now on."""
        self.precision: Precision = precision
        self._autocast = precision == "bfloat16"

    def move(self, device: str, name: str) -> None:
        """Move the model to a device. Raise EncoderUnavailable, with the model's `name`, if it does not fit."""
        try:
            self._model.to(device)
            self._mean, self._std = self._mean.to(device), self._std.to(device)
        except (RuntimeError, AssertionError) as error:
            raise EncoderUnavailable(f"{name} cannot run on {device}: {error}") from error

    def __call__(self, pictures: NDArray[np.uint8]) -> Tensor:
        """See `encoder.openclip.image_tower.ImageTower.__call__`. Pixels become floats on the device."""
        rows = []
        with torch.inference_mode():
            for start in range(0, len(pictures), PICTURES_AT_ONCE):
                rows.append(self._rows(pictures[start : start + PICTURES_AT_ONCE]).cpu())
        return torch.cat(rows)

    def _rows(self, pictures: NDArray[np.uint8]) -> Tensor:
        device = self._mean.device
        pixels = torch.from_numpy(np.ascontiguousarray(pictures)).to(device)
        images = (pixels.permute(0, 3, 1, 2).float() / 255 - self._mean) / self._std
        with torch.autocast(device.type, torch.bfloat16) if self._autocast else nullcontext():
            return unit(self._model.encode_image(images).float())


def unit(rows: Tensor) -> Tensor:
    """Return rows (N, D) at unit length."""
    found: Tensor = rows / rows.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return found
