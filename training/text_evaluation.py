"""Gains and losses of a tuned text tower: retrieval before and after, and how far everyday sentences moved.

Works on arrays and on functions that encode sentences, so it measures a tower in training as well as two encoders.
Letters in shapes: n clips, B sentences, D columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metrics.bootstrap import bootstrap_interval
from metrics.retrieval import rank_queries
from training.everyday import unseen_sentences
from training.row_batches import CaptionedRows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""A function from B sentences to unit rows float32 (B, D), such as `Encoder.encode_texts`."""

AT = (1, 5)
"""The k of R@k."""


@dataclass(frozen=True)
class RecallChange:
    """Retrieval of clips by their sentences, before and after.

    Attributes:
        sentences, clips: How many asked, and among how many clips.
        before, after: R@k of text to clip, for each k of AT.
        interval: The 95 % interval of after - before in R@1, drawn over groups of clips; None with fewer than two.
    """

    sentences: int
    clips: int
    before: Mapping[int, float]
    after: Mapping[int, float]
    interval: tuple[float, float] | None

    @property
    def gain(self) -> float:
        """R@1 after - before; below 0 for a fall."""
        return self.after[1] - self.before[1]


@dataclass(frozen=True)
class TextFigures:
    """What changed between two text towers of one space.

    Attributes:
        held_out: Sentences and clips that were never trained on; None if there are none.
        old: Sentences that were understood before, with their clips; None if none were given.
        cosine: Mean cosine between the rows of everyday sentences before and after; 1 is no drift.
        least_cosine: The least of them.
        same_best: The share of everyday sentences whose best clip is still the same; None without clips.
    """

    held_out: RecallChange | None
    old: RecallChange | None
    cosine: float
    least_cosine: float
    same_best: float | None


def compare_texts(
    before: Encode,
    after: Encode,
    *,
    held_out: CaptionedRows | None = None,
    old: CaptionedRows | None = None,
    library: NDArray[np.float32] | None = None,
    unseen: Sequence[str] | None = None,
    seed: int = 0,
) -> TextFigures:
    """Compare two text towers over the same rows of clips.

    Args:
        before, after: Encode sentences with the former and with the tuned tower.
        held_out: Captioned clips that were never trained on.
        old: Captioned clips whose sentences the former tower understood.
        library: float32 (n, D), clips among which everyday sentences look for their best.
        unseen: What tells what was forgotten; None for sentences of everyday life.
        seed: Of the intervals.
    """
    everyday = unseen_sentences() if unseen is None else unseen
    rows, now = before(everyday), after(everyday)
    cosines = (rows * now).sum(axis=1)
    same = None
    if library is not None and len(library):
        same = float(((rows @ library.T).argmax(axis=1) == (now @ library.T).argmax(axis=1)).mean())
    return TextFigures(
        None if held_out is None or not len(held_out) else _recall(before, after, held_out, seed),
        None if old is None or not len(old) else _recall(before, after, old, seed),
        float(cosines.mean()),
        float(cosines.min()),
        same,
    )


def distinct_sentences(captions: Sequence[Sequence[str]]) -> tuple[list[str], list[list[int]]]:
    """Return the sentences of clips, each once, and for each the positions of the clips it is about.

    Sentences are one that are read as one, regardless of case and punctuation.
    """
    from encoder.tokenizer import canonical

    about: dict[str, dict[int, None]] = {}
    for clip, sentences in enumerate(captions):
        for sentence in sentences:
            about.setdefault(canonical(sentence), {})[clip] = None
    return list(about), [list(clips) for clips in about.values()]


def _recall(before: Encode, after: Encode, source: CaptionedRows, seed: int) -> RecallChange:
    import numpy as np

    sentences, relevant = distinct_sentences(source.captions)
    former, later = (rank_queries(each(sentences) @ source.rows.T, relevant) for each in (before, after))
    change = later.within(1) - former.within(1)
    return RecallChange(
        len(sentences),
        len(source),
        {k: float(former.within(k).mean()) for k in AT},
        {k: float(later.within(k).mean()) for k in AT},
        bootstrap_interval(
            lambda at: float(change[at].mean()),
            [source.groups[clips[0]] for clips in relevant],
            np.random.default_rng(seed),
        ),
    )
