"""Training of the demo encoder: a small VideoPrism-LvT, from scratch, on the procedural demo world.

    python demo/train.py --out encoder/demo/videoprism_lvt_demo.npz

There are two stages, as VideoPrism itself goes from pictures to videos:
  1. single frames with captions that leave the motion out (T = 1: the temporal table is interpolated to one row);
  2. clips of 8 frames with whole captions, half of each batch being the same thing on the same background in all its
     motions, so that nothing but the motion can tell them apart.

The loss is contrastive between clips and captions (InfoNCE in both directions; every caption that is true of a clip
counts as positive). Two helpers are dropped after training: linear classifiers of thing, background and motion on both
embeddings, and a contrastive term that draws clips of the same motion together, because a search by example should find
shots that move alike. No take of `captions.held_out()` is ever shown. Each step draws from its own seed, so an
interrupted run resumes at its last checkpoint, with the same result up to rounding.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import math
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo import captions, world
from demo.augment import augment
from encoder.config import DEMO
from encoder.layers import unit_rows
from encoder.model import VideoPrismLvT
from encoder.tokenizer import Tokenizer
from encoder.weights import flax_from_state_dict

ROOT = Path(__file__).resolve().parent.parent
MOTION_PULL = 0.3
CLASSIFY = 0.5


@dataclass(frozen=True)
class Batch:
    clips: NDArray[np.uint8]  # (B, T, S, S, 3)
    sentences: list[str]
    labels: NDArray[np.int64]  # (B, 3): thing, background, motion
    mentions: NDArray[np.bool_]  # (B, 3): whether the sentence mentions each


def allowed_takes() -> list[world.Take]:
    held = captions.held_out()
    return [
        take
        for thing in world.THINGS
        for background in world.BACKGROUNDS
        for motion in world.MOTIONS
        if (take := world.Take(thing, background, motion)) not in held
    ]


class Sampler:
    """A source of training batches; the content of batch number n depends on the seed and n alone."""

    def __init__(self, seed: int, config_size: int, frames: int) -> None:
        self.seed, self.size, self.frames = seed, config_size, frames
        self.takes = allowed_takes()
        self.groups: dict[tuple[str, str], list[world.Take]] = {}
        for take in self.takes:
            self.groups.setdefault((take.thing, take.background), []).append(take)
        self.pairs = sorted(self.groups)

    def draw(self, number: int, size: int, *, still_frames: bool) -> Batch:
        rng = np.random.default_rng((self.seed, number, int(still_frames)))
        takes: list[world.Take] = []
        while not still_frames and len(takes) < size // 2:
            takes += self.groups[self.pairs[rng.integers(len(self.pairs))]]
        takes = takes[: size // 2]
        takes += [self.takes[i] for i in rng.integers(len(self.takes), size=size - len(takes))]
        clips = self._render(takes, rng, 1 if still_frames else self.frames)
        sentences, mentions = [], np.ones((size, 3), bool)
        for i, take in enumerate(takes):
            if still_frames:
                mentions[i] = (True, bool(rng.random() < 0.7), False)
            elif rng.random() < 0.25:
                mentions[i] = ((True, False, False), (True, True, False), (True, False, True))[rng.integers(3)]
            sentences.append(captions.caption(take, rng, mentions=tuple(mentions[i])))
        labels = np.array(
            [
                (
                    world.THINGS.index(take.thing),
                    world.BACKGROUNDS.index(take.background),
                    world.MOTIONS.index(take.motion),
                )
                for take in takes
            ]
        )
        return Batch(clips, sentences, labels, mentions)

    def _render(self, takes: list[world.Take], rng: np.random.Generator, frames: int) -> NDArray[np.uint8]:
        """Render takes with a random aspect ratio, squashed to the square as indexing does by default."""
        aspect = float(rng.choice((1.0, 4 / 3, 16 / 9, 9 / 16), p=(0.25, 0.2, 0.4, 0.15)))
        clips = world.render(takes, frames=frames, height=self.size, width=self.size, rng=rng, aspect=aspect)
        return augment(clips, self.size, rng)


_sampler: Sampler | None = None


def _start_worker(seed: int, size: int, frames: int) -> None:
    global _sampler
    torch.set_num_threads(1)
    os.nice(3)
    _sampler = Sampler(seed, size, frames)


def _draw(number: int, size: int, still_frames: bool) -> Batch:
    assert _sampler is not None
    return _sampler.draw(number, size, still_frames=still_frames)


class Trainee(nn.Module):
    """The network, and the parameters that are dropped after training."""

    def __init__(self) -> None:
        super().__init__()
        self.network = VideoPrismLvT(DEMO)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        classes = (len(world.THINGS), len(world.BACKGROUNDS), len(world.MOTIONS))
        self.heads = nn.ModuleList(nn.Linear(DEMO.dim, n) for n in classes)
        for name, parameter in self.network.named_parameters():
            if "positions" in name or "class_embedding" in name or name == "pooler.query":
                nn.init.normal_(parameter, std=0.02 if "positions" in name else DEMO.dim**-0.5)
            elif "token_embedding" in name:
                nn.init.normal_(parameter, std=DEMO.dim**-0.5)

    def forward(self, batch: Batch, tokenizer: Tokenizer) -> tuple[Tensor, dict[str, float]]:
        ids, paddings = tokenizer.encode(batch.sentences)
        with torch.autocast("cpu", torch.bfloat16):
            video = self.network.encode_video(torch.from_numpy(batch.clips), normalize=False)
            text = self.network.encode_text(torch.from_numpy(ids), torch.from_numpy(paddings), normalize=False)
        video, text = unit_rows(video.float()), unit_rows(text.float())
        labels, mentions = torch.from_numpy(batch.labels), torch.from_numpy(batch.mentions)
        same = labels[:, None] == labels[None]  # (B, B, 3)
        true = (same | ~mentions[None]).all(-1)  # true[i, j]: sentence j holds for clip i
        logits = self.log_scale.exp().clamp(max=50) * video @ text.T
        contrast = (_soft(logits, true) + _soft(logits.T, true.T)) / 2

        classify = torch.zeros(())
        right = []
        for head, kind in zip(self.heads, range(3), strict=True):
            if batch.clips.shape[1] == 1 and kind == 2:
                continue  # a single frame does not move
            on_video = head(video * 10)
            classify = classify + F.cross_entropy(on_video, labels[:, kind])
            says = mentions[:, kind]
            if says.any():
                classify = classify + F.cross_entropy(head(text[says] * 10), labels[says, kind])
            right.append(float((on_video.argmax(1) == labels[:, kind]).float().mean()))
        loss = contrast + CLASSIFY * classify
        if batch.clips.shape[1] > 1:
            others = ~torch.eye(len(video), dtype=torch.bool)
            pull = _soft((10 * video @ video.T).masked_fill(~others, -1e4), same[..., 2] & others)
            loss = loss + MOTION_PULL * pull
        hit = float(true[torch.arange(len(video)), logits.argmax(1)].float().mean())
        return loss, {
            "loss": loss.item(),
            "contrast": contrast.item(),
            "hit": hit,
            **dict(zip(("thing", "back", "move"), right, strict=False)),
        }


def _soft(logits: Tensor, positive: Tensor) -> Tensor:
    """Return the cross entropy against a uniform distribution over each row's positives."""
    target = positive.float()
    target = target / target.sum(1, keepdim=True).clamp(min=1)
    return -(target * F.log_softmax(logits, dim=1)).sum(1).mean()


