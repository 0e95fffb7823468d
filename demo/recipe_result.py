"""The result of the recipe: weights in the official layout, their vocabulary, and how they were made."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from encoder.config import DEMO, VideoPrismConfig
from encoder.weights import flax_from_state_dict
from files.replace import replace_file, replacing
from training.journal import RESUMED, STARTED, STEP, VALIDATED
from training.run_folder import RunFolder
from training.run_result import RunResult

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS, VOCABULARY, MADE = f"{DEMO.name}.npz", "vocabulary.model", "made.json"
LARGEST = 12_000_000
"""Bytes that the weights may have."""


def facts_of(result: RunResult, folder: RunFolder) -> dict[str, Any]:
    lines = folder.journal.read()
    seconds = _seconds(lines)
    validated = [line["figures"] for line in lines if line["event"] == VALIDATED]
    return {
        "steps": result.steps, "minutes": round(seconds / 60, 1), "figures": dict(result.figures),
        "validation": validated[-1] if validated else {},
    }  # fmt: skip


def _seconds(lines: list[dict[str, Any]]) -> float:
    """Return the time that a run took, all sittings together, as its journal has it."""
    total, last = 0.0, 0
    for line in lines:
        if line["event"] == STEP:
            total += (line["step"] - last) * line["seconds_per_step"]
            last = line["step"]
        elif line["event"] in (STARTED, RESUMED):
            last = line["step"]
    return total


def export(folder: Path, weights: dict[str, torch.Tensor], config: VideoPrismConfig, facts: dict[str, Any]) -> None:
    with replacing(folder / WEIGHTS) as draft:
        with draft.open("wb") as file:
            np.savez(file, **flax_from_state_dict(weights, config))
        if draft.stat().st_size > LARGEST:
            raise SystemExit(f"the weights have {draft.stat().st_size} bytes, more than {LARGEST}")
    made = facts | {
        "commit": commit(), "vocabulary": config.vocabulary, "torch": torch.__version__,
        "made": time.strftime("%Y-%m-%d"),
        "sha256": {name: sha256(folder / name) for name in (WEIGHTS, VOCABULARY)},
    }  # fmt: skip
    replace_file(folder / MADE, (json.dumps(made, indent=1) + "\n").encode())


def install(folder: Path, to: Path = ROOT / "encoder" / "demo") -> None:
    """Copy finished weights and their vocabulary to where the product loads them from."""
    made = json.loads((folder / MADE).read_text(encoding="utf-8"))
    for name in (WEIGHTS, VOCABULARY):
        if sha256(folder / name) != made["sha256"][name]:
            raise SystemExit(f"{folder / name} is not what {MADE} says was made; run the recipe again")
    if made["vocabulary"] != DEMO.vocabulary:
        raise SystemExit(f"first set vocabulary={made['vocabulary']} in DEMO of encoder/config.py")
    for name in (WEIGHTS, VOCABULARY):
        replace_file(to / name, (folder / name).read_bytes())


def commit() -> str:
    """Return the commit of the working tree, with a + if it was changed."""

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
