"""A network that finds shot boundaries: TransNetV2 (Souček and Lokoč, arXiv 2008.04838) on small RGB frames.

    from encoder.shot_boundaries import installed_weights
    from encoder.shot_boundaries.model import ShotBoundaryModel  # imports torch

    if installed_weights():
        scores = ShotBoundaryModel.load().scores(frames)  # uint8 (n, 27, 48, 3) RGB -> float32 (n, 2)

    protocol   the interface for code that does not import torch
    weights    the weights: found in the installed package that carries them, verified, read
    windows    a stream of frames in overlapping windows
    network    the network
    model      all of them together, on a CPU or a GPU
    lazy       a model that is loaded when it is needed

Importing the package, or asking whether the weights are installed, imports no torch.
"""

from __future__ import annotations

from encoder.shot_boundaries.protocol import ScoreStream, ShotBoundaryScorer
from encoder.shot_boundaries.weights import installed_weights

__all__ = ["ScoreStream", "ShotBoundaryScorer", "installed_weights"]
