"""Which clips and sentences are in which batch: a function of the seed and the batch's number alone.

Letters in shapes: B clips of this process, C clips of the whole batch, T frames, S pixels along a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from encoder.tokenizer import canonical
from training.batches import CaptionedBatch, ClipSource

if TYPE_CHECKING:
    from numpy.typing import NDArray


def epoch_order(count: int, epoch: int, seed: int) -> NDArray[np.int64]:
    """Return the numbers below `count` in the order of an epoch."""
    return np.random.default_rng((seed, epoch)).permutation(count)


class EpochPositions:
    """Positions of each batch: epoch after epoch, every clip once in each; a batch may reach into the next epoch.

    Args:
        positions: The clips to draw from.
        size: Clips in a batch; at most as many as there are, so that no batch has a clip twice.
        seed: Of the order.

    Raises:
        ValueError: There is no clip, or `size` is below 1.
    """

    def __init__(self, positions: Sequence[int] | NDArray[np.integer], size: int, seed: int) -> None:
        if len(positions) < 1 or size < 1:
            raise ValueError(f"there are {len(positions)} clips for batches of {size}; each needs one at least")
        self.size, self._seed = min(size, len(positions)), seed
        self._positions = np.asarray(positions, np.int64)

    def of(self, number: int) -> NDArray[np.int64]:
        """Return the positions in batch `number`, int64 (size,), all different."""
        count, first = len(self._positions), number * self.size
        epoch, place = divmod(first, count)
        drawn = epoch_order(count, epoch, self._seed)[place : place + self.size]
        if missing := self.size - len(drawn):
            following = epoch_order(count, epoch + 1, self._seed)
            drawn = np.concatenate([drawn, following[~np.isin(following, drawn)][:missing]])
        return self._positions[drawn]


class CaptionedBatches:
    """Batches of clips with a sentence for each; of a clip's sentences, one is drawn each time.

    Each clip has a generator of its own, seeded by the batch's number and its place in it. So several processes draw
    together what one would draw, and each reads its own clips only.

    Args:
        source: The clips. All have the same shape.
        positions: Those to draw from; each has a sentence.
        size: Clips in a batch of all processes together; cut to the number of positions.
        seed: Of the order, the sentences and the augmentation.
        rank: Number of this process.
        processes: Processes that share each batch; they divide `size`.

    Raises:
        ValueError: There is no clip, a clip has no sentence, or the processes do not divide the batch.
    """

    def __init__(
        self,
        source: ClipSource,
        positions: Sequence[int] | NDArray[np.integer],
        size: int,
        seed: int,
        *,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._source, self._seed = source, seed
        self._positions = EpochPositions(positions, size, seed)
        if self._positions.size % processes:
            raise ValueError(f"{processes} processes do not divide a batch of {self._positions.size} clips")
        for position in positions:
            if not source.captions(int(position)):
                raise ValueError(f"clip {position} has no caption")
        part = self._positions.size // processes
        self._own = slice(rank * part, (rank + 1) * part)

    def draw(self, number: int) -> CaptionedBatch:
        """Return this process's part of batch `number`; `positives` is of the whole batch.

        Raises:
            OSError: A clip cannot be read.
            ValueError: The clips differ in shape.
        """
        positions = self._positions.of(number)
        generators = [np.random.default_rng((self._seed, number, place)) for place in range(len(positions))]
        own = [self._source.captions(int(position)) for position in positions]
        drawn = [each[int(rng.integers(len(each)))] for each, rng in zip(own, generators, strict=True)]
        clips = [
            self._source.clip(int(positions[place]), generators[place]) for place in range(len(positions))[self._own]
        ]
        return CaptionedBatch(np.stack(clips), tuple(drawn[self._own]), positives(own, drawn), number)


def positives(captions: Sequence[Sequence[str]], drawn: Sequence[str]) -> NDArray[np.bool_]:
    """Return which sentences hold for which clips: those that a clip has among its own, whosever they are in the batch.

    Args:
        captions: All sentences of each clip, C of them.
        drawn: The one that was drawn for each clip, C.

    Returns:
        bool (C, C), true where sentence j is one of clip i's. Sentences that the tokenizer reads
        alike are equal.
    """
    read = [canonical(sentence) for sentence in drawn]
    return np.array([[each in own for each in read] for own in ({canonical(s) for s in of} for of in captions)], bool)
