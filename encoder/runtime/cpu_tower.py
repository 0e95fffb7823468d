"""The video tower of `encoder.model`, split into tasks that one core computes within its cache.

A task is one picture through the whole spatial stack, some patches through the whole temporal stack, or some rows of
one step of the auxiliary stack. Tasks of pictures always have the same shape, so the features of a picture are
bit-identical in any batch.

Letters: B clips, T frames, N patches, L tokens, D dimensions, M rows, d dimensions of a head.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from encoder.config import VideoPrismConfig
from encoder.layers import LAYER_NORM_EPS, Attention, Block, LayerNorm, Stack, resize_positions, unit_rows
from encoder.model import Network, VideoPrismLvT, vision_of
from encoder.runtime.capped_attention import LARGEST_CAP, attend, query_scale
from encoder.runtime.packed_block import Affine, BlockWeights, PackedBlock, PackedNorm, gelu_
from encoder.runtime.packed_linear import pack_linear
from encoder.runtime.precision import Precision
from encoder.runtime.workers import Workers

_ROWS = 256
"""Tokens per task: enough for fast matrix products, few enough for the cache."""


class CpuTower:
    """The video tower with packed weights, from pictures to features to unit rows."""

    def __init__(self, network: Network, precision: Precision, workers: Workers) -> None:
        """Pack copies of the network's weights; the network itself is not needed afterwards.

        Raises:
            ValueError: The network's logit cap is above `LARGEST_CAP`.
        """
        vision = vision_of(network)
        self._config: VideoPrismConfig = network.config
        self._workers = workers
        self._dtype = torch.float32 if precision == "float32" else torch.bfloat16  # dtype of the products in attention
        # The first layer takes 1/200 of the time, and every error passes through it.
        self._patch_projection = pack_linear(vision.patch_projection.weight, vision.patch_projection.bias, "float32")
        self._spatial_positions = vision.spatial_positions.detach()
        self._temporal_positions = vision.temporal_positions.detach()
        self._spatial = _blocks(vision.spatial, precision)
        self._temporal = _blocks(vision.temporal, precision)
        self._spatial_norm = _norm(vision.spatial_norm)
        self._temporal_norm = _norm(vision.temporal_norm)
        self._auxiliary: list[PackedBlock] = []
        self._pooler: Callable[[Tensor], Tensor] = _mean
        if isinstance(network, VideoPrismLvT):
            self._auxiliary = _blocks(network.auxiliary, precision)
            self._pooler = network.pooler

    def frame_features(self, pictures: Tensor) -> Tensor:
        """Compute the features of pictures as `VideoEncoder.frame_features` does.

        Args:
            pictures: uint8 (M, H, W, 3), RGB, H and W multiples of the patch.

        Returns:
            float32 (M, N, D).
        """
        c = self._config
        rows, columns = pictures.shape[1] // c.patch, pictures.shape[2] // c.patch
        n = rows * columns
        positions = resize_positions(self._spatial_positions, (c.rows, c.columns), (rows, columns))
        together = max(1, _ROWS // n)
        features = torch.empty(len(pictures), n, c.dim)

        def spatial(start: int) -> None:
            # The last task is filled up with repetitions, to keep its shape.
            some = [min(i, len(pictures) - 1) for i in range(start, start + together)]
            patches = pictures[some].float().div_(255).view(-1, rows, c.patch, columns, c.patch, 3).transpose(2, 3)
            x = self._patch_projection(patches.reshape(together * n, -1))
            x.view(together, n, c.dim).add_(positions)
            for block in self._spatial:
                q, k, v = block.project(x).view(together, n, 3, block.heads, -1).permute(2, 0, 3, 1, 4)
                block.finish_(x, self._attention(q, k, v).transpose(1, 2).reshape(x.shape))
            x = self._spatial_norm(x).view(together, n, c.dim)
            features[start : start + together] = x[: len(pictures) - start]

        self._workers.each(spatial, range(0, len(pictures), together))
        return features

    def encode_features(self, features: Tensor) -> Tensor:
        """Encode clips of frame features, float32 (B, T, N, D), to unit rows, float32 (B, D)."""
        return torch.cat([self._encode_one(clip) for clip in features])

    def encode_tokens(self, features: Tensor) -> Tensor:
        """Encode clips of frame features, float32 (B, T, N, D), to tokens of the video encoder, float32 (B, T*N, D)."""
        return torch.stack([self._join(clip).flatten(0, 1) for clip in features])

    def _encode_one(self, features: Tensor) -> Tensor:
        t, n, dim = features.shape
        x = self._join(features).view(t * n, dim)
        for block in self._auxiliary:
            self._attend_to_all(block, x)
        with torch.inference_mode():
            return unit_rows(self._pooler(x[None]))

    def _join(self, features: Tensor) -> Tensor:
        """Apply the temporal stack, each patch by itself: (T, N, D) to (T, N, D)."""
        t, n, dim = features.shape
        positions = resize_positions(self._temporal_positions, (self._config.frames,), (t,))[:, None]
        together = max(1, _ROWS // t)
        joined = torch.empty_like(features)

        def temporal(start: int) -> None:
            part = slice(start, start + together)
            x = (features[:, part] + positions).view(-1, dim)  # (T*n, D)
            for block in self._temporal:
                q, k, v = block.project(x).view(t, -1, 3, block.heads, dim // block.heads).permute(2, 1, 3, 0, 4)
                attended = self._attention(q, k, v)  # (n, heads, T, d)
                block.finish_(x, attended.permute(2, 0, 1, 3).reshape(x.shape))
            joined[:, part] = self._temporal_norm(x).view(t, -1, dim)

        self._workers.each(temporal, range(0, n, together))
        return joined

    def _attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend within each of S sequences: q, k, v (S, heads, L, d) to float32 (S, heads, L, d)."""
        sequences, heads, length, d = q.shape
        q, k, v = (part.to(self._dtype) for part in (q, k, v))
        out = torch.empty(sequences, heads, length, d)
        attend(
            q.reshape(-1, length, d),
            k.transpose(2, 3).reshape(-1, d, length),
            v.reshape(-1, length, d),
            self._config.logit_cap,
            out.view(-1, length, d),
        )
        return out

    def _attend_to_all(self, block: PackedBlock, x: Tensor) -> None:
        """Apply one block to all tokens of a clip, x (L, D), in place."""
        length, dim = x.shape
        heads, d = block.heads, dim // block.heads
        q = torch.empty(heads, length, d, dtype=self._dtype)
        k_t = torch.empty(heads, d, length, dtype=self._dtype)
        v = torch.empty(heads, length, d, dtype=self._dtype)
        attended = torch.empty(length, heads, d)

        def project(start: int) -> None:
            part = slice(start, start + _ROWS)
            new_q, new_k, new_v = block.project(x[part]).view(-1, 3, heads, d).unbind(1)
            q[:, part] = new_q.transpose(0, 1)
            k_t[:, :, part] = new_k.permute(1, 2, 0)
            v[:, part] = new_v.transpose(0, 1)

        def attend_rows(task: tuple[int, int]) -> None:
            head, start = slice(task[0], task[0] + 1), task[1]
            part = slice(start, start + _ROWS)
            attend(q[head, part], k_t[head], v[head], self._config.logit_cap, attended[part, head].transpose(0, 1))

        def finish(start: int) -> None:
            part = slice(start, start + _ROWS)
            block.finish_(x[part], attended[part].view(-1, dim))

        starts = range(0, length, _ROWS)
        self._workers.each(project, starts)
        self._workers.each(attend_rows, [(head, start) for head in range(heads) for start in starts])
        self._workers.each(finish, starts)


