"""Linear layers for a CPU with weights packed once, in float32, bfloat16 and int8, by the oneDNN kernels of torch.

torch's plain layer computes float32 with MKL, which on many processors is a third slower than oneDNN, and would pack
weights in bfloat16 and int8 again at every call.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from encoder.runtime.precision import Precision

GELU_LOWEST = -0.17
"""A lower bound of the outputs of GELU, whose minimum is -0.16997."""

_ROWS = 256
"""The typical number of rows per call, from which oneDNN chooses its layout."""


class PackedLinear(Protocol):
    """A linear layer, x W^T + b, with packed weights."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the layer to rows (M, K), float32 or bfloat16.

        Returns:
            A new tensor (M, N): bfloat16 from a bfloat16 layer, else float32.
        """
        ...


def pack_linear(weight: Tensor, bias: Tensor, precision: Precision, *, lowest: float | None = None) -> PackedLinear:
    """Pack a linear layer.

    Args:
        weight: float32 (N, K).
        bias: float32 (N,).
        precision: What to compute in.
        lowest: A lower bound of the inputs, if one near 0 is known; int8 then uses its whole range above it.
    """
    weight, bias = weight.detach(), bias.detach()
    if precision == "int8":
        return Int8Linear(weight, bias, lowest)
    return FloatLinear(weight, bias, torch.bfloat16 if precision == "bfloat16" else torch.float32)


class FloatLinear:
    """A PackedLinear in float32, or in bfloat16 with sums in float32."""

    def __init__(self, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype).contiguous(), _ROWS)
        self._bias = bias.to(dtype)

    def __call__(self, x: Tensor) -> Tensor:
        """See `PackedLinear.__call__`."""
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x.to(self._dtype), self._packed, self._bias, "none", [], "")
        return y


class Int8Linear:
    """A PackedLinear in int8: one scale per output channel of the weights and per row of the inputs, sums in 32 bits.

    The scale of a row follows its own largest value, so a token with outliers coarsens no other token. Inputs are
    unsigned, as the processor's instruction (VNNI) requires: shifted by 128, or counted from `lowest`.
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
        """See `PackedLinear.__call__`."""
        x = x.float()
        if self._lowest is None:
            step = x.abs().amax(dim=1, keepdim=True).clamp_min_(1e-12).div_(127)
            whole, zero = x * step.reciprocal(), 128
        else:
            step = x.amax(dim=1, keepdim=True).sub_(self._lowest).clamp_min_(1e-12).div_(255)
            inverse = step.reciprocal()
            whole, zero = torch.addcmul(inverse * -self._lowest - 128, x, inverse), 0
        # A signed byte with its top bit flipped is the unsigned one shifted by 128; torch converts to signed faster.
        shifted = whole.round_().to(torch.int8).view(torch.uint8).bitwise_xor_(128)
        y: Tensor = torch.ops.onednn.qlinear_pointwise(
            shifted, 1.0, zero, self._packed, self._scales, self._zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return y.mul_(step).add_(self._bias)
