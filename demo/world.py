"""The procedural world: takes of one thing, before one background, in one motion, and their drawing.

`stage` draws the random parameters of takes (place, size, speed), `draw` paints them at any size and times, whole
batches at once, with torch's grid_sample.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from demo.things import THINGS as _THINGS

THINGS: tuple[str, ...] = tuple(_THINGS)
BACKGROUNDS: tuple[str, ...] = (
    "red", "blue", "green", "yellow", "purple", "white", "starry night", "brick wall", "ocean waves", "checkerboard",
)  # fmt: skip
MOTIONS: tuple[str, ...] = ("left", "right", "rise", "fall", "still", "grow", "shrink", "spin")

_PLAIN = {
    "red": (205, 45, 45), "blue": (45, 80, 205), "green": (50, 150, 65), "yellow": (235, 205, 50),
    "purple": (135, 60, 170), "white": (235, 235, 232),
}  # fmt: skip
_SPRITE_SIDE, _ATLAS_COLUMNS = 128, 10


@dataclass(frozen=True, order=True)
class Take:
    """The content of one shot."""

    thing: str
    background: str
    motion: str

    def __post_init__(self) -> None:
        if self.thing not in THINGS or self.background not in BACKGROUNDS or self.motion not in MOTIONS:
            raise ValueError(f"not of this world: {self}")


@dataclass(frozen=True)
class Staging:
    """The random parameters of B takes; every array has B rows.

    Positions are fractions of the picture's width and height, sizes of its shorter side.
    """

    takes: tuple[Take, ...]
    start: NDArray[np.float32]  # (B, 4): x, y, size, angle in radians at time 0
    change: NDArray[np.float32]  # (B, 4): what is added to them at time 1 (the size changes by a power, see `pose`)
    tint: NDArray[np.float32]  # (B, 3): factor on the background's colours
    phase: NDArray[np.float32]  # (B, 4): of the background's pattern

    def pose(self, times: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return x, y, size and angle, (B, T, 4), at times (B, T) in [0, 1]."""
        pose = self.start[:, None] + self.change[:, None] * times[..., None]
        pose[..., 2] = self.start[:, None, 2] * np.exp(self.change[:, None, 2] * times)
        return pose


def stage(takes: list[Take] | tuple[Take, ...], rng: np.random.Generator) -> Staging:
    """Draw everything that may vary between two drawings of the same take."""
    n = len(takes)

    def between(low: float, high: float) -> NDArray[np.float32]:
        return rng.uniform(low, high, n).astype(np.float32)

    size = between(0.5, 0.78)
    start = np.stack([between(0.34, 0.66), between(0.34, 0.66), size, between(-0.2, 0.2)], axis=1)
    change = np.zeros((n, 4), np.float32)
    path, zoom = between(0.38, 0.62), between(np.log(1.8), np.log(2.6))
    turn = between(0.5, 1.3) * 2 * np.pi * rng.choice((-1, 1), n)
    for i, take in enumerate(takes):
        if take.motion in ("left", "right"):
            sign = 1 if take.motion == "right" else -1
            change[i, 0] = sign * path[i]
            start[i, 0] = 0.5 - change[i, 0] / 2 + rng.uniform(-0.1, 0.1)
        elif take.motion in ("rise", "fall"):
            sign = 1 if take.motion == "fall" else -1
            change[i, 1] = sign * path[i]
            start[i, 1] = 0.5 - change[i, 1] / 2 + rng.uniform(-0.1, 0.1)
        elif take.motion in ("grow", "shrink"):
            small = rng.uniform(0.3, 0.4)
            change[i, 2] = zoom[i] if take.motion == "grow" else -zoom[i]
            start[i, 2] = small if take.motion == "grow" else small * np.exp(zoom[i])
        elif take.motion == "spin":
            start[i, 3] = rng.uniform(-np.pi, np.pi)
            change[i, 3] = turn[i]
    tint = rng.uniform(0.94, 1.06, (n, 3)).astype(np.float32)
    return Staging(tuple(takes), start.astype(np.float32), change, tint, rng.random((n, 4)).astype(np.float32))


