"""What heads are trained on and scored with, made clip by clip: tokens, their means, logits of heads on tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.evaluation.token_store import unit_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from encoder.heads import MapHead
    from encoder.protocol import TokenEncoder

    Clip = NDArray[np.uint8]


class TokensOf:
    """Makes the tokens of clips; an EncodesClips."""

    def __init__(self, encoder: TokenEncoder) -> None:
        self._encoder = encoder

    @property
    def clip_spec(self) -> ClipSpec:
        """See `EncodesClips`."""
        return self._encoder.clip_spec

    @property
    def batch(self) -> int:
        """See `EncodesClips`."""
        return self._encoder.batch

    def encode_clips(self, clips: Clip) -> NDArray[np.float32]:
        """Return float32 (B, L, D)."""
        return self._encoder.encode_tokens(clips)


class HeadsOnTokens:
    """Makes, in one pass over clips, the logits of several heads on tokens, and the mean of the tokens.

    No tokens are kept. A row is the unit-length mean (D), then the logits of each head in order.
    """

    def __init__(self, encoder: TokenEncoder, heads: Sequence[MapHead]) -> None:
        self._encoder, self._heads = encoder, tuple(heads)

    @property
    def clip_spec(self) -> ClipSpec:
        """See `EncodesClips`."""
        return self._encoder.clip_spec

    @property
    def batch(self) -> int:
        """See `EncodesClips`."""
        return self._encoder.batch

    @property
    def dim(self) -> int:
        """Columns of a row."""
        return self._encoder.token_dim + sum(head.classes for head in self._heads)

    @property
    def digest(self) -> str:
        """Of everything about the heads that shapes a row."""
        digest = hashlib.blake2b(digest_size=8)
        for head in self._heads:
            for name, values in head.state_dict().items():
                digest.update(name.encode())
                digest.update(values.numpy().tobytes())
        return digest.hexdigest()

    def encode_clips(self, clips: Clip) -> NDArray[np.float32]:
        """Return float32 (B, dim)."""
        import numpy as np

        tokens = self._encoder.encode_tokens(clips)
        return np.concatenate([unit_mean(tokens), *(head.logits(tokens) for head in self._heads)], axis=1)

    def split(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """Return the means (n, D) and the logits (n, classes) of each head in rows (n, dim)."""
        import numpy as np

        widths = [self._encoder.token_dim, *(head.classes for head in self._heads)]
        means, *logits = np.split(rows, np.cumsum(widths)[:-1], axis=1)
        return means, logits
