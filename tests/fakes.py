"""Small true parts that stand in for the big ones in tests: they mean something, so that a wrong answer is visible.

`ColourEncoder` sees colours and change; `ExactIndex` compares with everything. Both keep the promises of the protocols.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoder import ClipSpec
from search.vectors.vector_index import check_search, least_score

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "purple": (128, 0, 128),
    "orange": (255, 128, 0),
    "pink": (255, 150, 190),
    "brown": (120, 70, 20),
    "grey": (128, 128, 128),
    "gray": (128, 128, 128),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}
REGIONS = {"top": (0, 1), "bottom": (2, 3), "left": (0, 2), "right": (1, 3)}  # quarters, row by row
CHANGES = {"still": (0.0, 0.0), "moving": (1.0, 0.0), "brightening": (0.5, 1.0), "darkening": (0.5, -1.0)}


class ColourEncoder:
    """An Encoder of 16 columns that anybody can work out by hand.

    Columns 0-11: mean colour of the four quarters, each channel from -1 (none) to 1 (full); 12: how much the quarters
    change from frame to frame; 13: how much brighter the end is than the beginning; 14: a small constant, so that no
    row is ever zero; 15: what a sentence says in words not known here. Sums are integers and each row is worked out
    alone, so a row is bit for bit the same whatever batch it came in.
    """

    def __init__(
        self, *, frames: int = 4, size: int = 16, name: str = "colour", text_id: str = "colour:text@1"
    ) -> None:
        self._spec = ClipSpec(frames, size)
        self._name, self._text_id = name, text_id
        self.batches: list[int] = []  # how many clips each call brought, for tests that ask

    @property
    def id(self) -> str:
        return f"{self._name}-t{self._spec.frames}-s{self._spec.size}"

    @property
    def text_id(self) -> str:
        return self._text_id

    @property
    def dim(self) -> int:
        return 16

    @property
    def clip_spec(self) -> ClipSpec:
        return self._spec

    @property
    def notice(self) -> str | None:
        return None

    @property
    def batch(self) -> int:
        return 8

    @property
    def has_text(self) -> bool:
        return True

    @property
    def token_dim(self) -> int:
        return 4

    @property
    def attention_heads(self) -> int:
        return 2

    def prepare(self) -> None:
        """Do nothing: there is nothing to load."""

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, T, S, S, 3) -> float32 (B, 16), unit rows. ValueError for another shape or dtype."""
        self._spec.require(clips)
        return self.encode_frames(clips)

    def encode_frames(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The same for any number of frames, as `encoder.quick.AnyFrames` says."""
        self.batches.append(len(clips))
        return np.stack([self._row(clip) for clip in clips]) if len(clips) else np.zeros((0, 16), np.float32)

    def encode_tokens(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (B, T, S, S, 3) -> float32 (B, T * 4, 4): mean colour of each quarter of each frame, and a constant."""
        self._spec.require(clips)
        half = max(1, self._spec.size // 2)
        tokens = np.full((len(clips), self._spec.frames, 4, 4), 0.1, np.float32)
        for i, clip in enumerate(clips):
            for n, (y, x) in enumerate((y, x) for y in (0, 1) for x in (0, 1)):
                edges = [slice(-half, None) if end else slice(0, half) for end in (y, x)]
                tokens[i, :, n, :3] = _means(clip[:, edges[0], edges[1]])
        return tokens.reshape(len(clips), self._spec.frames * 4, 4)

    def _row(self, clip: NDArray[np.uint8]) -> NDArray[np.float32]:
        half = max(1, self._spec.size // 2)
        edges = (slice(0, half), slice(-half, None))
        quarters = np.stack([_means(clip[:, y, x]) for y in edges for x in edges])  # (4, T, 3), -1..1
        row = np.zeros(16)
        row[:12] = quarters.mean(axis=1).ravel()
        if self._spec.frames > 1:
            row[12] = np.abs(np.diff(quarters, axis=1)).mean()
            row[13] = (quarters[:, -1] - quarters[:, 0]).mean()
        return _unit(row)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """B sentences -> float32 (B, 16), unit rows; words not known move a little along the last column."""
        return np.stack([_sentence(text) for text in texts]) if len(texts) else np.zeros((0, 16), np.float32)

    def unread(self, text: str) -> str:
        return ""

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        """False for each: sentences may have any length."""
        return [False] * len(texts)


def _means(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """uint8 (T, h, w, 3) -> float64 (T, 3), mean colour from -1 to 1."""
    area = pixels.shape[1] * pixels.shape[2]
    means: NDArray[np.float64] = pixels.sum(axis=(1, 2), dtype=np.int64) / (area * 127.5) - 1.0
    return means


def _sentence(text: str) -> NDArray[np.float32]:
    row = np.zeros(16)
    colours, regions, unknown = [], [], []
    for word in re.findall(r"\w+", text.lower()):
        if word in COLOURS:
            colours.append(np.array(COLOURS[word]) / 127.5 - 1.0)
        elif word in REGIONS:
            regions.append(REGIONS[word])
        elif word in CHANGES:
            row[12:14] = CHANGES[word]
        else:
            unknown.append(word)
    for region in range(4) if not regions else sorted({r for pair in regions for r in pair}):
        if colours:
            row[3 * region : 3 * region + 3] = np.mean(colours, axis=0)
    if unknown:
        digest = hashlib.blake2b(" ".join(unknown).encode("utf-8", "surrogatepass"), digest_size=2).digest()
        row[15] = 0.05 + 0.1 * int.from_bytes(digest, "big") / 65535
    return _unit(row)


def _unit(row: NDArray[np.float64]) -> NDArray[np.float32]:
    row[14] = 0.1
    unit: NDArray[np.float32] = (row / np.sqrt(np.square(row).sum())).astype(np.float32)
    return unit


class ExactIndex:
    """A VectorIndex that compares with every row: the oracle. Ties go to the smaller id."""

    def __init__(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> None:
        """ids: int64 (N,), each once; rows: float32 (N, D)."""
        if ids.ndim != 1 or rows.ndim != 2 or len(ids) != len(rows) or len(np.unique(ids)) != len(ids):
            raise ValueError(f"ids (N,), each once, and rows (N, D) are needed, got {ids.shape} and {rows.shape}")
        order = np.argsort(ids)
        self._ids = ids[order].astype(np.int64)
        self._rows = rows[order].astype(np.float32)

    @classmethod
    def of(cls, library: Any, encoder_id: str) -> ExactIndex:
        """Every embedding of one encoder that the library holds."""
        batches = list(library.embeddings(encoder_id))
        if not batches:
            return cls(np.zeros(0, np.int64), np.zeros((0, 1), np.float32))
        return cls(np.concatenate([ids for ids, _ in batches]), np.concatenate([rows for _, rows in batches]))

    def __len__(self) -> int:
        return len(self._ids)

    def search(
        self, rows: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """float32 (Q, D) -> ids int64 (Q, k') and scores float32 (Q, k'), best first; k' = min(k, ids allowed)."""
        check_search(rows, k, self._rows.shape[1] if len(self) else None)
        chosen = slice(None) if allowed is None else np.flatnonzero(np.isin(self._ids, allowed))
        ids, stored = self._ids[chosen], self._rows[chosen]
        if not len(ids):
            return np.zeros((len(rows), 0), np.int64), np.zeros((len(rows), 0), np.float32)
        scores = (rows.astype(np.float64) @ stored.T.astype(np.float64)).astype(np.float32)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return ids[best], np.take_along_axis(scores, best, axis=1)

    def count(self, row: NDArray[np.float32], threshold: float, allowed: NDArray[np.int64] | None = None) -> int:
        """Rows that score `threshold` or more, of all or of those allowed."""
        least = least_score(threshold)
        scores = self.search(row[None, :], max(1, len(self)), allowed)[1]
        return int((scores >= least).sum())
