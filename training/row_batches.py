"""Stored rows of captioned clips, and batches of them: what a text tower is tuned on. Nothing is decoded.

Letters in shapes: n clips, B captioned clips and M clips of a batch in this process, D columns.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


OTHERS = 256
"""Other clips a batch."""


@dataclass(frozen=True, eq=False)
class CaptionedRows:
    """Rows of clips as a library stores them, with sentences about each.

    Attributes:
        rows: float32 (n, D), of unit length.
        captions: For each clip one sentence or more.
        groups: What each clip belongs to, such as its file's content: a split never divides a group.

    Raises:
        ValueError: Lengths differ, a clip has no sentence, or a row is not of unit length.
    """

    rows: NDArray[np.float32]
    captions: tuple[tuple[str, ...], ...]
    groups: tuple[Hashable, ...]

    def __post_init__(self) -> None:
        import numpy as np

        if self.rows.ndim != 2 or not len(self.rows) == len(self.captions) == len(self.groups):
            raise ValueError(
                f"rows (n, D) with captions and groups of each are needed, got {self.rows.shape}, "
                f"{len(self.captions)} and {len(self.groups)}"
            )
        lengths = np.linalg.norm(self.rows, axis=1)
        if not (np.abs(lengths - 1) < 1e-3).all():  # a NaN is no number that is less
            raise ValueError(f"row {int(np.argmax(~(np.abs(lengths - 1) < 1e-3)))} is not of unit length")
        if not all(self.captions):
            raise ValueError(f"clip {next(at for at, each in enumerate(self.captions) if not each)} has no caption")

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Sequence[int] | NDArray[np.intp]) -> CaptionedRows:
        """Return the clips at these positions, in this order."""
        return CaptionedRows(
            self.rows[list(positions)],
            tuple(self.captions[at] for at in positions),
            tuple(self.groups[at] for at in positions),
        )


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Rows of clips, and a sentence for each of the first B; the rest are other clips, about which none is.

    Attributes:
        rows: float32 (M, D), of unit length, M >= B.
        captions: B sentences.
        positives: bool, true where sentence j of the whole batch holds for clip i of it: (M, B), unless several
            processes share a batch.
        number: Of the batch, from 0.
    """

    rows: NDArray[np.float32]
    captions: tuple[str, ...]
    positives: NDArray[np.bool_]
    number: int = 0


class RowBatches:
    """A `BatchSource` of `RowBatch`: each epoch has every captioned clip once, with one of its sentences."""

    def __init__(
        self,
        source: CaptionedRows,
        size: int,
        seed: int,
        *,
        others: NDArray[np.float32] | None = None,
        others_a_batch: int = OTHERS,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        """Draw from captioned rows.

        Other clips are what a sentence must not find. Without them the clips of a batch are told from each other alone,
        and a new word may mean anything else in the library, too. A few of them may show what a sentence says.

        Args:
            source: The rows.
            size: Captioned clips of a whole batch, over all processes; all, if there are fewer.
            seed: Of the order of clips and the choice of sentences and other clips.
            others: float32 (n, D), rows of clips without captions; None if there are none.
            others_a_batch: How many of them are in a whole batch; fewer, if processes cannot share that many evenly.
            rank, processes: Which part of each batch is drawn here: the same number of clips in each process. Together
                they draw what one process would.

        Raises:
            ValueError: There is no clip, `size` is below 1, or a batch cannot be shared out evenly.
        """
        import numpy as np

        from encoder.tokenizer import canonical
        from training.sampling import EpochPositions

        if not len(source) or size < 1:
            raise ValueError(f"batches of {size} of {len(source)} clips cannot be drawn")
        self._part = min(size, len(source)) // processes
        if not self._part:
            raise ValueError(f"{min(size, len(source))} clips a batch are too few for {processes} processes")
        self._order = EpochPositions(range(len(source)), self._part * processes, seed)
        self._source, self._seed, self._rank, self._processes = source, seed, rank, processes
        self._others = np.zeros((0, source.rows.shape[1]), np.float32) if others is None else others
        self._few = min(others_a_batch, len(self._others)) // processes
        self._sentences = tuple(frozenset(map(canonical, each)) for each in source.captions)

    def draw(self, number: int) -> RowBatch:
        """Return batch `number`, from 0, which depends on the seed and the number alone."""
        import numpy as np

        from encoder.tokenizer import canonical

        size = self._part * self._processes
        at = [int(clip) for clip in self._order.of(number)]
        rng = np.random.default_rng((self._seed, 1, number))
        captions = [self._source.captions[clip][rng.integers(len(self._source.captions[clip]))] for clip in at]
        canonicals = [canonical(each) for each in captions]
        positives = np.zeros((self._processes, self._part + self._few, size), bool)
        for place, clip in enumerate(at):
            held = self._sentences[clip]
            positives[place // self._part, place % self._part] = [each in held for each in canonicals]
        mine = slice(self._rank * self._part, (self._rank + 1) * self._part)
        drawn = np.random.default_rng((self._seed, 2, number, 0)).choice(
            len(self._others), self._few * self._processes, replace=False
        )
        others = drawn[self._rank * self._few : (self._rank + 1) * self._few]
        rows = np.concatenate([self._source.rows[at[mine]], self._others[others]])
        return RowBatch(rows, tuple(captions[mine]), positives.reshape(-1, size), number)
