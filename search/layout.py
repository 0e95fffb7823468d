"""2-D layout of rows: t-SNE of a few thousand landmarks, with all other rows placed among the most similar ones.

t-SNE of all rows would take hours for a large library, and would move every point whenever a row is added. With
landmarks, the point of a row depends only on the landmarks and the row itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.even import even_places

Rows = NDArray[np.float32]
Points = NDArray[np.float32]

LAYOUT_VERSION = 2
"""Version of the algorithm. Raise it when rows would be laid out differently, so that saved maps are rebuilt."""

LANDMARKS = 2500
_FAR_SHARE = 10  # 1 landmark in 10 is a row that the others represent badly, so that rare shots get their own area
_CANDIDATES = 4  # badly represented rows that are considered for each of those
_COLUMNS = 50  # principal components that t-SNE is given; more only cost time
_PERPLEXITY = 30.0
_MIN_ROWS = 6  # fewer rows have no neighbourhoods for t-SNE to preserve; principal components suffice
_EQUAL = 1e-6  # rows whose spread is below this are copies of one row; the rest is rounding

_ROOM = 1.5  # total area of all points, each taken as a square; the map's area is 4
_STEPS = 120
_PUSH = 0.4  # fraction of the missing distance that each of two points moves per step

_NEAREST = 10  # landmarks that a row is placed among
_SHARPNESS = 2.0
_REACH = 0.05  # landmarks farther than this from the most similar one (half the map is 1) are on another island
_JITTER = 0.8  # relative to the median distance between neighbouring landmarks
_BATCH = 4096


def choose_landmarks(rows: Rows, count: int = LANDMARKS) -> NDArray[np.int64]:
    """Choose rows as landmarks: evenly spread ones, and some that resemble none of them.

    Args:
        rows: float32 (n, D), unit rows, in a meaningful order (of the library: by video and time).
        count: Landmarks wanted.

    Returns:
        int64 (m,), indices of at most `count` rows, ascending.
    """
    if len(rows) <= count:
        return np.arange(len(rows))
    far = count // _FAR_SHARE
    even = even_places(len(rows), count - far)
    similarity = np.concatenate(
        [(rows[at : at + _BATCH] @ rows[even].T).max(axis=1) for at in range(0, len(rows), _BATCH)]
    )
    candidates = np.argsort(similarity, kind="stable")[: _CANDIDATES * far]
    worst, found = similarity[candidates], []
    for _ in range(far):
        at = int(worst.argmin())
        found.append(int(candidates[at]))
        worst = np.maximum(worst, rows[candidates] @ rows[candidates[at]])
    return np.unique(np.concatenate([even, np.asarray(found, dtype=np.int64)]))


def lay_out(rows: Rows) -> Points:
    """Lay out rows in the plane by t-SNE. Deterministic; for a few thousand rows at most.

    Args:
        rows: float32 (n, D), unit rows.

    Returns:
        float32 (n, 2), within -1 to 1.
    """
    components = _principal(rows)
    if not len(rows) or components[:, 0].std() < _EQUAL:
        return _sunflower(len(rows))
    if len(rows) < _MIN_ROWS:
        return _fitted(components[:, :2])
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    start = components[:, :2] / components[:, 0].std() * 1e-4
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, max(2.0, len(rows) ** 0.5)),
        init=(start + 2e-5 * _sunflower(len(rows))).astype(np.float32),  # equal rows would never separate
        max_iter=500,
        angle=0.6,
        random_state=0,
    )
    # Several threads add in any order, and t-SNE amplifies a difference in rounding into another layout.
    with threadpool_limits(1, user_api="openmp"):
        points = tsne.fit_transform(components)
    return _fitted(_spread(_fitted(points).astype(np.float64)))


@dataclass(frozen=True)
class Landmarks:
    """Rows with their points, for other rows to be placed among.

    Attributes:
        rows: float32 (m, D), unit rows; at least one.
        points: float32 (m, 2).
    """

    rows: Rows
    points: Points
    _spacing: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_spacing", _median_distance(self.points))

    def place(self, ids: NDArray[np.int64], rows: Rows) -> Points:
        """Place rows among the landmarks.

        A row lies between the landmarks that are most similar to it, moved a little in a direction that depends on its
        id: copies of a shot stay apart, and each keeps its point.

        Args:
            ids: int64 (n,), segment ids.
            rows: float32 (n, D), unit rows.

        Returns:
            float32 (n, 2).
        """
        found = [self._place(rows[at : at + _BATCH]) for at in range(0, len(rows), _BATCH)]
        points = np.concatenate([np.zeros((0, 2), np.float32), *found])
        return np.asarray(points + _JITTER * self._spacing * _in_disc(ids), dtype=np.float32)

    def _place(self, rows: Rows) -> Points:
        similarity = rows @ self.rows.T
        count = min(_NEAREST, similarity.shape[1])
        near = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        similarity = np.take_along_axis(similarity, near, axis=1)
        order = np.argsort(-similarity, axis=1, kind="stable")
        near, similarity = np.take_along_axis(near, order, axis=1), np.take_along_axis(similarity, order, axis=1)
        range_ = np.maximum(similarity[:, :1] - similarity[:, -1:], 1e-6)
        weights = np.exp(_SHARPNESS * (similarity - similarity[:, :1]) / range_)
        corners = self.points[near]
        # A point between two islands would lie in empty space: only the island of the most similar landmark counts.
        weights *= np.linalg.norm(corners - corners[:, :1], axis=2) <= max(_REACH, 2 * self._spacing)
        points: Points = np.einsum("nk,nkd->nd", weights, corners) / weights.sum(axis=1)[:, None]
        return points


def _principal(rows: Rows) -> NDArray[np.float64]:
    """Return the first principal components, (n, 2 to 50), each with a sign that depends on the rows only."""
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
    """Push apart points that are too close, so that dense islands become readable areas.

    t-SNE keeps neighbours, but piles up very similar rows, with empty space around them. The distance that is enforced
    grows in small steps: an island swells as a whole and pushes others away, whereas points that are pushed the whole
    way at once would pass through each other.
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
    """Move and scale points (equally in both directions) to fill -1 to 1."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2
    return np.asarray((points - (low + high) / 2) / max(half, 1e-12), dtype=np.float32)


def _sunflower(count: int) -> Points:
    """Return points evenly spread over a disc, the first in the middle: for rows that are all equal."""
    at = np.arange(count)
    radius, angle = 0.5 * np.sqrt(at / max(1, count)), at * (np.pi * (3 - 5**0.5))
    return np.asarray(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), dtype=np.float32)


def _median_distance(points: Points) -> float:
    """Return the median distance from a point to its nearest neighbour; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    nearest = np.empty(len(points))
    for at in range(0, len(points), 256):
        distances = np.linalg.norm(points[at : at + 256, None] - points[None], axis=2)
        distances[np.arange(len(distances)), at + np.arange(len(distances))] = np.inf
        nearest[at : at + 256] = distances.min(axis=1)
    return float(np.median(nearest))


def _in_disc(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return points (n, 2), uniformly distributed over the unit disc, by id."""
    radius, angle = np.sqrt(_uniform(ids, 1)), 2 * np.pi * _uniform(ids, 2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _uniform(ids: NDArray[np.int64], salt: int) -> NDArray[np.float64]:
    """Return a hash of each id as a number from 0 to 1 (the finaliser of splitmix64)."""
    mixed = ids.astype(np.uint64) * np.uint64(4) + np.uint64(salt)
    mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11), dtype=np.float64) / 2.0**53
