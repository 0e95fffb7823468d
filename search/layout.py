"""A plane on which near rows lie near: t-SNE of a few thousand landmarks, all others placed among those they are like.

t-SNE of all rows would take hours for a large library, and would move every point whenever one is added. Laid among
landmarks, a row's place depends on the landmarks and itself alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
Points = NDArray[np.float32]

LAYOUT = 2
"""Which layout this is; to be raised when rows would be laid out otherwise, so that kept maps are made anew."""

LANDMARKS = 2500
_FAR_SHARE = 10  # one landmark in so many is a row that the others represent badly: rare shots get a place of their own
_CANDIDATES = 4  # so many times as many badly represented rows are looked at
_COLUMNS = 50  # principal components that t-SNE sees; more only cost time
_PERPLEXITY = 30.0
_FEWEST = 6  # below that t-SNE has no neighbourhoods to keep; principal components tell all there is
_EQUAL = 1e-6  # rows whose spread is below this are one row, and rounding

_ROOM = 1.5  # of the map's area of 4: what the points take, each as a square around it
_STEPS = 120
_PUSH = 0.4  # of what two points lack to their distance, for each of them

_NEAREST = 10  # landmarks that a row is placed among
_SHARPNESS = 2.0
_REACH = 0.05  # landmarks further than this from the most similar one (half the map is 1) are on another island
_JITTER = 0.8  # of the usual distance between landmarks
_BATCH = 4096


def choose_landmarks(rows: Rows, count: int = LANDMARKS) -> NDArray[np.int64]:
    """Indices (ascending) of at most `count` rows: evenly spread ones, and some that are like none of those.

    rows: unit rows (n, D), in an order that tells something (of the library: by video and time).
    """
    if len(rows) <= count:
        return np.arange(len(rows))
    far = count // _FAR_SHARE
    even = np.linspace(0, len(rows) - 1, count - far).astype(np.int64)
    likeness = np.concatenate(
        [(rows[at : at + _BATCH] @ rows[even].T).max(axis=1) for at in range(0, len(rows), _BATCH)]
    )
    candidates = np.argsort(likeness, kind="stable")[: _CANDIDATES * far]
    worst, found = likeness[candidates], []
    for _ in range(far):
        at = int(worst.argmin())
        found.append(int(candidates[at]))
        worst = np.maximum(worst, rows[candidates] @ rows[candidates[at]])
    return np.unique(np.concatenate([even, np.asarray(found, dtype=np.int64)]))


def lay_out(rows: Rows) -> Points:
    """Places of all these rows, float32 (n, 2) within -1..1, the same for the same rows. For a few thousand at most."""
    components = _principal(rows)
    if not len(rows) or components[:, 0].std() < _EQUAL:
        return _sunflower(len(rows))
    if len(rows) < _FEWEST:
        return _fitted(components[:, :2])
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = components[:, :2] / components[:, 0].std() * 1e-4
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, max(2.0, len(rows) ** 0.5)),
        init=(start + 2e-5 * _sunflower(len(rows))).astype(np.float32),  # equal rows would never come apart
        max_iter=500,
        angle=0.6,
        random_state=0,
    )
    # Several threads add up in any order, and t-SNE makes another picture of another rounding.
    with threadpool_limits(1, user_api="openmp"):
        points = tsne.fit_transform(components)
    return _fitted(_spread(_fitted(points).astype(np.float64)))


@dataclass(frozen=True)
class Landmarks:
    """Rows (m, D) with their places (m, 2), for others to be placed among."""

    rows: Rows
    points: Points
    _spacing: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_spacing", _usual_distance(self.points))

    def place(self, ids: NDArray[np.int64], rows: Rows) -> Points:
        """Places of rows (n, D) with ids (n,), float32 (n, 2).

        A row lies between the landmarks that are most like it, moved a little by its id: copies of a shot stay apart,
        and stay where they are.
        """
        found = [self._place(rows[at : at + _BATCH]) for at in range(0, len(rows), _BATCH)]
        points = np.concatenate([np.zeros((0, 2), np.float32), *found])
        return np.asarray(points + _JITTER * self._spacing * _in_disc(ids), dtype=np.float32)

    def _place(self, rows: Rows) -> Points:
        likeness = rows @ self.rows.T
        count = min(_NEAREST, likeness.shape[1])
        near = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        likeness = np.take_along_axis(likeness, near, axis=1)
        order = np.argsort(-likeness, axis=1, kind="stable")
        near, likeness = np.take_along_axis(near, order, axis=1), np.take_along_axis(likeness, order, axis=1)
        range_ = np.maximum(likeness[:, :1] - likeness[:, -1:], 1e-6)
        weights = np.exp(_SHARPNESS * (likeness - likeness[:, :1]) / range_)
        places = self.points[near]
        # The middle between two islands is the sea: only the island of the most similar landmark counts.
        weights *= np.linalg.norm(places - places[:, :1], axis=2) <= max(_REACH, 2 * self._spacing)
        points: Points = np.einsum("nk,nkd->nd", weights, places) / weights.sum(axis=1)[:, None]
        return points


def _principal(rows: Rows) -> NDArray[np.float64]:
    """The first principal components (n, 2..50), each with a sign that depends on the rows only."""
    columns = max(2, min(_COLUMNS, rows.shape[1]))
    if not len(rows):
        return np.zeros((0, columns))
    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :columns]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    components: NDArray[np.float64] = centred @ (axes * signs)
    missing = columns - components.shape[1]
    return np.pad(components, ((0, 0), (0, missing))) if missing > 0 else components


def _spread(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Push apart what lies too near, so that dense islands become lands that can be looked at.

    t-SNE keeps neighbours, but piles up what is much alike, with a sea around it that tells nothing. The distance that
    is kept grows little by little: so an island swells as a whole and pushes others away, where points that are thrown
    apart at once would fly through each other.
    """
    from scipy.spatial import cKDTree

    wanted = (_ROOM / len(points)) ** 0.5
    for step in range(1, _STEPS + 1):
        distance = wanted * step / _STEPS
        pairs = cKDTree(points).query_pairs(distance, output_type="ndarray")
        between = points[pairs[:, 0]] - points[pairs[:, 1]]
        lengths = np.maximum(np.linalg.norm(between, axis=1), 1e-9)
        pushes = between * (_PUSH * (distance - lengths) / lengths)[:, None]
        for column in (0, 1):
            points[:, column] += np.bincount(pairs[:, 0], pushes[:, column], len(points))
            points[:, column] -= np.bincount(pairs[:, 1], pushes[:, column], len(points))
    return points


