"""Speed of the full-size encoder on this CPU, in each precision, beside transformers with the same weights and clips.

    python -m benchmarks.encoder [--large] [--rounds 3] [--plain]

Each implementation has a process of its own; they take turns, one clip each per round, the same for all. It prints
medians: wall and CPU seconds per clip, how many times faster than transformers' float32 (eager, with its allocator
untouched, as its users run it) in CPU seconds and in wall, GFLOP per CPU second and its share of the floor (what matrix
products alone reach on this processor in that precision), the largest difference and smallest cosine against
transformers' rows, peak memory, and memory without the mapped weights. Then follow a clip of which half the frames were
in the clip before, one text query, and the time of loading. Weights are the stand-in parameters of tests/golden.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
THEIRS = "transformers"
GFLOP = {"videoprism_lvt_public_v1_base": 1193.0, "videoprism_lvt_public_v1_large": 1637.0}
"""A clip's matrix products with the pooler folded, a multiply-add counted as two."""


@dataclass
class Process:
    """One implementation at work, and its answers."""

    name: str
    child: subprocess.Popen[str]
    loading: dict[str, float] = field(default_factory=dict)
    clips: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, **words: Any) -> dict[str, Any]:
        """Send one task and wait for the answer. Raise SystemExit when the process has ended."""
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(words) + "\n")
        self.child.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has ended: its error stands above")
        found: dict[str, Any] = json.loads(line)
        return found

    def median(self, key: str) -> float:
        return float(statistics.median(clip[key] for clip in self.clips))


def start(name: str, configuration: str, weights: Path) -> Process:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks._encoder_process", name, configuration, str(weights)]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process = Process(name, child)
    process.loading = process.answer()
    return process


def write_weights(configuration: str, folder: Path) -> Path:
    sys.path.insert(0, str(ROOT / "tests"))
    import goldens
    import torch

    path = folder / "weights.pt"
    torch.save(goldens.lvt(configuration.removeprefix("videoprism_").replace("public_v1_", "")).state_dict(), path)
    return path


def peak(precision: str) -> float:
    """Return GFLOP per CPU second of one core on the fastest of the network's own products, with packed weights."""
    import torch

    from encoder.runtime.packed_linear import pack_linear
    from encoder.runtime.precision import packs_layers

    torch.set_num_threads(1)
    best = 0.0
    with torch.inference_mode():
        for rows, k, n in ((256, 768, 3072), (256, 3072, 768), (1024, 3072, 768)):
            if precision == "int8":
                packed = torch.ops.onednn.qlinear_prepack(torch.ones(n, k, dtype=torch.int8), [rows, k])
                scales, zeros = torch.ones(n), torch.zeros(n, dtype=torch.int32)
                x = torch.ones(rows, k, dtype=torch.uint8)
                rest = (packed, scales, zeros, None, 1.0, 0, torch.float32, "none", [], "")

                def product(x: Any = x, rest: Any = rest) -> None:
                    torch.ops.onednn.qlinear_pointwise(x, 1.0, 0, *rest)

            else:
                weight, bias = torch.randn(n, k), torch.zeros(n)
                layer: Any = torch.nn.Linear(k, n)
                if packs_layers():
                    layer = pack_linear(weight, bias, precision)  # type: ignore[arg-type]
                y = torch.randn(rows, k, dtype=getattr(torch, precision))

                def product(layer: Any = layer, y: Any = y) -> None:
                    layer(y)

            product()
            for _ in range(15):
                began = time.thread_time()
                product()
                best = max(best, 2e-9 * rows * k * n / (time.thread_time() - began))
    return best


def available() -> list[str]:
    from encoder import EncoderUnavailable
    from encoder.runtime.precision import PRECISION_CHOICES, choose_precision

    names = []
    for name in PRECISION_CHOICES[1:]:
        try:
            names.append(choose_precision(name, "cpu", 768))
        except EncoderUnavailable as error:
            print(f"{name}: left out, {error}")
    return list(names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="LvT-L instead of LvT-B")
    parser.add_argument("--rounds", type=int, default=3, help="clips of each (3)")
    parser.add_argument("--plain", action="store_true", help="also the network as it is written")
    args = parser.parse_args()
    configuration = f"videoprism_lvt_public_v1_{'large' if args.large else 'base'}"
    ours = available()
    peaks = {name: peak(name) for name in ours}
    names = [THEIRS, *(["as written"] if args.plain else []), *ours]
    with tempfile.TemporaryDirectory() as folder:
        weights = write_weights(configuration, Path(folder))
        processes = []
        try:
            for name in names:
                processes.append(start(name, configuration, weights))
            for seed in range(args.rounds):
                for process in processes:
                    process.clips.append(process.ask(seed=seed))
            mine = [process for process in processes if process.name in ours]
            halves = {process.name: process.ask(seed=args.rounds, half=True) for process in mine}
            query = mine[0].ask(seed=0, text=True)
        finally:
            for process in processes:
                if process.child.stdin is not None:
                    process.child.stdin.close()
                process.child.wait()
    report(configuration, processes, peaks, halves, query)


