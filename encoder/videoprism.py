"""The VideoPrism encoder: a network, the tokenizer of its text tower and a runner for the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from encoder.config import no_text
from encoder.errors import EncoderError
from encoder.frame_features import FEWER_FRAMES, Features, repeated, require_frames, require_length
from encoder.model import Network, VideoPrismLvT
from encoder.motion import STILL_BELOW_LEVELS, largest_change, representative_frames
from encoder.protocol import ClipSpec, Fit
from encoder.quick import QUICK_FRAMES
from encoder.runtime.precision import Precision
from encoder.runtime.runner import make_runner
from encoder.runtime.turns import Turns

if TYPE_CHECKING:
    from encoder.tokenizer import Tokenizer

_TEXT_BATCH = 64


class VideoPrism:
    """An `encoder.Encoder`, a `TokenEncoder` and a `FrameEncoder` of a VideoPrism network.

    The rows of a plain network are the unit-length means of its tokens; it has no text tower.

    Attributes:
        id, text_id: As in `Encoder`.
        former_id: As in `FormerlyNamed`.
    """

    def __init__(
        self,
        network: Network,
        tokenizer: Tokenizer | None,
        device: str,
        *,
        weights_id: str,
        text_id: str = "",
        former_weights_id: str | None = None,
        frames: int | None = None,
        fit: Fit = "stretch",
        still_frames: int = 0,
        notice: str | None = None,
        precision: Precision = "float32",
    ) -> None:
        """Wrap a loaded network.

        Args:
            network: The network, on the CPU.
            tokenizer: The tokenizer of its text tower; None if it has none.
            device: A device of torch.
            weights_id: The part of `id` that names configuration and weights of what encodes clips.
            text_id: See `Encoder.text_id`.
            former_weights_id: The part of `id` in earlier versions, whose digest covered the text tower as well.
            frames: T; None for the network's own number.
            fit: How a frame that is not square becomes square.
            still_frames: The number of frames encoded for a nearly still clip (`encoder.motion`); 0 for all. Part of
                `id`.
            notice: See `Encoder.notice`.
            precision: The precision of the video tower. Not part of `id`.

        Raises:
            ValueError: `still_frames` is negative or larger than T.
            EncoderUnavailable: The device cannot hold the network, or does not support the precision.
        """
        config = network.config
        if not 0 <= still_frames <= (frames or config.frames):
            raise ValueError(f"of {frames or config.frames} frames, {still_frames} cannot be kept where nothing moves")
        whole = frames or config.frames
        counts = (whole, still_frames, min(FEWER_FRAMES, whole), QUICK_FRAMES)
        self._runner = make_runner(network, device, precision, frames=counts)
        self._turns = Turns()  # for clips: runners keep features and buffers from one call to the next
        self._dim, self._heads, self._patch = config.dim, config.heads, config.patch
        self._has_text = isinstance(network, VideoPrismLvT)
        self._tokenizer = tokenizer
        self._spec = ClipSpec(frames or config.frames, config.size, fit)
        self._still_frames = still_frames
        shape = self._spec.name + (f":still{still_frames}" if still_frames else "")
        self.id: Final = f"{weights_id}:{shape}"
        self.text_id: Final = text_id
        self.former_id: Final = None if former_weights_id is None else f"{former_weights_id}:{shape}"
        self._notice = notice

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def token_dim(self) -> int:
        return self._dim

    @property
    def attention_heads(self) -> int:
        return self._heads

    @property
    def has_text(self) -> bool:
        return self._has_text

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
        """See `Encoder.encode_clips`."""
        self._spec.require(clips)
        if not len(clips):
            return np.zeros((0, self.dim), np.float32)
        with self._turns:
            return self._encode_by_motion(clips) if self._still_frames else self._runner.encode_clips(clips)

    def frame_features(self, frames: NDArray[np.uint8]) -> Features:
        """See `FrameEncoder.frame_features`: float32 (M, N, D); the pixels if motion decides how a clip is encoded."""
        require_frames(self._spec, frames)
        if self._still_frames:
            return frames
        if not len(frames):
            return np.zeros((0, (self._spec.size // self._patch) ** 2, self._dim), np.float32)
        with self._turns:
            return self._runner.frame_features(frames)

    def encode_features(self, features: Features) -> NDArray[np.float32]:
        """See `FrameEncoder.encode_features`."""
        require_length(self._spec, features)
        if self._still_frames:
            return self.encode_clips(repeated(features, self._spec.frames))
        if not len(features):
            return np.zeros((0, self.dim), np.float32)
        with self._turns:
            return self._runner.encode_features(features)

    def encode_frames(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `encoder.quick.AnyFrames`. Temporal positions are resized."""
        if not len(clips):
            return np.zeros((0, self.dim), np.float32)
        with self._turns:
            return self._runner.encode_clips(clips)

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `TokenEncoder.encode_tokens`. All frames are encoded, of still clips, too."""
        self._spec.require(clips)
        if not len(clips):
            patches = (self._spec.size // self._patch) ** 2
            return np.zeros((0, self._spec.frames * patches, self._dim), np.float32)
        with self._turns:
            return self._runner.encode_tokens(clips)

    def _encode_by_motion(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode all frames of moving clips and a few of still ones, for which temporal positions are resized."""
        still = largest_change(clips) < STILL_BELOW_LEVELS
        few = representative_frames(self._spec.frames, self._still_frames)
        rows = np.empty((len(clips), self.dim), np.float32)
        if still.any():
            rows[still] = self._runner.encode_clips(clips[still][:, few])
        if not still.all():
            rows[~still] = self._runner.encode_clips(clips[~still])
        return rows

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode_texts`."""
        tokenizer = self._text_tokenizer()
        rows = [np.zeros((0, self.dim), np.float32)]
        for start in range(0, len(texts), _TEXT_BATCH):
            rows.append(self._runner.encode_texts(*tokenizer.encode(texts[start : start + _TEXT_BATCH])))
        return np.concatenate(rows)

    def unread(self, text: str) -> str:
        """See `Encoder.unread`."""
        return self._text_tokenizer().unread(text)

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """See `Encoder.truncated`."""
        return self._text_tokenizer().truncated(texts)

    def _text_tokenizer(self) -> Tokenizer:
        if self._tokenizer is None:
            raise EncoderError(no_text(self.id))
        return self._tokenizer
