"""Stage 2 of VideoPrism: a student that sees some tokens of a clip predicts what its teacher makes of the whole clip.

The teacher is the network of stage 1, frozen. The student is a copy of its video encoder; hidden tokens are paddings of
both stacks, because a factorised encoder has other numbers of visible patches in each frame. A local decoder predicts
all tokens of the teacher, visible ones too (copying them must not pay), a global one its pooled vector. Imports torch.

Source: arXiv 2402.13217, 2.3.2, C.2, Algorithm 1, Tables 9 to 11: 0.65 of the tokens are hidden by BEVT's masks,
weight decay is 0.05, both losses weigh the same. NOT PUBLISHED and ours: how the encoder treats hidden tokens, targets
that are not normalised (a cosine does not see their length), one permutation for each clip.

Letters in shapes: B clips, T frames, N patches, L = T * N tokens, V visible tokens, D columns.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from encoder.model import VideoPrismLvT
from training.batches import CaptionedBatch
from training.decoders import DecoderShape, GlobalDecoder, LocalDecoder, own_places, random_orders
from training.distributed import rank
from training.initialisation import is_identity
from training.losses import cosine_distillation
from training.masking import MASKS, hidden_count, visible_positions
from training.stages.pairs import freeze_key_bias
from training.task_module import TaskModule


@dataclass(frozen=True, slots=True)
class Distillation:
    """What is hidden and what it costs.

    Attributes:
        mask: The kind of mask: bevt, tube or random.
        ratio: Share of the tokens that are hidden; 0 is plain distillation of the teacher into a copy.
        shuffle: Whether visible and mask tokens are dealt to all positions at random; else each stays at its own.
        shared_order: Whether all clips of a batch are dealt in the same order.
        local_weight, global_weight: Of the losses; 0 leaves one out.

    Raises:
        ValueError: There is no such mask, or a number is out of range.
    """

    mask: Literal["bevt", "tube", "random"] = "bevt"
    ratio: float = 0.65
    shuffle: bool = True
    shared_order: bool = False
    local_weight: float = 1.0
    global_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.mask not in MASKS:
            raise ValueError(f"a mask is one of {', '.join(MASKS)}, not {self.mask}")
        if not 0 <= self.ratio < 1:
            raise ValueError(f"a masking ratio is at least 0 and below 1, not {self.ratio:g}")
        if min(self.local_weight, self.global_weight) < 0 or not (self.local_weight or self.global_weight):
            raise ValueError("weights of losses are at least 0, and one is above")


class Teacher(nn.Module):
    """The frozen network of stage 1: whole clips to targets."""

    def __init__(self, network: VideoPrismLvT) -> None:
        super().__init__()
        self.vision_encoder = copy.deepcopy(network.vision_encoder)
        self.auxiliary = copy.deepcopy(network.auxiliary) if not is_identity(network.auxiliary) else nn.Identity()
        self.pooler = copy.deepcopy(network.pooler)
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, L, D) and pooled vectors (B, D) of clips (B, T, S, S, 3)."""
        tokens = self.vision_encoder(clips)
        return tokens, self.pooler(self.auxiliary(tokens))

    def train(self, mode: bool = True) -> Teacher:
        """Stay in evaluation mode."""
        return super().train(False)

    def digest(self) -> str:
        """Return the SHA-256 of all weights."""
        digest = hashlib.sha256()
        for name, value in self.state_dict().items():
            digest.update(name.encode() + value.detach().cpu().numpy().tobytes())
        return digest.hexdigest()


