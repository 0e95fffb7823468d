"""Sentences to token ids as VideoPrism's text tower was trained: canonical form, SentencePiece, cut, pad on the right.

Source: google-deepmind/videoprism, videoprism/tokenizers.py and models.py (tokenize_texts).
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoder.errors import ModelNotFound, WeightsMismatch

PAD_ID = 0
"""What fills a row up. The reference writes 0 whatever the vocabulary's own padding id is."""

_PUNCTUATION_TO_SPACE = str.maketrans(string.punctuation, " " * len(string.punctuation))


def canonical(text: str) -> str:
    """The form in which captions were seen in training: no ASCII punctuation, lower case, one space, one final period.

    `"Don't  STOP!"` becomes `"don t stop."`, and an empty text becomes `"."`. Other punctuation is kept.
    """
    return " ".join(text.translate(_PUNCTUATION_TO_SPACE).lower().split()) + "."


class Tokenizer:
    """A SentencePiece vocabulary and the number of tokens that the text tower reads."""

    def __init__(self, model_path: str | Path, max_tokens: int = 64) -> None:
        """Raises ModelNotFound when the file is not there, WeightsMismatch when it is no SentencePiece model."""
        if max_tokens < 1:
            raise ValueError(f"a text needs room for at least one token, got {max_tokens}")
        import sentencepiece

        path = Path(model_path)
        try:
            # Bytes, because the library opens only names that are UTF-8.
            proto = path.read_bytes()
        except FileNotFoundError as error:
            raise ModelNotFound(f"the vocabulary {path} is not there; put it back or fetch the model again") from error
        except OSError as error:
            raise ModelNotFound(f"the vocabulary {path} cannot be read: {error}") from error
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            loaded = bool(proto) and self._processor.LoadFromSerializedProto(proto)
        except (RuntimeError, OSError) as error:
            raise WeightsMismatch(f"{path} is not a SentencePiece vocabulary ({error}); fetch it again") from error
        if not loaded:
            raise WeightsMismatch(f"{path} is not a SentencePiece vocabulary; fetch it again")
        self._max_tokens = max_tokens

    @property
    def max_tokens(self) -> int:
        """L: tokens a text may have; what is beyond is not read."""
        return self._max_tokens

    @property
    def pieces(self) -> int:
        """How many ids the vocabulary has; the token table of a network must have as many rows or more."""
        return int(self._processor.GetPieceSize())

    def raw_ids(self, text: str) -> list[int]:
        """Ids of this very text: not canonicalised, not cut, no BOS."""
        # Half of a surrogate pair (a file name's odd byte, a broken paste) has no UTF-8 form.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        return [int(i) for i in self._processor.EncodeAsIds(clean)]

    def _ids(self, text: str) -> list[int]:
        bos = int(self._processor.bos_id())
        return ([bos] if bos >= 0 else []) + self.raw_ids(canonical(text))

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """B texts -> ids int32 (B, L) and paddings float32 (B, L), 1.0 where there is no token. There is no EOS."""
        ids = np.full((len(texts), self._max_tokens), PAD_ID, np.int32)
        paddings = np.ones((len(texts), self._max_tokens), np.float32)
        for row, text in enumerate(texts):
            kept = self._ids(text)[: self._max_tokens]
            ids[row, : len(kept)] = kept
            paddings[row, : len(kept)] = 0.0
        return ids, paddings

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text before it is cut."""
        return [len(self._ids(text)) for text in texts]

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Which texts are longer than the text tower reads. The final period alone counts as well."""
        return [length > self._max_tokens for length in self.lengths(texts)]
