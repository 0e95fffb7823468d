"""One implementation of the full-size encoder in a process of its own, for its own allocator, threads and peak memory.

    python -m benchmarks._encoder_process IMPLEMENTATION CONFIGURATION WEIGHTS

It reads a line of JSON per clip from standard input and answers with a line of JSON. benchmarks/encoder.py starts it.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
QUERY = ("a dog runs along the beach at sunset", [7, 2, 900, 31, 4, 61, 19, 5, 880, 12])

Encode = Callable[[Any], Any]


def network_of(configuration: str, weights: Path) -> Any:
    """Return the network with the recipe's stand-in parameters, mapped from a file that all processes share."""
    import torch

    from encoder.checkpoints.checkpoint import network_from_state
    from encoder.config import CONFIGS

    return network_from_state(CONFIGS[configuration], torch.load(weights, mmap=True))


def encode_with(implementation: str, network: Any) -> tuple[Encode, Any]:
    """Return a function that encodes uint8 clips (B, T, S, S, 3), and the runner where it is one of ours."""
    import torch

    if implementation == "transformers":
        from test_oracle import witness

        model = witness(network)

        def theirs(clips: Any) -> Any:
            with torch.inference_mode():
                pixels = (torch.from_numpy(clips).float() / 255).permute(0, 1, 4, 2, 3)
                found = model.get_video_features(pixels, interpolate_pos_encoding=True)
                rows = getattr(found, "pooler_output", found).reshape(len(clips), -1)
                return torch.nn.functional.normalize(rows, dim=-1).numpy()

        return theirs, None

    from encoder.runtime.runner import PlainRunner, make_runner

    plain = implementation == "as written"
    runner = PlainRunner(network, "cpu") if plain else make_runner(network, "cpu", implementation)  # type: ignore[arg-type]
    return runner.encode_clips, runner


def main(implementation: str, configuration: str, weights: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    began = time.perf_counter()
    import numpy as np
    import torch

    imported = time.perf_counter()
    network = network_of(configuration, weights)
    mapped = time.perf_counter()
    encode, runner = encode_with(implementation, network)
    built = time.perf_counter()
    config = network.config
    del network  # ours lets go of it once its layers are packed
    rng = np.random.default_rng(0)
    encode(rng.integers(0, 256, (1, 2, config.size, config.size, 3), dtype=np.uint8))  # packing, threads, kernels
    answer = {
        "import s": imported - began, "network s": mapped - imported, "model s": built - mapped,
        "packing and first two frames s": time.perf_counter() - built,
        "threads": torch.get_num_threads(),
    }  # fmt: skip
    print(json.dumps(answer), flush=True)
    ids = np.array([QUERY[1]], np.int32)
    previous: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        clip = clip_of(asked["seed"], config.frames, config.size)
        if asked.get("half"):  # its first half is the second of the clip before
            half = config.frames // 2
            clip = np.concatenate([previous[:, half:], clip[:, half:]], axis=1)
        previous = clip
        if asked.get("text") and runner is not None:
            measured = [_timed(lambda: runner.encode_texts(ids, np.zeros(ids.shape, np.float32))) for _ in range(5)]
            figures = sorted(measured, key=lambda found: float(found["cpu"]))[2]
        else:
            figures = _timed(functools.partial(encode, clip))
            figures["row"] = figures.pop("value")[0].tolist()
        figures.pop("value", None)
        print(json.dumps(figures | memory()), flush=True)


def clip_of(seed: int, frames: int, size: int) -> Any:
    """Return a clip with edges, gradients and noise, (1, T, S, S, 3), different for each seed."""
    import goldens

    return goldens.recipe().clip_u8(1000 + seed, frames, size)[None]


def memory() -> dict[str, float]:
    """Return peak memory, and current memory without the mapped file of the weights."""
    scale = 1e9 if sys.platform == "darwin" else 1e6
    found = {"peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale}
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        found["own GB"] = int(lines["RssAnon"].split()[0]) / 1e6
    return found


def _timed(work: Callable[[], Any]) -> dict[str, Any]:
    before, wall, cpu = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter(), time.process_time()
    value = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu,
        "kernel": after.ru_stime - before.ru_stime, "value": value,
    }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
