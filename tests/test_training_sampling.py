"""Which clips and sentences are in a batch, and batches drawn ahead."""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Literal

import numpy as np
import pytest
from training_tasks import CaptionedNumbers, Numbers

from training.prefetch import prefetched
from training.sampling import CaptionedBatches, EpochPositions, positives


def test_every_clip_comes_once_an_epoch_and_no_batch_has_one_twice() -> None:
    batches = EpochPositions([5, 6, 7, 8, 9, 10, 11], 3, seed=2)
    drawn = [batches.of(number) for number in range(21)]
    assert all(len(set(each)) == 3 for each in drawn)
    counts = Counter(int(position) for each in drawn for position in each)
    assert counts.keys() == {5, 6, 7, 8, 9, 10, 11}
    assert max(counts.values()) - min(counts.values()) <= 2
    whole = EpochPositions(range(6), 3, seed=2)
    for epoch in range(4):
        assert sorted([*whole.of(2 * epoch), *whole.of(2 * epoch + 1)]) == [0, 1, 2, 3, 4, 5]
    assert not np.array_equal(np.concatenate([whole.of(0), whole.of(1)]), np.concatenate([whole.of(2), whole.of(3)]))


def test_a_batch_depends_on_its_number_and_the_seed_alone() -> None:
    source = CaptionedNumbers()
    first = CaptionedBatches(source, range(20), 8, seed=1)
    later = CaptionedBatches(source, range(20), 8, seed=1).draw(5)
    for number in (9, 5):
        drawn = first.draw(number)
    assert np.array_equal(drawn.clips, later.clips)
    assert (drawn.captions, drawn.number) == (later.captions, 5)
    assert not np.array_equal(CaptionedBatches(source, range(20), 8, seed=2).draw(5).clips, later.clips)
    single = CaptionedBatches(source, [3], 1, seed=1)
    assert not np.array_equal(single.draw(0).clips, single.draw(1).clips)  # augmented anew


def test_a_batch_larger_than_the_clips_has_all_of_them() -> None:
    batch = CaptionedBatches(CaptionedNumbers(), [3, 4, 5], 8, seed=1).draw(0)
    assert batch.clips.shape == (3, 1, 2, 2, 3)
    for wrong in ([], [3]):
        with pytest.raises(ValueError, match=r"each needs one|do not divide"):
            CaptionedBatches(CaptionedNumbers(), wrong, 8, seed=1, processes=2)


def test_equal_sentences_hold_for_each_others_clips() -> None:
    own = [["A fox", "an animal"], ["a dog", "an animal"], ["a  FOX!"]]
    assert positives(own, ["A fox", "an animal", "a  FOX!"]).tolist() == [
        [True, True, True],
        [False, True, False],
        [True, False, True],
    ]


def test_processes_draw_together_what_one_draws() -> None:
    source = CaptionedNumbers()
    whole = CaptionedBatches(source, range(20), 8, seed=1).draw(3)
    parts = [CaptionedBatches(source, range(20), 8, seed=1, rank=rank, processes=2).draw(3) for rank in range(2)]
    assert np.array_equal(np.concatenate([part.clips for part in parts]), whole.clips)
    assert parts[0].captions + parts[1].captions == whole.captions
    assert all(np.array_equal(part.positives, whole.positives) for part in parts)


@pytest.mark.parametrize(
    ("kind", "workers", "in_turns"),
    [("threads", 1, False), ("threads", 3, False), ("processes", 1, False), ("threads", 2, True)],
)
def test_batches_drawn_ahead_are_the_same(kind: Literal["threads", "processes"], workers: int, in_turns: bool) -> None:
    with prefetched(Numbers(), ahead=3, workers=workers, kind=kind, until=9, in_turns=in_turns) as ahead:
        for number in (0, 1, 2, 6, 7, 8, 3):
            for one, other in zip(ahead.draw(number), Numbers().draw(number), strict=True):
                assert np.array_equal(one, other)


class Sparse:
    def __init__(self) -> None:
        self.drawn: list[int] = []

    def draw(self, number: int) -> int:
        self.drawn.append(number)
        if number == 4:
            raise OSError("gone")
        return number


def test_none_is_drawn_beyond_the_end_and_what_a_source_raises_comes_with_its_batch() -> None:
    source = Sparse()
    with prefetched(source, ahead=2, until=6) as ahead:
        assert [ahead.draw(number) for number in range(4)] == [0, 1, 2, 3]
        with pytest.raises(OSError, match="gone"):
            ahead.draw(4)
        assert ahead.draw(5) == 5
    assert sorted(source.drawn) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="cannot draw"), prefetched(source, workers=0, until=6):
        pass


def test_in_turns_nothing_is_drawn_while_the_caller_computes() -> None:
    source = Sparse()
    with prefetched(source, ahead=2, until=9, in_turns=True) as ahead:
        drawn = []
        for number in range(4):
            assert ahead.draw(number) == number
            drawn.append(len(source.drawn))
            time.sleep(0.02)  # a worker that had something to draw would do so now
        assert drawn == [3, 3, 3, 6]
        assert len(source.drawn) == 6
        with pytest.raises(OSError, match="gone"):
            ahead.draw(4)


class Dying:
    def draw(self, number: int) -> int:
        os._exit(3)


def test_a_worker_process_that_ends_is_told_as_such() -> None:
    with prefetched(Dying(), kind="processes", until=6) as ahead, pytest.raises(OSError, match="process that draws"):
        ahead.draw(0)
