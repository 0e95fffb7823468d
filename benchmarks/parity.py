"""How far the encoder is from the official JAX code, stage by stage: the golden arrays of tests/golden.

    python benchmarks/parity.py [--full]        --full: also the full-size networks (minutes, 3 GB)

Prints for each network and stage max |difference| and the smallest cosine of rows, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import goldens

Worst = dict[str, tuple[float, float]]


def note(worst: Worst, stage: str, found: torch.Tensor, expected: NDArray[np.float32]) -> None:
    """Keep the largest difference and the smallest cosine of a stage."""
    a, b = found.double().reshape(-1, found.shape[-1]), goldens.tensor(expected).double().reshape(-1, found.shape[-1])
    difference, cosine = worst.get(stage, (0.0, 1.0))
    worst[stage] = (
        max(difference, float((a - b).abs().max())),
        min(cosine, float(torch.cosine_similarity(a, b, dim=-1).min())),
    )


def small(name: str) -> Worst:
    """tiny and odd: the native clip, every other frame count and size, every text case."""
    g, model = goldens.golden(name), goldens.lvt(name)
    worst: Worst = {}
    for key in g:
        kind, case, *stage = key.split("/")
        if stage != ["emb"]:
            continue
        if kind == "text":
            raw = model.encode_text(
                goldens.tensor(g[f"in/text/{case}/ids"]), goldens.tensor(g[f"in/text/{case}/paddings"]), normalize=False
            )
            note(worst, "text raw", raw, g[f"{key}_raw"])
            note(worst, "text", raw / raw.norm(dim=-1, keepdim=True), g[key])
            continue
        words = case.split("_")
        paddings = None
        if case in ("main", "frame_paddings"):
            clips = torch.stack(
                [goldens.tensor(g["in/clip16_u8"])[: model.config.frames], goldens.tensor(g["in/clip_b_u8"])]
            )
            paddings = goldens.tensor(g["in/frame_paddings"]) if case == "frame_paddings" else None
        elif words[0] == "frames":
            clips = goldens.tensor(g["in/clip16_u8"])[None, : int(words[1])]
        else:
            clips = goldens.tensor(g[f"in/clip_size_{words[1]}_u8"])[None]
            clips = clips[:, : int(words[3])] if len(words) > 2 else clips
        side: dict[str, torch.Tensor] = {}
        raw = model.encode_video(clips, paddings, normalize=False, side=side)
        note(worst, "video", raw / raw.norm(dim=-1, keepdim=True), g[key])
        for stage_name, array in (("emb_raw", raw), ("frame_emb", model.encode_frames(clips, paddings))):
            if f"{kind}/{case}/{stage_name}" in g:
                label = {"emb_raw": "video raw", "frame_emb": "frames"}[stage_name]
                note(worst, label, array, g[f"{kind}/{case}/{stage_name}"])
        for stage_name, ours in (("spatial", "spatial"), ("spatiotemporal", "spatiotemporal"), ("aux", "auxiliary")):
            if f"{kind}/{case}/{stage_name}" in g:
                note(worst, ours, side[ours], g[f"{kind}/{case}/{stage_name}"])
    return worst


def full(name: str) -> Worst:
    """LvT-B and LvT-L with recipe parameters."""
    recipe, g, model = goldens.recipe(), goldens.golden(name), goldens.lvt(name)
    worst: Worst = {}
    frames = model.config.frames
    for i in range(len(g["clip_crc32"])):
        side: dict[str, torch.Tensor] = {}
        clip = goldens.tensor(recipe.clip_u8(101 + i, frames, 288))[None]
        raw = model.encode_video(clip, normalize=False, side=side)[0]
        note(worst, "video raw", raw, g[f"video/clip{i}/emb_raw"])
        note(worst, "video", raw / raw.norm(), g[f"video/clip{i}/emb"])
        per_frame = model.pooler(side["auxiliary"].reshape(frames, -1, model.config.dim))
        note(worst, "frames", per_frame / per_frame.norm(dim=-1, keepdim=True), g[f"video/clip{i}/frame_emb"])
        for stage in ("spatial", "spatiotemporal"):
            note(worst, stage, side[stage][0, ::97, ::7], g[f"video/clip{i}/{stage}_97_7"])
    for key in [k for k in g if k.startswith("video/frames_")]:
        clip = goldens.tensor(recipe.clip_u8(111, int(key.split("/")[1].removeprefix("frames_")), 288))[None]
        note(worst, "video, other frame counts", model.encode_video(clip)[0], g[key])
    raw = model.encode_text(goldens.tensor(g["text/ids"]), goldens.tensor(g["text/paddings"]), normalize=False)
    note(worst, "text raw", raw, g["text/emb_raw"])
    note(worst, "text", raw / raw.norm(dim=-1, keepdim=True), g["text/emb"])
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also LvT-B and LvT-L")
    args = parser.parse_args()
    results: dict[str, Worst] = {}
    with torch.no_grad():
        for name in ("tiny", "odd"):
            results[name] = small(name)
        for name in ("lvt_base", "lvt_large") if args.full else ():
            results[name] = full(name)
    for name, worst in results.items():
        for stage, (difference, cosine) in worst.items():
            print(f"{name:10} {stage:26} max |difference| {difference:.1e}   smallest cosine {cosine:.9f}")
    print(json.dumps({name: {s: [d, c] for s, (d, c) in worst.items()} for name, worst in results.items()}))


if __name__ == "__main__":
    main()
