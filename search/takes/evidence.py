"""Evidence on two shots that are near each other in a space: whether set, framing and actor are the same, and the run.

Pictures of one shot are compared with those of the other that are most like them, so that another timing of the
same path does not matter. What is on the same place in the same framing has the same detail there; another framing, or
another set of the same kind, has not. What moves is told by its colours.

Chosen on rushes of the demo world (`benchmarks/takes.py`, seeds 0 to 7, 12; `benchmarks/README.md` has the figures). Of
pairs of takes, 99 in 100 have a likeness of detail of 0.64 or more; of pairs of another framing that also have few
cells of other colours, none has more than 0.64, and none more than 0.56 whose colours of what moves agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.even import even_places
from search.takes.look import Look

LEAST_DETAIL = 0.6
"""Likeness of the detail of two shots from which set and framing may be the same. 1 is the same picture."""
MOST_OTHER = 0.23
"""Share of the pictures' cells that may have another colour: where the actor is in one of them."""
MOST_LIGHT = 0.25
"""Logarithm of the ratio of light, in any colour: about a third of a stop."""
SURE_DETAIL = 0.65
"""The same, if the colours of what moves do not say that it is the same: then the framing may be another one."""
LEAST_ACTOR = 0.77
"""Share that the colours of what moves must have in common, if it is the same whatever the rows of the shots say."""
SAME_RUN = 19.0
"""Difference of the most different cell, of 255, below which two pictures are the same but for coding and noise."""
MATCHED = 0.7
"""Share of the compared pictures that count: the best ones. Another run may begin before it, or end after it."""
OTHER_COLOUR = 25.0
"""Difference of a cell, of 255, from which it has another colour."""

_COMPARED = 10  # pictures of a shot that are compared with all of the other one
_NOISE = 9.0  # variance of a cell that means nothing
_DARK = 8.0  # added to colours, so that the light of black is not compared
_FEWEST_CELLS = 10  # in all pictures, that something moves through
_TONES = 3  # in which each colour of what moves is counted
_SEAM = 10.0  # what coding adds to the change from one picture to the next
_AROUND = 5  # pictures on either side of a seam, that tell how much changes there
_NEARER = 0.5  # of the difference from beginning to beginning, that is left where a run goes on
_LEAST_SHARED = 0.5  # of the shorter shot, that two shots of one run have in common
_MOST_OF = 0.75  # of the pictures in common are the same in shots of one run


@dataclass(frozen=True, slots=True)
class SetEvidence:
    """What two looks tell of set, framing and actor.

    Attributes:
        detail: How alike the detail is, at most 1.
        other: Share of cells of other colours, 0 to 1.
        light: Logarithm of the ratio of light, 0 or more.
        actor: Share that the colours of what moves have in common; None if nothing moves in one of the shots.
    """

    detail: float
    other: float
    light: float
    actor: float | None

    @property
    def same_set(self) -> bool:
        """Whether set and framing are the same."""
        return self.detail >= LEAST_DETAIL and self.other <= MOST_OTHER and self.same_light

    @property
    def same_light(self) -> bool:
        """Whether the light may be that of one set."""
        return self.light <= MOST_LIGHT

    @property
    def same_actor(self) -> bool:
        """Whether what moves is certainly the same."""
        return self.actor is not None and self.actor >= LEAST_ACTOR

    def is_one(self, *, near: bool) -> bool:
        """Return whether set, framing and actor are the same.

        Args:
            near: Whether the rows of the shots are so near that they show the same actor, if the set is the same.
        """
        return self.same_set and (self.same_actor or (near and self.detail >= SURE_DETAIL))


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """What the looks of two shots of one set-up tell of their runs.

    Attributes:
        apart: Difference of the most different cell, with the shots laid over each other as they fit best in time.
        goes_on: Whether the second shot goes on where the first ends: no more changes there than from picture to
            picture, and much less than from beginning to beginning.
        goes_on_back: Whether the first goes on where the second ends.
    """

    apart: float
    goes_on: bool
    goes_on_back: bool

    @property
    def same_run(self) -> bool:
        """Whether the shots show the same run, or stretches of it that have much in common."""
        return self.apart <= SAME_RUN


def compare_sets(first: Look, second: Look) -> SetEvidence:
    """Return the evidence on set, framing and actor that the looks of two shots give."""
    ratio = light_between(first, second)
    others = in_light(second.cells, ratio)
    detail, other = zip(
        _best_matches(first.detail, first.cells, second.detail, others),
        _best_matches(second.detail, others, first.detail, first.cells),
        strict=True,
    )
    return SetEvidence(
        detail=min(detail),
        other=max(other),
        light=float(np.abs(np.log(ratio)).max()),
        actor=_actor(first.cells, others),
    )


