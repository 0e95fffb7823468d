"""Pictures of two shots laid over each other, so that takes filmed from the hand are found, too.

From the hand, nothing is in its place. So each of some pictures is moved to where its detail correlates best with that
of a picture of the other shot. On a set with little on its walls, that is where what moves is in both: so set and
framing are the same only if what moves certainly is.

Chosen on rushes of the demo world (`benchmarks/takes.py`, seeds 0 to 7, from a tripod and moved by 1 and by 3 % of the
frame; `benchmarks/README.md` has the figures). Shots that are takes as they are need none of this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.takes.evidence import MATCHED, OTHER_COLOUR, SetEvidence, in_light, light_between
from search.takes.look import CELL, HEIGHT, LUMA, WIDTH, Look

SURE_ACTOR = 0.89
"""Share that the colours of what moves must have in common before pictures are laid over each other at all."""
LEAST_ALIKE = 0.4
"""Correlation of detail from which set and framing are the same."""
MOST_OTHER = 0.2
"""Share of cells that may have another colour."""
MOST_AWAY = 0.12
"""Share of the frame by which pictures may be away from each other on average: further away, it is another framing."""

_FURTHEST = (5, 9)  # rows and columns that a picture is moved by: a seventh of the frame
_AWAY_COUNTS = 0.1  # so much less a correlation counts at the furthest: of places of a pattern, the nearest is it
_AROUND, _AROUND_CONTRAST = 7, 9  # pixels over which the mean and the contrast of what is around one are taken
_NOISE = 9.0  # variance of brightness that means nothing


@dataclass(frozen=True, slots=True)
class Laid:
    """Comparison of two shots whose pictures lie over each other.

    Attributes:
        alike: Correlation of their detail, at most 1.
        other: Share of cells of other colours, 0 to 1, of those that both show.
        away: How far they were moved, as a share of the frame.
    """

    alike: float
    other: float
    away: float

    @property
    def same_set(self) -> bool:
        """Whether set and framing are the same."""
        return self.alike >= LEAST_ALIKE and self.other <= MOST_OTHER and self.away <= MOST_AWAY


def may_be_moved(sets: SetEvidence) -> bool:
    """Return whether two shots that are no takes as they are may be takes from the hand."""
    return sets.same_light and sets.actor is not None and sets.actor >= SURE_ACTOR


def lay_over(first: Look, second: Look) -> Laid:
    """Return how alike two shots are once their pictures lie over each other, in the direction that says less."""
    correlations, shifts = _correlated(_local_detail(first.pictures), _local_detail(second.pictures))
    pictures = first.pictures.astype(np.float32)
    others = in_light(second.pictures.astype(np.float32), light_between(first, second))
    laid = []
    for here, there in (
        (np.arange(len(pictures)), correlations.argmax(axis=1)),
        (correlations.argmax(axis=0), np.arange(len(others))),
    ):
        good = np.argsort(-correlations[here, there], kind="stable")[: math.ceil(MATCHED * len(here))]
        here, there = here[good], there[good]
        moved = shifts[here, there]
        away = np.linalg.norm(moved / (HEIGHT, WIDTH), axis=1).mean()
        other = _other_colours(pictures[here], others[there], moved)
        laid.append((float(correlations[here, there].mean()), other, float(away)))
    alike, other_share, far = zip(*laid, strict=True)
    return Laid(min(alike), max(other_share), max(far))


def _local_detail(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the brightness of pictures without that of what is around, in the contrast of what is around.

    So a large thing with strong edges counts no more than the wall behind it. At the edges of the frame, where pictures
    show different things, there is less of it. The sum of squares of each picture is at most 1.
    """
    from scipy.ndimage import uniform_filter

    brightness = pictures.astype(np.float32) @ LUMA
    detail = brightness - uniform_filter(brightness, (1, _AROUND, _AROUND))
    detail /= np.sqrt(uniform_filter(detail**2, (1, _AROUND_CONTRAST, _AROUND_CONTRAST)) + _NOISE)
    down, across = (np.hanning(side + 2)[1:-1].astype(np.float32) for side in (HEIGHT, WIDTH))
    detail *= np.sqrt(down[:, None] * across)
    return np.asarray(detail / np.sqrt((detail**2).sum(axis=(1, 2), keepdims=True) + 1), np.float32)


def _correlated(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the best correlation of each picture with each of the other shot: (n, m), and (n, m, 2), where it is.

    Args:
        first, second: (n, HEIGHT, WIDTH) and (m, HEIGHT, WIDTH), local detail.

    Returns:
        Correlations, and how many rows and columns further what is at a place of the first is in the second.
    """
    from scipy import fft

    spectra, others = fft.rfft2(first).conj(), fft.rfft2(second)
    every = fft.irfft2(spectra[:, None] * others[None], s=(HEIGHT, WIDTH))
    rows, columns = (np.arange(-most, most + 1) for most in _FURTHEST)
    near = every[..., rows[:, None], columns]
    away = ((rows / _FURTHEST[0])[:, None] ** 2 + (columns / _FURTHEST[1]) ** 2) / 2
    near = (near * (1 - _AWAY_COUNTS * away).astype(np.float32)).reshape(len(first), len(second), -1)
    down, across = np.divmod(near.argmax(axis=-1), len(columns))
    return near.max(axis=-1), np.stack([rows[down], columns[across]], axis=-1)


def _other_colours(pictures: NDArray[np.float32], others: NDArray[np.float32], shifts: NDArray[np.int64]) -> float:
    """Return the share of cells that have another colour in pictures, (n, HEIGHT, WIDTH, 3), and in moved others."""
    rows, columns = (np.arange(side) + shifts[:, [axis]] for axis, side in enumerate((HEIGHT, WIDTH)))
    seen = ((rows >= 0) & (rows < HEIGHT))[:, :, None] & ((columns >= 0) & (columns < WIDTH))[:, None, :]
    at = (
        np.arange(len(others))[:, None, None],
        rows.clip(0, HEIGHT - 1)[:, :, None],
        columns.clip(0, WIDTH - 1)[:, None],
    )
    both_show = np.asarray(_in_cells(seen[..., None]).all(axis=(2, 4, 5)))
    differences = np.abs((_in_cells(pictures) - _in_cells(others[at])).mean(axis=(2, 4))).max(axis=-1)
    return float(np.mean(differences[both_show] > OTHER_COLOUR))


def _in_cells(pictures: NDArray[Any]) -> NDArray[Any]:
    """Return pictures (n, HEIGHT, WIDTH, c) cell by cell: (n, rows, CELL, columns, CELL, c)."""
    return pictures.reshape(len(pictures), HEIGHT // CELL, CELL, WIDTH // CELL, CELL, pictures.shape[-1])
