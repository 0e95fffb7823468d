"""Triton kernels of the fused tower: attention with a soft cap, and layer norm of a sum.

The results are those of `encoder.runtime.plain_kernels`, whose protocol describes the arguments. Importing this module
needs Triton.
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from encoder.layers import LAYER_NORM_EPS
from encoder.runtime.token_layout import Sequences

_LARGEST_CAP = 64.0
"""exp(64), 6e27, times thousands of keys and large values is still far below float32's 3e38."""


@triton.jit  # type: ignore[untyped-decorator]
def _tanh(x, EXACT: tl.constexpr):  # type: ignore[no-untyped-def]
    """Compute tanh, within float32 rounding if EXACT (also in Triton's interpreter), else by a faster instruction.

    The instruction is off by at most 5e-4 of x (PTX manual, tanh.approx.f32), less than the uncertainty of a score from
    bfloat16 queries and keys.
    """
    if EXACT:
        # 1 - 2 / (1 + e^2x) is imprecise near 0; there the odd series is used.
        big = 1.0 - 2.0 / (1.0 + tl.exp2(x * 2.8853900817779268))
        y = x * x
        series = x * (1.0 + y * (-0.3333333333 + y * (0.1333333333 - y * 0.0539682540)))
        return tl.where(tl.abs(x) < 0.15, series, big)
    else:
        return tl.inline_asm_elementwise("tanh.approx.f32 $0, $1;", "=f,f", [x], dtype=tl.float32, is_pure=True, pack=1)


@triton.jit  # type: ignore[untyped-decorator]
def _attend(  # type: ignore[no-untyped-def]
    qkv,
    out,
    length,
    inner,
    outer,
    step,
    into_tanh,
    out_of_tanh,
    DIM: tl.constexpr,
    HEADS: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    PADDED: tl.constexpr,
    EVEN: tl.constexpr,
    EXACT: tl.constexpr,
):
    """Attend with one block of queries of one head and sequence to all keys of the sequence.

    Capped scores lie in [-cap, cap], so the exponential needs no running maximum: it cannot overflow, and the
    accumulator is never rescaled (on which flash attention, arXiv 2205.14135, spends the time that tensor cores leave).
    """
    blocks = tl.cdiv(length, BLOCK_M)
    program = tl.program_id(0)
    head = (program // blocks) % HEADS
    sequence = program // (blocks * HEADS)
    first = ((sequence // inner) * outer + sequence % inner).to(tl.int64)
    SIZE: tl.constexpr = DIM // HEADS
    columns = tl.arange(0, PADDED)
    real = columns[None, :] < SIZE

    at = (program % blocks) * BLOCK_M + tl.arange(0, BLOCK_M)
    rows = first + at.to(tl.int64) * step
    inside = real if EVEN else (at[:, None] < length) & real
    q = tl.load(qkv + rows[:, None] * (3 * DIM) + head * SIZE + columns[None, :], mask=inside, other=0.0)

    total = tl.zeros((BLOCK_M,), tl.float32)
    sums = tl.zeros((BLOCK_M, PADDED), tl.float32)
    for begin in range(0, length, BLOCK_N):
        key = begin + tl.arange(0, BLOCK_N)
        keys = (first + key.to(tl.int64) * step)[:, None] * (3 * DIM) + head * SIZE + columns[None, :]
        there = real if EVEN else (key[:, None] < length) & real
        k = tl.load(qkv + DIM + keys, mask=there, other=0.0)
        scores = tl.dot(q, tl.trans(k), input_precision="ieee")
        weights = tl.exp2(_tanh(scores * into_tanh, EXACT) * out_of_tanh)
        if not EVEN:
            weights = tl.where(key[None, :] < length, weights, 0.0)
        total += tl.sum(weights, 1)
        v = tl.load(qkv + 2 * DIM + keys, mask=there, other=0.0)
        sums = tl.dot(weights.to(v.dtype), v, sums, input_precision="ieee")
    result = (sums / total[:, None]).to(out.dtype.element_ty)
    tl.store(out + rows[:, None] * DIM + head * SIZE + columns[None, :], result, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _shifted_norm(x, shift, weight, bias, out, eps, DIM: tl.constexpr, PADDED: tl.constexpr):  # type: ignore[no-untyped-def]
    """Compute the layer norm of one row plus the shift."""
    row = tl.program_id(0).to(tl.int64) * DIM
    columns = tl.arange(0, PADDED)
    real = columns < DIM
    values = tl.load(x + row + columns, mask=real, other=0.0).to(tl.float32)
    values += tl.load(shift + columns, mask=real, other=0.0)
    mean = tl.sum(values, 0) / DIM
    away = tl.where(real, values - mean, 0.0)
    variance = tl.sum(away * away, 0) / DIM
    scaled = away / tl.sqrt(variance + eps)
    scaled = scaled * tl.load(weight + columns, mask=real, other=0.0) + tl.load(bias + columns, mask=real, other=0.0)
    tl.store(out + row + columns, scaled.to(out.dtype.element_ty), mask=real)


def _power_of_two(number: int) -> int:
    """Return the smallest power of two that is not less. (torch.compile cannot trace Triton's own function.)"""
    return 1 << (number - 1).bit_length()


class TritonKernels:
    """An implementation of `encoder.runtime.plain_kernels.Kernels`."""

    def __init__(self, *, exact: bool = False) -> None:
        """Create kernels. exact: compute tanh within the rounding of float32 instead of by the GPU's instruction."""
        self._exact = exact

    def attend(self, qkv: Tensor, sequences: Sequences, heads: int, cap: float) -> Tensor:
        """See `Kernels.attend`. Raise ValueError for a cap with which the exponential could overflow."""
        if cap > _LARGEST_CAP:
            raise ValueError(f"scores capped at {cap} could overflow; at most {_LARGEST_CAP} is possible")
        rows, dim = qkv.shape[0], qkv.shape[1] // 3
        out = torch.empty(rows, dim, dtype=qkv.dtype, device=qkv.device)
        length = sequences.length
        block = min(128, max(16, _power_of_two(length)))
        block_n = min(64, block)
        _attend[(-(-length // block) * heads * sequences.count,)](
            qkv,
            out,
            length,
            sequences.inner,
            sequences.outer,
            sequences.step,
            (dim // heads) ** -0.5 / cap,
            cap / math.log(2),
            DIM=dim,
            HEADS=heads,
            BLOCK_M=block,
            BLOCK_N=block_n,
            PADDED=max(16, _power_of_two(dim // heads)),
            EVEN=length % block == 0,
            EXACT=self._exact,
            num_warps=1 if block <= 16 else 4 if block <= 64 else 8,
            num_stages=1 if block <= 32 else 3,
        )
        return out

    def shifted_norm(self, x: Tensor, shift: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """See `Kernels.shifted_norm`."""
        out = torch.empty_like(x)
        rows, dim = x.shape
        _shifted_norm[(rows,)](
            x, shift, weight, bias, out, LAYER_NORM_EPS, DIM=dim, PADDED=_power_of_two(dim), num_warps=4
        )
        return out
