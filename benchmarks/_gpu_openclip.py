"""The part of benchmarks/gpu.py that measures OpenCLIP: batches of pictures against the CPU, and their rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._gpu_towers import Place

MODELS = ("PE-Core-B-16", "ViT-B-16", "PE-Core-L-14-336")
_QUICK = ("ViT-S-32-alt",)
_FRAMES = 8
_PRECISIONS = ("float32", "bfloat16")


def openclip(place: Place, write: Callable[[dict[str, Any]], None]) -> None:
    """Compare rows in batches over clips with the CPU's, as the check at the start does, and time whole batches."""
    from benchmarks._random_clip import random_model
    from encoder import EncoderUnavailable
    from encoder.openclip.eager_tower import PICTURES_AT_ONCE, EagerTower
    from encoder.openclip.encoder import OpenCLIP
    from encoder.openclip.tower_trust import least_cosine

    for name in _QUICK if place.quick else MODELS:
        try:
            model = random_model(name)
        except EncoderUnavailable as error:
            write({"model": name, "way": "open_clip", "skipped": str(error)})
            return
        tower = EagerTower(model)
        batch = 4 if place.quick else PICTURES_AT_ONCE
        pictures = np.random.default_rng(3).integers(0, 256, (batch, tower.size, tower.size, 3), dtype=np.uint8)
        expected = tower(pictures[:1])[0]
        tower.move(str(place.device), name)
        for precision in _PRECISIONS:
            row: dict[str, Any] = {"model": name, "way": precision, "batch": batch}
            tower.compute_in(precision)  # type: ignore[arg-type]
            try:
                row["smallest cosine"] = least_cosine(tower, pictures[0], expected, batch)
                taken = [_seconds(tower, pictures) for _ in range(2 if place.quick else 6)]
                row["ms a clip"] = min(taken[1:]) / batch * _FRAMES * 1000
            except Exception as error:  # noqa: BLE001  the other ways are still to be measured
                row["failed"] = f"{type(error).__name__}: {str(error)[:200]}"
            write(row)
        if place.device.type == "cuda":  # as it is used: with the check at the start
            began = time.perf_counter()
            encoder = OpenCLIP(model.cpu(), _words, str(place.device), weights_id=name)
            write({"model": name, "way": f"start, then {encoder.precision}", "s": time.perf_counter() - began})


def _words(texts: list[str]) -> Any:
    """Stand in for a tokenizer, whose files may have to be downloaded."""
    import torch

    return torch.ones(len(texts), 32, dtype=torch.long)


def _seconds(tower: Any, pictures: Any) -> float:
    began = time.perf_counter()
    tower(pictures)
    return time.perf_counter() - began
