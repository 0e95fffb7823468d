"""The Encoder made of a VideoPrism-LvT network, its tokenizer and a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from encoder import ClipSpec, EncoderUnavailable, Fit
from encoder.allocator import keep_large_blocks
from encoder.model import VideoPrismLvT

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer

_TEXT_BATCH = 64
_CPU_ACTIVATION = 1 << 22
"""Numbers of one activation, clips x tokens x width, that a CPU takes at once: one clip of the full-size networks, many
of small ones. More are no faster there and cost memory."""


class VideoPrism:
    """Clips and sentences -> unit rows, by VideoPrism-LvT. Implements `encoder.Encoder`."""

    def __init__(
        self,
        network: VideoPrismLvT,
        tokenizer: Tokenizer,
        device: str,
        *,
        weights_id: str,
        frames: int | None = None,
        fit: Fit = "stretch",
        notice: str | None = None,
    ) -> None:
        """weights_id: names these very weights (configuration and checksum); part of `id`.

        Raises EncoderUnavailable when the device cannot hold the network.
        """
        config = network.config
        if device == "cpu":
            keep_large_blocks()
        try:
            self._network = network.to(device).eval()
        except (RuntimeError, AssertionError) as error:
            raise EncoderUnavailable(f"{config.name} cannot run on {device}: {error}") from error
        self._tokenizer = tokenizer
        self._device = torch.device(device)
        self._spec = ClipSpec(frames or config.frames, config.size, fit)
        self._id = f"{weights_id}:{self._spec.frames}f:{fit}"
        self._notice = notice

    @property
    def id(self) -> str:
        return self._id

    @property
    def dim(self) -> int:
        return self._network.config.dim

    @property
    def clip_spec(self) -> ClipSpec:
        return self._spec

    @property
    def notice(self) -> str | None:
        return self._notice

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, T, S, S, 3) -> float32 (B, D), unit rows. Pixels become floats on the device."""
        self._spec.require(clips)
        if not len(clips):
            return np.zeros((0, self.dim), np.float32)
        rows, step = [], self._clips_at_once()
        with torch.inference_mode():
            for start in range(0, len(clips), step):
                part = torch.from_numpy(np.ascontiguousarray(clips[start : start + step])).to(self._device)
                rows.append(self._network.encode_video(part).float().cpu().numpy())
        return np.concatenate(rows)

    def _clips_at_once(self) -> int:
        if self._device.type != "cpu":
            return 1 << 30  # whoever calls knows the card: a batch that does not fit is halved there
        config, spec = self._network.config, self._spec
        tokens = spec.frames * (spec.size // config.patch) ** 2
        return max(1, _CPU_ACTIVATION // (tokens * config.dim))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """B sentences -> float32 (B, D), unit rows. What exceeds the token limit is cut off."""
        rows = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(texts), _TEXT_BATCH):
            ids, paddings = self._tokenizer.encode(texts[start : start + _TEXT_BATCH])
            with torch.inference_mode():
                x = self._network.encode_text(
                    torch.from_numpy(ids).to(self._device), torch.from_numpy(paddings).to(self._device)
                )
            rows.append(x.float().cpu().numpy())
        return np.concatenate(rows)

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Which sentences are longer than the encoder reads."""
        return self._tokenizer.truncated(texts)
