"""The image tower of an open_clip model on one device: pictures of any number of clips to unit rows.

cpu    PackedTower: packed blocks, a few pictures a task and core, each distinct picture once
cuda   EagerTower under torch's autocast to bfloat16, where `tower_trust` finds that it gives the CPU's rows
else   EagerTower in float32, as open_clip computes: other devices, narrow towers, towers of another kind
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.errors import EncoderUnavailable
from encoder.openclip.eager_tower import PICTURES_AT_ONCE, EagerTower
from encoder.openclip.packed_tower import PackableTower, packable
from encoder.openclip.tower_trust import trusted
from encoder.runtime.cpu import picture_digest
from encoder.runtime.precision import Precision, choose_precision, packs_layers
from encoder.runtime.workers import Workers

NARROWEST = 192
"""Least width of a tower that packed layers make faster: that of PE-Core-T."""

_TOKENS_A_TASK = 256
"""Enough for fast matrix products, few enough for the cache of a core."""


class ImageTower(Protocol):
    """Pictures to rows. Calls are made by one thread at a time."""

    @property
    def precision(self) -> Precision:
        """What it computes in."""
        ...

    def __call__(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Encode pictures, uint8 (N, S, S, 3) RGB, to rows of unit length, float32 (N, D) on the CPU.

        Raises:
            RuntimeError: An error of torch, out of memory included: the caller may try again with fewer pictures.
        """
        ...


def make_image_tower(model: Any, device: str, precision: str, *, name: str) -> ImageTower:
    """Return the fastest image tower of a model, on its device. The text tower moves along.

    Args:
        model: A model of open_clip, on the CPU, in evaluation mode and without gradients.
        device: A name from `encoder.loading.choose_device`.
        precision: As in `encoder.load_encoder`.
        name: What the model is called, for messages.

    Raises:
        EncoderUnavailable: The device does not support the precision, cannot hold the model, or computes other rows
            than the CPU.
    """
    tower, packs, cuda = packable(model.visual), device == "cpu" and packs_layers(), device.startswith("cuda")
    chosen: Precision = "float32"
    if tower is not None and (packs or cuda):
        chosen = choose_precision(precision, device, tower.width)
    elif precision not in ("auto", "float32"):
        raise EncoderUnavailable(f"{name} runs in float32 here, not in {precision}; use --precision float32")
    if packs and tower is not None and (tower.width >= NARROWEST or chosen != "float32"):
        return PackedTower(model, tower, chosen)
    eager = EagerTower(model, chosen)
    if cuda:
        return trusted(eager, device, name, PICTURES_AT_ONCE)
    eager.move(device, name)
    return eager


def slow_kind(model: Any, device: str) -> str:
    """Return the kind of a model's image tower if packed layers work here but cannot compute it; else ""."""
    if device != "cpu" or not packs_layers() or packable(model.visual) is not None:
        return ""
    visual = getattr(model.visual, "trunk", model.visual)
    return type(visual).__name__


class PackedTower(EagerTower):
    """An image tower of packed blocks on an x86 CPU, one task per core."""

    def __init__(self, model: Any, tower: PackableTower, precision: Precision) -> None:
        """Wrap a model, whose image tower will be changed: its blocks are packed at the first picture.

        Searching by words alone never needs them.
        """
        super().__init__(model)
        self.precision = precision
        self._to_pack: PackableTower | None = tower
        self._workers = Workers()
        self._task = max(1, _TOKENS_A_TASK // tower.tokens)

    def __call__(self, pictures: NDArray[np.uint8]) -> Tensor:
        """See `ImageTower.__call__`. Pictures that repeat, as in short shots and in slides, are encoded once."""
        if self._to_pack is not None:
            self._to_pack.pack(self.precision)
            self._to_pack = None
        names = [picture_digest(picture) for picture in np.ascontiguousarray(pictures)]
        numbers: dict[bytes, int] = {}
        for name in names:
            numbers.setdefault(name, len(numbers))
        distinct = [names.index(name) for name in numbers]
        rows: list[Tensor] = [torch.empty(0)] * len(distinct)

        def encode(start: int) -> None:
            for at, row in enumerate(self._rows(pictures[distinct[start : start + self._task]]), start):
                rows[at] = row

        self._workers.each(encode, range(0, len(distinct), self._task))
        return torch.stack(rows)[[numbers[name] for name in names]]
