"""Clips of the demo world with captions that never tell the motion, for `distillation`."""

from __future__ import annotations

import numpy as np

from demo import captions, world
from demo.augment import drawn
from encoder.config import DEMO
from training.batches import CaptionedBatch


def shown_takes() -> list[world.Take]:
    """Return the takes that may be trained on."""
    held = captions.held_out()
    every = (world.Take(t, b, m) for t in world.THINGS for b in world.BACKGROUNDS for m in world.MOTIONS)
    return [take for take in every if take not in held]


class Batches:
    """Clips with captions that tell the thing, and mostly the background, but never the motion."""

    def __init__(self, seed: int, size: int, frames: int) -> None:
        self.seed, self.size, self.frames, self.takes = seed, size, frames, shown_takes()

    def draw(self, number: int) -> CaptionedBatch:
        """See `BatchSource.draw`."""
        rng = np.random.default_rng((self.seed, number, self.frames))
        takes = [self.takes[i] for i in rng.integers(len(self.takes), size=self.size)]
        mentions = [(True, bool(rng.random() < 0.7), False) for _ in takes]
        sentences = tuple(captions.caption(take, rng, mentions=m) for take, m in zip(takes, mentions, strict=True))
        things, places = (np.array([getattr(take, name) for take in takes]) for name in ("thing", "background"))
        told = np.array([m[1] for m in mentions])
        holds = (things[:, None] == things) & ((places[:, None] == places) | ~told)  # sentence j of clip i
        return CaptionedBatch(drawn(takes, self.frames, DEMO.size, rng), sentences, holds, number)
