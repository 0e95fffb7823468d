"""Kernels of the fused tower: their protocol, and an implementation in plain torch.

The plain one runs on GPUs without Triton and is the reference for `encoder.runtime.triton_kernels`.
"""

from __future__ import annotations

from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

from encoder.layers import LAYER_NORM_EPS, soft_capped_attention
from encoder.runtime.token_layout import Sequences


class Kernels(Protocol):
    """The two operations of the fused tower that a GPU should not split into several."""

    def attend(self, qkv: Tensor, sequences: Sequences, heads: int, cap: float) -> Tensor:
        """Compute softmax(cap * tanh(q k^T / sqrt(d) / cap)) v within each sequence.

        Args:
            qkv: (R, 3 D), contiguous: queries (not scaled), keys and values of all heads.
            sequences: The rows that attend to each other.
            heads: The number of heads; d = D / heads.
            cap: The soft cap of the logits.

        Returns:
            (R, D) of the dtype of `qkv`.
        """
        ...

    def shifted_norm(self, x: Tensor, shift: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return the layer norm of x + shift, computed in float32.

        Args:
            x: (R, D), contiguous.
            shift, weight, bias: float32 (D,).

        Returns:
            (R, D) of the dtype of `x`.
        """
        ...


class PlainKernels:
    """Kernels in plain torch, on any device."""

    def attend(self, qkv: Tensor, sequences: Sequences, heads: int, cap: float) -> Tensor:
        """See `Kernels.attend`."""
        dim = qkv.shape[1] // 3
        groups = sequences.count // sequences.inner
        # Rows are in the order b, t, n; a sequence runs along n (inner == 1, or along t and n) or along t.
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
        """See `Kernels.shifted_norm`."""
        return F.layer_norm(x.float() + shift, x.shape[1:], weight, bias, LAYER_NORM_EPS).to(x.dtype)
