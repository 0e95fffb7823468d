"""Rows of held-out scenes of the grown demo world: painted and encoded, without files between.

What files do to rows is measured with today's world; scenes have the wear of files painted on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks._quality_footage import Footage
from demo import evaluate_grown, questions_grown
from encoder import Encoder


def make_scenes(encoder: Encoder, folder: Path, drawings: int = 2, seed: int = 14) -> Footage:
    """Return every held-out scene of the libraries and of the gallery, drawn so many times."""
    shown = tuple(dict.fromkeys([*questions_grown.pool(), *questions_grown.gallery()]))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"scenes-{encoder.id.replace(':', '-')}-{drawings}-{seed}.npy"
    if not kept.exists():
        np.save(kept, np.stack([evaluate_grown.clip_rows(encoder, shown, seed + at) for at in range(drawings)]))
    return Footage(shown, np.load(kept))  # type: ignore[arg-type]
