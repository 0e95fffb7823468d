"""Augmentation of training clips: the effects of real files on pixels, such as resolution, compression and exposure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from demo import world

ASPECTS = (1.0, 4 / 3, 16 / 9, 9 / 16)


def drawn(takes: Sequence[world.Take], frames: int, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw clips of takes, uint8 (B, T, S, S, 3), all of one random aspect ratio, and degraded as files are.

    Args:
        takes: What to draw.
        frames: T.
        size: S, the side of a clip in pixels.
        rng: The source of all randomness.
    """
    aspect = float(rng.choice(ASPECTS))
    return augment(world.render(list(takes), frames=frames, height=size, width=size, rng=rng, aspect=aspect), size, rng)


def augment(clips: NDArray[np.uint8], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Resize clips to the square as indexing does, and degrade them as real files are.

    Args:
        clips: uint8 (B, T, H, W, 3), RGB.
        size: S, the side of the result in pixels.
        rng: The source of all randomness.

    Returns:
        uint8 (B, T, S, S, 3).
    """
    b, t, height, width, _ = clips.shape
    x = torch.from_numpy(clips).permute(0, 1, 4, 2, 3).reshape(b * t, 3, height, width).float()
    if rng.random() < 0.3:  # filmed smaller than it is looked at
        factor = float(rng.uniform(0.6, 0.95))
        x = F.interpolate(x, scale_factor=factor, mode="bilinear", antialias=True)
    if x.shape[-2:] != (size, size):
        x = F.interpolate(x, size=(size, size), mode="bicubic", antialias=True)
    x = x.reshape(b, t, 3, size, size)
    if rng.random() < 0.5:  # compression: noise in blocks that stays for the clip, and a little that does not
        blocks = torch.from_numpy(rng.normal(0, 4, (b, 1, 3, -(-size // 8), -(-size // 8))).astype(np.float32))
        x = x + blocks.repeat_interleave(8, -1).repeat_interleave(8, -2)[..., :size, :size]
        x = x + torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32) * float(rng.uniform(0, 4)))
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (b, 1, 1, 1, 1)).astype(np.float32))
    lift = torch.from_numpy(rng.uniform(-14, 14, (b, 1, 1, 1, 1)).astype(np.float32))
    x = (x - 128) * gain + 128 + lift
    if t > 1 and rng.random() < 0.3:  # short takes repeat frames
        index = torch.from_numpy(np.floor(np.arange(t) * (t / 2) / t).astype(np.int64) * 2).clamp(max=t - 1)
        some = torch.from_numpy(rng.random(b) < 0.3)
        x[some] = x[some][:, index]
    return x.clamp(0, 255).round().byte().permute(0, 1, 3, 4, 2).contiguous().numpy()
