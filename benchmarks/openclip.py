"""Image towers of open_clip on this CPU, in each precision, beside open_clip's own eager code with the same weights.

    python -m benchmarks.openclip [--model PE-Core-B-16] [--clips 8] [--rounds 5]

They take turns in one process: in every round each encodes the same clips of 8 frames, as one batch. It prints medians:
wall and CPU seconds per clip, how many times faster than eager in CPU seconds and in wall (of the rounds' ratios), the
largest difference and the smallest cosine of a clip's row. Weights are random, of the real architecture; needs the
extra clip.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait are not to be counted as work

FRAMES = 8
EAGER = "open_clip"
Way = Callable[[Any], Any]
"""uint8 pictures (N, S, S, 3) to unit rows (N, D)."""


def ways(model: Any) -> dict[str, Way]:
    """Return open_clip's eager code, and this program's in each precision that the processor has."""
    from encoder import EncoderUnavailable
    from encoder.openclip.eager_tower import EagerTower
    from encoder.openclip.image_tower import PackedTower
    from encoder.openclip.packed_tower import packable
    from encoder.runtime.precision import PRECISION_CHOICES, choose_precision, packs_layers

    found: dict[str, Way] = {EAGER: EagerTower(model)}
    if not packs_layers():
        raise SystemExit("packed layers are for x86 processors: there is nothing to compare here")
    for name in PRECISION_CHOICES[1:]:
        own = copy.deepcopy(model)  # packing replaces its blocks
        tower = packable(own.visual)
        if tower is None:
            raise SystemExit(f"the image tower of this model ({type(own.visual).__name__}) cannot be packed")
        try:
            found[name] = PackedTower(own, tower, choose_precision(name, "cpu", tower.width))
        except EncoderUnavailable as error:
            print(f"{name}: left out, {error}")
    return found


def pictures(clips: int, size: int, seed: int) -> Any:
    """Return the frames of clips with edges, gradients and noise, (N, S, S, 3)."""
    import goldens
    import numpy as np

    return np.concatenate([goldens.recipe().clip_u8(1000 * seed + i, FRAMES, size) for i in range(clips)])


def clip_rows(rows: Any) -> Any:
    """Return the unit rows (B, D) of clips, from those of their frames."""
    means = rows.reshape(-1, FRAMES, rows.shape[1]).mean(dim=1)
    return means / means.norm(dim=1, keepdim=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="PE-Core-B-16", help="an architecture of open_clip (PE-Core-B-16)")
    parser.add_argument("--clips", type=int, default=8, help="clips of a batch (8)")
    parser.add_argument("--rounds", type=int, default=5, help="batches of each (5)")
    args = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    import numpy as np
    import torch

    from benchmarks._random_clip import random_model
    from encoder import EncoderUnavailable

    try:
        model = random_model(args.model)
    except EncoderUnavailable as error:
        raise SystemExit(f"left out: {error}") from error
    compared = ways(model)
    size = int(np.max(model.visual.preprocess_cfg["size"]))
    for way in compared.values():
        way(pictures(1, size, 99)[:2])  # packing, threads, kernels
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in compared}
    worst: dict[str, list[float]] = {name: [0.0, 1.0] for name in compared}
    for seed in range(args.rounds):
        batch, expected = pictures(args.clips, size, seed), None
        for name, way in compared.items():
            wall, cpu = time.perf_counter(), time.process_time()
            rows = clip_rows(way(batch))
            taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
            expected = rows if expected is None else expected
            off, cosine = float((rows - expected).abs().max()), float((rows * expected).sum(1).min())
            worst[name] = [max(worst[name][0], off), min(worst[name][1], cosine)]
    report(args, torch.get_num_threads(), taken, worst)


def report(
    args: argparse.Namespace, threads: int, taken: dict[str, list[tuple[float, float]]], worst: dict[str, list[float]]
) -> None:
    """Print the table and a line of JSON."""
    print(f"\n{args.model}, {args.clips} clips of {FRAMES} frames a batch, {threads} threads, {args.rounds} rounds")
    print(f"{'':12}{'wall s':>9}{'CPU s':>9}{'x CPU':>8}{'x wall':>8}{'max diff':>10}{'1 - cos':>10}")
    table: dict[str, dict[str, float]] = {}
    for name, times in taken.items():
        pairs = list(zip(taken[EAGER], times, strict=True))
        table[name] = found = {
            "wall_s": statistics.median(wall for wall, _ in times) / args.clips,
            "cpu_s": statistics.median(cpu for _, cpu in times) / args.clips,
            "times_cpu": statistics.median(theirs[1] / ours[1] for theirs, ours in pairs),
            "times_wall": statistics.median(theirs[0] / ours[0] for theirs, ours in pairs),
            "max_difference": worst[name][0],
            "one_minus_cosine": 1 - worst[name][1],
        }
        print(
            f"{name:12}{found['wall_s']:9.3f}{found['cpu_s']:9.3f}{found['times_cpu']:8.2f}{found['times_wall']:8.2f}"
            f"{found['max_difference']:10.1e}{found['one_minus_cosine']:10.1e}"
        )
    record = {"model": args.model, "threads": threads, "clips": args.clips, "rounds": args.rounds, "ways": table}
    print(json.dumps(record))


if __name__ == "__main__":
    main()
