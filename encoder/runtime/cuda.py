"""VideoPrism on an NVIDIA GPU in bfloat16, in chunks that fit its memory, with fused kernels if possible.

A chunk is sent while the previous one is computed. The same code runs on a CPU without streams and Triton, which is how
most of it is tested.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.config import VideoPrismConfig
from encoder.errors import EncoderUnavailable
from encoder.layers import unit_rows
from encoder.model import Network, VideoPrismLvT
from encoder.runtime.fused_tower import FusedTower
from encoder.runtime.plain_kernels import Kernels, PlainKernels
from encoder.runtime.staging import Staging
from encoder.runtime.token_layout import Sequences

_log = logging.getLogger(__name__)

_CHUNK_TOKENS = 1 << 17
"""Tokens computed at once if memory allows: 32 clips of LvT-B, 64 of LvT-L. Matrix products are efficient well below
that."""

_SHARE_OF_FREE = 0.6
"""Fraction used of the memory that is free when the encoder is loaded, because other programs use the GPU too."""

_TESTED_CLIPS = 3
"""Clips in the test of kernels: the first one, one in the middle, the last one."""

_KERNELS_AGREE = 0.02
"""Largest relative RMS difference between fused and plain kernels: a few times bfloat16's 1/256."""


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

    def _encoded(
        self, clips: NDArray[np.uint8], in_chunks: Callable[[NDArray[np.uint8], int], NDArray[np.float32]]
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


def best_kernels(
    device: torch.device, dtype: torch.dtype, config: VideoPrismConfig, frames: Collection[int] = ()
) -> Kernels:
    """Return fused kernels on a GPU if they compile and agree with plain ones; else plain kernels."""
    if device.type != "cuda":
        return PlainKernels()

    def fused() -> Kernels:
        from encoder.runtime.triton_kernels import TritonKernels

        return TritonKernels()

    return trusted(fused, device, dtype, config, frames)


def trusted(
    make: Callable[[], Kernels],
    device: torch.device,
    dtype: torch.dtype,
    config: VideoPrismConfig,
    frames: Collection[int] = (),
) -> Kernels:
    """Return `make()` if it compiles and agrees with plain kernels, else plain kernels, with a warning in the log.

    Args:
        make: Create the kernels to test.
        device: The device to test on.
        dtype: The dtype of the test's numbers.
        config: The network whose shapes they have.
        frames: The numbers of frames of a clip to test besides the network's own; 0 is none.
    """
    plain = PlainKernels()
    try:
        fused = make()
        with torch.inference_mode():
            off = [
                each
                for count in sorted({config.frames, *frames} - {0})
                for each in _disagreements(fused, plain, device, dtype, config, count)
            ]
    except Exception as error:  # noqa: BLE001  compilers raise all kinds of errors; plain kernels always work
        reason = (str(error).strip().splitlines() or [""])[0][:200]
        _log.warning("Triton cannot be used on this GPU (%s: %s); going on without it.", type(error).__name__, reason)
        return plain
    if not all(each <= _KERNELS_AGREE for each in off):  # false for NaN
        _log.warning("Fused kernels are off by %.2g on this GPU; going on without them.", max(off, key=_badness))
        return plain
    return fused


def _disagreements(
    fused: Kernels,
    plain: Kernels,
    device: torch.device,
    dtype: torch.dtype,
    config: VideoPrismConfig,
    frames: int,
) -> list[float]:
    """Return relative differences on random clips, of the three layouts of attention and of the norm.

    One is returned for each clip and each head, as an error in one of them would hardly show in the mean of all.
    Plain kernels compute in float32: in bfloat16 they would round the scores, and be off by more than fused ones.
    """
    patches, dim, heads = config.rows * config.columns, config.dim, config.heads
    a_clip = frames * patches
    random = torch.Generator().manual_seed(1)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random).to(device)

    qkv = (numbers(_TESTED_CLIPS * a_clip, 3 * dim) * torch.linspace(0.5, 3, dim).repeat(3).to(device)).to(dtype)
    off = []
    for make in (Sequences.within_frames, Sequences.across_frames, Sequences.within_clips):
        found = fused.attend(qkv, make(_TESTED_CLIPS, frames, patches), heads, config.logit_cap)
        for start in range(0, len(qkv), a_clip):  # plain attention of all clips at once takes much memory
            rows = slice(start, start + a_clip)
            expected = plain.attend(qkv[rows].float(), make(1, frames, patches), heads, config.logit_cap)
            pairs = zip(found[rows].chunk(heads, 1), expected.chunk(heads, 1), strict=True)
            off += [_off(*pair) for pair in pairs]
    x, vectors = numbers(_TESTED_CLIPS * a_clip, dim).to(dtype), [numbers(dim) for _ in range(3)]
    normed, expected = fused.shifted_norm(x, *vectors), plain.shifted_norm(x.float(), *vectors)
    return off + [_off(*pair) for pair in zip(normed.chunk(_TESTED_CLIPS), expected.chunk(_TESTED_CLIPS), strict=True)]


def _badness(off: float) -> float:
    return off if off == off else math.inf  # NaN is the worst


def _off(found: Tensor, expected: Tensor) -> float:
    """Return the RMS of the difference over the RMS of the expected; NaN if a value is NaN."""
    difference = (found.float() - expected.float()).square().mean().sqrt()
    return float(difference / expected.float().square().mean().sqrt())
