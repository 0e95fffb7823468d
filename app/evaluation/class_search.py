"""Search by classes: rows that are there already are compared with all classes, block by block, and judged.

A shot is as strong for its class as a hit of a search for that class would be: the level says how often an unrelated
question finds anything as strong among the same shots (search.calibration). It knows nothing of the other classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.zero_shot import Best, best_classes
from indexer.media.errors import Cancelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.records import Filters
    from search.calibration.hit_judge import HitJudge
    from search.strength import Strength

    Block = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class ZeroShotResult:
    """Shots, or videos, and their best classes.

    Attributes:
        ids: int64 (n,), those that the rows came with.
        best: Their best classes.
        strengths: Of each for its best class; None without a judge.
        damaged: Number of rows that are not numbers, and were left out.
    """

    ids: NDArray[np.int64]
    best: Best
    strengths: tuple[Strength | None, ...]
    damaged: int = 0


def classify_by_names(
    blocks: Iterable[Block],
    names: Sequence[str],
    classes: NDArray[np.float32],
    judge: HitJudge | None,
    *,
    top: int,
    on_progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ZeroShotResult:
    """Return the best classes of all rows. Memory grows by `top` numbers a row, not by the number of classes.

    Args:
        blocks: Ids int64 (n,) and unit rows float32 (n, D), as `Library.embeddings` yields them.
        names: Of the classes.
        classes: float32 (classes, D).
        judge: Judges hits among these rows; None: nothing has a strength.
        top: Number of best classes to keep.
        on_progress: Called with the number of rows that are done.
        cancelled: Polled before each block; True ends the work with Cancelled.

    Raises:
        Cancelled: `cancelled` returned True.
    """
    import numpy as np

    parts: list[Best] = []
    ids: list[NDArray[np.int64]] = []
    done = 0
    for some, rows in blocks:
        if cancelled():
            raise Cancelled
        good = np.isfinite(rows).all(axis=1)
        ids.append(some[good])
        parts.append(best_classes(rows[good], classes, top))
        done += len(some)
        on_progress(done)
    kept = np.concatenate(ids) if ids else np.zeros(0, np.int64)
    none = np.zeros((0, min(top, len(names))))
    best = Best(
        np.concatenate([none.astype(np.int64), *(part.classes for part in parts)]),
        np.concatenate([none.astype(np.float32), *(part.cosines for part in parts)]),
        np.concatenate([none.astype(np.float32), *(part.shares for part in parts)]),
    )
    return ZeroShotResult(kept, best, strengths(kept, best, names, judge), done - len(kept))


def strengths(
    ids: NDArray[np.int64],
    best: Best,
    names: Sequence[str],
    judge: HitJudge | None,
) -> tuple[Strength | None, ...]:
    """Return the strength of each shot as a hit of a search for its best class. Arguments as in `classify_by_names`."""
    import numpy as np

    from search.query import TextTerm

    found: list[Strength | None] = [None] * len(ids)
    if judge is None:
        return tuple(found)
    order = np.argsort(best.classes[:, 0], kind="stable")
    starts = np.searchsorted(best.classes[order, 0], np.arange(len(names) + 1))
    for at, name in enumerate(names):
        members = order[starts[at] : starts[at + 1]]
        if len(members):
            judged = judge.strengths([TextTerm(name)], ids[members].tolist(), best.cosines[members, :1])
            for member, strength in zip(members.tolist(), judged, strict=True):
                found[member] = strength
    return tuple(found)


class RowsInMemory:
    """Rows of videos that no library holds, as a calibration reads them."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        """Take unit rows, float32 (n, D). Their ids are 1 to n."""
        import numpy as np

        self._rows = rows
        self.ids = np.arange(1, len(rows) + 1, dtype=np.int64)

    def segment_ids(self, filters: Filters, encoder_id: str) -> NDArray[np.int64]:
        """Return all ids."""
        return self.ids

    def embedding_rows(self, encoder_id: str, ids: Iterable[int]) -> NDArray[np.float32]:
        """Return the rows with these ids."""
        import numpy as np

        return self._rows[np.fromiter(ids, np.int64) - 1]

    def embeddings(self, encoder_id: str, after: int = 0, batch: int = 8192) -> Iterator[Block]:
        """Yield ids and rows, by ascending id above `after`."""
        for start in range(after, len(self.ids), batch):
            yield self.ids[start : start + batch], self._rows[start : start + batch]


def judge_of(rows: RowsInMemory, encoder_id: str, questions: NDArray[np.float32]) -> HitJudge | None:
    """Return the judge of hits among these rows; None without any.

    Args:
        rows: The rows.
        encoder_id: Their encoder.
        questions: float32 (n, D), rows of `search.calibration.questions.null_questions`.
    """
    from db.records import Stamp
    from search.calibration.hit_judge import HitJudge
    from search.calibration.null_statistics import calibrate
    from search.calibration.questions import forms, null_questions

    count = len(rows.ids)
    if not count:
        return None
    dim = questions.shape[1]
    stamp = Stamp(library_id="", encoder_id=encoder_id, dim=dim, count=count, last_id=count, generation=0)
    made = calibrate(rows, stamp, questions, lambda share: None)
    return HitJudge.of(made, forms(null_questions(encoder_id)))
