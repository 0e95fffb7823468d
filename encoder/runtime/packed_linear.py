"""Linear layers of a CPU, their weights packed once: float32, bfloat16 and int8 by oneDNN's kernels, as torch has them.

The plain layer computes float32 with MKL, which on many processors is a third slower than oneDNN, and would pack the
weights of the other two anew in every call.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from encoder.runtime.precision import Precision

GELU_LOWEST = -0.17
"""Nothing that leaves a GELU is less: its minimum is -0.16997."""

_ROWS = 256
"""How many rows a call will mostly have; oneDNN chooses its layout by it."""


class PackedLinear(Protocol):
    """x W^T + b for rows x."""

    def __call__(self, x: Tensor) -> Tensor:
        """(M, K) float32 or bfloat16 -> (M, N), a new tensor: bfloat16 from the layer of that name, else float32."""
        ...


def pack_linear(weight: Tensor, bias: Tensor, precision: Precision, *, lowest: float | None = None) -> PackedLinear:
    """weight: float32 (N, K); bias: (N,). lowest: what no input is below, where that is known and near 0."""
    weight, bias = weight.detach(), bias.detach()
    if precision == "int8":
        return Int8Linear(weight, bias, lowest)
    return FloatLinear(weight, bias, torch.bfloat16 if precision == "bfloat16" else torch.float32)


class FloatLinear:
    """float32, or bfloat16 with sums in float32."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype).contiguous(), _ROWS)
        self._bias = bias.to(dtype)

    def __call__(self, x: Tensor) -> Tensor:
        """See PackedLinear."""
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x.to(self._dtype), self._packed, self._bias, "none", [], "")
        return y


class Int8Linear:
    """Weights of 8 bits with one scale an output channel, inputs of 8 bits with one scale a row, sums in 32 bits.

    A row's scale follows its own largest value, so that a token with outliers coarsens no other token. Inputs are
    unsigned, as the processor's instruction (VNNI) wants them: shifted by 128, or counted from `lowest`.
    """

    def __init__(self, weight: Tensor, bias: Tensor, lowest: float | None = None) -> None:
        self._lowest = lowest
        scales = weight.abs().amax(dim=1).clamp_min_(1e-12) / 127
        rounded = (weight / scales[:, None]).round_()
        self._packed = torch.ops.onednn.qlinear_prepack(rounded.to(torch.int8), [_ROWS, weight.shape[1]])
        self._scales = scales
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        self._bias = bias if lowest is None else bias + lowest * scales * rounded.sum(dim=1)

    def __call__(self, x: Tensor) -> Tensor:
        """See PackedLinear."""
        x = x.float()
        if self._lowest is None:
            step = x.abs().amax(dim=1, keepdim=True).clamp_min_(1e-12).div_(127)
            whole, zero = x * step.reciprocal(), 128
        else:
            step = x.amax(dim=1, keepdim=True).sub_(self._lowest).clamp_min_(1e-12).div_(255)
            inverse = step.reciprocal()
            whole, zero = torch.addcmul(inverse * -self._lowest - 128, x, inverse), 0
        # Signed bytes with the top bit turned are unsigned ones shifted by 128; torch converts to signed faster.
        shifted = whole.round_().to(torch.int8).view(torch.uint8).bitwise_xor_(128)
        y: Tensor = torch.ops.onednn.qlinear_pointwise(
            shifted, 1.0, zero, self._packed, self._scales, self._zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return y.mul_(step).add_(self._bias)