class Stage2(TaskModule):
    """A `Task` over batches with `clips` and `number`: student and decoders, on clips without words."""

    def __init__(
        self,
        network: VideoPrismLvT,
        *,
        distillation: Distillation | None = None,
        decoders: DecoderShape | None = None,
        frames: int | None = None,
        weight_decay: float = 0.05,
        seed: int = 0,
        held_out: Sequence[CaptionedBatch] = (),
    ) -> None:
        """Copy teacher and student from a network, which stays as it is.

        Args:
            network: The result of stage 1, or any video-text network.
            distillation: What is hidden; None for what is published.
            decoders: The size of both decoders; None for the published one.
            frames: T of all clips; None for the network's own.
            weight_decay: Of matrices.
            seed: Of the decoders' first weights, of masks and of orders.
            held_out: Clips that are never trained on.
        """
        super().__init__()
        self._distillation = distillation or Distillation()
        c, shape = network.config, decoders or DecoderShape()
        self._frames = frames or c.frames
        tokens = self._frames * c.rows * c.columns
        hidden_count(tokens, self._distillation.ratio)
        self._network = (network,)  # in a tuple: text tower and pooler are no part of this module
        self.weight_decay, self._seed, self._held_out = weight_decay, seed, tuple(held_out)
        self.teacher = Teacher(network)
        self.student = copy.deepcopy(network.vision_encoder).requires_grad_(True)
        settings = self._distillation
        self.local = LocalDecoder(c.dim, tokens, shape, seed=seed) if settings.local_weight else None
        self.global_ = GlobalDecoder(c.dim, network.pooler, shape, seed=seed + 1) if settings.global_weight else None
        if self.global_ is not None:
            freeze_key_bias(self.global_.pooler)

    @property
    def trained(self) -> nn.Module:
        """The student."""
        return self.student

    def forward(self, batch: CaptionedBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its parts, `local` and `global`: means of 1 - cosine, from 0 to 2."""
        return self._losses(batch, np.random.default_rng((self._seed, 2, batch.number, rank())))

    def validate(self) -> Mapping[str, float]:
        """Return figures on held-out clips, with the same masks each time; none if there are none.

        Returns:
            `agreement`, the negative loss; `local` and `global`, the mean cosines with the targets.
        """
        if not self._held_out:
            return {}
        totals: dict[str, float] = {}
        clips = sum(len(batch.clips) for batch in self._held_out)
        with torch.no_grad():
            for place, batch in enumerate(self._held_out):
                loss, parts = self._losses(batch, np.random.default_rng((self._seed, 3, place)))
                share = len(batch.clips) / clips
                totals["agreement"] = totals.get("agreement", 0.0) - share * float(loss)
                for name, value in parts.items():
                    totals[name] = totals.get(name, 0.0) + share * (1 - float(value))
        return totals

    def exported(self) -> VideoPrismLvT:
        """Return the network with the student as its video encoder, in evaluation mode.

        Auxiliary layers, pooler and text tower are those of stage 1, for the stage `lit` to go on with: they have never
        seen the student's tokens, so that it should not be searched with before.
        """
        [network] = self._network
        result = copy.deepcopy(network)
        result.vision_encoder.load_state_dict(self.student.state_dict())
        return result.cpu().eval()

    def hidden_tokens(self, clips: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which tokens the student does not see, bool (B, T, N); equally many of each clip."""
        settings, c = self._distillation, self.student.config
        mask = MASKS[settings.mask]
        return np.stack([mask(self._frames, c.rows, c.columns, settings.ratio, rng) for _ in range(clips)])

    def student_tokens(self, clips: Tensor, hidden: np.ndarray[Any, np.dtype[np.bool_]]) -> Tensor:
        """Return the student's visible tokens (B, V, D), in the order of their positions."""
        if not hidden.any():
            return self.student(clips)  # type: ignore[no-any-return]
        tokens = self.student(clips, hidden=torch.from_numpy(hidden).to(clips.device))
        places = torch.from_numpy(visible_positions(hidden.reshape(len(hidden), -1))).to(clips.device)
        return torch.take_along_dim(tokens, places[..., None], dim=1)

    def _losses(self, batch: CaptionedBatch, rng: np.random.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        device = self.student.spatial_positions.device
        clips, settings = torch.from_numpy(batch.clips).to(device), self._distillation
        if clips.shape[1] != self._frames:
            raise ValueError(f"clips of {self._frames} frames are needed, got {clips.shape[1]}")
        hidden = self.hidden_tokens(len(clips), rng)
        targets, pooled = self.teacher(clips)
        visible = self.student_tokens(clips, hidden)
        loss, parts = visible.new_zeros((), dtype=torch.float32), dict[str, Tensor]()
        if self.local is not None:
            flat = hidden.reshape(len(hidden), -1)
            if settings.shuffle:
                order = random_orders(len(flat), flat.shape[1], rng, shared=settings.shared_order)
            else:
                order = own_places(flat)
            found = cosine_distillation(self.local(visible, torch.from_numpy(order).to(device)), targets)
            loss, parts["local"] = loss + settings.local_weight * found, found.detach()
        if self.global_ is not None:
            found = cosine_distillation(self.global_(visible), pooled)
            loss, parts["global"] = loss + settings.global_weight * found, found.detach()
        return loss, parts