def draw(
    staging: Staging, times: NDArray[np.float32], height: int, width: int, *, aspect: float | None = None
) -> NDArray[np.uint8]:
    """Paint takes.

    Args:
        staging: B takes and their parameters.
        times: (B, T), in [0, 1].
        height, width: Size of the pictures in pixels.
        aspect: Width / height of the picture as it is meant to be seen; None for square pixels.

    Returns:
        uint8 (B, T, height, width, 3), RGB.
    """
    b, t = times.shape
    pose = torch.from_numpy(staging.pose(times)).reshape(b * t, 4)
    x, y, size, angle = pose.unbind(1)
    aspect = aspect or width / height
    size = size * min(1.0, aspect)
    # From the picture's coordinates (-1..1) to the sprite's: undo the shift, the turn and the size.
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    cx, cy = (2 * x - 1) * aspect, 2 * y - 1
    theta = torch.stack(
        [
            torch.stack([cos * aspect, sin, -(cos * cx + sin * cy)], dim=1),
            torch.stack([-sin * aspect, cos, sin * cx - cos * cy], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, [b * t, 1, height, width], align_corners=False)
    level = 0 if float(size.mean()) * height > 80 else 1 if float(size.mean()) * height > 40 else 2
    index = torch.tensor([THINGS.index(take.thing) for take in staging.takes]).repeat_interleave(t)
    sprite = F.grid_sample(_sprites()[level][index], grid, align_corners=False)  # premultiplied (B*T, 4, H, W)
    back = _backgrounds(staging, height, width, aspect)  # (B, 3, H, W)
    sprite = sprite.reshape(b, t, 4, height, width)
    picture = sprite[:, :, :3] + back[:, None] * (1 - sprite[:, :, 3:])
    return (picture.clamp(0, 1) * 255).round().byte().permute(0, 1, 3, 4, 2).contiguous().numpy()


def render(
    takes: list[Take] | tuple[Take, ...],
    *,
    frames: int,
    height: int,
    width: int,
    rng: np.random.Generator,
    aspect: float | None = None,
) -> NDArray[np.uint8]:
    """Render whole clips as an indexer samples them, frame floor(k n / T) of a take.

    The cuts of the take are random: up to a tenth of its length after the beginning and before the end of the motion.

    Returns:
        uint8 (B, frames, height, width, 3), RGB.
    """
    n = len(takes)
    staging = stage(takes, rng)
    begin, end = rng.uniform(0, 0.1, (n, 1)), rng.uniform(0.9, 1, (n, 1))
    if frames == 1:  # any moment
        begin = rng.random((n, 1))
    times = begin + (end - begin) * np.arange(frames)[None] / frames
    return draw(staging, times.astype(np.float32), height, width, aspect=aspect)


@functools.cache
def _sprites() -> tuple[Tensor, ...]:
    """Return premultiplied sprites (80, 4, side, side) at 128, 64 and 32 pixels."""
    atlas = np.asarray(Image.open(Path(__file__).parent / "sprites.png").convert("RGBA"), np.float32) / 255
    side, columns = _SPRITE_SIDE, _ATLAS_COLUMNS
    rows = atlas.shape[0] // side
    tiles = atlas.reshape(rows, side, columns, side, 4).transpose(0, 2, 4, 1, 3).reshape(-1, 4, side, side)
    full = torch.from_numpy(tiles[: len(THINGS)].copy())
    full[:, :3] *= full[:, 3:]
    return full, F.avg_pool2d(full, 2), F.avg_pool2d(full, 4)


def _backgrounds(staging: Staging, height: int, width: int, aspect: float) -> Tensor:
    """Return backgrounds (B, 3, H, W) in [0, 1]."""
    v, u = torch.meshgrid(
        (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width * aspect, indexing="ij"
    )  # both in units of the height
    pictures = [_background(take.background, u, v, staging.phase[i]) for i, take in enumerate(staging.takes)]
    return (torch.stack(pictures) * torch.from_numpy(staging.tint)[:, :, None, None]).clamp(0, 1)


def _background(name: str, u: Tensor, v: Tensor, phase: NDArray[np.float32]) -> Tensor:
    def colour(rgb: tuple[int, int, int]) -> Tensor:
        return torch.tensor(rgb, dtype=torch.float32)[:, None, None] / 255

    def mix(mask: Tensor, first: tuple[int, int, int], second: tuple[int, int, int]) -> Tensor:
        return colour(first) * mask + colour(second) * (1 - mask)

    p = [float(x) for x in phase]
    if name in _PLAIN:
        return colour(_PLAIN[name]) * (0.92 + 0.16 * (v * p[0] + u * (1 - p[0]) / 2))
    if name == "checkerboard":
        cells = torch.floor((u + p[0] * 0.5) * 4) + torch.floor((v + p[1] * 0.5) * 4)
        return mix((cells % 2).float(), (225, 225, 225), (55, 55, 55))
    if name == "brick wall":
        row = torch.floor((v + p[0]) * 7)
        along = ((u + p[1]) * 3.5 + 0.5 * (row % 2)) % 1
        joint = (along < 0.07) | (((v + p[0]) * 7) % 1 < 0.14)
        return mix(joint.float(), (200, 190, 180), (165, 80, 55))
    if name == "ocean waves":
        wave = torch.sin(((v + p[0] * 0.2) * 5 + 0.12 * torch.sin((u + p[1]) * 12)) * 2 * np.pi)
        return mix(((wave + 1) / 2) ** 3, (205, 240, 240), (20, 125, 150))
    stars = torch.zeros_like(u)  # starry night: seeded by the phase alone
    rng = np.random.default_rng(int(p[0] * 1e6))
    for x, y, size in zip(rng.random(26) * 1.8, rng.random(26), rng.uniform(0.012, 0.03, 26), strict=True):
        stars = torch.maximum(stars, torch.exp(-((u - x) ** 2 + (v - y) ** 2) / size**2))
    return mix(stars, (255, 250, 210), (14, 16, 52))
