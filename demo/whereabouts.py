"""Labels for the patch tokens of the demo encoder: what is on each patch of a picture, and how it lies there.

Labels of patches teach a small network to tell things apart many times faster than one sentence a picture does. The
idea is token labelling (Jiang et al., arXiv 2104.10858).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo import world
from demo.paths import Staging

UNKNOWN = -1
"""The thing of a patch that has no label."""
NOTHING = len(world.THINGS)
"""The thing of a patch that shows background."""
_RADIUS = 0.36  # of a thing, in sizes: sprites fill most of their square
_SEEN = 0.5  # opacity from which a thing is there


@dataclass(frozen=True)
class Whereabouts:
    """Labels of the N patches of B clips of T pictures.

    Attributes:
        things: int64 (B, T, N), the number in `world.THINGS` of what reaches into a patch, `NOTHING` or `UNKNOWN`.
        poses: float32 (B, T, N, 5), of that thing: its middle from the patch's, to the right and down, in the picture's
            height; the logarithm of its size; sine and cosine of its angle. 0 where there is none.
    """

    things: NDArray[np.int64]
    poses: NDArray[np.float32]


def unknown(clips: int, frames: int, patches: int) -> Whereabouts:
    """Return labels that say nothing."""
    return Whereabouts(
        np.full((clips, frames, patches), UNKNOWN, np.int64), np.zeros((clips, frames, patches, 5), np.float32)
    )


def whereabouts(staging: Staging, times: NDArray[np.floating], side: int) -> Whereabouts:
    """Return the labels of scenes, for `side` x `side` patches.

    Args:
        staging: B scenes.
        times: (B, T), in [0, 1].
        side: Patches in a row and in a column.
    """
    clips, frames = times.shape
    labels = unknown(clips, frames, side * side)
    labels.things[:] = NOTHING
    middles = (np.arange(side) + 0.5) / side
    rows, columns = (part.ravel() for part in np.meshgrid(middles, middles, indexing="ij"))
    for row, scene in enumerate(staging.scenes):
        aspect = float(staging.aspect[row])
        for number, actor in enumerate(scene.actors):  # later ones are in front
            x, y, size, angle, opacity = (part[:, None] for part in staging.pose(row, number, times[row]).T)
            size = size * min(1.0, aspect)
            across, down = (x - columns) * aspect, y - rows  # (T, N)
            nearest = [np.maximum(abs(across) - aspect / side / 2, 0), np.maximum(abs(down) - 0.5 / side, 0)]
            there = (np.hypot(*nearest) < _RADIUS * size) & (opacity > _SEEN)
            pose = np.stack(np.broadcast_arrays(across, down, np.log(size), np.sin(angle), np.cos(angle)), axis=-1)
            labels.things[row][there] = world.THINGS.index(actor.thing)
            labels.poses[row][there] = pose[there]
    return labels
