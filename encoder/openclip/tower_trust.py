"""Trust in an image tower on a GPU: it must give the rows of the CPU, in batches, before it is used."""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.errors import EncoderUnavailable
from encoder.openclip.eager_tower import EagerTower

_log = logging.getLogger(__name__)

_AGREES = 0.999
"""Least cosine of a picture's rows to its row on the CPU; bfloat16 stays above 0.9999."""


def trusted(tower: EagerTower, device: str, name: str, batch: int) -> EagerTower:
    """Move a tower to a GPU, and return it in its precision or in float32, whichever gives the rows of the CPU first.

    Args:
        tower: On the CPU.
        device: Where to.
        name: What the model is called, for messages.
        batch: Pictures of a batch.

    Raises:
        EncoderUnavailable: The device cannot hold the model, or none of its rows are those of the CPU.
    """
    picture, asked = _picture(tower.size), tower.precision
    tower.compute_in("float32")
    expected = tower(picture[None])[0]
    tower.move(device, name)
    for precision in dict.fromkeys((asked, "float32")):
        tower.compute_in(precision)
        cosine = least_cosine(tower, picture, expected, batch)
        if cosine >= _AGREES:  # false for NaN
            return tower
        _log.warning("%s in %s is off on this GPU (cosine %.4f to the CPU's row).", name, precision, cosine)
    raise EncoderUnavailable(f"{name} computes other rows on {device} than on the CPU; use --device cpu")


def least_cosine(tower: EagerTower, picture: NDArray[np.uint8], expected: Tensor, batch: int) -> float:
    """Encode a batch with a picture at its beginning, middle and end; return the least cosine to the expected row.

    If the batch does not fit the device's memory, the picture alone: batches are then halved until they fit.
    """
    pictures = np.random.default_rng(1).integers(0, 256, (batch, *picture.shape), dtype=np.uint8)
    places = [0, batch // 2, batch - 1]
    pictures[places] = picture
    try:
        rows = tower(pictures)[places]
    except torch.OutOfMemoryError:
        rows = tower(picture[None])
    return float((rows @ expected).min())


def _picture(size: int) -> NDArray[np.uint8]:
    """Return a picture with edges, gradients and noise, (S, S, 3)."""
    ramp = np.linspace(0, 200, size)
    down, across = np.meshgrid(ramp, ramp, indexing="ij")
    picture = np.stack([down, across, np.full((size, size), 90.0)], axis=-1)
    picture[size // 4 : size // 2, size // 3 : size // 2] = (250, 10, 40)
    noise = np.random.default_rng(0).integers(0, 50, picture.shape)
    found: NDArray[np.uint8] = (picture + noise).clip(0, 255).astype(np.uint8)
    return found
