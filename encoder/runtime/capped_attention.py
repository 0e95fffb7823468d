"""Soft-capped attention on one core of a CPU, in blocks whose scores stay in its cache.

softmax(c tanh(s/c)) over keys is 2^(2 c' sigmoid(2 s/c) - c') divided by its sum, c' = c / ln 2: tanh is a sigmoid
stretched and shifted, and what is capped needs no maximum taken off before the exponential (2^72 for a cap of 50).
torch's sigmoid and exp2 on a CPU are 6 and 4 times as fast as its tanh and exp; results differ by float32's rounding.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

SCORES_AT_ONCE = 1 << 19
"""2 MB of float32, 128 queries that look at 4096 keys: fewer rows make poor products, more leave the cache."""

LARGEST_CAP = 80.0
"""2^(80 / ln 2) and a sum of many are still a float32."""


def query_scale(head_dim: int, cap: float) -> float:
    """What queries are multiplied with beforehand, so that scores come as the sigmoid wants them."""
    return 2 / (cap * math.sqrt(head_dim))


def attend(q: Tensor, k_t: Tensor, v: Tensor, cap: float, out: Tensor) -> None:
    """Into out, float32 (G, L, d), any strides: attention of G heads.

    q: (G, L, d), times `query_scale`. k_t: (G, d, M): keys, transposed. v: (G, M, d). All three float32 or bfloat16; of
    bfloat16 only the products are taken in it, the softmax in float32.
    """
    heads, length, keys = q.shape[0], q.shape[1], v.shape[1]
    rows = max(1, min(length, SCORES_AT_ONCE // keys))
    group = max(1, SCORES_AT_ONCE // (rows * keys))
    for head in range(0, heads, group):
        some = slice(head, head + group)
        for start in range(0, length, rows):
            block = slice(start, start + rows)
            _attend(q[some, block], k_t[some], v[some], cap, out[some, block])


def _attend(q: Tensor, k_t: Tensor, v: Tensor, cap: float, out: Tensor) -> None:
    stretch = cap / math.log(2)
    weights = torch.bmm(q, k_t).float().sigmoid_()
    torch.add(torch.tensor(-stretch), weights, alpha=2 * stretch, out=weights).exp2_()
    total = weights.sum(dim=-1, keepdim=True)
    torch.div(torch.bmm(weights.to(v.dtype), v), total, out=out)