def _fitted(points: NDArray[np.floating]) -> Points:
    """Moved and scaled (alike in both directions) to fill -1..1."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2
    return np.asarray((points - (low + high) / 2) / max(half, 1e-12), dtype=np.float32)


def _sunflower(count: int) -> Points:
    """Evenly spread over a disc, the first in the middle: for rows that nothing tells apart."""
    at = np.arange(count)
    radius, angle = 0.5 * np.sqrt(at / max(1, count)), at * (np.pi * (3 - 5**0.5))
    return np.asarray(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), dtype=np.float32)


def _usual_distance(points: Points) -> float:
    """Median distance from a point to the nearest other one; 0 for fewer than two."""
    if len(points) < 2:
        return 0.0
    nearest = np.empty(len(points))
    for at in range(0, len(points), 256):
        distances = np.linalg.norm(points[at : at + 256, None] - points[None], axis=2)
        distances[np.arange(len(distances)), at + np.arange(len(distances))] = np.inf
        nearest[at : at + 256] = distances.min(axis=1)
    return float(np.median(nearest))


def _in_disc(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 2) evenly spread over the unit disc, by id."""
    radius, angle = np.sqrt(_uniform(ids, 1)), 2 * np.pi * _uniform(ids, 2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _uniform(ids: NDArray[np.int64], salt: int) -> NDArray[np.float64]:
    """0..1 for each id (the finaliser of splitmix64)."""
    mixed = ids.astype(np.uint64) * np.uint64(4) + np.uint64(salt)
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11), dtype=np.float64) / 2.0**53
