"""Tokenizer of VideoPrism's text tower: canonical form, SentencePiece, truncation, padding on the right.

Source: google-deepmind/videoprism, videoprism/tokenizers.py and models.py (tokenize_texts).
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoder.errors import ModelNotFound, WeightsMismatch

PAD_ID = 0
"""The id of padding: 0 as in the reference, regardless of the vocabulary's own padding id."""

_SPACE = "\u2581"  # SentencePiece's sign for the space before a word
_PUNCTUATION_TO_SPACE = str.maketrans(string.punctuation, " " * len(string.punctuation))


def canonical(text: str) -> str:
    """Return a text in the form of the training captions: lower case, single spaces, a period as the only punctuation.

    ASCII punctuation becomes space, and a final period is added: `"Don't  STOP!"` becomes `"don t stop."`, and an empty
    text becomes `"."`. Other punctuation is kept.
    """
    return " ".join(text.translate(_PUNCTUATION_TO_SPACE).lower().split()) + "."


def has_word(text: str) -> bool:
    """Return whether a text has anything but punctuation and space."""
    return any(not _is_punctuation(letter) for letter in text)


def _is_punctuation(word: str) -> bool:
    return all(unicodedata.category(letter)[0] in "PZC" for letter in word)


class Tokenizer:
    """A SentencePiece vocabulary and the number of tokens that the text tower reads."""

    def __init__(self, model_path: str | Path, max_tokens: int = 64) -> None:
        """Load a vocabulary.

        Args:
            model_path: A SentencePiece model.
            max_tokens: L, the number of tokens that the text tower reads.

        Raises:
            ValueError: `max_tokens` is below 1.
            ModelNotFound: The file is missing or cannot be read.
            WeightsMismatch: The file is not a SentencePiece model.
        """
        if max_tokens < 1:
            raise ValueError(f"a text needs room for at least one token, got {max_tokens}")
        import sentencepiece

        path = Path(model_path)
        try:
            # Read here, because SentencePiece opens only file names that are valid UTF-8.
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
        """L, the maximum number of tokens of a text."""
        return self._max_tokens

    @property
    def pieces(self) -> int:
        """The number of ids in the vocabulary. The token table of a network must have at least as many rows."""
        return int(self._processor.GetPieceSize())

    def raw_ids(self, text: str) -> list[int]:
        """Return the ids of the unmodified text: no canonical form, no truncation, no BOS."""
        # Lone surrogates (an odd byte of a file name, a broken paste) have no UTF-8 form.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        return [int(i) for i in self._processor.EncodeAsIds(clean)]

    def _ids(self, text: str) -> list[int]:
        bos = int(self._processor.bos_id())
        return ([bos] if bos >= 0 else []) + self.raw_ids(canonical(text))

    def encode(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Tokenize texts, with a BOS if the vocabulary has one, and without EOS.

        Args:
            texts: B texts; B may be 0.

        Returns:
            ids: int32 (B, L), padded with `PAD_ID`.
            paddings: float32 (B, L), 1.0 for padding and 0.0 for a token.
        """
        ids = np.full((len(texts), self._max_tokens), PAD_ID, np.int32)
        paddings = np.ones((len(texts), self._max_tokens), np.float32)
        for row, text in enumerate(texts):
            kept = self._ids(text)[: self._max_tokens]
            ids[row, : len(kept)] = kept
            paddings[row, : len(kept)] = 0.0
        return ids, paddings

    def unread(self, text: str) -> str:
        """Return the words of a text that have no piece in the vocabulary, as typed; all of it if it has no word."""
        if not has_word(text):
            return text.strip()
        words = text.translate(_PUNCTUATION_TO_SPACE).split()
        return " ".join(word for word in words if self._is_unknown(word) and not _is_punctuation(word))

    def _is_unknown(self, word: str) -> bool:
        """Return whether a word is only unknown pieces or bytes, which stand for letters that no caption had."""
        pieces = self._processor
        return all(
            pieces.IsUnknown(i) or pieces.IsByte(i) or pieces.IdToPiece(i) == _SPACE for i in self.raw_ids(word.lower())
        )

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text before truncation."""
        return [len(self._ids(text)) for text in texts]

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """Return for each text whether it has more than L tokens, even if only the added period is cut."""
        return [length > self._max_tokens for length in self.lengths(texts)]
