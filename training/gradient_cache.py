"""A whole batch in chunks: the memory of one, the gradients of all together. Imports torch.

A contrastive loss compares all clips of a batch with all sentences, so gradients of parts of a batch do not add up to
that of the whole (gradient accumulation is another, worse loss). GradCache (arXiv 2101.06983) is exact: rows of all
chunks without a graph, the loss on the rows, and then each chunk again, with a graph, for the gradients of its rows.
That is what `torch.utils.checkpoint` does to a chunk, random numbers of dropout included, in the one backward pass of a
loss.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def encode_in_chunks(encode: Callable[..., Tensor], size: int | None, *inputs: Tensor) -> Tensor:
    """Encode a batch, so that the backward pass holds the activations of one chunk at a time.

    Each chunk is encoded once more in the backward pass. Nothing that `encode` changes, such as counters of batch norm,
    may depend on how often it runs.

    Args:
        encode: Tensors, each with the same number of clips first, to rows (clips, ...), each clip by itself.
        size: Clips of a chunk; None for the whole batch at once, without encoding twice.
        inputs: What it encodes, (B, ...) each.

    Returns:
        (B, ...), equal to `encode(*inputs)` up to rounding.

    Raises:
        ValueError: `size` is below 1, or the inputs are of different length.
    """
    if len({len(each) for each in inputs}) != 1:
        raise ValueError(f"inputs of one batch are equally long, not {[len(each) for each in inputs]}")
    if size is not None and size < 1:
        raise ValueError(f"a chunk has at least 1 clip, not {size}")
    if size is None or size >= len(inputs[0]):
        return encode(*inputs)
    chunks = zip(*(torch.split(each, size) for each in inputs), strict=True)
    return torch.cat([checkpoint(encode, *chunk, use_reentrant=False) for chunk in chunks])
