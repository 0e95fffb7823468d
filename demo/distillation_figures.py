"""The figures of `distillation`: what a network knows of things, motions and backgrounds, and its losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from demo import evaluate, world
from demo.augment import drawn
from demo.distillation_clips import shown_takes
from demo.things import THINGS
from encoder.config import DEMO
from encoder.layers import unit_rows
from encoder.model import VideoPrismLvT
from encoder.tokenizer import Tokenizer
from training.heads.linear import fit_linear
from training.stages.stage2 import Stage2

PROBES = ("things_by_words", "motion_by_probe", "background_by_probe")
LOSSES = ("loss_local", "loss_global")


def probes(network: VideoPrismLvT, tokenizer: Tokenizer, seed: int, clips: int) -> dict[str, float]:
    """Return shares of right answers on clips of held-out pairs.

    Args:
        network: The network.
        tokenizer: Of its text tower.
        seed: Of the clips that are drawn.
        clips: How many the classifiers are fitted on, of other pairs.
    """
    rng = np.random.default_rng((seed, 82))
    shown, held = shown_takes(), evaluate.gallery()
    fitted = [shown[i] for i in rng.permutation(len(shown))[:clips]]
    fitted_rows, _ = encoded(network, fitted, rng)
    held_rows, pooled = encoded(network, held, rng)
    sentences = [f"a {THINGS[thing][1][0]}" for thing in world.THINGS]
    ids, paddings = (torch.from_numpy(each) for each in tokenizer.encode(sentences))
    with torch.no_grad():
        words = network.encode_text(ids, paddings).numpy()
    right = (pooled @ words.T).argmax(axis=1) == [world.THINGS.index(take.thing) for take in held]
    found = {"things_by_words": float(right.mean())}
    for name, classes in (("motion", world.MOTIONS), ("background", world.BACKGROUNDS)):
        truth, answers = (np.array([classes.index(getattr(t, name)) for t in takes]) for takes in (fitted, held))
        head = fit_linear(fitted_rows, np.eye(len(classes), dtype=bool)[truth], multi_label=False, strength=1.0).head
        logits = held_rows @ head.weights.T + head.bias
        found[f"{name}_by_probe"] = float((logits.argmax(axis=1) == answers).mean())
    return found


def encoded(
    network: VideoPrismLvT, takes: Sequence[world.Take], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean tokens (n, D) and unit rows (n, D) of newly drawn clips."""
    means, rows = [], []
    with torch.no_grad():
        for start in range(0, len(takes), 32):
            clips = torch.from_numpy(drawn(takes[start : start + 32], DEMO.frames, DEMO.size, rng))
            tokens = network.vision_encoder(clips)
            means.append(tokens.mean(dim=1).numpy())
            rows.append(unit_rows(network.pooler(network.auxiliary(tokens))).numpy())
    return np.concatenate(means), np.concatenate(rows)


def losses(task: Stage2) -> dict[str, float]:
    """Return both losses on held-out clips."""
    task.eval()
    cosines = task.validate()
    return {f"loss_{name}": 1 - cosines[name] for name in ("local", "global")}


def verdicts(found: dict[str, dict[str, float]]) -> dict[str, bool]:
    """Return which of the expected outcomes came out."""
    a, b = found["A"], found["B"]
    return {
        "A knows things": a["things_by_words"] >= 0.9,
        "A knows no motion": a["motion_by_probe"] <= 0.4,
        "B: both losses fall by half": all(b[f"loss_{n}"] <= b[f"loss_{n}_at_first"] / 2 for n in ("local", "global")),
        "B keeps backgrounds": b["background_by_probe"] >= a["background_by_probe"] - 0.01,
    }


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the lines of a table of A, B and F."""
    names = list(dict.fromkeys(name for figures in found.values() for name in figures))
    lines = [f"{'':24}" + "".join(f"{run:>9}" for run in found)]
    for name in names:
        cells = (f"{figures[name]:9.3f}" if name in figures else f"{'':>9}" for figures in found.values())
        lines.append(f"{name:24}" + "".join(cells))
    return lines
