"""VideoPrism's networks: the factorised video encoder, and the video-text model (LvT) built around it.

Letters in shapes: B clips, T frames, H and W pixels, N patches, K of them that are kept, L tokens, D dimensions.

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

    def forward(
        self,
        video: Tensor,
        frame_paddings: Tensor | None = None,
        side: SideOutputs | None = None,
        *,
        hidden: Tensor | None = None,
        kept: Tensor | None = None,
        crop_time: bool = False,
    ) -> Tensor:
        """Encode clips.

        Args:
            video: (B, T, H, W, 3), RGB; uint8, or float in [0, 1]. H and W are multiples of the patch; any T.
            frame_paddings: (B, T), 1 = padding.
            side: Receives the tokens after the spatial and after the temporal stack, as `spatial` and
                `spatiotemporal`, (B, T*N, D).
            hidden: bool (B, T, N), true for tokens that the others cannot see: they are paddings of both stacks. Their
                own outputs mean nothing.
            kept: int64 (B, K), the patches that are encoded, the same in every frame; the others take no time. The
                outputs are those with all others hidden.
            crop_time: See `join`.

        Returns:
            Tokens (B, T*N, D), at index t*N + row*columns + column; of `kept` patches (B, T*K, D), at index t*K + k.

        Raises:
            ValueError: `video` or `hidden` has another shape, or paddings are given in more than one way.
        """
        if video.ndim != 5:
            raise ValueError(f"clips are (B, T, H, W, 3), got {tuple(video.shape)}")
        if sum(each is not None for each in (frame_paddings, hidden, kept)) > 1:
            raise ValueError("of frame_paddings, hidden and kept, one at a time is supported")
        b, t = video.shape[:2]
        paddings = frame_paddings if hidden is None else hidden.to(torch.float32)
        features = self.frame_features(
            video.flatten(0, 1),
            None if paddings is None else paddings.flatten(0, 1),
            kept=None if kept is None else kept.repeat_interleave(t, dim=0),
        )
        features = features.reshape(b, t, *features.shape[1:])
        if side is not None:
            side["spatial"] = features.flatten(1, 2)
        x = self.join(features, paddings, crop_time=crop_time)
        if side is not None:
            side["spatiotemporal"] = x
        return x

    def encode_video(self, video: Tensor) -> Tensor:
        """Encode clips (B, T, H, W, 3) to the unit-length means of their tokens (B, D)."""
        return unit_rows(self(video).mean(dim=1))

    def encode_features(self, features: Tensor) -> Tensor:
        """Encode features (B, T, N, D) of `frame_features` to unit rows (B, D), as `encode_video` does."""
        return unit_rows(self.join(features).mean(dim=1))

    def frame_features(self, pictures: Tensor, paddings: Tensor | None = None, *, kept: Tensor | None = None) -> Tensor:
        """Compute the features of each picture independently: patches, spatial stack, norm.

        Args:
            pictures: (M, H, W, 3), RGB; uint8, or float in [0, 1]. H and W are multiples of the patch.
            paddings: (M,) for whole pictures or (M, N) for patches, 1 = padding.
            kept: int64 (M, K), the patches of each picture that are encoded; None for all.

        Returns:
            (M, N, D), N = rows * columns; with `kept`, (M, K, D).

        Raises:
            ValueError: `pictures` or `paddings` has another shape.
        """
        c = self.config
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.shape[1] % c.patch or pictures.shape[2] % c.patch:
            raise ValueError(f"frames are (H, W, 3) with H and W multiples of {c.patch}, got {tuple(pictures.shape)}")
        rows, columns = pictures.shape[1] // c.patch, pictures.shape[2] // c.patch
        patches = self._patches(pictures, rows, columns)
        positions = resize_positions(self.spatial_positions, (c.rows, c.columns), (rows, columns))  # (N, D)
        if kept is not None:
            patches = patches.gather(1, kept[..., None].expand(*kept.shape, patches.shape[-1]))
            positions = positions[kept]  # (M, K, D)
        x = self.patch_projection(patches)
        x = x + positions.to(x.dtype)
        if paddings is not None:
            if paddings.ndim == 2 and paddings.shape != x.shape[:2]:
                raise ValueError(f"the paddings of {tuple(x.shape[:2])} patches are {tuple(paddings.shape)}")
            paddings = paddings if paddings.ndim == 2 else paddings[:, None].expand(x.shape[:2])
        return self.spatial_norm(self.spatial(x, paddings))  # type: ignore[no-any-return]

    def join(self, features: Tensor, paddings: Tensor | None = None, *, crop_time: bool = False) -> Tensor:
        """Attend across the frames of each patch: temporal positions, temporal stack, norm.

        Args:
            features: (B, T, N, D) of `frame_features`; any T.
            paddings: (B, T) for whole frames or (B, T, N) for patches, 1 = padding.
            crop_time: Whether fewer frames than the table has take its first rows, as pictures did in pre-training,
                rather than resized ones, as everything does afterwards.

        Returns:
            Tokens (B, T*N, D), at index t*N + row*columns + column.
        """
        b, t, n, dim = features.shape
        x = features.transpose(1, 2).reshape(b * n, t, dim)
        table, rows = self.temporal_positions, self.config.frames
        positions = table[:t] if crop_time and t < rows else resize_positions(table, (rows,), (t,))
        x = x + positions.to(x.dtype)
        if paddings is not None:
            each = paddings if paddings.ndim == 3 else paddings[..., None].expand(b, t, n)
            paddings = each.transpose(1, 2).reshape(b * n, t)
        x = self.temporal_norm(self.temporal(x, paddings))
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

    def forward(self, ids: Tensor, paddings: Tensor, *, trim: bool = True) -> Tensor:
        """Encode texts.

        Args:
            ids: int (B, L).
            paddings: (B, L), 1 = padding, at any position.
            trim: Whether to leave out the last columns if they are padding in every row. This changes nothing but time:
                less for short texts, but on a GPU the host waits to learn how many. Training has fixed lengths instead.

        Returns:
            (B, D), not normalised.
        """
        c = self.config
        length = ids.shape[1]
        if trim:
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
        self,
        video: Tensor,
        frame_paddings: Tensor | None = None,
        side: SideOutputs | None = None,
        *,
        kept: Tensor | None = None,
    ) -> Tensor:
        """Encode (B, T, H, W, 3) to the pooler's input (B, T*N, D). Padded frames leak in, as in the reference.

        With `kept` (see `VideoEncoder.forward`), it is (B, T*K, D).
        """
        x = self.auxiliary(self.vision_encoder(video, frame_paddings, side, kept=kept))
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
        kept: Tensor | None = None,
    ) -> Tensor:
        """Encode clips to one vector each.

        Args:
            video: (B, T, H, W, 3), RGB; uint8, or float in [0, 1]. H and W are multiples of the patch; any T.
            frame_paddings: (B, T), 1 = padding.
            normalize: Whether to scale the rows to unit length.
            side: Receives intermediate tokens by name.
            kept: int64 (B, K), the patches that are encoded in every frame; None for all.

        Returns:
            (B, D).
        """
        x = self.pooler(self.video_tokens(video, frame_paddings, side, kept=kept))
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

    def encode_text(self, ids: Tensor, paddings: Tensor, *, normalize: bool = True, trim: bool = True) -> Tensor:
        """Encode texts, ids (B, L) and paddings (B, L) with 1 = padding, to (B, D), by default of unit length.

        See `TextEncoder.forward` on `trim`.
        """
        x = self.text_encoder(ids, paddings, trim=trim)
        return unit_rows(x) if normalize else x


Network = VideoEncoder | VideoPrismLvT


def vision_of(network: Network) -> VideoEncoder:
    """Return the video encoder of a network, whose tokens heads are trained on; a plain network is one itself."""
    return network.vision_encoder if isinstance(network, VideoPrismLvT) else network


def build(config: VideoPrismConfig) -> Network:
    """Create an untrained network: a VideoPrismLvT if the configuration has a text tower, else a VideoEncoder."""
    return VideoPrismLvT(config) if config.has_text else VideoEncoder(config)