def rate(step: int, steps: int, warmup: int = 200) -> float:
    """Return the factor of the learning rate: linear warm-up, then a cosine down to a fiftieth."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def run_stage(
    trainee: Trainee,
    average: dict[str, Tensor],
    args: argparse.Namespace,
    *,
    still_frames: bool,
    state: dict[str, object],
) -> None:
    name = "images" if still_frames else "videos"
    steps = args.image_steps if still_frames else args.video_steps
    size = args.image_batch if still_frames else args.video_batch
    peak = args.image_rate if still_frames else args.video_rate
    done = state.get(name, 0)
    assert isinstance(done, int)
    if done >= steps:
        return
    tokenizer = Tokenizer(ROOT / "encoder/demo/vocabulary.model", DEMO.text_tokens)
    decay = [p for p in trainee.parameters() if p.ndim > 1]
    plain = [p for p in trainee.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=peak, betas=(0.9, 0.98)
    )
    if state.get("optimizer_of") == name:
        optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        args.renderers, context, _start_worker, (args.seed, DEMO.size, DEMO.frames)
    ) as pool:
        ahead = {n: pool.submit(_draw, n, size, still_frames) for n in range(done, min(steps, done + 6))}
        began, recent = time.monotonic(), {}
        for step in range(done, steps):
            batch = ahead.pop(step).result()
            if step + 6 < steps:
                ahead[step + 6] = pool.submit(_draw, step + 6, size, still_frames)
            for group in optimizer.param_groups:
                group["lr"] = peak * rate(step, steps)
            loss, figures = trainee(batch, tokenizer)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
            optimizer.step()
            keep = min(0.998, (1 + step) / (10 + step))
            for key, value in trainee.network.state_dict().items():
                average[key].lerp_(value, 1 - keep)
            recent = {k: 0.95 * recent.get(k, v) + 0.05 * v for k, v in figures.items()}
            if (step + 1) % 50 == 0 or step + 1 == steps:
                pace = (time.monotonic() - began) / (step + 1 - done)
                line = {"stage": name, "step": step + 1, "of": steps, "seconds_a_step": round(pace, 3)}
                print(json.dumps(line | {k: round(v, 4) for k, v in recent.items()}), flush=True)
            if (step + 1) % 500 == 0 or step + 1 == steps:
                state.update({name: step + 1, "optimizer_of": name, "optimizer": optimizer.state_dict()})
                state.update({"trainee": trainee.state_dict(), "average": average})
                torch.save(state, args.checkpoint.with_suffix(".partial"))
                args.checkpoint.with_suffix(".partial").replace(args.checkpoint)
                write(args.out, average)


def write(path: Path, average: dict[str, Tensor]) -> None:
    """Write the averaged weights in the layout of the official checkpoints."""
    partial = path.with_name(f".{path.name}.partial.npz")
    np.savez(partial, **flax_from_state_dict(average, DEMO))
    partial.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "encoder/demo/videoprism_lvt_demo.npz")
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "out/demo_training.pt", help="to go on from")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--image-steps", type=int, default=3000)
    parser.add_argument("--image-batch", type=int, default=256)
    parser.add_argument("--image-rate", type=float, default=1.5e-3)
    parser.add_argument("--video-steps", type=int, default=6000)
    parser.add_argument("--video-batch", type=int, default=128)
    parser.add_argument("--video-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--renderers", type=int, default=1, help="processes that draw clips")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    trainee = Trainee()
    average = {key: value.clone() for key, value in trainee.network.state_dict().items()}
    state: dict[str, object] = {}
    if args.checkpoint.exists():
        state = torch.load(args.checkpoint, weights_only=True)
        trainee.load_state_dict(state["trainee"])  # type: ignore[arg-type]
        average = state["average"]  # type: ignore[assignment]
        print(f"going on after {state.get('images', 0)} image and {state.get('videos', 0)} video steps", flush=True)
    run_stage(trainee, average, args, still_frames=True, state=state)
    run_stage(trainee, average, args, still_frames=False, state=state)
    write(args.out, average)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
