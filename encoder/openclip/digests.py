"""Digests of open_clip models, by which weights without a published tag are named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

_VISUAL = "visual."  # what the names of the image tower's weights begin with, in every model of open_clip


def space_digest(model: Any) -> str:
    """Return a digest of what shapes the rows of pictures."""
    seen = model.visual.preprocess_cfg
    return _digest(model, lambda key: key.startswith(_VISUAL), f"{seen['size']} {seen['mean']} {seen['std']}\n")


def text_digest(model: nn.Module, tokenizer: Any) -> str:
    """Return a digest of what shapes the rows of sentences: all other weights but the temperature, and the length.

    A tokenizer comes with the model's name, or lies in the folder of its weights.
    """
    return _digest(
        model,
        lambda key: not key.startswith(_VISUAL) and key not in ("logit_scale", "logit_bias"),
        f"{tokenizer.context_length}\n",
    )


def _digest(model: nn.Module, covered: Callable[[str], bool], before: str) -> str:
    """Return a digest of the weights with these names, 16 hexadecimal digits."""
    found = hashlib.blake2b(before.encode(), digest_size=8)
    for key, value in sorted(model.state_dict().items()):
        if covered(key):
            found.update(f"{key} {tuple(value.shape)}\n".encode())
            found.update(np.ascontiguousarray(value.detach().cpu().float().numpy()).data)
    return found.hexdigest()
