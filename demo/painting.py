"""Painting of staged scenes, whole batches at once, with torch's grid_sample."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from demo import film, world
from demo.paths import Staging, stage
from demo.scenes import PATTERNED, Scene

ASPECTS = (1.0, 4 / 3, 16 / 9, 9 / 16)
ASPECT_SHARES = (0.25, 0.2, 0.4, 0.15)
_SUBFRAMES = 3  # of a picture with motion blur
_SHUTTER = 0.6  # share of the time between two pictures of a clip that it is open for
_SHADOW = 0.35


def render(
    scenes: list[Scene] | tuple[Scene, ...], *, frames: int, size: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Render whole clips as an indexer samples them: cut at random, squashed to a square, worn as files are.

    Args:
        scenes: B scenes.
        frames: T, the pictures of a clip; 1 is a picture of any moment.
        size: S, the side in pixels.
        rng: The source of all randomness.

    Returns:
        uint8 (B, T, S, S, 3), RGB.
    """
    return filmed(*staged(scenes, frames, rng), size, rng)


def staged(
    scenes: list[Scene] | tuple[Scene, ...], frames: int, rng: np.random.Generator
) -> tuple[Staging, NDArray[np.floating]]:
    """Draw how clips of scenes are staged, and the times (B, T) of their pictures; see `render`."""
    n = len(scenes)
    staging = stage(scenes, rng, rng.choice(ASPECTS, n, p=ASPECT_SHARES))
    begin, end = rng.uniform(0, 0.1, (n, 1)), rng.uniform(0.9, 1, (n, 1))
    if frames == 1:
        begin = rng.random((n, 1))
    return staging, begin + (end - begin) * np.arange(frames)[None] / frames


