"""Networks of the full size that know nothing: whether plain questions to them get no good match."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks._clustered_rows import unit
from benchmarks._quality_library import Cut, ask, open_engine
from benchmarks._quality_strength import no_good_match
from benchmarks._quality_table import Table
from demo import captions
from demo.other_worlds import plain_questions
from encoder import ClipSpec
from search.query import TextTerm

_BATCH = 32


class RandomTower:
    """An Encoder of the full size whose text tower has random weights; words are pieces by their checksums."""

    batch = 1
    notice = None
    clip_spec = ClipSpec(16, 288)
    has_text = True

    def __init__(self, configuration: str, seed: int) -> None:
        import torch

        from encoder.config import CONFIGS
        from encoder.model import TextEncoder

        self._config = CONFIGS[configuration]
        self.id = f"random-{configuration}-{seed}@benchmark"
        self.text_id = f"random-{configuration}-{seed}:text@benchmark"
        self.dim = self._config.dim
        torch.manual_seed(seed)
        self._tower = TextEncoder(self._config).eval()
        with torch.no_grad():
            for parameter in self._tower.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=parameter.shape[-1] ** -0.5)
            self._tower.class_embedding.normal_(std=self.dim**-0.5)

    def prepare(self) -> None: ...

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        from encoder.tokenizer import canonical

        rows = [np.empty((0, self.dim), np.float32)]
        for start in range(0, len(texts), _BATCH):
            sentences = [canonical(text).replace(".", " .").split() for text in texts[start : start + _BATCH]]
            ids = np.zeros((len(sentences), self._config.text_tokens), np.int64)
            for at, words in enumerate(sentences):
                pieces = [1 + zlib.crc32(word.encode()) % (self._config.vocabulary - 1) for word in words]
                ids[at, : len(pieces)] = pieces[: ids.shape[1]]
            with torch.inference_mode():
                tokens = torch.from_numpy(ids)
                rows.append(self._tower(tokens, (tokens == 0).float()).numpy())
        return unit(np.concatenate(rows)) if texts else rows[0]

    def unread(self, text: str) -> str:
        return ""

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        return [False] * len(texts)


def random_networks(table: Table, configurations: Sequence[tuple[str, int]], count: int, shots: int) -> None:
    """Add the share of plain questions to networks with random weights that get no good match.

    Rows are clusters of random directions, to which points of the space of texts are added: of texts about another
    world than the questions and the null, because to such a network texts are alike that share words.
    """
    asked = plain_questions(count, np.random.default_rng(2))
    chance = np.random.default_rng(3)
    others = [captions.caption(take, chance) for take in sorted(captions.held_out())[::4]]
    for configuration, seed in configurations:
        encoder = RandomTower(configuration, seed)
        rng = np.random.default_rng(seed)
        texts = encoder.encode_texts(others)
        centres = unit(rng.normal(size=(40, encoder.dim)).astype(np.float32))
        mixed = rng.dirichlet(np.ones(8), size=shots).astype(np.float32)
        in_texts = np.einsum("nk,nkd->nd", mixed, texts[rng.integers(len(texts), size=(shots, 8))])
        noise = unit(rng.normal(size=(shots, encoder.dim)).astype(np.float32))
        rows = unit(centres[rng.integers(40, size=shots)] + in_texts + 0.7 * noise)
        cuts = [
            Cut(f"/random/{at:06d}.mp4", (2.0,) * len(rows[at : at + 8]), rows[at : at + 8])
            for at in range(0, shots, 8)
        ]
        with TemporaryDirectory() as directory:
            engine = open_engine(Path(directory), encoder, cuts)  # type: ignore[arg-type]
            with engine.library:
                hits = [ask(engine, (TextTerm(text),), k=10)[0] for _, text in asked]
        name = configuration.removeprefix("videoprism_lvt_public_v1_")
        no_good_match(
            table, f"random weights, {name}, seed {seed}: plain without a good match", hits, [t for _, t in asked]
        )
