"""Losses of VideoPrism's stages: symmetric contrastive with several positives, and cosine distillation.

Both compute in float32, whatever the inputs are and whether autocast is on. Imports torch.

Letters in shapes: B clips of a batch, C sentences of a batch, b and c of them in this process, L positions, D columns.

Source: the VideoPrism paper (arXiv 2402.13217), sections 2.3.1 and 2.3.2 and appendix C. It knows one sentence to a
clip; several true ones, and none, are ours: in a small batch two clips often share a sentence.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import gather_rows, rank, world_size

FROM_SCRATCH = 1 / 0.07
"""The scale of cosines at the start of training from scratch, as in CLIP; VideoPrism's is NOT PUBLISHED."""

PUBLISHED = 100.0
"""The scale with which the published video-text networks compare, which have none stored (the demo of the official
code: temperature 0.01); the start when they are tuned."""

LEAST_LOG_SCALE, GREATEST_LOG_SCALE = 0.0, math.log(100.0)
"""The bounds of the scale, 1 and 100: CLIP's upper bound; VideoPrism's are NOT PUBLISHED."""


class Temperature(nn.Module):
    """The learned scale of cosines, the inverse of the temperature, kept as its logarithm."""

    def __init__(self, start: float = FROM_SCRATCH) -> None:
        """Create it at the scale `start`, from 1 to 100.

        Raises:
            ValueError: `start` is beyond these bounds.
        """
        super().__init__()
        if not 1 <= start <= 100:
            raise ValueError(f"the scale of cosines is between 1 and 100, not {start:g}")
        self.log_scale = nn.Parameter(torch.tensor(math.log(start)))

    @property
    def value(self) -> float:
        """The scale."""
        return float(self.log_scale.detach().exp())

    def clip_(self) -> None:
        """Put the scale back into its bounds, after an optimizer step.

        A bound in the forward pass instead would have no gradient beyond it: the scale could never come back.
        """
        with torch.no_grad():
            self.log_scale.clamp_(LEAST_LOG_SCALE, GREATEST_LOG_SCALE)


def contrastive_loss(video: Tensor, text: Tensor, positives: Tensor, log_scale: Tensor) -> Tensor:
    """Compute the symmetric contrastive loss: the mean of clips to sentences and of sentences to clips.

    Of each row, it is the mean cross entropy over its positives among all rows of the batch. Rows without a positive
    are left out of the means. With several processes, each compares its own rows with those of all, and returns its
    share times their number: the mean over processes, which `DistributedDataParallel` takes of gradients, is the loss
    of the whole batch.

    Args:
        video: (b, D), of unit length.
        text: (c, D), of unit length.
        positives: bool (B, C) of the whole batch, true where a sentence holds for a clip: B = b and C = c times the
            number of processes, in their order. All processes have the same.
        log_scale: The logarithm of the scale, a scalar.

    Returns:
        A scalar, float32.

    Raises:
        ValueError: `positives` has another shape.
    """
    together, here = world_size(), rank()
    b, c = len(video), len(text)
    if positives.shape != (b * together, c * together):
        raise ValueError(
            f"{b} clips and {c} sentences in each of {together} processes need positives "
            f"{(b * together, c * together)}, got {tuple(positives.shape)}"
        )
    positives = positives.to(video.device)
    with torch.autocast(video.device.type, enabled=False):
        video, text, scale = video.float(), text.float(), log_scale.float().exp()
        all_video, all_text = gather_rows(video), gather_rows(text)
        of_clips, of_sentences = positives, positives.T
        clips = _sum_over_rows(scale * video @ all_text.T, of_clips[here * b : (here + 1) * b])
        sentences = _sum_over_rows(scale * text @ all_video.T, of_sentences[here * c : (here + 1) * c])
        return together * (clips / _rows_that_count(of_clips) + sentences / _rows_that_count(of_sentences)) / 2


def soft_cross_entropy(logits: Tensor, positives: Tensor) -> Tensor:
    """Compute the mean cross entropy of rows that have a positive, each the mean over its positives.

    Args:
        logits: (n, m); -inf where a column does not take part.
        positives: bool (n, m).

    Returns:
        A scalar, float32; 0 if no row has a positive.
    """
    with torch.autocast(logits.device.type, enabled=False):
        return _sum_over_rows(logits.float(), positives) / _rows_that_count(positives)


def cosine_distillation(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the mean of 1 - cosine along the last axis, over everything else.

    The local loss of stage 2 is that of (B, L, D), over all positions, visible ones too; the global one that of (B, D).

    Args:
        predicted: (..., D).
        target: The same shape; no gradient flows into it.

    Returns:
        A scalar, float32, from 0 (same directions) to 2 (opposite ones).

    Raises:
        ValueError: The shapes differ.
    """
    if predicted.shape != target.shape:
        raise ValueError(f"predictions {tuple(predicted.shape)} have other targets, {tuple(target.shape)}")
    with torch.autocast(predicted.device.type, enabled=False):
        return (1 - F.cosine_similarity(predicted.float(), target.detach().float(), dim=-1)).mean()


def _sum_over_rows(logits: Tensor, positives: Tensor) -> Tensor:
    """Return the sum over rows of the mean over their positives of the cross entropy."""
    surprise = -torch.log_softmax(logits, dim=1).masked_fill(~positives, 0)
    return (surprise.sum(dim=1) / positives.sum(dim=1).clamp(min=1)).sum()


def _rows_that_count(positives: Tensor) -> Tensor:
    return positives.any(dim=1).sum().clamp(min=1)
