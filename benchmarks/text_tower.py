"""Time and memory of tuning a full-size text tower on stored rows: a network of random weights, random rows.

    python -m benchmarks.text_tower [--network videoprism_lvt_public_v1_base] [--clips 200] [--steps 3] [--tuned lora]

Only the text tower is made, as nothing else is held in memory while it is trained. Captions are of everyday sentences,
in the demo encoder's vocabulary, which cuts them into more pieces than the real one would: times are on the safe side.
Memory is the peak of the process, and what the training added to the network and the sentences' rows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name: str, clips: int, steps: int, sentences: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Measure the start of a run, and its steps."""
    import torch

    from encoder.config import CONFIGS
    from encoder.model import TextEncoder, VideoPrismLvT
    from encoder.model_files import DEMO_FOLDER
    from encoder.tokenizer import Tokenizer
    from training.everyday import everyday_sentences
    from training.optimizers import OptimizerSettings, make_optimizer
    from training.row_batches import CaptionedRows, RowBatches
    from training.stages.text import TextStage

    config = CONFIGS[name]
    with torch.device("meta"):
        network = VideoPrismLvT(config)
    network.text_encoder = TextEncoder(config).eval()
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((clips, config.dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    everyday = everyday_sentences()
    source = CaptionedRows(rows, tuple((everyday[at],) for at in range(clips)), tuple(range(clips)))
    tokenizer = Tokenizer(DEMO_FOLDER / "vocabulary.model", config.text_tokens)
    wall, cpu = time.monotonic(), time.process_time()
    task = TextStage(network, tokenizer, guard_sentences=everyday[:sentences], **settings)
    found: dict[str, Any] = {
        "start_seconds_a_sentence": (time.monotonic() - wall) / len(task.old_rows),
        "start_cpu_a_sentence": (time.process_time() - cpu) / len(task.old_rows),
        "parameters": sum(each.numel() for each in task.parameters()),
        "trained": sum(each.numel() for each in task.parameters() if each.requires_grad),
    }
    before = peak_bytes()
    optimizer = make_optimizer(task.parameter_groups(), OptimizerSettings("adamw", 1e-4))
    batches, walls, cpus = RowBatches(source, 64, 0), [], []
    found["tokens"] = int(max(tokenizer.lengths(everyday[:sentences])))
    for number in range(steps + 1):
        wall, cpu = time.monotonic(), time.process_time()
        loss, _ = task(batches.draw(number))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        task.after_step()
        walls.append(time.monotonic() - wall)
        cpus.append(time.process_time() - cpu)
    found |= {"wall": float(np.median(walls[1:])), "cpu": float(np.median(cpus[1:]))}
    return found | {"before_bytes": before, "peak_bytes": peak_bytes(), "load": os.getloadavg()[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="videoprism_lvt_public_v1_base")
    parser.add_argument("--clips", type=int, default=200, help="captioned clips, 64 of which are in a step")
    parser.add_argument("--steps", type=int, default=3, help="steps to measure, after a first one")
    parser.add_argument("--sentences", type=int, default=64, help="everyday sentences that hold the tower")
    parser.add_argument("--tuned", choices=("lora", "last"), default="lora")
    parser.add_argument("--micro", type=int, default=0, help="sentences of which activations are kept at once; 0: all")
    args = parser.parse_args()
    settings = {"tuned": args.tuned, "micro": args.micro}
    found = measure(args.network, args.clips, args.steps, args.sentences, settings)
    print(f"{args.network}, {args.tuned}: {found['trained'] / 1e6:.1f} M of {found['parameters'] / 1e6:.0f} M trained")
    print(f"start: {found['start_cpu_a_sentence']:.2f} CPU s for each everyday sentence")
    print(f"step of 64 clips and 64 everyday sentences: {found['wall']:.1f} s, {found['cpu']:.1f} CPU s")
    print(f"memory: {found['before_bytes'] / 1e9:.2f} GB before a step, {found['peak_bytes'] / 1e9:.2f} GB at most")
    print(f"load of the machine: {found['load']:.1f} on {os.cpu_count()} cores")
    print(json.dumps({"network": args.network, **settings, **found}))


if __name__ == "__main__":
    main()
