"""Evaluation of an encoder on clips of the demo world that its training never showed.

    python demo/evaluate.py [--encoder demo | --weights FILE.npz --vocabulary FILE] [--world today grown]
                            [--against FILE.npz --against-vocabulary FILE]

The gallery of today's world has every thing on its held-out background in all 8 motions: 640 clips, each combination
once. The measures are words to clip, motion alone (the 8 clips of one thing on one background, told apart by words),
and clip to clip. Those of the grown world are in `evaluate_grown`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, evaluate_grown, world
from demo.augment import drawn
from encoder import Encoder, load_encoder
from metrics.retrieval import rank_queries

Rows = NDArray[np.float32]


def gallery() -> list[world.Take]:
    """Return the takes of (thing, background) pairs that are held out in all motions, motion by motion."""
    held = captions.held_out()
    return [
        world.Take(thing, background, motion)
        for thing in world.THINGS
        for background in world.BACKGROUNDS
        if all(world.Take(thing, background, m) in held for m in world.MOTIONS)
        for motion in world.MOTIONS
    ]


def clip_rows(encoder: Encoder, takes: list[world.Take], seed: int) -> Rows:
    """Return unit rows of newly drawn clips, float32 (N, D), of mixed aspect ratios and degraded as files are."""
    rng = np.random.default_rng((seed, 77))
    spec = encoder.clip_spec
    parts = (takes[start : start + 16] for start in range(0, len(takes), 16))
    return np.concatenate([encoder.encode_clips(drawn(part, spec.frames, spec.size, rng)) for part in parts])


def measure(encoder: Encoder, seed: int = 1) -> dict[str, float]:
    """Return all measures, as shares of 1."""
    takes = gallery()
    motions = np.array([world.MOTIONS.index(take.motion) for take in takes])
    pairs = np.repeat(np.arange(len(takes) // 8), 8)
    clips, again = clip_rows(encoder, takes, seed), clip_rows(encoder, takes, seed + 1)
    plain = encoder.encode_texts([captions.describe(take) for take in takes])
    rng = np.random.default_rng(seed)
    varied = encoder.encode_texts([captions.caption(take, rng) for take in takes])

    right = np.arange(len(takes))
    asked, free = rank_queries(plain @ clips.T, right), rank_queries(varied @ clips.T, right)
    back = rank_queries(clips @ plain.T, right)
    eights = (plain @ clips.T).reshape(len(pairs) // 8, 8, len(pairs) // 8, 8)
    eights = eights[np.arange(len(eights)), :, np.arange(len(eights)), :]  # (pairs, 8 sentences, 8 clips)
    between = clips @ clips.T
    np.fill_diagonal(between, -2)
    others = np.where(pairs[:, None] == pairs[None], -2, between)
    repeated = np.where(pairs[:, None] == pairs[None], again @ clips.T, -2)
    mine = np.arange(8)[None]
    return {
        "gallery": float(len(takes)),
        "text_to_video_r1": float(asked.within(1).mean()),
        "text_to_video_r5": float(asked.within(5).mean()),
        "varied_text_to_video_r1": float(free.within(1).mean()),
        "video_to_text_r1": float(back.within(1).mean()),
        "motion_by_text": float((eights.argmax(2) == mine).mean()),
        "motion_of_clip": float((eights.argmax(1) == mine).mean()),
        "neighbour_shares_motion": float((motions[between.argmax(1)] == motions).mean()),
        "neighbour_of_another_thing_shares_motion": float((motions[others.argmax(1)] == motions).mean()),
        "same_take_again_among_8": float((repeated.argmax(1) == right).mean()),
    }


def load(weights: Path, vocabulary: Path) -> Encoder:
    """Return an encoder of weights and a vocabulary, wherever they lie."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(weights, Path(folder) / weights.name)
        shutil.copyfile(vocabulary, Path(folder) / "vocabulary.model")
        return load_encoder(folder, "cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="demo")
    parser.add_argument("--weights", type=Path, help="instead of --encoder")
    parser.add_argument("--vocabulary", type=Path, help="of --weights; beside them by default")
    parser.add_argument("--against", type=Path, help="other weights, measured beside them")
    parser.add_argument("--against-vocabulary", type=Path, help="of --against; beside them by default")
    parser.add_argument("--world", nargs="+", choices=("today", "grown"), default=["today", "grown"])
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    def beside(weights: Path, vocabulary: Path | None) -> Encoder:
        return load(weights, vocabulary or weights.parent / "vocabulary.model")

    encoders = [beside(args.weights, args.vocabulary) if args.weights else load_encoder(args.encoder, "cpu")]
    if args.against:
        encoders.append(beside(args.against, args.against_vocabulary))
    told: dict[str, list[dict[str, float]]] = {}
    for world_name, measured in (("today", measure), ("grown", evaluate_grown.measure)):
        if world_name not in args.world:
            continue
        told[world_name] = [measured(encoder, args.seed) for encoder in encoders]
        print(f"{world_name}:")
        for name in told[world_name][0]:
            places = 0 if name == "gallery" else 3
            print(f"  {name:44}" + "".join(f" {figures[name]:8.{places}f}" for figures in told[world_name]))
    print(json.dumps({w: [{n: round(v, 4) for n, v in f.items()} for f in of] for w, of in told.items()}))


if __name__ == "__main__":
    main()
