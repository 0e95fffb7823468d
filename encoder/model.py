"""VideoPrism's networks: the factorised video encoder, and the video-text model (LvT) built around it.

Letters in shapes: B clips, T frames, H and W pixels, N patches, L tokens, D dimensions.

Source: google-deepmind/videoprism, videoprism/encoders.py (FactorizedEncoder, FactorizedVideoCLIP). The factorisation
is model 2 of ViViT (arXiv 2103.15691); the pooler and the text tower are those of CoCa (arXiv 2205.01917).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from encoder.config import VideoPrismConfig
from encoder.layers import LayerNorm, Stack, resize_positions, sinusoid, unit_rows
from encoder.pooler import AttentionPooler

SideOutputs = dict[str, Tensor]
"""Intermediate tensors that a forward pass stores on request, by name (for tests and token features)."""


class VideoEncoder(nn.Module):
    """The video encoder, from frames to patch tokens: attention within each frame, then across frames at each patch."""

    def __init__(self, config: VideoPrismConfig) -> None:
        super().__init__()
        c = self.config = config
        self.patch_projection = nn.Linear(c.patch * c.patch * 3, c.dim)
        self.spatial_positions = nn.Parameter(torch.zeros(c.rows * c.columns, c.dim))
        self.temporal_positions = nn.Parameter(torch.zeros(c.frames, c.dim))
        self.spatial = Stack(c.spatial_layers, c.dim, c.heads, c.mlp, c.logit_cap)
        self.spatial_norm = LayerNorm(c.dim)
        self.temporal = Stack(c.temporal_layers, c.dim, c.heads, c.mlp, c.logit_cap)
        self.temporal_norm = LayerNorm(c.dim)

    def forward(self, video: Tensor, frame_paddings: Tensor | None = None, side: SideOutputs | None = None) -> Tensor:
        """Encode clips.

        Args:
            video: (B, T, H, W, 3), RGB; uint8, or float in [0, 1]. H and W are multiples of the patch; any T.
            frame_paddings: (B, T), 1 = padding.
            side: Receives the tokens after the spatial and after the temporal stack, as `spatial` and
                `spatiotemporal`, (B, T*N, D).

        Returns:
            Tokens (B, T*N, D), at index t*N + row*columns + column.

        Raises:
            ValueError: `video` has another shape.
        """
        if video.ndim != 5:
            raise ValueError(f"clips are (B, T, H, W, 3), got {tuple(video.shape)}")
        b, t = video.shape[:2]
        paddings = None if frame_paddings is None else frame_paddings.reshape(b * t)
        features = self.frame_features(video.flatten(0, 1), paddings)
        features = features.reshape(b, t, *features.shape[1:])
        if side is not None:
            side["spatial"] = features.flatten(1, 2)
        x = self.join(features, frame_paddings)
        if side is not None:
            side["spatiotemporal"] = x
        return x

    def encode_video(self, video: Tensor) -> Tensor:
        """Encode clips (B, T, H, W, 3) to the unit-length means of their tokens (B, D)."""
        return unit_rows(self(video).mean(dim=1))

    def frame_features(self, pictures: Tensor, paddings: Tensor | None = None) -> Tensor:
        """Compute the features of each picture independently: patches, spatial stack, norm.

        Args:
            pictures: (M, H, W, 3), RGB; uint8, or float in [0, 1]. H and W are multiples of the patch.
            paddings: (M,), 1 = padding.

        Returns:
            (M, N, D), N = rows * columns.

        Raises:
            ValueError: `pictures` has another shape.
        """
        c = self.config
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.shape[1] % c.patch or pictures.shape[2] % c.patch:
            raise ValueError(f"frames are (H, W, 3) with H and W multiples of {c.patch}, got {tuple(pictures.shape)}")
        rows, columns = pictures.shape[1] // c.patch, pictures.shape[2] // c.patch
        x = self.patch_projection(self._patches(pictures, rows, columns))  # (M, N, D)
        x = x + resize_positions(self.spatial_positions, (c.rows, c.columns), (rows, columns)).to(x.dtype)
        if paddings is not None:
            paddings = paddings[:, None].expand(x.shape[:2])
        return self.spatial_norm(self.spatial(x, paddings))  # type: ignore[no-any-return]

    def join(self, features: Tensor, frame_paddings: Tensor | None = None) -> Tensor:
        """Attend across the frames of each patch: temporal positions, temporal stack, norm.

        Args:
            features: (B, T, N, D) of `frame_features`; any T.
            frame_paddings: (B, T), 1 = padding.

        Returns:
            Tokens (B, T*N, D), at index t*N + row*columns + column.
        """
        b, t, n, dim = features.shape
        x = features.transpose(1, 2).reshape(b * n, t, dim)
        x = x + resize_positions(self.temporal_positions, (self.config.frames,), (t,)).to(x.dtype)
        if frame_paddings is not None:
            frame_paddings = frame_paddings[:, None, :].expand(b, n, t).reshape(b * n, t)
        x = self.temporal_norm(self.temporal(x, frame_paddings))
        return x.reshape(b, n, t, dim).transpose(1, 2).reshape(b, t * n, dim)  # type: ignore[no-any-return]

    def _patches(self, pictures: Tensor, rows: int, columns: int) -> Tensor:
        """Cut pictures (M, H, W, 3) into patches (M, N, patch*patch*3), channel fastest."""
        p = self.config.patch
        dtype = self.patch_projection.weight.dtype
        if pictures.dtype == torch.uint8:  # converted here, on the device: a quarter of the bytes to send
            pictures = pictures.float() / 255.0
        x = pictures.reshape(-1, rows, p, columns, p, 3).transpose(2, 3)
        return x.reshape(-1, rows * columns, p * p * 3).to(dtype)


class TextEncoder(nn.Module):
    """The text tower, from token ids to one vector: a causal stack with a class vector as its last position."""

    def __init__(self, config: VideoPrismConfig) -> None:
        super().__init__()
        c = self.config = config
        self.token_embedding = nn.Embedding(c.vocabulary, c.dim)
        self.class_embedding = nn.Parameter(torch.zeros(c.dim))
        self.stack = Stack(c.text_layers, c.dim, c.heads, c.text_mlp, c.logit_cap, "relu", causal=True)
        self.norm = LayerNorm(c.dim)

    def forward(self, ids: Tensor, paddings: Tensor) -> Tensor:
        """Encode texts.

        Args:
            ids: int (B, L).
            paddings: (B, L), 1 = padding, at any position.

        Returns:
            (B, D), not normalised.
        """
        c = self.config
        # Columns that are padding in every row change nothing: they are masked, and positions count from the left.
        real = (paddings < 0.5).any(dim=0).nonzero()
        length = int(real[-1]) + 1 if len(real) else 0
        ids, paddings = ids[:, :length], paddings[:, :length]
        x = self.token_embedding(ids.long()) * math.sqrt(c.dim)
        x = x + torch.from_numpy(sinusoid(length, c.dim)).to(x)
        last = (self.class_embedding * math.sqrt(c.dim)).to(x.dtype).expand(len(ids), 1, c.dim)
        x = torch.cat([x, last], dim=1)
        paddings = torch.cat([paddings, paddings.new_zeros(len(ids), 1)], dim=1)
        x = self.norm(self.stack(x, paddings))
        return x[:, -1]  # type: ignore[no-any-return]


class VideoPrismLvT(nn.Module):
    """The video-text network: two towers into one space, of which either may be used alone."""

    def __init__(self, config: VideoPrismConfig) -> None:
        super().__init__()
        if not config.has_text:
            raise ValueError(f"{config.name} is a plain video encoder without a text tower; use VideoEncoder")
        c = self.config = config
        self.vision_encoder = VideoEncoder(c)
        self.auxiliary = Stack(c.auxiliary_layers, c.dim, c.heads, c.mlp, c.logit_cap)
        self.pooler = AttentionPooler(c.dim, c.heads, c.heads * c.pooler_head_dim)
        self.text_encoder = TextEncoder(c)

    def video_tokens(
        self, video: Tensor, frame_paddings: Tensor | None = None, side: SideOutputs | None = None
    ) -> Tensor:
        """Encode (B, T, H, W, 3) to the pooler's input (B, T*N, D). Padded frames leak in, as in the reference."""
        x = self.auxiliary(self.vision_encoder(video, frame_paddings, side))
        if side is not None:
            side["auxiliary"] = x
        return x  # type: ignore[no-any-return]

    def encode_video(
        self,
        video: Tensor,
        frame_paddings: Tensor | None = None,
        *,
        normalize: bool = True,
        side: SideOutputs | None = None,
    ) -> Tensor:
        """Encode clips to one vector each.

        Args:
            video: (B, T, H, W, 3), RGB; uint8, or float in [0, 1]. H and W are multiples of the patch; any T.
            frame_paddings: (B, T), 1 = padding.
            normalize: Whether to scale the rows to unit length.
            side: Receives intermediate tokens by name.

        Returns:
            (B, D).
        """
        x = self.pooler(self.video_tokens(video, frame_paddings, side))
        return unit_rows(x) if normalize else x

    def encode_features(self, features: Tensor) -> Tensor:
        """Encode features (B, T, N, D) of `vision_encoder.frame_features` to unit rows (B, D)."""
        return unit_rows(self.pooler(self.auxiliary(self.vision_encoder.join(features))))

    def encode_frames(self, video: Tensor, frame_paddings: Tensor | None = None, *, normalize: bool = True) -> Tensor:
        """Encode clips to one vector per frame, (B, T, D), each in the context of the whole clip."""
        b, t = video.shape[:2]
        tokens = self.video_tokens(video, frame_paddings)
        x = self.pooler(tokens.reshape(b * t, -1, tokens.shape[-1])).reshape(b, t, -1)
        return unit_rows(x) if normalize else x

    def encode_text(self, ids: Tensor, paddings: Tensor, *, normalize: bool = True) -> Tensor:
        """Encode texts, ids (B, L) and paddings (B, L) with 1 = padding, to (B, D), by default of unit length."""
        x = self.text_encoder(ids, paddings)
        return unit_rows(x) if normalize else x


Network = VideoEncoder | VideoPrismLvT


def vision_of(network: Network) -> VideoEncoder:
    """Return the video encoder of a network, whose tokens heads are trained on; a plain network is one itself."""
    return network.vision_encoder if isinstance(network, VideoPrismLvT) else network


def build(config: VideoPrismConfig) -> Network:
    """Create an untrained network: a VideoPrismLvT if the configuration has a text tower, else a VideoEncoder."""
    return VideoPrismLvT(config) if config.has_text else VideoEncoder(config)