def compare_runs(first: Look, second: Look) -> RunEvidence:
    """Return the evidence on the runs of two shots of one set-up."""
    others = in_light(second.cells, light_between(first, second))
    apart = np.abs(first.cells[:, None] - others[None]).max(axis=(-1, -2))
    return RunEvidence(
        apart=_apart(apart, first.step, second.step),
        goes_on=_goes_on(apart, max(_change(first.cells[-_AROUND:]), _change(others[:_AROUND]))),
        goes_on_back=_goes_on(apart.T, max(_change(others[-_AROUND:]), _change(first.cells[:_AROUND]))),
    )


def light_between(first: Look, second: Look) -> NDArray[np.float32]:
    """Return the ratio of the light of two shots, float32 (3,): of each colour."""
    return np.asarray(np.median((first.usual + _DARK) / (second.usual + _DARK), axis=0), np.float32)


def in_light(colours: NDArray[np.float32], ratio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return colours, (..., 3), as they would be in the light of another shot."""
    return (colours + _DARK) * ratio - _DARK


def _best_matches(
    detail: NDArray[np.float32],
    cells: NDArray[np.float32],
    other_detail: NDArray[np.float32],
    other_cells: NDArray[np.float32],
) -> tuple[float, float]:
    """Return how alike the detail of some pictures and of those most like them is, and the share of other colours.

    Args:
        detail, cells: Of all pictures of a shot, some of which are compared, evenly spaced: (n, cells, pixels) and
            (n, cells, 3).
        other_detail, other_cells: Of all pictures of the other shot.
    """
    compared = even_places(len(detail), _COMPARED)
    matched = math.ceil(MATCHED * len(compared))
    here = detail[compared]
    shared = np.einsum("fcp,scp->fsc", here, other_detail, optimize=True) * (2 / here.shape[-1])
    spread, other_spread = ((each**2).mean(axis=-1) for each in (here, other_detail))
    alike = ((shared + _NOISE) / (spread[:, None] + other_spread[None] + _NOISE)).mean(axis=-1)
    best = alike.max(axis=1)
    good = np.argsort(-best, kind="stable")[:matched]
    differences = np.abs(cells[compared[good]] - other_cells[alike[good].argmax(axis=1)]).max(axis=-1)
    return float(best[good].mean()), float((differences > OTHER_COLOUR).mean())


def _actor(here: NDArray[np.float32], there: NDArray[np.float32]) -> float | None:
    """Return what the colours of what moves in two shots, (n, cells, 3) each, have in common; see SetEvidence."""
    still = np.median(np.concatenate([here, there]), axis=0)
    counted = []
    for cells in (here, there):
        changes = np.abs(cells - still).max(axis=-1)
        moving = changes > OTHER_COLOUR
        if np.count_nonzero(moving) < _FEWEST_CELLS:
            return None
        counted.append(_tones(cells[moving], changes[moving] - OTHER_COLOUR))
    return float(np.minimum(*counted).sum())


def _tones(colours: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the shares of colours (n, 3) in a coarse cube; each counts in the tones that it lies between.

    Args:
        colours: Of cells; at the edge of what moves, they are mixed with those of what is behind it.
        weights: (n,), how much each counts.
    """
    at = np.clip(colours / 256 * _TONES, 0, _TONES - 1e-3) + 0.5  # from 0.5 on, as there is a tone beyond either end
    low = np.floor(at).astype(np.int64)
    part = at - low
    side = _TONES + 2
    shares = np.zeros(side**3)
    for corner in np.ndindex(2, 2, 2):
        weight = weights * np.where(np.array(corner), part, 1 - part).prod(axis=1)
        place = ((low + corner) @ np.array([side * side, side, 1])).astype(np.int64)
        shares += np.bincount(place, weight, side**3)
    return np.asarray(shares / weights.sum(), np.float64)


def _change(pictures: NDArray[np.float32]) -> float:
    """Return how far the most different cell changes from one picture to the next; 0 for a single one."""
    return float(np.abs(pictures[1:] - pictures[:-1]).max(initial=0.0))


def _goes_on(apart: NDArray[np.float32], change: float) -> bool:
    """Return whether the second of two shots begins where the first ends.

    Args:
        apart: float32 (n, m), the difference of each picture of the first from each of the second.
        change: What changes from one picture to the next around there.
    """
    seam = float(apart[-1, 0])
    return seam <= change + _SEAM and seam < _NEARER * min(float(apart[0, 0]), float(apart[-1, -1]))


def _apart(apart: NDArray[np.float32], step: float, other_step: float) -> float:
    """Return the smallest difference of two shots over all shifts in time that leave them enough in common.

    Args:
        apart: float32 (n, m), as above.
        step, other_step: Seconds from picture to picture in each.
    """
    count, others = apart.shape
    least = _LEAST_SHARED * min(count, others * other_step / step)
    places = np.arange(count)
    best = float("inf")
    for shift in range(1 - round(others * other_step / step), count):
        partners = np.round((places - shift) * (step / other_step)).astype(np.int64)
        inside = (partners >= 0) & (partners < others)
        if inside.sum() >= max(1.0, least):
            best = min(best, float(np.quantile(apart[places[inside], partners[inside]], _MOST_OF)))
    return best
