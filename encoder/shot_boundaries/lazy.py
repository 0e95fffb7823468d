"""A scorer that is loaded when it is needed, so that a run with nothing to decode does not import torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder.shot_boundaries.protocol import ScoreStream, ShotBoundaryScorer


class LazyScorer:
    """An `encoder.shot_boundaries.ShotBoundaryScorer` over a function that loads one, once for all threads."""

    def __init__(self, load: Callable[[], ShotBoundaryScorer]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._loaded: ShotBoundaryScorer | None = None

    def prepare(self) -> None:
        """See `ShotBoundaryScorer.prepare`."""
        self._scorer().prepare()

    def scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `ShotBoundaryScorer.scores`."""
        return self._scorer().scores(frames)

    def stream(self) -> ScoreStream:
        """See `ShotBoundaryScorer.stream`."""
        return self._scorer().stream()

    def _scorer(self) -> ShotBoundaryScorer:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded
