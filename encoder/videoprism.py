"""The Encoder made of a VideoPrism-LvT network, its tokenizer and what runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoder.model import VideoPrismLvT
from encoder.motion import LEVELS, change, few_frames
from encoder.protocol import ClipSpec, Fit
from encoder.runtime.precision import Precision
from encoder.runtime.runner import make_runner

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer

_TEXT_BATCH = 64


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
        still_frames: int = 0,
        notice: str | None = None,
        precision: Precision = "float32",
    ) -> None:
        """weights_id: names these very weights (configuration and checksum); part of `id`. precision: is not.
        still_frames: how many frames of a clip that hardly moves are looked at; 0: all.

        Raises EncoderUnavailable when the device cannot hold the network, ValueError for more still frames than frames.
        """
        config = network.config
        if not 0 <= still_frames <= (frames or config.frames):
            raise ValueError(f"of {frames or config.frames} frames, {still_frames} cannot be kept where nothing moves")
        self._runner = make_runner(network, device, precision)
        self._dim = config.dim
        self._tokenizer = tokenizer
        self._spec = ClipSpec(frames or config.frames, config.size, fit)
        self._still_frames = still_frames
        self._id = f"{weights_id}:{self._spec.frames}f:{fit}" + (f":still{still_frames}" if still_frames else "")
        self._notice = notice

    @property
    def id(self) -> str:
        return self._id

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def clip_spec(self) -> ClipSpec:
        return self._spec

    @property
    def notice(self) -> str | None:
        return self._notice

    @property
    def batch(self) -> int:
        return self._runner.batch

    def prepare(self) -> None:
        """Do nothing: the model is loaded."""

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, T, S, S, 3) -> float32 (B, D), unit rows."""
        self._spec.require(clips)
        if not len(clips):
            return np.zeros((0, self.dim), np.float32)
        return self._runner.clips(clips) if not self._still_frames else self._by_motion(clips, self._still_frames)

    def _by_motion(self, clips: NDArray[np.uint8], still_frames: int) -> NDArray[np.float32]:
        """Clips that move in full, the others by a few of their frames; temporal positions are resized to fit."""
        still = change(clips) < LEVELS
        few = few_frames(self._spec.frames, still_frames)
        rows = np.empty((len(clips), self.dim), np.float32)
        if still.any():
            rows[still] = self._runner.clips(clips[still][:, few])
        if not still.all():
            rows[~still] = self._runner.clips(clips[~still])
        return rows

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """B sentences -> float32 (B, D), unit rows. What exceeds the token limit is cut off."""
        rows = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(texts), _TEXT_BATCH):
            rows.append(self._runner.texts(*self._tokenizer.encode(texts[start : start + _TEXT_BATCH])))
        return np.concatenate(rows)

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Which sentences are longer than the encoder reads."""
        return self._tokenizer.truncated(texts)
