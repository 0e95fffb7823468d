"""Time and memory of a MAP head at full size: tokens of a clip, and a training on clips of random tokens.

    python -m benchmarks.heads [--clips 100] [--classes 10] [--network videoprism_lvt_public_v1_base] [--tokens 1]

The network has random weights; the tokens to train on are random halves in one file each, as `probe train --head map`
keeps them. Memory is the peak of the process, and what the training added to it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return wall and CPU seconds of some work, and its result."""
    wall, cpu = time.monotonic(), time.process_time()
    result = work()
    return time.monotonic() - wall, time.process_time() - cpu, result


def tokens_of_clips(name: str, clips: int) -> dict[str, float]:
    """Measure the tokens of clips, one at a time, in the precision that this CPU takes by default."""
    from encoder.config import CONFIGS
    from encoder.model import build
    from encoder.runtime.precision import choose_precision
    from encoder.videoprism import VideoPrism

    config = CONFIGS[name]
    precision = choose_precision("auto", "cpu", config.dim)
    encoder = VideoPrism(build(config).eval(), None, "cpu", weights_id="random", precision=precision)
    rng = np.random.default_rng(0)
    walls, cpus = [], []
    for _ in range(clips + 1):
        clip = rng.integers(0, 256, (1, *encoder.clip_spec.shape), np.uint8)
        wall, cpu, _ = timed(lambda clip=clip: encoder.encode_tokens(clip))
        walls.append(wall)
        cpus.append(cpu)
    return {"wall": float(np.median(walls[1:])), "cpu": float(np.median(cpus[1:])), "precision": precision}


def training(name: str, clips: int, classes: int, folder: Path) -> dict[str, Any]:
    """Measure the published recipe, 10 epochs. A step of this product's own recipe costs the same."""
    from app.evaluation.token_store import TokenFiles, TokenStore
    from encoder.config import CONFIGS
    from training.heads.map_probe import DEFAULT, PUBLISHED, fit_map

    config = CONFIGS[name]
    shape = (config.frames * config.rows * config.columns, config.dim)
    store, rng = TokenStore(folder, name, "float32", shape), np.random.default_rng(0)
    wall, _, _ = timed(lambda: [store.add(str(at), rng.standard_normal(shape, np.float32)) for at in range(clips)])
    tokens = TokenFiles([store[str(at)] for at in range(clips)], shape)
    targets = np.eye(classes, dtype=bool)[np.arange(clips) % classes]
    figures: dict[str, Any] = {"bytes": store.bytes_of_one * clips, "writing": wall}
    before = peak_bytes()
    wall, cpu, _ = timed(lambda: fit_map(tokens, targets, config.heads, recipe=PUBLISHED))
    steps = PUBLISHED.epochs_of(clips) * -(-clips // PUBLISHED.batch)
    figures |= {"wall": wall, "cpu": cpu, "steps": steps}
    figures["default_steps"] = DEFAULT.epochs_of(clips) * -(-clips // DEFAULT.batch)
    figures["added_bytes"] = peak_bytes() - before
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100, help="clips to train on")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--network", default="videoprism_lvt_public_v1_base")
    parser.add_argument("--tokens", type=int, default=1, help="clips of which tokens are made; 0 for none")
    args = parser.parse_args()
    found: dict[str, Any] = {"network": args.network, "clips": args.clips}
    with tempfile.TemporaryDirectory() as folder:
        found["training"] = trained = training(args.network, args.clips, args.classes, Path(folder))
    print(
        f"tokens of {args.clips} clips: {trained['bytes'] / 1e9:.2f} GB on disk, written in {trained['writing']:.0f} s"
    )
    wall, cpu, steps = trained["wall"], trained["cpu"], trained["steps"]
    print(f"published recipe, 10 epochs, {steps} steps: {wall:.0f} s, {cpu:.0f} CPU s")
    more = trained["default_steps"]
    print(f"default recipe, {more} steps: {more * wall / steps:.0f} s, {more * cpu / steps:.0f} CPU s, extrapolated")
    print(f"memory that training adds: {trained['added_bytes'] / 1e6:.0f} MB")
    if args.tokens:
        found["tokens"] = tokens = tokens_of_clips(args.network, args.tokens)
        print(f"tokens of a clip ({tokens['precision']}): {tokens['wall']:.1f} s, {tokens['cpu']:.1f} CPU s")
    found["peak_bytes"] = peak_bytes()
    print(f"peak memory: {found['peak_bytes'] / 1e9:.2f} GB")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
