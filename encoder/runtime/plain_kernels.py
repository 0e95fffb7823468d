"""What the GPU's tower asks of its kernels, and the same in plain torch: for cards without Triton, and as its proof."""

from __future__ import annotations

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

from encoder.layers import LAYER_NORM_EPS, soft_capped_attention
from encoder.runtime.token_layout import Sequences


class Kernels(Protocol):
    def attend(self, qkv: Tensor, sequences: Sequences, heads: int, cap: float) -> Tensor:
        """softmax(cap * tanh(q k^T / sqrt(d) / cap)) v within each sequence.

        qkv: (R, 3 D), contiguous: queries (not scaled), keys and values of all heads. Returns (R, D).
        """
        ...

    def shifted_norm(self, x: Tensor, shift: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Layer norm of x + shift, computed in float32. x: (R, D), contiguous; the others float32 (D,). As x."""
        ...


class PlainKernels:
    """Kernels on any device."""

    def attend(self, qkv: Tensor, sequences: Sequences, heads: int, cap: float) -> Tensor:
        """See Kernels."""
        dim = qkv.shape[1] // 3
        groups = sequences.count // sequences.inner
        # Of the rows' order b, t, n: sequences and their rows, whichever of t and n runs along a sequence.
        if sequences.inner == 1:
            tokens = qkv.view(groups, sequences.length, 3, heads, dim // heads)
        else:
            tokens = qkv.view(groups, sequences.length, sequences.inner, 3 * dim).transpose(1, 2)
            tokens = tokens.reshape(sequences.count, sequences.length, 3, heads, dim // heads)
        q, k, v = tokens.permute(2, 0, 3, 1, 4)  # each (count, heads, length, d)
        y = soft_capped_attention(q * (dim // heads) ** -0.5, k, v, cap).transpose(1, 2)
        if sequences.inner > 1:
            y = y.reshape(groups, sequences.inner, sequences.length, dim).transpose(1, 2)
        return y.reshape(-1, dim)

    def shifted_norm(self, x: Tensor, shift: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """See Kernels."""
        return F.layer_norm(x.float() + shift, x.shape[1:], weight, bias, LAYER_NORM_EPS).to(x.dtype)
