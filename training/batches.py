"""Batches of captioned clips, and where they come from.

Letters in shapes: B clips, T frames, S pixels along a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Drawn = TypeVar("Drawn", covariant=True)


class ClipSource(Protocol):
    """The clips to train on, by position. The caller decodes them; nothing here knows of files."""

    def __len__(self) -> int:
        """Return the number of clips."""
        ...

    def clip(self, position: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a clip, uint8 (T, S, S, 3), RGB, with whatever augmentation `rng` decides.

        Raises:
            OSError: The clip cannot be read; the loop says which, and stops.
        """
        ...

    def captions(self, position: int) -> Sequence[str]:
        """Return the sentences about a clip; none for footage without words."""
        ...


class BatchSource(Protocol[Drawn]):
    """Numbered batches: the content of batch n depends on the source and n alone, so that a run can be resumed."""

    def draw(self, number: int) -> Drawn:
        """Return batch `number`, from 0."""
        ...


@dataclass(frozen=True)
class CaptionedBatch:
    """Clips and a sentence for each.

    Attributes:
        clips: uint8 (B, T, S, S, 3).
        captions: B sentences.
        positives: bool (B, C), true where sentence j of the whole batch holds for clip i; C is B unless several
            processes share a batch. Each row and column of the whole has a true one.
        number: Of the batch, from 0, so that a task can draw masks and the like as a function of it.
    """

    clips: NDArray[np.uint8]
    captions: tuple[str, ...]
    positives: NDArray[np.bool_]
    number: int = 0
