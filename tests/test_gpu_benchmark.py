"""benchmarks/gpu.py runs to its end before a GPU is lent: every part on a CPU, with small networks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu
from benchmarks._gpu_towers import gigaflops
from encoder.config import CONFIGS

ROOT = Path(__file__).resolve().parent.parent


def rows_of(part: str, tmp_path: Path) -> list[dict[str, Any]]:
    gpu.run_part(part, "cpu", True, tmp_path / "results")
    return gpu.read(tmp_path / "results")


@pytest.mark.parametrize(("name", "expected"), [("base", 1193), ("large", 1637)])
def test_what_a_clip_needs(name: str, expected: float) -> None:
    """The figures of an independent count (multiply-adds of matrix products, the pooler folded)."""
    assert gigaflops(CONFIGS[f"videoprism_lvt_public_v1_{name}"]) == pytest.approx(expected, abs=1)


def test_correctness(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    rows = rows_of("correctness", tmp_path)
    ways = {row["way"]: row for row in rows if row.get("network") == "base"}
    assert not [row for row in rows if "failed" in row]
    assert ways["transformers float32"]["max difference"] < 2e-6
    assert 0.999 < ways["fused bfloat16"]["smallest cosine"] < 1
    golden = {row["way"]: row for row in rows if row.get("golden") == "tiny"}
    assert golden["plain float32"]["max difference"] < 2e-6
    assert golden["as it is used, bfloat16"]["smallest cosine"] > 0.999


@pytest.mark.parametrize(
    ("part", "ways"),
    [
        ("base", {"fused bfloat16", "transformers float32", "plain float32"}),
        ("attention", {"plain"}),
        ("runner", {"encode_clips"}),
    ],
)
def test_rates(part: str, ways: set[str], tmp_path: Path) -> None:
    rows = rows_of(part, tmp_path)
    assert ways <= {row.get("way") for row in rows}
    assert not [row for row in rows if "failed" in row]
    assert all(row.get("ms", row.get("ms a clip", 0)) > 0 for row in rows)


def test_the_pipeline(tmp_path: Path) -> None:
    [row] = rows_of("pipeline", tmp_path)
    assert (row["videos"], row["clips"]) == (2, 4)
    assert 0 < row["encode s"] < row["wall s"]


def test_the_whole_program_cuts_parts_and_sums_up(tmp_path: Path) -> None:
    results = tmp_path / "results"
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "--quick", "--results", str(results)]
    done = subprocess.run([*command, "--parts", "machine"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "== machine: done" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["peak TFLOP/s"] > 0
    assert gpu.read(results)


def test_summary_and_a_line_that_was_cut(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"part": "machine", "device": "H"},
        {"part": "machine", "peak": "8", "TFLOP/s": 800.0},
    ]
    for way, batch, rate in (
        ("fused bfloat16", 8, 300.0),
        ("fused bfloat16", 16, 320.0),
        ("transformers float32", 8, 40.0),
    ):
        timing = {"ms a clip": 1000 / rate, "clips/s": rate, "TFLOP/s": rate * 1.25}
        rows.append({"part": "base", "network": "base", "way": way, "batch": batch, **timing})
    rows.append(
        {"part": "base", "network": "base", "way": "plain float32", "batch": 8, "failed": "OutOfMemoryError: x"}
    )
    file = tmp_path / "results"
    file.write_text("\n".join(map(json.dumps, rows)) + '\n{"part": "la', "utf-8")
    found = gpu.summary(gpu.read(file))
    best = found["base, fused bfloat16"]
    assert (best["batch"], best["share of peak"], best["times transformers float32"]) == (16, 0.5, 8.0)
    assert found["failed"] == ["base: plain float32: OutOfMemoryError: x"]
    assert "OutOfMemoryError" in gpu.table(rows)
