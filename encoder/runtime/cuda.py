"""VideoPrism on an NVIDIA GPU in bfloat16, in chunks that fit its memory, with fused kernels if possible.

A chunk is sent while the previous one is computed. The same code runs on a CPU without streams and Triton, which is how
most of it is tested.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.config import VideoPrismConfig
from encoder.errors import EncoderUnavailable
from encoder.layers import unit_rows
from encoder.model import Network, VideoPrismLvT
from encoder.runtime.fused_tower import FusedTower
from encoder.runtime.kernel_trust import best_kernels
from encoder.runtime.plain_kernels import Kernels
from encoder.runtime.staging import Staging

_log = logging.getLogger(__name__)

_CHUNK_TOKENS = 1 << 17
"""Tokens computed at once if memory allows: 32 clips of LvT-B, 64 of LvT-L. Matrix products are efficient well below
that."""

_SHARE_OF_FREE = 0.6
"""Fraction used of the memory that is free when the encoder is loaded, because other programs use the GPU too."""


AnyClips = TypeVar("AnyClips", NDArray[np.uint8], NDArray[np.float32])
"""Clips (B, T, S, S, 3), or the features of their frames (B, T, N, D)."""


class CudaRunner:
    """An `encoder.runtime.runner.Runner` over a `FusedTower`.

    The text tower runs unchanged, in float32, because a sentence costs a thousandth of a clip.
    """

    def __init__(
        self,
        network: Network,
        device: str,
        *,
        kernels: Kernels | None = None,
        dtype: torch.dtype = torch.bfloat16,
        frames: Collection[int] = (),
    ) -> None:
        """Move a network to a device.

        Args:
            network: The network, on the CPU.
            device: cuda or cuda:N; cpu for tests.
            kernels: The kernels to use; None for the best that the device runs correctly.
            dtype: The precision of the video tower.
            frames: The numbers of frames that clips will have, for the test of kernels.

        Raises:
            EncoderUnavailable: The device does not compute in bfloat16, or cannot hold the network.
        """
        self._device = torch.device(device)
        self._config = network.config
        self._staging: Staging | None = None
        self._tokens_at_once = _CHUNK_TOKENS
        try:
            if self._device.type == "cuda" and dtype == torch.bfloat16 and not computes_bfloat16(device):
                raise EncoderUnavailable(
                    f"{torch.cuda.get_device_name(self._device)} does not compute in bfloat16; use --precision float32"
                )
            with self._on_device():
                chosen = kernels or best_kernels(self._device, dtype, network.config, frames)
                self._tower = FusedTower(network, chosen, self._device, dtype)
                text = network.text_encoder if isinstance(network, VideoPrismLvT) else None
                self._text = None if text is None else text.to(self._device).eval()
                if self._device.type == "cuda":
                    self._staging = Staging(self._device)
                    free, _ = torch.cuda.mem_get_info(self._device)
                    fit = int(free * _SHARE_OF_FREE / bytes_a_token(network.config))
                    self._tokens_at_once = min(_CHUNK_TOKENS, fit)
        except (RuntimeError, AssertionError) as error:
            raise EncoderUnavailable(f"{network.config.name} cannot run on {device}: {error}") from error

    def _on_device(self) -> AbstractContextManager[Any]:
        """Make the device current, because Triton launches on the thread's current device."""
        return torch.cuda.device(self._device) if self._device.type == "cuda" else nullcontext()

    @property
    def batch(self) -> int:
        """See `Runner.batch`: two chunks, so that one is sent while the other is computed."""
        return 2 * self._chunk(self._config.frames)

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.encode_clips`. Out of memory, it tries again with smaller chunks, down to one clip."""
        return self._encoded(clips, self._rows_in_chunks)

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.encode_tokens`. Out of memory, as for clips."""
        return self._encoded(clips, self._tokens_in_chunks)

    def frame_features(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Runner.frame_features`. Out of memory, as for clips."""
        return self._encoded(frames[:, None], self._features_in_chunks)

    def encode_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runner.encode_features`. Out of memory, as for clips."""
        return self._encoded(features, self._rows_of_features)

    def _encoded(
        self, clips: AnyClips, in_chunks: Callable[[AnyClips, int], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        while True:
            chunk = min(len(clips), self._chunk(clips.shape[1]))
            try:
                with self._on_device():
                    return in_chunks(clips, chunk)
            except torch.OutOfMemoryError:
                if chunk == 1:
                    raise
            # Outside the except block: only here are the error's frames, and the tensors in them, released.
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
            smaller = (chunk + 1) // 2
            self._tokens_at_once = smaller * clips.shape[1] * self._patches
            _log.warning("The GPU's memory does not suffice for %d clips at once; going on with %d.", chunk, smaller)

    @property
    def _patches(self) -> int:
        return self._config.rows * self._config.columns

    def _chunk(self, frames: int) -> int:
        return max(1, self._tokens_at_once // (frames * self._patches))

    def _tokens_in_chunks(self, clips: NDArray[np.uint8], chunk: int) -> NDArray[np.float32]:
        """Encode to tokens, which are thousands of times larger than rows: sent chunk by chunk, to pageable memory."""
        tokens = np.empty((len(clips), clips.shape[1] * self._patches, self._config.dim), np.float32)
        with torch.inference_mode():
            for start in range(0, len(clips), chunk):
                part = self._tower.tokens(self._send(clips[start : start + chunk]))
                tokens[start : start + chunk] = part.float().cpu().numpy()
        return tokens

    def _features_in_chunks(self, frames: NDArray[np.uint8], chunk: int) -> NDArray[np.float32]:
        """Compute the features of frames (M, 1, S, S, 3), as large as tokens."""
        features = np.empty((len(frames), self._patches, self._config.dim), np.float32)
        with torch.inference_mode():
            for start in range(0, len(frames), chunk):
                part = self._tower.frame_features(self._send(frames[start : start + chunk])[:, 0])
                features[start : start + chunk] = part.float().cpu().numpy()
        return features

    def _rows_of_features(self, features: NDArray[np.float32], chunk: int) -> NDArray[np.float32]:
        rows = np.empty((len(features), self._config.dim), np.float32)
        with torch.inference_mode():
            for start in range(0, len(features), chunk):
                part = torch.from_numpy(np.ascontiguousarray(features[start : start + chunk])).to(self._device)
                rows[start : start + chunk] = self._tower.encode_features(part).cpu().numpy()
        return rows

    def _rows_in_chunks(self, clips: NDArray[np.uint8], chunk: int) -> NDArray[np.float32]:
        cuda = self._device.type == "cuda"
        rows = torch.empty(len(clips), self._config.dim, pin_memory=cuda)
        with torch.inference_mode():
            for start in range(0, len(clips), chunk):
                part = clips[start : start + chunk]
                rows[start : start + chunk].copy_(self._tower(self._send(part)), non_blocking=True)
        if cuda:
            torch.cuda.current_stream(self._device).synchronize()
        return rows.numpy().copy()  # pinned memory is scarce, and rows are kept

    def _send(self, clips: NDArray[np.uint8]) -> Tensor:
        if self._staging is None:
            return torch.from_numpy(np.ascontiguousarray(clips)).to(self._device)
        return self._staging.send(clips)

    def encode_texts(self, ids: NDArray[np.int32], paddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runner.encode_texts`."""
        assert self._text is not None
        with torch.inference_mode(), self._on_device():
            x = self._text(torch.from_numpy(ids).to(self._device), torch.from_numpy(paddings).to(self._device))
            return unit_rows(x).float().cpu().numpy()


def computes_bfloat16(device: str) -> bool:
    """Return whether a CUDA device has bfloat16 matrix units (Ampere, 2020, and later)."""
    return torch.cuda.get_device_capability(device) >= (8, 0)


def bytes_a_token(config: VideoPrismConfig) -> int:
    """Return the peak of device memory per token, in bfloat16.

    It is the residual stream and its norm, with queries, keys, values and their result, or with the hidden layer before
    and after GELU; plus the pixels.
    """
    attention, feed_forward = 6 * config.dim, 2 * config.dim + 2 * config.mlp
    return 2 * max(attention, feed_forward) + 3 * config.patch**2
