"""The `Encoder` protocol: clips and sentences in, unit-length float32 rows of one embedding space out.

An encoder has two names: `id` is that of the space, `text_id` that of what encodes sentences into it. Several text
towers may share one space.

Letters in shapes: B items of a batch, T frames of a clip, S pixels along a side, D dimensions of the space.

    encoder.encode_clips(clips)   uint8 (B, T, S, S, 3) RGB  ->  float32 (B, D)
    encoder.encode_texts(texts)   B strings                  ->  float32 (B, D)

    with_tokens(encoder).encode_tokens(clips)                ->  float32 (B, L, D), for heads

Every row has length 1, so a dot product of two rows is their cosine similarity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from encoder.errors import EncoderError

Fit = Literal["stretch", "crop", "pad"]
"""How a frame that is not square becomes square: squash the whole picture, take the centre, or letterbox."""


ENDS = ":ends"
"""The part of an encoder's id that says that both ends of a segment are among its frames."""


class Shape(NamedTuple):
    """The options of loading that shape clips; see `encoder.load_encoder`."""

    frames: int
    fit: Fit
    still_frames: int


def known_shape(shapes: Mapping[str, Shape] | None, *names: str | None) -> Shape | None:
    """Return the shape of the first of these weights that has one."""
    return next((shapes[name] for name in names if name is not None and name in shapes), None) if shapes else None


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """The shape of the clips that an encoder takes.

    Attributes:
        frames: T, the number of frames sampled from a segment; at least 1.
        size: S, the side of the square frames in pixels; at least 1.
        fit: How a frame that is not square becomes square.
        ends: Whether the T frames are evenly spaced from the first frame of the segment to its last one; otherwise each
            is the first of a T-th of the segment.

    Raises:
        ValueError: A number is below 1, or `fit` is unknown.
    """

    frames: int
    size: int
    fit: Fit = "stretch"
    ends: bool = False

    def __post_init__(self) -> None:
        if self.frames < 1 or self.size < 1:
            raise ValueError(f"a clip needs at least one frame and one pixel, got {self.frames} x {self.size}")
        if self.fit not in ("stretch", "crop", "pad"):
            raise ValueError(f"fit must be stretch, crop or pad, got {self.fit!r}")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of one clip: (T, S, S, 3)."""
        return (self.frames, self.size, self.size, 3)

    @property
    def name(self) -> str:
        """The part of an encoder's id that says which frames it sees, and how they became square: `8f:stretch`."""
        return f"{self.frames}f:{self.fit}{ENDS if self.ends else ''}"

    def require(self, clips: NDArray[np.uint8]) -> None:
        """Raise ValueError unless `clips` is uint8 (B, T, S, S, 3)."""
        if clips.dtype != np.uint8 or clips.ndim != 5 or clips.shape[1:] != self.shape:
            raise ValueError(
                f"clips must be uint8 (B, {', '.join(map(str, self.shape))}), got {clips.dtype} {clips.shape}"
            )


