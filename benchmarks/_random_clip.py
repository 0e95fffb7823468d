"""open_clip models of real architectures with random weights, for benchmarks: speed does not depend on the values."""

from __future__ import annotations

from typing import Any

import torch

from encoder.openclip.pretrained import import_open_clip


def random_model(name: str, seed: int = 1) -> Any:
    """Return a model by open_clip's name of its architecture, on the CPU, with no weight at 0 or 1."""
    open_clip = import_open_clip()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.create_model(name, pretrained=None, pretrained_image=False, pretrained_text=False)
        with torch.no_grad():
            for value in model.visual.parameters():
                value.add_(0.02 * torch.randn_like(value))
    return model.eval().requires_grad_(False)