def _mean(tokens: Tensor) -> Tensor:
    """Pool tokens (B, L, D) to (B, D), as plain networks do."""
    return tokens.mean(dim=1)


def _norm(norm: LayerNorm) -> PackedNorm:
    return PackedNorm(Affine(norm.weight, norm.bias), LAYER_NORM_EPS)


def _blocks(stack: Stack, precision: Precision) -> list[PackedBlock]:
    return [PackedBlock(_weights_of(block), precision) for block in stack.layers if isinstance(block, Block)]


def _weights_of(block: Block) -> BlockWeights:
    feed_forward = block.feed_forward
    return BlockWeights(
        attention_norm=Affine(block.attention_norm.weight, block.attention_norm.bias),
        qkv=_qkv(block.attention),
        out=Affine(block.attention.out.weight, block.attention.out.bias),
        feed_forward_norm=Affine(block.feed_forward_norm.weight, block.feed_forward_norm.bias),
        up=Affine(feed_forward.up.weight, feed_forward.up.bias),
        down=Affine(feed_forward.down.weight, feed_forward.down.bias),
        heads=block.attention.heads,
        eps=LAYER_NORM_EPS,
        activate=gelu_,
    )


def _qkv(attention: Attention) -> Affine:
    """Return weight and bias of the projection, with the queries' scale multiplied in."""
    if attention.cap > LARGEST_CAP:
        raise ValueError(f"a logit cap of {attention.cap} is more than {LARGEST_CAP}")
    weight, bias = attention.qkv.weight.detach().clone(), attention.qkv.bias.detach().clone()
    dim = weight.shape[1]
    scale = query_scale(dim // attention.heads, attention.cap)
    weight[:dim] *= scale
    bias[:dim] *= scale
    return Affine(weight, bias)