@runtime_checkable
class Encoder(Protocol):
    """A model that maps clips and sentences to one embedding space.

    Encoders return normalised rows; nothing else in the program normalises. Except for rounding, a row does not depend
    on the other items of its batch. Any number of threads may call at once; they take turns where they must.

    Implementations must pass tests/test_encoder_conformance.py.
    """

    @property
    def id(self) -> str:
        """The name of the embedding space, such as `videoprism_lvt_demo@0123456789abcdef:8f:stretch`.

        It covers everything that shapes the row of a clip: the weights of the video encoder, of auxiliary layers and
        pooler, frames, size and fit. It is stored with each embedding: rows with different ids are never compared. It
        does not cover the text tower, so a library need not be indexed again for another one: see `text_id`. The id is
        the same on any device and in any precision.
        """
        ...

    @property
    def text_id(self) -> str:
        """The name of what encodes sentences, such as `videoprism_lvt_demo:text@0123456789abcdef`.

        It covers what shapes the row of a sentence in the space: the weights of the text tower, the number of tokens
        that it reads, and the vocabulary. Rows of sentences, and what is made from them (null statistics, strengths,
        levels), belong to both ids. It is the same on any device and in any precision, and for any number of frames.
        An encoder without text has "".
        """
        ...

    @property
    def dim(self) -> int:
        """D, the number of columns of every row."""
        ...

    @property
    def has_text(self) -> bool:
        """Whether sentences can be encoded. Without it, `encode_texts`, `unread` and `truncated` raise EncoderError."""
        ...

    @property
    def clip_spec(self) -> ClipSpec:
        """The shape of the clips that `encode_clips` takes."""
        ...

    @property
    def notice(self) -> str | None:
        """A warning to show with results, or None. The demo encoder warns that it knows only its own drawn world."""
        ...

    @property
    def batch(self) -> int:
        """The number of clips per call that keeps the device busy. `encode_clips` accepts any number."""
        ...

    def prepare(self) -> None:
        """Prepare for an upcoming first call, without blocking.

        A lazy encoder starts to load in a background thread; a loaded one does nothing. Calling it is optional, and it
        never raises: loading errors are raised by the call that needs the model.
        """
        ...

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode clips.

        Args:
            clips: uint8 (B, T, S, S, 3), RGB, as `clip_spec` says. B may be 0; the array need not be contiguous and is
                not changed.

        Returns:
            float32 (B, D), rows of unit length in the order of the clips.

        Raises:
            ValueError: `clips` has another shape or dtype.
            EncoderError: A lazy encoder cannot be loaded.
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode sentences.

        Args:
            texts: B sentences; B may be 0. Any string is accepted, the empty one included. A sentence that is too long
                for the text tower is truncated: see `truncated`.

        Returns:
            float32 (B, D), rows of unit length in the order of the sentences.

        Raises:
            EncoderError: A lazy encoder cannot be loaded, or the encoder has no text tower.
        """
        ...

    def unread(self, text: str) -> str:
        """Return the words of a sentence that the encoder has no tokens for, such as those in another script.

        An encoder that knows every character returns "", but for a sentence without any word, which it returns whole.

        Raises:
            EncoderError: A lazy encoder cannot be loaded.
        """
        ...

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Return for each sentence whether `encode_texts` truncates it.

        An encoder without a limit returns False for each.

        Raises:
            EncoderError: A lazy encoder cannot be loaded.
        """
        ...


@runtime_checkable
class FormerlyNamed(Protocol):
    """An encoder whose space has had another name; see `former_id`."""

    @property
    def former_id(self) -> str | None:
        """The id that earlier versions gave, of a digest over all weights and the vocabulary; None if it is the same.

        Libraries of those versions hold rows under it. They are rows of `id`.
        """
        ...


def former_id(encoder: Encoder | TokenEncoder) -> str | None:
    """Return the id that earlier versions gave an encoder; None if it had the same, or none."""
    return encoder.former_id if isinstance(encoder, FormerlyNamed) and encoder.former_id != encoder.id else None


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that also returns the tokens of its video encoder, on which heads are trained; see `with_tokens`."""

    @property
    def id(self) -> str:
        """See `Encoder.id`."""
        ...

    @property
    def clip_spec(self) -> ClipSpec:
        """See `Encoder.clip_spec`."""
        ...

    @property
    def notice(self) -> str | None:
        """See `Encoder.notice`."""
        ...

    @property
    def batch(self) -> int:
        """See `Encoder.batch`."""
        ...

    @property
    def token_dim(self) -> int:
        """The number of columns of a token; 0 if a lazy encoder turns out to have none."""
        ...

    @property
    def attention_heads(self) -> int:
        """The number of attention heads of the video encoder, which the official classifier's pooler shares."""
        ...

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode clips to the tokens of the video encoder, after its last layer norm and before any other layer.

        Args:
            clips: uint8 (B, T, S, S, 3), RGB, as `clip_spec` says. B may be 0.

        Returns:
            float32 (B, L, D), not normalised; L = T * N, token t*N + n of frame t and patch n, row by row.

        Raises:
            ValueError: `clips` has another shape or dtype.
            EncoderError: A lazy encoder cannot be loaded.
        """
        ...


def with_tokens(encoder: Encoder) -> TokenEncoder:
    """Return the encoder as one that has tokens.

    Raises:
        EncoderError: It has none: it is neither a VideoPrism encoder nor a stand-in for one.
    """
    if isinstance(encoder, TokenEncoder) and encoder.token_dim:
        return encoder
    raise EncoderError(f"{encoder.id} has no tokens of video for a head on tokens; use a VideoPrism encoder")
