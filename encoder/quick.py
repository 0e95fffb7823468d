"""Quick encoders: an encoder that is already loaded, over a few frames of a clip, in a space of its own.

The weights and the text side are those of the full encoder; the positions of frames are interpolated. What a quick pass
over a video makes is never compared with rows of the full encoder, so its id is another one: that of the full encoder,
followed by `:quick4f`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from encoder.errors import EncoderError
from encoder.protocol import ClipSpec, Encoder

QUICK_FRAMES = 4
"""The frames of a quick clip."""


@runtime_checkable
class AnyFrames(Protocol):
    """What an Encoder needs besides its protocol to be used for quick passes."""

    def encode_frames(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode clips of any number of frames.

        Args:
            clips: uint8 (B, t, S, S, 3), RGB; size and fit are those of `clip_spec`.

        Returns:
            float32 (B, D), rows of unit length: for other numbers of frames than those of `clip_spec`, in spaces
            that are not that of `id`.
        """
        ...


class QuickEncoder:
    """An `encoder.Encoder` over QUICK_FRAMES frames, by the network and the text side of a full encoder."""

    def __init__(self, full: Encoder, encode: AnyFrames) -> None:
        self._full = full
        self._encode = encode
        self._spec = replace(full.clip_spec, frames=QUICK_FRAMES)

    @property
    def id(self) -> str:
        return quick_id(self._full.id)

    @property
    def full_id(self) -> str:
        """The id of the full encoder."""
        return self._full.id

    @property
    def text_id(self) -> str:
        return self._full.text_id

    @property
    def dim(self) -> int:
        return self._full.dim

    @property
    def has_text(self) -> bool:
        return self._full.has_text

    @property
    def clip_spec(self) -> ClipSpec:
        return self._spec

    @property
    def notice(self) -> str | None:
        return self._full.notice

    @property
    def batch(self) -> int:
        return max(1, self._full.batch * self._full.clip_spec.frames // QUICK_FRAMES)

    def prepare(self) -> None:
        """See `Encoder.prepare`."""
        self._full.prepare()

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Encoder.encode_clips`."""
        self._spec.require(clips)
        return self._encode.encode_frames(clips)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Encoder.encode_texts`."""
        return self._full.encode_texts(texts)

    def unread(self, text: str) -> str:
        """See `Encoder.unread`."""
        return self._full.unread(text)

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """See `Encoder.truncated`."""
        return self._full.truncated(texts)


def quick_id(encoder_id: str) -> str:
    """Return the id of the quick space of an encoder."""
    return f"{encoder_id}:quick{QUICK_FRAMES}f"


def quick_encoder(encoder: Encoder) -> Encoder:
    """Return the quick encoder of a full one. Nothing is loaded for it.

    Raises:
        EncoderError: The encoder takes so few frames that a quick pass would save nothing, or fixed ones.
    """
    frames = encoder.clip_spec.frames
    if frames <= QUICK_FRAMES:
        raise EncoderError(
            f"{encoder.id} takes {frames} frames of a clip, and a quick pass takes {QUICK_FRAMES}: it would save "
            "nothing; index without --quick"
        )
    if not isinstance(encoder, AnyFrames):
        raise EncoderError(f"{encoder.id} cannot encode fewer frames; index without --quick")
    return QuickEncoder(encoder, encoder)


def quick_of(encoder: Encoder, encoder_id: str) -> Encoder | None:
    """Return the encoder of an id, if that is the quick space of this encoder; else None."""
    if encoder_id != quick_id(encoder.id) or not isinstance(encoder, AnyFrames):
        return None
    return QuickEncoder(encoder, encoder)
