"""Light, lens and film: what real footage has and a clean drawing has not; the wear of files, as in `augment`."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_CLOTHS = 48


@dataclass(frozen=True)
class Look:
    """How B clips are filmed."""

    texture: NDArray[np.float32]  # (B,): strength of a texture on plain backgrounds
    cloth: NDArray[np.int64]  # (B, 3): which texture, and its shift
    shadow: NDArray[np.int64]  # (B, 2): pixels to the right and down of the shadows of things; 0, 0 for none
    blur: NDArray[np.bool_]  # (B,): whether moving things are blurred
    vignette: NDArray[np.float32]  # (B,): share of light lost in the corners
    slope: NDArray[np.float32]  # (B, 2): how much lighter the right and the lower edge are than the others
    flicker: NDArray[np.float32]  # (B,): standard deviation of a picture's light
    cast: NDArray[np.float32]  # (B, 3): factor on the colours
    grain: NDArray[np.float32]  # (B,): standard deviation


def plain(count: int) -> Look:
    """Return the look of clean drawings."""
    zero = np.zeros(count, np.float32)
    return Look(
        zero, np.zeros((count, 3), np.int64), np.zeros((count, 2), np.int64), np.zeros(count, bool), zero,
        np.zeros((count, 2), np.float32), zero, np.ones((count, 3), np.float32), zero,
    )  # fmt: skip


def look(count: int, rng: np.random.Generator) -> Look:
    """Draw how clips are filmed: a third cleanly, the others each with some of the effects."""
    filmed = rng.random(count) > 1 / 3

    def some(share: float, low: float, high: float, *shape: int) -> NDArray[np.float32]:
        chosen = filmed & (rng.random(count) < share)
        values = rng.uniform(low, high, (count, *shape)) * chosen.reshape(-1, *(1,) * len(shape))
        return values.astype(np.float32)

    return Look(
        texture=some(0.7, 0.06, 0.22),
        cloth=rng.integers(0, 1 << 20, (count, 3)),
        shadow=np.round(some(0.4, 1, 1, 1) * rng.uniform(-4, 4, (count, 2)) + some(0.0, 0, 0, 2)).astype(np.int64),
        blur=filmed & (rng.random(count) < 0.15),
        vignette=some(0.4, 0.1, 0.45),
        slope=some(0.5, -0.25, 0.25, 2),
        flicker=some(0.3, 0.01, 0.06),
        cast=1 + some(0.4, -0.1, 0.1, 3),
        grain=some(0.6, 0.01, 0.045),
    )


def cloth(which: NDArray[np.int64], height: int, width: int) -> Tensor:
    """Return a texture (height, width) around 0."""
    number, down, across = (int(part) for part in which)
    whole = _cloths()[number % _CLOTHS]
    rows = torch.arange(down, down + height) % whole.shape[0]
    columns = torch.arange(across, across + width) % whole.shape[1]
    return whole[rows][:, columns]


@functools.cache
def _cloths() -> Tensor:
    """Return periodic textures (N, 128, 128) from coarse to fine, each of mean 0 and largest value 1."""
    rng = np.random.default_rng(20261129)
    kept = []
    for number in range(_CLOTHS):
        cells = (4, 8, 16, 32)[number % 4]
        down = max(2, cells // (1, 4, 2)[number // 4 % 3])  # some are woven lengthwise
        noise = torch.from_numpy(rng.standard_normal((1, 1, down, cells)).astype(np.float32))
        wide = F.pad(noise, (2, 2, 2, 2), mode="circular")
        drawn = F.interpolate(wide, scale_factor=(128 / down, 128 / cells), mode="bicubic", align_corners=False)
        top, left = 2 * 128 // down, 2 * 128 // cells
        whole = drawn[0, 0, top : top + 128, left : left + 128]
        kept.append((whole - whole.mean()) / (whole - whole.mean()).abs().max())
    return torch.stack(kept)


@functools.cache
def _grain() -> Tensor:
    """Return standard normal numbers, from which any part is grain: drawing them anew took half of the time."""
    return torch.from_numpy(np.random.default_rng(7).standard_normal(1 << 21, dtype=np.float32))


def finish(pictures: Tensor, look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Apply light, film and the wear of files.

    Args:
        pictures: float32 (B, T, 3, S, S), in [0, 1]; overwritten.
        look: How they are filmed.
        rng: The source of all other randomness.

    Returns:
        uint8 (B, T, S, S, 3).
    """
    b, t, _, size, _ = pictures.shape
    if rng.random() < 0.3:  # filmed smaller than it is looked at
        small = max(8, round(size * float(rng.uniform(0.6, 0.95))))
        flat = F.interpolate(pictures.flatten(0, 1), (small, small), mode="bilinear", antialias=True)
        pictures = F.interpolate(flat, (size, size), mode="bilinear", align_corners=False).unflatten(0, (b, t))
    edge = torch.linspace(-1, 1, size)
    down, across = edge[:, None], edge[None]
    flickers = 1 + look.flicker[:, None] * rng.standard_normal((b, t)).astype(np.float32)
    gain = rng.uniform(0.85, 1.15, b).astype(np.float32)
    lift = rng.uniform(-0.055, 0.055, b).astype(np.float32) + 0.5 * (1 - gain)
    worn = rng.random(b) < 0.5  # compression: noise in blocks that stays for the clip, and a little that does not
    blocks = torch.from_numpy(rng.normal(0, 4 / 255, (b, 3, -(-size // 8), -(-size // 8))).astype(np.float32))
    noise = np.hypot(look.grain, np.where(worn, rng.uniform(0, 4 / 255, b), 0))
    starts = rng.integers(0, len(_grain()) - t * 3 * size * size, b) if noise.any() else np.zeros(b, int)
    repeats = (rng.random(b) < 0.09) if t > 1 else np.zeros(b, bool)  # short takes repeat pictures
    shown = torch.arange(t) // 2 * 2
    for row in range(b):
        clip = pictures[row]
        if look.vignette[row] or look.slope[row].any():
            right, low = (float(part) for part in look.slope[row])
            light = (1 + right * across + low * down) * (1 - float(look.vignette[row]) * (across**2 + down**2) / 2)
            clip *= light
        clip *= torch.from_numpy(gain[row] * flickers[row][:, None] * look.cast[row])[:, :, None, None]
        if worn[row]:
            clip += blocks[row].repeat_interleave(8, -1).repeat_interleave(8, -2)[None, :, :size, :size]
        if noise[row] > 0:
            part = _grain()[int(starts[row]) : int(starts[row]) + clip.numel()].view_as(clip)
            clip.add_(part, alpha=float(noise[row]))
        if repeats[row]:
            pictures[row] = clip[shown]
    pictures += torch.from_numpy(lift)[:, None, None, None, None]
    out = pictures.mul_(255).round_().clamp_(0, 255).byte()
    return out.permute(0, 1, 3, 4, 2).contiguous().numpy()
