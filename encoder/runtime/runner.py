"""Runners: the execution of a network's towers on one device, behind one protocol.

The Encoder around a runner is the same on every device. `make_runner` chooses the runner.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.errors import EncoderUnavailable
from encoder.model import Network, VideoPrismLvT, vision_of
from encoder.runtime.allocator import keep_large_blocks
from encoder.runtime.precision import WIDE, Precision, packs_layers

_CPU_ACTIVATION = 1 << 22
"""Largest activation, clips x tokens x width, computed at once on a CPU: one clip of full-size networks, many of small
ones. More would be no faster, and cost memory."""
_MOST_AT_ONCE = 8


class Runner(Protocol):
    """The towers of one network on one device; a plain network has no text tower. Calls block until rows are ready.

    Clips are encoded for one thread at a time (the encoder sees to that); sentences, for any number, also meanwhile.
    """

    @property
    def batch(self) -> int:
        """The number of clips per call that keeps the device busy; more are no faster, and cost memory."""
        ...

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode clips.

        Args:
            clips: uint8 (B, T, S, S, 3), RGB, B >= 1, any T.

        Returns:
            float32 (B, D), rows of unit length.

        Raises:
            RuntimeError: An error of torch, out of memory included: the caller may try again with fewer clips.
        """
        ...

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode clips to the tokens of the video encoder; see `encode_clips`.

        Returns:
            float32 (B, L, D), token t*N + n of frame t and patch n.
        """
        ...

    def frame_features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the features of frames, the first half of `encode_clips`.

        Args:
            frames: uint8 (M, S, S, 3), RGB, M >= 1.

        Returns:
            float32 (M, N, D), each independent of the others.
        """
        ...

    def encode_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode clips of which the features of frames are known, the second half; raises as `encode_clips`.

        Args:
            features: float32 (B, T, N, D) of `frame_features`, B >= 1, any T.

        Returns:
            float32 (B, D), rows of unit length.
        """
        ...

    def encode_texts(self, ids: NDArray[np.int32], paddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode tokenized texts. Not to be called for a plain network.

        Args:
            ids: int32 (B, L), B >= 1.
            paddings: float32 (B, L), 1 = padding.

        Returns:
            float32 (B, D), rows of unit length.
        """
        ...


class PlainRunner:
    """A Runner that executes the network unchanged, in float32, on any device of torch."""

    def __init__(self, network: Network, device: str) -> None:
        """Move the network to the device. Raise EncoderUnavailable if it does not fit."""
        if device == "cpu":
            keep_large_blocks()
        self._network = on_device(network, device)
        self._device = torch.device(device)

    @property
    def batch(self) -> int:
        """See `Runner.batch`."""
        config = self._network.config
        if self._device.type != "cpu":
            return _MOST_AT_ONCE
        tokens = config.frames * config.rows * config.columns
        return min(_MOST_AT_ONCE, max(1, _CPU_ACTIVATION // (tokens * config.dim)))

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.encode_clips`. Pixels become floats on the device."""
        return self._in_parts(clips, self._network.encode_video)

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.encode_tokens`."""
        return self._in_parts(clips, vision_of(self._network))

    def frame_features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.frame_features`."""
        return self._in_parts(frames[:, None], lambda part: vision_of(self._network).frame_features(part[:, 0]))

    def encode_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runner.encode_features`."""
        tokens = features.shape[1] * features.shape[2]
        return self._in_parts(features, self._network.encode_features, self._at_once(len(features), tokens))

    def _in_parts(
        self,
        clips: NDArray[np.uint8] | NDArray[np.float32],
        encode: Callable[[Tensor], Tensor],
        step: int | None = None,
    ) -> NDArray[np.float32]:
        """Encode a few at a time: `step`, or as many as the tokens of clips (B, T, H, W, 3) allow."""
        encoded, step = [], step or self._clips_at_once(clips)
        with torch.inference_mode():
            for start in range(0, len(clips), step):
                part = torch.from_numpy(np.ascontiguousarray(clips[start : start + step])).to(self._device)
                encoded.append(encode(part).float().cpu().numpy())
        return np.concatenate(encoded)

    def _clips_at_once(self, clips: NDArray[np.uint8] | NDArray[np.float32]) -> int:
        config = self._network.config
        tokens: int = clips.shape[1] * (clips.shape[2] // config.patch) * (clips.shape[3] // config.patch)
        return self._at_once(len(clips), tokens)

    def _at_once(self, clips: int, tokens: int) -> int:
        if self._device.type != "cpu":
            return clips  # the caller halves a batch that does not fit
        return max(1, _CPU_ACTIVATION // (tokens * self._network.config.dim))

    def encode_texts(self, ids: NDArray[np.int32], paddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runner.encode_texts`."""
        assert isinstance(self._network, VideoPrismLvT)
        with torch.inference_mode():
            x = self._network.encode_text(
                torch.from_numpy(ids).to(self._device), torch.from_numpy(paddings).to(self._device)
            )
        return x.float().cpu().numpy()


def on_device(network: Network, device: str) -> Network:
    """Move a network to a device, in evaluation mode. Raise EncoderUnavailable if it does not fit."""
    try:
        return network.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise EncoderUnavailable(f"{network.config.name} cannot run on {device}: {error}") from error


def make_runner(
    network: Network, device: str, precision: Precision = "float32", *, frames: Collection[int] = ()
) -> Runner:
    """Return the fastest runner for a device and a precision.

    Args:
        network: The network, on the CPU.
        device: A name from `encoder.loading.choose_device`.
        precision: From `encoder.runtime.precision.choose_precision`.
        frames: The numbers of frames that clips will have, for tests of kernels; 0 is none.

    Raises:
        EncoderUnavailable: The device cannot hold the network, or does not support the precision.
    """
    if device.startswith("cuda") and precision == "bfloat16":
        from encoder.runtime.cuda import CudaRunner

        return CudaRunner(network, device, frames=frames)
    if device == "cpu" and packs_layers() and (precision != "float32" or network.config.dim >= WIDE):
        from encoder.runtime.cpu import CpuRunner

        return CpuRunner(network, precision)
    if precision != "float32":
        raise EncoderUnavailable(f"{network.config.name} runs in float32 on {device}, not in {precision}")
    return PlainRunner(network, device)
