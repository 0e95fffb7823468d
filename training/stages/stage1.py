"""Stage 1 of VideoPrism: contrastive training of clips and sentences, everything trained. Imports torch.

Source: arXiv 2402.13217, 2.3.1, C.1, Tables 9 and 10: tubes of half the tokens are dropped, pictures are videos of one
frame whose temporal table is cropped, weight decay is 1e-4. The paper contradicts itself on the learning rate: 5e-4 in
Table 10, 1e-4 (base) and 5e-5 (giant) in C.1; the text is taken as right. Dropout and augmentation are NOT PUBLISHED.

The paper has no layers between encoder and pooler; the public video-text networks have two (`auxiliary`). While they
are the identity (`training.initialisation.make_identity`), they are neither run nor trained here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from encoder.model import VideoPrismLvT
from training.batches import CaptionedBatch
from training.distributed import rank
from training.gradient_cache import encode_in_chunks
from training.initialisation import is_identity
from training.losses import FROM_SCRATCH
from training.masking import hidden_count, kept_patches, tube
from training.stages.pairs import PairsStage, freeze_key_bias

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer

DROP = 0.5
"""The published share of tokens that are dropped. Few negatives may want 0."""


class Stage1(PairsStage):
    """A `Task`: both towers, pooler and temperature, on captioned clips or pictures."""

    def __init__(
        self,
        network: VideoPrismLvT,
        tokenizer: Tokenizer,
        *,
        drop: float = DROP,
        crop_time: bool = True,
        temperature: float = FROM_SCRATCH,
        weight_decay: float = 1e-4,
        seed: int = 0,
        micro: int | None = None,
        held_out: Sequence[CaptionedBatch] = (),
    ) -> None:
        """Take a network, which is trained in place; see `PairsStage`.

        Args:
            network: The network, on the CPU.
            tokenizer: Of its text tower.
            drop: Share of the patches that are left out, others in each clip, the same in all its frames.
            crop_time: Whether clips of fewer frames than the temporal table has take its first rows, as published for
                pictures, rather than a resized table. Held-out clips always take the latter, as a search does.
            temperature: The scale of cosines at the start.
            weight_decay: Of matrices.
            seed: Of the tubes.
            micro: Clips and sentences whose activations are in memory at once; None for the whole batch.
            held_out: Captioned clips that are never trained on.

        Raises:
            ValueError: `drop` is not from 0 to below 1.
        """
        super().__init__(
            network, tokenizer, temperature=temperature, weight_decay=weight_decay, seed=seed, micro=micro,
            held_out=held_out,
        )  # fmt: skip
        hidden_count(network.config.rows * network.config.columns, drop)  # refuses what leaves nothing
        self._drop, self._crop_time = drop, crop_time
        network.requires_grad_(True)
        self._runs_auxiliary = not is_identity(network.auxiliary)
        network.auxiliary.requires_grad_(self._runs_auxiliary)
        freeze_key_bias(network.pooler)

    def video_rows(self, clips: Tensor, number: int | None) -> Tensor:
        """See `PairsStage.video_rows`."""
        crop_time = self._crop_time and number is not None

        def encode(clips: Tensor, kept: Tensor | None = None) -> Tensor:
            tokens = self.network.vision_encoder(clips, kept=kept, crop_time=crop_time)
            return self.network.pooler(self.network.auxiliary(tokens) if self._runs_auxiliary else tokens)  # type: ignore[no-any-return]

        if number is None or not self._drop:
            return encode_in_chunks(encode, self._micro, clips)
        return encode_in_chunks(encode, self._micro, clips, self.kept_patches(clips, number).to(clips.device))

    def kept_patches(self, clips: Tensor, number: int) -> Tensor:
        """Return the patches of each clip (B, T, H, W, 3) that are kept in batch `number`, int64 (B, K)."""
        rng = np.random.default_rng((self._seed, 1, number, rank()))
        patch = self.network.config.patch
        rows, columns = clips.shape[2] // patch, clips.shape[3] // patch
        kept = [kept_patches(tube(1, rows, columns, self._drop, rng)) for _ in range(len(clips))]
        return torch.from_numpy(np.stack(kept))
