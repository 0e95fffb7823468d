"""The video tower for a GPU: one token matrix from patches to pooler, in a few large steps without copies.

It computes `encode_video` of both networks of `encoder.model`, without paddings and side outputs. The differences:
- Spatial, temporal and auxiliary layers read the same rows (`encoder.runtime.token_layout`).
- The matrix products themselves add to the residual stream. The biases are not added there: they accumulate in a
  constant row, the shift, which the next layer norm adds in float32.
- The pooler's query is a constant, so keys and scores become one product with D x heads, and values are projected after
  averaging (videoprism/layers.py, AttentionPoolingLayer, multiplied out: 38.7 of 1231 GFLOP per clip of LvT-B).
- Pixels stay integers, which bfloat16 represents exactly; 1/255 is part of the patch projection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from encoder.layers import Block, LayerNorm, Stack, resize_positions, unit_rows
from encoder.model import Network, VideoEncoder, VideoPrismLvT, vision_of
from encoder.pooler import AttentionPooler
from encoder.runtime.plain_kernels import Kernels
from encoder.runtime.token_layout import Sequences

_ALIGNED = 8
"""Columns are padded to a multiple of this, because matrix products are fast on rows of whole 16 bytes."""


@dataclass(frozen=True, slots=True)
class _Norm:
    shift: Tensor  # float32 (D,): the sum of the biases of all blocks before
    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True)
class _Block:
    attention_norm: _Norm
    qkv: Tensor
    qkv_bias: Tensor
    out: Tensor
    feed_forward_norm: _Norm
    up: Tensor
    up_bias: Tensor
    down: Tensor


class FusedTower:
    """The video tower in one dtype on one device, for any B and T, with frames of the network's native size."""

    def __init__(self, network: Network, kernels: Kernels, device: torch.device, dtype: torch.dtype) -> None:
        """Copy the weights of the video tower to the device.

        Args:
            network: The network; unchanged.
            kernels: The attention and norm to use.
            device: The device to compute on.
            dtype: The dtype of weights and activations.
        """
        self.config = network.config
        self.kernels = kernels
        self._device = device
        self._dtype = dtype
        with torch.no_grad():
            vision = vision_of(network)
            self._patches, self._positions = self._patch_projection(vision)
            self._temporal_positions = vision.temporal_positions.detach().float().to(device)
            nothing = torch.zeros(self.config.dim, device=device)
            self._spatial, shift = self._blocks(vision.spatial, nothing)
            self._spatial_norm = self._norm(vision.spatial_norm, shift)
            self._temporal, shift = self._blocks(vision.temporal, nothing)
            self._temporal_norm = self._norm(vision.temporal_norm, shift)
            self._auxiliary: list[_Block] = []
            self._last_shift = nothing
            self._pooler: Callable[[Tensor], Tensor] = _mean
            if isinstance(network, VideoPrismLvT):
                self._auxiliary, self._last_shift = self._blocks(network.auxiliary, nothing)
                self._pooler = _Pooler(network.pooler, device, dtype)

    def __call__(self, clips: Tensor) -> Tensor:
        """Encode clips, uint8 (B, T, S, S, 3) on the device, to unit rows, float32 (B, D). Raises: see `tokens`."""
        return self._rows(self.tokens(clips), clips.shape[1])

    def encode_features(self, features: Tensor) -> Tensor:
        """Encode features of frames (B, T, N, D) to unit rows, float32 (B, D). Raises: see `tokens`."""
        _require_no_gradients()
        b, t = features.shape[:2]
        x = features.to(self._dtype, copy=True).view(-1, features.shape[-1])  # changed in place by the blocks
        return self._rows(self._joined(x, b, t), t)

    def frame_features(self, frames: Tensor) -> Tensor:
        """Compute the features of frames, uint8 (M, S, S, 3) on the device, (M, N, D). Raises: see `tokens`."""
        _require_no_gradients()
        x = self._frame_features(frames[:, None])
        return x.view(len(frames), self.config.rows * self.config.columns, -1)

    def _rows(self, x: Tensor, t: int) -> Tensor:
        """Return the unit rows, float32 (B, D), of tokens x (B, T*N, D), which are changed in place."""
        b, n = len(x), self.config.rows * self.config.columns
        if self._auxiliary:
            self._run(self._auxiliary, x.view(b * t * n, -1), Sequences.within_clips(b, t, n))
            x.add_(self._last_shift.to(x.dtype))
        return unit_rows(self._pooler(x))

    def tokens(self, clips: Tensor) -> Tensor:
        """Encode clips, uint8 (B, T, S, S, 3) on the device, to tokens of the video encoder (B, T*N, D).

        Raises:
            RuntimeError: Gradients are enabled: weights here are copies, and the kernels have no backward pass.
        """
        _require_no_gradients()
        return self._joined(self._frame_features(clips), *clips.shape[:2])

    def _frame_features(self, clips: Tensor) -> Tensor:
        """Return the features of the frames of clips, (B*T*N, D)."""
        b, t, n = clips.shape[0], clips.shape[1], self.config.rows * self.config.columns
        x = self._patch_tokens(clips)  # (B*T*N, D), changed in place by the blocks
        self._run(self._spatial, x, Sequences.within_frames(b, t, n))
        return self._normed(x, self._spatial_norm)

    def _joined(self, x: Tensor, b: int, t: int) -> Tensor:
        """Attend across frames: features of frames x (B*T*N, D), which are changed in place, to tokens (B, T*N, D)."""
        n = self.config.rows * self.config.columns
        positions = resize_positions(self._temporal_positions, (self.config.frames,), (t,)).to(x.dtype)
        x.view(b, t, n, -1).add_(positions[:, None])
        self._run(self._temporal, x, Sequences.across_frames(b, t, n))
        return self._normed(x, self._temporal_norm).view(b, t * n, -1)

    # Weights

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.detach().to(self._device, self._dtype)

    def _patch_projection(self, vision: VideoEncoder) -> tuple[Tensor, Tensor]:
        """Return the projection (D, padded patch values) of pixels 0 to 255, and float32 positions plus bias (N, D)."""
        weight, bias = vision.patch_projection.weight.detach().float() / 255, vision.patch_projection.bias
        weight = F.pad(weight, (0, -weight.shape[1] % _ALIGNED))
        return self._moved(weight), (vision.spatial_positions + bias).detach().float().to(self._device)

    def _norm(self, norm: LayerNorm, shift: Tensor) -> _Norm:
        return _Norm(shift.clone(), *(p.detach().float().to(self._device) for p in (norm.weight, norm.bias)))

    def _blocks(self, stack: Stack, shift: Tensor) -> tuple[list[_Block], Tensor]:
        """Return the stack's blocks, and the shift that the residual stream lacks at its end."""
        blocks = []
        for block in stack.layers:
            assert isinstance(block, Block)
            attention, feed_forward = block.attention, block.feed_forward
            attention_norm = self._norm(block.attention_norm, shift)
            shift = shift + attention.out.bias.detach().float().to(self._device)
            blocks.append(
                _Block(
                    attention_norm=attention_norm,
                    qkv=self._moved(attention.qkv.weight),
                    qkv_bias=self._moved(attention.qkv.bias),
                    out=self._moved(attention.out.weight),
                    feed_forward_norm=self._norm(block.feed_forward_norm, shift),
                    up=self._moved(feed_forward.up.weight),
                    up_bias=self._moved(feed_forward.up.bias),
                    down=self._moved(feed_forward.down.weight),
                )
            )
            shift = shift + feed_forward.down.bias.detach().float().to(self._device)
        return blocks, shift

    # Steps

    def _patch_tokens(self, clips: Tensor) -> Tensor:
        c, p = self.config, self.config.patch
        frames = clips.shape[0] * clips.shape[1]
        values = p * p * 3
        patches = clips.new_zeros(frames * c.rows * c.columns, self._patches.shape[1], dtype=self._dtype)
        parts = patches[:, :values].view(frames, c.rows, c.columns, p, p * 3)
        parts.copy_(clips.view(frames, c.rows, p, c.columns, p * 3).transpose(2, 3))
        x = patches @ self._patches.t()
        x.view(frames, c.rows * c.columns, -1).add_(self._positions.to(x.dtype))
        return x

    def _run(self, blocks: list[_Block], x: Tensor, sequences: Sequences) -> None:
        """Apply the blocks to x (R, D), in place."""
        heads, cap = self.config.heads, self.config.logit_cap
        for block in blocks:
            y = F.linear(self._normed(x, block.attention_norm), block.qkv, block.qkv_bias)
            y = self.kernels.attend(y, sequences, heads, cap)
            x.addmm_(y, block.out.t())
            y = F.linear(self._normed(x, block.feed_forward_norm), block.up, block.up_bias)
            x.addmm_(F.gelu(y), block.down.t())

    def _normed(self, x: Tensor, norm: _Norm) -> Tensor:
        return self.kernels.shifted_norm(x, norm.shift, norm.weight, norm.bias)


