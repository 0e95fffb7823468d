"""Differences between the encoder and the official JAX code, stage by stage, on the golden arrays of tests/golden.

    python benchmarks/parity.py [--full]        --full: also the full-size networks (minutes, 3 GB)

It prints for each network and stage max |difference| and the smallest cosine of rows, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import goldens

Worst = dict[str, tuple[float, float]]


def worst_of(comparisons: Iterable[goldens.Comparison]) -> Worst:
    """Return for each stage the largest difference and the smallest cosine of rows."""
    worst: Worst = {}
    for each in comparisons:
        width = each.found.shape[-1]
        a = each.found.double().reshape(-1, width)
        b = goldens.tensor(each.expected).double().reshape(-1, width)
        difference, cosine = worst.get(each.stage, (0.0, 1.0))
        worst[each.stage] = (
            max(difference, float((a - b).abs().max())),
            min(cosine, float(torch.cosine_similarity(a, b, dim=-1).min())),
        )
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also LvT-B and LvT-L")
    args = parser.parse_args()
    results: dict[str, Worst] = {}
    with torch.no_grad():
        for name in ("tiny", "odd"):
            results[name] = worst_of(goldens.comparisons(name, goldens.lvt(name)))
        for name in ("lvt_base", "lvt_large") if args.full else ():
            results[name] = worst_of(goldens.full_size_comparisons(name, goldens.lvt(name)))
    for name, worst in results.items():
        for stage, (difference, cosine) in worst.items():
            print(f"{name:10} {stage:26} max |difference| {difference:.1e}   smallest cosine {cosine:.9f}")
    print(json.dumps({name: {s: [d, c] for s, (d, c) in worst.items()} for name, worst in results.items()}))


if __name__ == "__main__":
    main()
