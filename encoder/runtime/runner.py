"""The Runner: what runs the two towers of one network on one device. The Encoder around it is the same everywhere."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from encoder.errors import EncoderUnavailable
from encoder.model import VideoPrismLvT
from encoder.runtime.allocator import keep_large_blocks
from encoder.runtime.precision import WIDE, Precision, packs_layers

_CPU_ACTIVATION = 1 << 22
"""Numbers of one activation, clips x tokens x width, that a CPU takes at once: one clip of the full-size networks, many
of small ones. More are no faster there and cost memory."""
_MOST_AT_ONCE = 8


class Runner(Protocol):
    """Arrays in, arrays out; blocks until the rows are there. Called by one thread at a time."""

    @property
    def batch(self) -> int:
        """Clips a call that keep the device busy; more are no faster, and cost memory."""
        ...

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, T, S, S, 3), B >= 1, any T -> float32 (B, D), unit rows. Torch's errors are passed on, out of
        memory included: whoever calls tries again with fewer."""
        ...

    def encode_texts(self, ids: NDArray[np.int32], paddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, L) and (B, L), 1 = padding, B >= 1 -> float32 (B, D), unit rows."""
        ...


class PlainRunner:
    """The network as it is written, in float32, on any device that torch has."""

    def __init__(self, network: VideoPrismLvT, device: str) -> None:
        """Raises EncoderUnavailable when the device cannot hold the network."""
        if device == "cpu":
            keep_large_blocks()
        self._network = on_device(network, device)
        self._device = torch.device(device)

    @property
    def batch(self) -> int:
        """See Runner."""
        config = self._network.config
        if self._device.type != "cpu":
            return _MOST_AT_ONCE
        tokens = config.frames * config.rows * config.columns
        return min(_MOST_AT_ONCE, max(1, _CPU_ACTIVATION // (tokens * config.dim)))

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Runner. Pixels become floats on the device."""
        rows, step = [], self._clips_at_once(clips)
        with torch.inference_mode():
            for start in range(0, len(clips), step):
                part = torch.from_numpy(np.ascontiguousarray(clips[start : start + step])).to(self._device)
                rows.append(self._network.encode_video(part).float().cpu().numpy())
        return np.concatenate(rows)

    def _clips_at_once(self, clips: NDArray[np.uint8]) -> int:
        if self._device.type != "cpu":
            return len(clips)  # whoever calls knows the card: a batch that does not fit is halved there
        config = self._network.config
        tokens: int = clips.shape[1] * (clips.shape[2] // config.patch) * (clips.shape[3] // config.patch)
        return max(1, _CPU_ACTIVATION // (tokens * config.dim))

    def encode_texts(self, ids: NDArray[np.int32], paddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Runner."""
        with torch.inference_mode():
            x = self._network.encode_text(
                torch.from_numpy(ids).to(self._device), torch.from_numpy(paddings).to(self._device)
            )
        return x.float().cpu().numpy()


def on_device(network: VideoPrismLvT, device: str) -> VideoPrismLvT:
    """The network there, ready for inference. Raises EncoderUnavailable when the device cannot hold it."""
    try:
        return network.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise EncoderUnavailable(f"{network.config.name} cannot run on {device}: {error}") from error


def make_runner(network: VideoPrismLvT, device: str, precision: Precision = "float32") -> Runner:
    """The Runner of a device and a precision. Raises EncoderUnavailable for what the device cannot do."""
    if device.startswith("cuda") and precision == "bfloat16":
        from encoder.runtime.cuda import CudaRunner

        return CudaRunner(network, device)
    if device == "cpu" and packs_layers() and (precision != "float32" or network.config.dim >= WIDE):
        from encoder.runtime.cpu import CpuRunner

        return CpuRunner(network, precision)
    if precision != "float32":
        raise EncoderUnavailable(f"{network.config.name} runs in float32 on {device}, not in {precision}")
    return PlainRunner(network, device)
