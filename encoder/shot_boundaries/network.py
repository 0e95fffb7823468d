"""TransNetV2 for inference, after the paper (arXiv 2008.04838), with the published weights.

Three blocks of two layers see the frames of a window. A layer has four branches, each a spatial convolution, 3 x 3 and
frame by frame, and a temporal one, 3 frames that are 1, 2, 4 or 8 frames apart. Two more inputs of the classifier are
the similarities of each frame to the 50 before and the 50 after it: one of learned features, one of colours.

Tensors are channels-last throughout: a spatial convolution sees a window as T pictures of H x W pixels, a temporal one
the same memory as one picture of T x HW pixels. Both are 2-D convolutions, which are faster than 3-D ones.

Letters in shapes: B windows, T frames, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

_BLOCKS = 3
_DILATIONS = (1, 2, 4, 8)
_NORM_EPS = 1e-3
_REACH = 50
"""Frames before and after a frame that it is compared with."""

_LEVELS_BITS = 3  # 8 levels a colour channel, 512 colours


class TransNetV2:
    """The network with its weights on a device."""

    def __init__(self, state: Mapping[str, Tensor], device: torch.device, dtype: torch.dtype) -> None:
        """Fold the norms into the convolutions and move everything to the device.

        Args:
            state: The state dict of the published network.
            device: Where to compute.
            dtype: Format of the convolutions and of the classifier's large layer; all else is float32.
        """
        self._device, self._dtype = device, dtype
        self._blocks = [
            [_Layer(state, f"SDDCNN.{block}.DDCNN.{layer}", device, dtype) for layer in range(2)]
            for block in range(_BLOCKS)
        ]
        # Pixels stay whole numbers up to 255, which bfloat16 holds exactly, and the first layer divides them.
        self._blocks[0][0].divide_input(255)
        self._projection = _linear(state, "frame_sim_layer.projection", device)
        self._similarity = _linear(state, "frame_sim_layer.fc", device)
        self._colour = _linear(state, "color_hist_layer.fc", device)
        self._hidden = _linear(state, "fc1", device, dtype)
        single, many_hot = (_linear(state, f"cls_layer{i}", device) for i in (1, 2))
        self._out = torch.cat([single[0], many_hot[0]]), torch.cat([single[1], many_hot[1]])

    def __call__(self, windows: Tensor) -> Tensor:
        """Score frames: uint8 (B, T, 27, 48, 3) RGB to float32 (B, T, 2), on the device."""
        with torch.inference_mode():
            frames = windows.to(self._device)
            b, t = frames.shape[:2]
            x = frames.to(self._dtype)
            means = []
            for first, second in self._blocks:
                x = F.relu_(first(x))
                x = _pool(F.relu_(second(x)).add_(x))
                means.append(x.mean((2, 3), dtype=torch.float32))
            features = F.normalize(F.linear(torch.cat(means, 2), *self._projection), dim=2)
            inputs = [
                F.relu(F.linear(_similarities(_histograms(frames)), *self._colour)).to(self._dtype),
                F.relu(F.linear(_similarities(features), *self._similarity)).to(self._dtype),
                x.reshape(b, t, -1),
            ]
            hidden = F.relu(F.linear(torch.cat(inputs, 2), *self._hidden)).float()
            return F.linear(hidden, *self._out).sigmoid()


class _Layer:
    """The branches of a layer, whose outputs are concatenated: (B, T, H, W, C) to (B, T, H, W, 4 F)."""

    def __init__(self, state: Mapping[str, Tensor], name: str, device: torch.device, dtype: torch.dtype) -> None:
        scale = state[f"{name}.bn.weight"] / torch.sqrt(state[f"{name}.bn.running_var"] + _NORM_EPS)
        shift = state[f"{name}.bn.bias"] - state[f"{name}.bn.running_mean"] * scale
        self._branches = []
        for i, dilation in enumerate(_DILATIONS):
            spatial = state[f"{name}.Conv3D_{dilation}.layers.0.weight"].squeeze(2)  # (2 F, C, 3, 3)
            temporal = state[f"{name}.Conv3D_{dilation}.layers.1.weight"].squeeze(4)  # (F, 2 F, 3, 1)
            part = slice(i * len(temporal), (i + 1) * len(temporal))
            temporal = temporal * scale[part, None, None, None]
            self._branches.append(
                (
                    dilation,
                    spatial.to(device, dtype, memory_format=torch.channels_last),
                    temporal.to(device, dtype, memory_format=torch.channels_last),
                    shift[part].to(device, dtype),
                )
            )

    def divide_input(self, divisor: float) -> None:
        """Expect inputs multiplied by `divisor`."""
        self._branches = [(d, spatial / divisor, temporal, bias) for d, spatial, temporal, bias in self._branches]

    def __call__(self, x: Tensor) -> Tensor:
        b, t, h, w, _ = x.shape
        pictures = x.flatten(0, 1).permute(0, 3, 1, 2)
        outputs = []
        for dilation, spatial, temporal, bias in self._branches:
            y = F.conv2d(pictures, spatial, padding=1)
            y = y.permute(0, 2, 3, 1).reshape(b, t, h * w, -1).permute(0, 3, 1, 2)
            y = F.conv2d(y, temporal, bias, padding=(dilation, 0), dilation=(dilation, 1))
            outputs.append(y.permute(0, 2, 3, 1))
        return torch.cat(outputs, 3).reshape(b, t, h, w, -1)


def _pool(x: Tensor) -> Tensor:
    """Halve height and width by averaging; an odd last row or column is left out."""
    b, t, h, w, _ = x.shape
    pooled = F.avg_pool2d(x.flatten(0, 1).permute(0, 3, 1, 2), 2)
    return pooled.permute(0, 2, 3, 1).reshape(b, t, h // 2, w // 2, -1)


def _similarities(rows: Tensor) -> Tensor:
    """Multiply each row with its neighbours: (B, T, D) to (B, T, 101), 0 beyond the ends."""
    products = F.pad(rows @ rows.transpose(1, 2), (_REACH, _REACH))
    return products.unfold(2, 2 * _REACH + 1, 1).diagonal(dim1=1, dim2=2).transpose(1, 2)


def _histograms(frames: Tensor) -> Tensor:
    """Count the colours of each frame: uint8 (B, T, H, W, 3) to unit rows, float32 (B, T, 512)."""
    b, t = frames.shape[:2]
    levels = (frames >> (8 - _LEVELS_BITS)).flatten(2, 3).long()
    colours = (levels[..., 0] << 2 * _LEVELS_BITS) + (levels[..., 1] << _LEVELS_BITS) + levels[..., 2]
    bins = 1 << 3 * _LEVELS_BITS
    places = torch.arange(b * t, device=frames.device).view(b, t, 1) * bins + colours
    counts = torch.bincount(places.flatten(), minlength=b * t * bins).view(b, t, bins)
    return F.normalize(counts.float(), dim=2)


def _linear(
    state: Mapping[str, Tensor], name: str, device: torch.device, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    return state[f"{name}.weight"].to(device, dtype), state[f"{name}.bias"].to(device, dtype)
