"""Measurements of an NVIDIA GPU in one run of ten minutes: correctness, throughput, memory, the whole pipeline.

    python -m benchmarks.gpu [--minutes 10] [--parts machine,base,...] [--device cuda] [--results FILE] [--quick]

On a machine with a GPU, from a fresh clone: `python3 dev.py bench gpu` (weights are random: nothing is downloaded but
packages). Where torch, triton, transformers and numpy are installed already, `python3 -m benchmarks.gpu` runs as it is;
the part `pipeline` needs PyAV, PySceneDetect and SQLAlchemy as well and reports where they are missing.

Each part runs in a process of its own with its share of the time, and each figure is appended to FILE (gpu.jsonl) at
once, so that neither a crash nor a cut loses measurements. It prints a table per part; the last line is JSON with the
best rates, their share of the measured bfloat16 matrix peak, and how many times the speed of transformers that is.
--quick is a rehearsal: small networks, any device, figures that mean nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("machine", "correctness", "base", "large", "attention", "runner", "openclip", "pipeline", "compiled")
SHARES = dict(zip(PARTS, (1, 3, 3, 3, 2, 2, 2, 3, 4), strict=True))
"""Of the time that is left when a part begins, among the parts still to come: what one leaves over is theirs."""

REHEARSAL = "python -m benchmarks.gpu --device cpu --quick"
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--results", type=Path, default=Path("gpu.jsonl"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)  # in a process of its own
    options = parser.parse_args(arguments)
    if options.part:
        run_part(options.part, options.device, options.quick, options.results)
        return
    wanted = options.parts.split(",")
    if unknown := sorted(set(wanted) - set(PARTS)):
        parser.error(f"there is no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    options.results.unlink(missing_ok=True)
    if options.device.startswith("cuda") and not has_gpu():
        print(f"SKIPPED: no NVIDIA GPU here, so nothing was measured of {', '.join(PARTS)}. A rehearsal: {REHEARSAL}")
        print(json.dumps({"device": None, "skipped": "no NVIDIA GPU"}))
        return
    end = time.monotonic() + 60 * options.minutes
    chosen = [part for part in PARTS if part in wanted]
    for number, part in enumerate(chosen):
        left = end - time.monotonic()
        limit = max(5.0, left * SHARES[part] / sum(SHARES[other] for other in chosen[number:]))
        began = time.monotonic()
        outcome = in_own_process(part, limit, options)
        rows = [row for row in read(options.results) if row["part"] == part]
        print(f"\n== {part}: {outcome} in {time.monotonic() - began:.0f} of {limit:.0f} s", flush=True)
        print(table(rows), flush=True)
    print(json.dumps(summary(read(options.results))))


def has_gpu() -> bool:
    """Return whether torch can use an NVIDIA GPU."""
    import torch

    return torch.cuda.is_available()


def run_part(part: str, device: str, quick: bool, results: Path) -> None:
    """Measure one part in this process, appending each figure to the results."""
    import torch

    from benchmarks._gpu_parts import run
    from benchmarks._gpu_towers import Place

    with results.open("a", encoding="utf-8") as file:

        def write(row: Row) -> None:
            file.write(json.dumps({"part": part, **row}) + "\n")
            file.flush()

        run(part, Place(torch.device(device), quick), write)


def in_own_process(part: str, limit: float, options: argparse.Namespace) -> str:
    """Run a part for at most `limit` seconds; return how it ended."""
    command = [sys.executable, "-m", "benchmarks.gpu", "--part", part, "--device", options.device]
    command += ["--results", str(options.results.absolute()), *(["--quick"] if options.quick else [])]
    try:
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return "cut"
    last = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1]
    return "done" if done.returncode == 0 else f"FAILED ({last[:300]})"


def read(results: Path) -> list[Row]:
    """Read every complete line."""
    rows = []
    for line in results.read_text("utf-8").splitlines() if results.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:  # the last one, of a part that was cut
            continue
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Print rows, with columns in the order in which they first appear."""
    columns = [name for name in dict.fromkeys(key for row in rows for key in row) if name != "part"]
    cells = [columns, *([_shown(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)) for line in cells)


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return "" if value is None else str(value)
    return f"{value:.7f}" if 0.99 < value < 1 else f"{value:.4g}"


def summary(rows: Sequence[Mapping[str, Any]]) -> Row:
    """Return for each network the best rate, its share of the measured peak, and the ratio to transformers' best."""
    peak = max((row["TFLOP/s"] for row in rows if "peak" in row), default=None)
    found: Row = {"device": next((row["device"] for row in rows if "device" in row), None), "peak TFLOP/s": peak}
    for network in ("base", "large"):
        timed = [row for row in rows if row.get("network") == network and "clips/s" in row]
        best: dict[str, Mapping[str, Any]] = {}
        for row in timed:
            if row["clips/s"] > best.get(row["way"], {"clips/s": 0.0})["clips/s"]:
                best[row["way"]] = row
        for way, row in best.items():
            mine: Row = {name: row[name] for name in ("batch", "ms a clip", "clips/s", "TFLOP/s")}
            mine["peak GB"] = row.get("peak GB")
            if peak:
                mine["share of peak"] = row["TFLOP/s"] / peak
            for theirs in ("transformers float32", "transformers bfloat16"):
                if theirs in best and not way.startswith("transformers"):
                    mine[f"times {theirs}"] = row["clips/s"] / best[theirs]["clips/s"]
            found[f"{network}, {way}"] = mine
    cosines = [row["smallest cosine"] for row in rows if "bfloat16" in row.get("way", "") and "smallest cosine" in row]
    found["smallest cosine of bfloat16"] = min(cosines, default=None)
    failed = [f"{row['part']}: {row.get('way', '')}: {row['failed']}" for row in rows if "failed" in row]
    return found | {"failed": failed}


if __name__ == "__main__":
    main()
