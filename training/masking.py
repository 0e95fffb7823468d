"""Masks of tokens: BEVT's cuboids, tubes, and single tokens at random. Imports numpy.

Every mask of a kind and shape hides the same number of tokens, so that a batch of them is dense.

Letters in shapes: B clips, T frames, N = rows * columns patches, L = T * N tokens, V visible tokens, K kept patches.

Sources: cuboids of BEVT (arXiv 2112.01529) from rectangles of BEiT (arXiv 2106.08254); tubes of VideoMAE (arXiv
2203.12602). VideoPrism hides 0.65 of all tokens with BEVT's masks (arXiv 2402.13217, Table 10); how it comes to that
number is NOT PUBLISHED. Ours: cuboids until it is reached, then single tokens uncovered at random until it is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

LEAST_AREA, LEAST_ASPECT = 4, 0.3
"""Of BEiT's rectangles: patches that one is drawn for, and its height over its width (at most the inverse)."""


def hidden_count(tokens: int, ratio: float) -> int:
    """Return how many of so many tokens are hidden.

    Raises:
        ValueError: `ratio` is not a share from 0 to below 1, or nothing would stay visible.
    """
    if not 0 <= ratio < 1:
        raise ValueError(f"a masking ratio is at least 0 and below 1, not {ratio:g}")
    count = round(ratio * tokens)
    if count >= tokens:
        raise ValueError(f"a masking ratio of {ratio:g} leaves none of {tokens} tokens visible")
    return count


def bevt(frames: int, rows: int, columns: int, ratio: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hide cuboids: a rectangle of patches in a stretch of frames, and more of them until enough tokens are hidden.

    Returns:
        bool (T, N), true where hidden: `hidden_count(T * N, ratio)` of them.

    Raises:
        ValueError: As in `hidden_count`.
    """
    wanted = hidden_count(frames * rows * columns, ratio)
    hidden = np.zeros((frames, rows, columns), bool)
    while (missing := wanted - np.count_nonzero(hidden)) > 0:
        when = stretch(frames, rng)
        down, across = rectangle(rows, columns, missing / len(when), rng)
        hidden[when, down, across] = True
    mask = hidden.reshape(-1)
    surplus = rng.choice(np.flatnonzero(mask), size=-missing, replace=False)
    mask[surplus] = False
    return mask.reshape(frames, -1)


def tube(frames: int, rows: int, columns: int, ratio: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hide the same patches, drawn at random, in every frame.

    Returns:
        bool (T, N), true where hidden: `hidden_count(N, ratio)` in each frame.

    Raises:
        ValueError: As in `hidden_count`.
    """
    return np.repeat(random(1, rows, columns, ratio, rng), frames, axis=0)


def random(frames: int, rows: int, columns: int, ratio: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hide tokens at random, each as likely as any other.

    Returns:
        bool (T, N), true where hidden: `hidden_count(T * N, ratio)` of them.

    Raises:
        ValueError: As in `hidden_count`.
    """
    tokens = frames * rows * columns
    return rng.permutation(tokens).reshape(frames, -1) < hidden_count(tokens, ratio)


Mask = Callable[[int, int, int, float, np.random.Generator], NDArray[np.bool_]]
MASKS: Mapping[str, Mask] = MappingProxyType({"bevt": bevt, "tube": tube, "random": random})
"""The kinds of masks, by name."""


def stretch(frames: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the frames of a cuboid: consecutive, from anywhere, going on from the last frame to the first.

    Their number is uniform between T/2 and 3T/4, both included, and at least 1.
    """
    least = math.ceil(frames / 2)
    length = rng.integers(least, max(least, 3 * frames // 4), endpoint=True)
    return (rng.integers(frames) + np.arange(length)) % frames


def rectangle(rows: int, columns: int, most: float, rng: np.random.Generator) -> tuple[slice, slice]:
    """Return rows and columns of a rectangle, anywhere in the grid.

    Its area is uniform between `LEAST_AREA` and `most` patches, the logarithm of its aspect uniform too; sides are
    rounded, and cut to the grid.
    """
    least = min(LEAST_AREA, rows * columns)
    area = rng.uniform(least, max(least, most))
    aspect = math.exp(rng.uniform(math.log(LEAST_ASPECT), -math.log(LEAST_ASPECT)))
    height = min(rows, max(1, round(math.sqrt(area * aspect))))
    width = min(columns, max(1, round(math.sqrt(area / aspect))))
    top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
    return slice(top, top + height), slice(left, left + width)


def kept_patches(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the patches that a tube (T, N) leaves, int64 (K,), ascending.

    Raises:
        ValueError: The frames of the mask differ: it is no tube.
    """
    if (mask != mask[0]).any():
        raise ValueError("a mask whose frames differ has no patches that are kept in all of them")
    return np.flatnonzero(~mask[0])


def visible_positions(hidden: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the positions of visible tokens of masks (B, L), int64 (B, V), ascending.

    Raises:
        ValueError: The masks leave different numbers of tokens.
    """
    counts = np.count_nonzero(~hidden, axis=1)
    if (counts != counts[0]).any():
        raise ValueError(f"masks of a batch leave equally many tokens visible, not {counts.min()} to {counts.max()}")
    return np.nonzero(~hidden)[1].reshape(len(hidden), -1)
