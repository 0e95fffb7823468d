"""Encoders that see what a shot shows through noise of their own, and libraries of such shots, for searches that ask
several of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks._quality_library import Cut, fill
from db.library import Library
from encoder import ClipSpec
from search.calibration.calibration import Calibration
from search.calibration.folder import calibration_folder
from search.space import Space
from search.vectors.faiss_index import FaissIndex

DIM = 48


class NoisyEncoder:
    """An Encoder for which every sentence has a random direction of its own, and each clip is one of one pixel."""

    def __init__(self, seed: int, frames: int = 8, name: str | None = None) -> None:
        self.seed, self._spec = seed, ClipSpec(frames, 1)
        self._name = name or f"noisy{seed}@{seed:016x}:{frames}f:stretch"

    @property
    def id(self) -> str:
        return self._name

    @property
    def text_id(self) -> str:
        return f"noisy:text@{self.seed}"

    @property
    def dim(self) -> int:
        return DIM

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

    def prepare(self) -> None:
        """Do nothing: there is nothing to load."""

    def encode_clips(self, clips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The clip of one grey is the sentence `thing GREY`."""
        return self.encode_texts([f"thing {int(clip.flat[0])}" for clip in clips])

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [_direction(f"{self.seed} {text}") for text in texts]
        return np.stack(rows) if rows else np.zeros((0, DIM), np.float32)

    def unread(self, text: str) -> str:
        return ""

    def truncated(self, texts: Sequence[str]) -> list[bool]:
        return [False] * len(texts)

    def rows(self, sentences: Sequence[str], noise: float) -> NDArray[np.float32]:
        """Return rows of shots that show these sentences, each with a noise of this length, the same every time."""
        away = np.stack([_direction(f"{self.seed} noise of {self.id} {each}") for each in sentences])
        rows = self.encode_texts(sentences) + np.float32(noise) * away
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _direction(text: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    row = np.random.default_rng(seed).normal(size=DIM)
    return np.asarray(row / np.linalg.norm(row), np.float32)


def add_shots(
    library: Library, encoder: NoisyEncoder, sentences: Sequence[str], noise: float, *, path: str = "/films/a.mp4"
) -> None:
    """Store the rows of a video whose shots, of two seconds each, show these sentences."""
    fill(library, encoder.id, [Cut(path, (2.0,) * len(sentences), encoder.rows(sentences, noise))])


def space_of(library: Library, encoder: NoisyEncoder, *, judge: bool = True, is_quick: bool = False) -> Space:
    """Return the space of an encoder in a library as it is now."""
    calibration = Calibration(library, encoder, calibration_folder(library.directory)) if judge else None
    index = FaissIndex.open(library, encoder.id, library.directory / "vectors")
    return Space(library, encoder, index, calibration, is_quick=is_quick)