def report(
    configuration: str,
    processes: list[Process],
    peaks: dict[str, float],
    halves: dict[str, dict[str, Any]],
    query: dict[str, Any],
) -> None:
    import numpy as np

    theirs = processes[0]
    print(f"\n{configuration}, {processes[0].loading['threads']} threads, medians of {len(theirs.clips)} clips")
    print(
        f"{'':14}{'wall s':>8}{'CPU s':>8}{'kernel':>8}{'x CPU':>7}{'x wall':>8}{'GFLOP/s':>9}{'floor':>7}{'share':>7}"
        f"{'max diff':>10}{'1 - cos':>10}{'peak GB':>9}{'own GB':>8}"
    )
    table: dict[str, dict[str, float]] = {}
    for process in processes:
        rows = [np.array(clip["row"]) for clip in process.clips]
        expected = [np.array(clip["row"]) for clip in theirs.clips]
        pairs = list(zip(theirs.clips, process.clips, strict=True))
        cpu, floor = process.median("cpu"), peaks.get(process.name, peaks["float32"])
        table[process.name] = found = {
            "wall_s": process.median("wall"), "cpu_s": cpu, "kernel_s": process.median("kernel"),
            "times_cpu": statistics.median(a["cpu"] / b["cpu"] for a, b in pairs),
            "times_wall": statistics.median(a["wall"] / b["wall"] for a, b in pairs),
            "gflop_a_cpu_s": GFLOP[configuration] / cpu, "floor_gflop_a_cpu_s": floor,
            "share_of_floor": GFLOP[configuration] / cpu / floor,
            "max_difference": max(float(np.abs(a - b).max()) for a, b in zip(rows, expected, strict=True)),
            "one_minus_cosine": max(
                1 - float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(rows, expected, strict=True)
            ),
            "peak_gb": max(clip["peak GB"] for clip in process.clips),
            "own_gb": max(clip.get("own GB", 0.0) for clip in process.clips),
        }  # fmt: skip
        print(
            f"{process.name:14}{found['wall_s']:8.2f}{cpu:8.2f}{found['kernel_s']:8.2f}{found['times_cpu']:7.2f}"
            f"{found['times_wall']:8.2f}{found['gflop_a_cpu_s']:9.0f}{floor:7.0f}{found['share_of_floor']:7.0%}"
            f"{found['max_difference']:10.1e}{found['one_minus_cosine']:10.1e}{found['peak_gb']:9.2f}"
            f"{found['own_gb']:8.2f}"
        )
    shares = [f"{name} {half['cpu']:.2f} ({half['cpu'] / table[name]['cpu_s']:.0%})" for name, half in halves.items()]
    print(f"\nhalf of the frames met in the clip before, CPU s: {', '.join(shares)}")
    fastest = min(table[name]["cpu_s"] for name in halves)
    print(
        f"one text query of 10 tokens: {query['wall'] * 1000:.0f} ms, {query['cpu'] * 1000:.0f} ms CPU, "
        f"1/{fastest / query['cpu']:.0f} of the cheapest clip"
    )
    for process in processes:
        parts = ", ".join(f"{key} {value:.2f}" for key, value in process.loading.items() if key != "threads")
        print(f"loading {process.name}: {parts}")
    print(
        json.dumps(
            {
                "network": configuration, "threads": processes[0].loading["threads"], "clips": len(theirs.clips),
                "implementations": table, "half_met_cpu_s": {name: half["cpu"] for name, half in halves.items()},
                "query_ms": query["wall"] * 1000, "query_cpu_ms": query["cpu"] * 1000,
                "loading": {process.name: process.loading for process in processes},
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
