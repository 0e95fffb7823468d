"""The stage that makes a video-text network of a video encoder, which stays locked. Imports torch.

Source: arXiv 2402.13217, 3.2 and F.1, after LiT (arXiv 2111.07991): text tower and pooler start from stage 1, and the
loss is that of stage 1. The public networks have two more layers before the pooler (`auxiliary`), which the paper does
not mention: they are trained too. Their first weights are NOT PUBLISHED; ours are the identity. Whether tokens are
dropped is not said for this stage; ours are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from encoder.model import VideoPrismLvT
from training.adapters import adapter_parameters, add_adapters, merged_copy
from training.batches import CaptionedBatch
from training.gradient_cache import encode_in_chunks
from training.initialisation import make_identity
from training.losses import PUBLISHED
from training.stages.pairs import PairsStage, freeze_key_bias

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer

ADAPTED = ("vision_encoder.spatial", "vision_encoder.temporal")
"""The stacks that get adapters, if any are wanted."""


class Lit(PairsStage):
    """A `Task`: auxiliary layers, pooler, text tower and temperature; with a rank, also adapters in the encoder."""

    def __init__(
        self,
        network: VideoPrismLvT,
        tokenizer: Tokenizer,
        *,
        fresh_auxiliary: bool = False,
        rank: int = 0,
        alpha: float | None = None,
        temperature: float = PUBLISHED,
        weight_decay: float = 1e-4,
        seed: int = 0,
        micro: int | None = None,
        held_out: Sequence[CaptionedBatch] = (),
    ) -> None:
        """Take a network, which is trained in place; see `PairsStage`.

        Args:
            network: The network, on the CPU.
            tokenizer: Of its text tower.
            fresh_auxiliary: Whether the auxiliary layers begin as the identity, whatever they are: after stage 2.
            rank: Of the adapters in the video encoder (the stage `adapter`); 0 for none, which leaves it as it is.
            alpha: Scale of the adapters times rank; None for the rank.
            temperature: The scale of cosines at the start.
            weight_decay: Of trained matrices.
            seed: Of the adapters' first weights.
            micro: Clips and sentences whose activations are in memory at once; None for the whole batch.
            held_out: Captioned clips that are never trained on.

        Raises:
            ValueError: `rank` is negative, or the network has adapters already.
        """
        super().__init__(
            network, tokenizer, temperature=temperature, weight_decay=weight_decay, seed=seed, micro=micro,
            held_out=held_out,
        )  # fmt: skip
        network.requires_grad_(True)
        network.vision_encoder.requires_grad_(False)
        freeze_key_bias(network.pooler)
        if fresh_auxiliary:
            make_identity(network.auxiliary)
        self._adapted = rank != 0
        if self._adapted:
            add_adapters(network, ADAPTED, rank=rank, alpha=rank if alpha is None else alpha, seed=seed)
            for parameter in adapter_parameters(network.vision_encoder):
                parameter.requires_grad_(True)

    def train(self, mode: bool = True) -> Lit:
        """Set the mode of training; a locked encoder stays in evaluation."""
        super().train(mode)
        if not self._adapted:
            self.network.vision_encoder.eval()
        return self

    def video_rows(self, clips: Tensor, number: int | None) -> Tensor:
        """See `PairsStage.video_rows`."""
        network, micro = self.network, self._micro
        if self._adapted:
            return encode_in_chunks(lambda some: self._pool(network.vision_encoder(some)), micro, clips)
        with torch.no_grad():
            tokens = encode_in_chunks(network.vision_encoder, micro, clips)
        return encode_in_chunks(self._pool, micro, tokens)  # the locked encoder runs once

    def exported(self) -> VideoPrismLvT:
        """Return the network, in evaluation mode; with adapters, a copy in which they are merged."""
        return (merged_copy(self.network) if self._adapted else self.network).eval()

    def _pool(self, tokens: Tensor) -> Tensor:
        return self.network.pooler(self.network.auxiliary(tokens))  # type: ignore[no-any-return]