def filmed(staging: Staging, times: NDArray[np.floating], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint and film staged clips; see `render`."""
    look = film.look(len(staging.scenes), rng)
    return film.finish(paint(staging, times, size, size, look), look, rng)


def paint(
    staging: Staging, times: NDArray[np.floating], height: int, width: int, look: film.Look | None = None
) -> Tensor:
    """Paint the scenes, before light and film.

    Args:
        staging: B scenes.
        times: (B, T), in [0, 1].
        height, width: Size of the pictures in pixels.
        look: What the things and their backgrounds get besides: texture, shadow, motion blur. None for none.

    Returns:
        float32 (B, T, 3, height, width), in [0, 1].
    """
    look = look or film.plain(len(staging.scenes))
    steps = times.shape[1]
    pictures = torch.empty(len(times), steps, 3, height, width)
    for row, scene in enumerate(staging.scenes):
        picture = pictures[row]
        _paint_background(picture, staging, row, times[row], look)
        for actor, shown in enumerate(scene.actors):
            moments, mixed = times[row], 1
            if look.blur[row] and steps > 1:
                mixed = _SUBFRAMES
                shutter = _SHUTTER * (moments[1] - moments[0]) * (np.arange(mixed) / mixed - 0.5)
                moments = (moments[:, None] + shutter).ravel()
            pose = staging.pose(row, actor, moments)
            _lay(picture, shown.thing, pose, float(staging.aspect[row]), mixed, look.shadow[row])
    return pictures


def _lay(
    picture: Tensor, thing: str, pose: NDArray[np.float32], aspect: float, mixed: int, shadow: NDArray[np.int64]
) -> None:
    """Put a thing on pictures (T, 3, H, W), with its shadow.

    Args:
        picture: Overwritten.
        thing: The thing.
        pose: (T * mixed, 5).
        aspect: Width / height of the picture as it is meant to be seen.
        mixed: How many poses each picture is the mean of.
        shadow: How far right and down its shadow lies, in pixels; 0, 0 for none.
    """
    height, width = picture.shape[-2:]
    x, y, size, angle, opacity = pose.T
    size = size * min(1.0, aspect)
    # Only the part of the pictures is painted that the thing is ever in.
    reach = 0.72 * size * (1.05 if np.ptp(angle) > 0.5 or np.abs(angle).max() > 0.3 else 0.85)
    across = _span(x - reach / aspect, x + reach / aspect, width, int(shadow[0]))
    down = _span(y - reach, y + reach, height, int(shadow[1]))
    if across.start >= across.stop or down.start >= down.stop:
        return
    # From the picture's coordinates to the sprite's: undo the shift, the turn and the size.
    cos, sin = (torch.from_numpy(f(angle) / size)[:, None, None] for f in (np.cos, np.sin))
    u = (torch.arange(across.start, across.stop) + 0.5) * (2 * aspect / width)
    v = (torch.arange(down.start, down.stop) + 0.5) * (2 / height)
    u = u[None, None] - torch.from_numpy(2 * x * aspect)[:, None, None]
    v = v[None, :, None] - torch.from_numpy(2 * y)[:, None, None]
    grid = torch.empty(len(pose), v.shape[1], u.shape[2], 2)
    torch.add(cos * u, sin * v, out=grid[..., 0])
    torch.sub(cos * v, sin * u, out=grid[..., 1])
    pixels = float(size.mean()) * height
    sprite = world._sprites()[0 if pixels > 80 else 1 if pixels > 32 else 2][world.THINGS.index(thing)]
    # The pictures of a clip lie below each other in one grid.
    layer = F.grid_sample(sprite[None], grid.view(1, -1, grid.shape[2], 2), align_corners=False)[0]
    layer = layer.view(4, len(pose), *grid.shape[1:3])
    if opacity.min() < 1:
        layer = layer * torch.from_numpy(np.ascontiguousarray(opacity))[None, :, None, None]
    if mixed > 1:
        layer = layer.unflatten(1, (-1, mixed)).mean(2)
    alpha = layer[3][:, None]
    part = picture[:, :, down, across]
    right, low = (int(step) for step in shadow)
    if right or low:
        shade = F.pad(alpha, (max(right, 0), max(-right, 0), max(low, 0), max(-low, 0)))
        shade = shade[..., max(-low, 0) :, max(-right, 0) :][..., : alpha.shape[-2], : alpha.shape[-1]]
        part.mul_(1 - _SHADOW * shade)
    part.mul_(1 - alpha).add_(layer[:3].transpose(0, 1))


def _span(low: NDArray[np.floating], high: NDArray[np.floating], pixels: int, more: int) -> slice:
    first = int(np.floor(low.min() * pixels)) - 1 + min(more, 0)
    last = int(np.ceil(high.max() * pixels)) + 1 + max(more, 0)
    return slice(max(0, first), min(pixels, last))


def _paint_background(
    picture: Tensor, staging: Staging, row: int, times: NDArray[np.floating], look: film.Look
) -> None:
    """Fill pictures (T, 3, H, W) with a scene's background; where the camera moves, cut from a larger one."""
    height, width = picture.shape[-2:]
    name, aspect, view = staging.scenes[row].background, float(staging.aspect[row]), staging.views[row]
    margin = 0 if view is None else 1
    v = (torch.arange(height * (1 + margin)) + 0.5) / height - margin / 2
    u = ((torch.arange(width * (1 + margin)) + 0.5) / width - margin / 2) * aspect
    if name == "starry night":
        back = _night(u, v, float(staging.phase[row, 0]))
    else:
        back = world._background(name, u[None].expand(len(v), -1), v[:, None].expand(-1, len(u)), staging.phase[row])
    back = back * torch.from_numpy(staging.tint[row])[:, None, None]
    if look.texture[row] > 0 and name not in PATTERNED:
        back = back * (1 + float(look.texture[row]) * film.cloth(look.cloth[row], height, width))
    back.clamp_(0, 1)
    if view is None:
        picture.copy_(back.expand_as(picture))
        return
    x, y, zoom = torch.from_numpy(view(times).astype(np.float32)).unbind(1)
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.exp(-zoom) / 2  # the larger picture is twice as wide and high
    theta[:, 0, 2], theta[:, 1, 2] = x - 0.5, y - 0.5
    grid = F.affine_grid(theta, [len(x), 1, height, width], align_corners=False)
    cut = F.grid_sample(back[None], grid.view(1, -1, width, 2), align_corners=False, padding_mode="border")
    picture.copy_(cut[0].unflatten(1, (len(x), height)).transpose(0, 1))


def _night(u: Tensor, v: Tensor, phase: float) -> Tensor:
    """Return the starry night of `world`, in a twentieth of the time, for columns u and rows v; it repeats beyond."""
    rng = np.random.default_rng(int(phase * 1e6))
    x, y, size = (torch.from_numpy(part.astype(np.float32)) for part in (
        rng.random(26) * 1.8, rng.random(26), rng.uniform(0.012, 0.03, 26)
    ))  # fmt: skip
    across = torch.exp(-(((u[None] % 1.8 - x[:, None]) / size[:, None]) ** 2))
    down = torch.exp(-(((v[None] % 1.0 - y[:, None]) / size[:, None]) ** 2))
    stars = (down[:, :, None] * across[:, None]).amax(0)
    light, dark = (torch.tensor(rgb)[:, None, None] / 255 for rgb in ((255.0, 250.0, 210.0), (14.0, 16.0, 52.0)))
    return light * stars + dark * (1 - stars)
