"""The shot boundary network on a CPU or a GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from encoder.loading import choose_device
from encoder.runtime.precision import WIDE, Precision, choose_precision
from encoder.runtime.workers import Workers
from encoder.shot_boundaries.network import TransNetV2
from encoder.shot_boundaries.weights import read_weights
from encoder.shot_boundaries.windows import WindowedScores

_MOST_WORKERS = 8
"""Windows computed at once on a CPU; one takes about 130 MB in bfloat16, 360 MB in float32."""

_WINDOWS_ON_GPU = 16


class ShotBoundaryModel:
    """An `encoder.shot_boundaries.ShotBoundaryScorer`.

    On a CPU each core computes windows of its own, so that a window's scores do not depend on the number of cores.

    Attributes:
        device: The device, such as cpu or cuda:0.
        precision: float32 or bfloat16. On 600 frames of fast-moving film, their scores differ by less than 0.003.
    """

    def __init__(self, network: TransNetV2, device: str, precision: Precision) -> None:
        """Use `load` instead."""
        self.device = device
        self.precision = precision
        self._network = network
        self._workers = Workers(min(torch.get_num_threads(), _MOST_WORKERS)) if device == "cpu" else None

    @classmethod
    def load(cls, device: str = "auto", precision: str = "auto", *, weights: Path | None = None) -> ShotBoundaryModel:
        """Load the network.

        Args:
            device: cpu, cuda, cuda:N, mps, or auto for cuda if available, else cpu. mps is never chosen automatically,
                because the publishers of the weights found other decisions on it.
            precision: float32, bfloat16, or auto: bfloat16 if the device multiplies it natively, else float32.
            weights: The file; None for that of the installed package (see `encoder.shot_boundaries.weights`).

        Raises:
            ValueError: The name of a device or precision is not valid.
            ModelNotFound: The weights are not installed.
            WeightsMismatch: The file is damaged, or of another version.
            EncoderUnavailable: The device is missing, or does not support the precision.
        """
        if device == "auto" and choose_device(device) == "mps":
            device = "cpu"
        device = choose_device(device)
        if precision == "int8":
            raise ValueError("the shot boundary network computes in float32 or bfloat16, not in int8")
        chosen = choose_precision(precision, device, WIDE)
        dtype = torch.bfloat16 if chosen == "bfloat16" else torch.float32
        return cls(TransNetV2(read_weights(weights), torch.device(device), dtype), device, chosen)

    def scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `ShotBoundaryScorer.scores`."""
        stream = WindowedScores(self._score, self._workers.count if self._workers else _WINDOWS_ON_GPU)
        return np.concatenate([stream.feed(frames), stream.finish()])

    def stream(self) -> WindowedScores:
        """See `ShotBoundaryScorer.stream`."""
        return WindowedScores(self._score, 1)

    def prepare(self) -> None:
        """See `ShotBoundaryScorer.prepare`: it is loaded."""

    def _score(self, windows: NDArray[np.uint8]) -> NDArray[np.float32]:
        together = torch.from_numpy(windows)
        if self._workers is None:
            return self._network(together).cpu().numpy()
        scores = np.empty((*windows.shape[:2], 2), np.float32)

        def score(i: int) -> None:
            scores[i] = self._network(together[i : i + 1])[0].numpy()

        self._workers.each(score, range(len(windows)))
        return scores