def _require_no_gradients() -> None:
    if torch.is_grad_enabled():
        raise RuntimeError(
            "the fused tower has no gradients: run it under torch.inference_mode(), or train the network itself"
        )


def _mean(tokens: Tensor) -> Tensor:
    """Pool tokens (B, L, D) to float32 (B, D), as plain networks do."""
    return tokens.mean(dim=1, dtype=torch.float32)


class _Pooler:
    """The attention pooler with its constant query multiplied out; steps per clip rather than per token in float32."""

    def __init__(self, pooler: AttentionPooler, device: torch.device, dtype: torch.dtype) -> None:
        d, heads = pooler.per_dim_scale.shape[0], pooler.heads
        scale = 1.442695041 / math.sqrt(d) * F.softplus(pooler.per_dim_scale.double())
        query = (pooler.query.double() @ pooler.q.weight.double().t() + pooler.q.bias.double()).view(heads, d) * scale
        # The keys' bias adds the same to every score of a head, which the softmax cancels.
        scorer = torch.einsum("hd,hdk->hk", query, pooler.k.weight.double().view(heads, d, -1))
        padded = F.pad(scorer, (0, 0, 0, -heads % _ALIGNED))
        self._heads = heads
        self._scorer = padded.to(device, dtype)
        self._values = pooler.v.weight.detach().float().view(heads, d, -1).to(device)
        self._values_bias = pooler.v.bias.detach().float().to(device)
        self._out = pooler.out.weight.detach().float().to(device)
        self._out_bias = pooler.out.bias.detach().float().to(device)
        self._norm = (pooler.norm.weight.detach().float().to(device), pooler.norm.bias.detach().float().to(device))
        self._eps = pooler.norm.eps

    def __call__(self, tokens: Tensor) -> Tensor:
        """Pool tokens (B, L, D) to float32 (B, D), not normalised."""
        scores = (tokens @ self._scorer.t())[..., : self._heads].float()  # (B, L, heads)
        weights = torch.softmax(scores, dim=1).to(tokens.dtype)
        means = (weights.transpose(1, 2) @ tokens).float()  # (B, heads, D)
        values = torch.einsum("bhk,hdk->bhd", means, self._values).flatten(1) + self._values_bias
        pooled = F.linear(values, self._out, self._out_bias)
        return F.layer_norm(pooled, pooled.shape[1:], *self._norm, self._eps)
