"""Retrieval between sentences and their clips, both ways: R@k with intervals, and the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from app.tuning.examples import Example

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from metrics.retrieval import Ranks

    Rows = NDArray[np.float32]

AT = (1, 5, 10)
_DECIMALS = 12
"""Of scores: copies of a clip must score equally wherever their rows stand."""
_BLOCK = 1 << 22  # scores at a time


@dataclass(frozen=True, slots=True)
class CaptionTask:
    """Sentences and the clips that they hold for.

    Attributes:
        sentences: Each once.
        clips: For each sentence, the positions of its clips.
        sentences_of: For each clip, the positions of its sentences.
        groups: The group of each clip.
    """

    sentences: tuple[str, ...]
    clips: tuple[tuple[int, ...], ...]
    sentences_of: tuple[tuple[int, ...], ...]
    groups: tuple[str, ...]


def caption_task(examples: Sequence[Example]) -> CaptionTask:
    """Return the task of examples that all have captions. Sentences are one that are read as one.

    VideoPrism reads without regard to case and punctuation.
    """
    from encoder.tokenizer import canonical

    places: dict[str, int] = {}
    sentences: list[str] = []
    clips: list[list[int]] = []
    sentences_of: list[tuple[int, ...]] = []
    for clip, each in enumerate(examples):
        own = []
        for text in each.captions:
            key = canonical(text)
            if key not in places:
                places[key] = len(sentences)
                sentences.append(text)
                clips.append([])
            own.append(places[key])
            if clip not in clips[places[key]]:
                clips[places[key]].append(clip)
        sentences_of.append(tuple(dict.fromkeys(own)))
    groups = tuple(each.group or each.content for each in examples)
    return CaptionTask(tuple(sentences), tuple(map(tuple, clips)), tuple(sentences_of), groups)


@dataclass(frozen=True, slots=True)
class Direction:
    """The result in one direction.

    Attributes:
        hits: Chance that a true item is among the k best, by k; float64 (questions,).
        groups: The group of each question.
        median_rank: Median of the expected ranks.
        intervals: 95 % intervals of R@k, by k; None with fewer than two groups.
    """

    hits: dict[int, NDArray[np.float64]]
    groups: tuple[str, ...]
    median_rank: float
    intervals: dict[int, tuple[float, float] | None]

    def recall(self, k: int) -> float:
        """Return R@k, from 0 to 1."""
        return float(self.hits[k].mean())

    def record(self) -> dict[str, Any]:
        """Return JSON values."""
        recall = {f"R@{k}": {"value": self.recall(k), "interval": self.intervals[k]} for k in self.hits}
        return {"questions": len(self.groups), **recall, "MedR": self.median_rank}


@dataclass(frozen=True, slots=True)
class CaptionScores:
    """Both directions: sentences that look for clips, and clips that look for sentences."""

    by_words: Direction
    by_clips: Direction

    def record(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"words_to_clips": self.by_words.record(), "clips_to_words": self.by_clips.record()}


def score_captions(task: CaptionTask, text_rows: Rows, clip_rows: Rows, *, seed: int = 0) -> CaptionScores:
    """Rank clips for each sentence, and sentences for each clip.

    Args:
        task: Which belong together; each clip has a sentence.
        text_rows: float32 (sentences, D), unit rows.
        clip_rows: float32 (clips, D), unit rows.
        seed: Of the intervals, which are over groups of clips.
    """
    of_sentence = tuple(task.groups[clips[0]] for clips in task.clips)
    return CaptionScores(
        _direction(text_rows, clip_rows, task.clips, of_sentence, seed),
        _direction(clip_rows, text_rows, task.sentences_of, task.groups, seed),
    )


def difference(
    first: Direction, second: Direction, k: int, *, seed: int = 0
) -> tuple[float, tuple[float, float] | None]:
    """Return how much higher R@k of the second is, and the 95 % interval of that: groups are drawn for both at once."""
    import numpy as np

    from metrics.bootstrap import bootstrap_interval

    gain = second.hits[k] - first.hits[k]
    interval = bootstrap_interval(partial(_mean, gain), first.groups, np.random.default_rng(seed))
    return float(gain.mean()), interval


def _direction(
    questions: Rows, items: Rows, true: Sequence[Sequence[int]], groups: tuple[str, ...], seed: int
) -> Direction:
    import numpy as np

    from metrics.bootstrap import bootstrap_interval

    parts: list[Ranks] = list(_ranked(questions, items, true))
    hits = {k: np.concatenate([each.within(k) for each in parts]) for k in AT}
    ranks = np.concatenate([each.expected for each in parts])
    intervals = {
        k: bootstrap_interval(partial(_mean, of), groups, np.random.default_rng(seed)) for k, of in hits.items()
    }
    return Direction(hits, groups, float(np.median(ranks)), intervals)


def _mean(values: NDArray[np.float64], at: NDArray[np.intp]) -> float:
    return float(values[at].mean())


def _ranked(questions: Rows, items: Rows, true: Sequence[Sequence[int]]) -> Sequence[Ranks]:
    import numpy as np

    from metrics.retrieval import rank_queries

    size = max(1, _BLOCK // max(1, len(items)))
    found = []
    for start in range(0, len(questions), size):
        part = questions[start : start + size].astype(np.float64) @ items.astype(np.float64).T
        found.append(rank_queries(np.round(part, _DECIMALS), true[start : start + size]))
    return found
