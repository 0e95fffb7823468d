"""Division into segments, sampling of frames, and the bounded buffer behind it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from indexer.media.frame_buffer import DecimatingBuffer
from indexer.media.sampling import sample_indices
from indexer.shots.segments import merge_empty, split_shot


def test_a_short_shot_is_one_segment() -> None:
    assert split_shot(1000, 1001, 200_000, 12_500) == [(1000, 1001)]
    assert split_shot(-5, 200_000 - 5, 200_000, 12_500) == [(-5, 199_995)]


@pytest.mark.parametrize("length", [201, 250, 400, 999, 1000, 12_345, 100_003])
@pytest.mark.parametrize("overlap", [0, 1, 13, 99])
def test_a_long_shot_becomes_equal_overlapping_parts(length: int, overlap: int) -> None:
    spans = split_shot(700, 700 + length, 200, overlap)
    assert spans[0][0] == 700
    assert spans[-1][1] == 700 + length
    lengths = [end - start for start, end in spans]
    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= 200
    shared = [before[1] - after[0] for before, after in itertools.pairwise(spans)]
    assert all(abs(part - overlap) <= 1 for part in shared)
    # As few as possible: one part fewer could not reach.
    assert (len(spans) - 1) * (200 - overlap) + overlap < length


@pytest.mark.parametrize(("end", "longest", "overlap"), [(10, 5, 0), (11, 5, 5), (11, 5, -1)])
def test_what_cannot_be_split_is_refused(end: int, longest: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="cannot split"):
        split_shot(10, end, longest, overlap)


def test_spans_without_a_frame_join_their_neighbours() -> None:
    spans = [(0, 10), (9, 19), (18, 28), (27, 37), (36, 46)]
    assert merge_empty(spans, [10, 30]) == [(0, 28), (27, 46)]
    assert merge_empty(spans, [0, 9, 18, 27, 36]) == spans
    assert merge_empty(spans, [45]) == [(0, 46)]


@pytest.mark.parametrize("count", [1, 5, 15, 16, 17, 31, 100, 299, 3000])
@pytest.mark.parametrize("frames", [8, 16])
def test_sampling_is_the_references(count: int, frames: int) -> None:
    expected = np.linspace(0, count, frames, endpoint=False, dtype=np.int32).tolist()
    assert sample_indices(count, frames) == expected


@pytest.mark.parametrize("count", [1, 2, 5, 7, 8, 9, 31, 100, 299, 3000])
@pytest.mark.parametrize("frames", [1, 2, 8, 16])
def test_sampling_with_both_ends(count: int, frames: int) -> None:
    found = sample_indices(count, frames, ends=True)
    assert found == np.linspace(0, count - 1, frames).round(9).astype(int).tolist()
    assert (found[0], found[-1]) == (0, count - 1 if frames > 1 else 0)


@pytest.mark.parametrize(("count", "frames"), [(0, 8), (-1, 8), (8, 0), (8, -1)])
def test_nothing_can_be_sampled_from_no_frames_nor_for_none(count: int, frames: int) -> None:
    with pytest.raises(ValueError, match="cannot take"):
        sample_indices(count, frames)


def test_a_buffer_needs_room_for_two() -> None:
    assert DecimatingBuffer(2).bound == 2
    with pytest.raises(ValueError, match="at least 2"):
        DecimatingBuffer(1)


def fill(kept: DecimatingBuffer[int], first: int, last: int, step: int = 1) -> None:
    for index in range(first, last, step):
        kept.push(index, lambda index=index: index)  # type: ignore[misc]


@pytest.mark.parametrize("bound", [2, 7, 8, 64])
@pytest.mark.parametrize("step", [1, 4])
def test_thinning_stays_within_its_bound_and_even(bound: int, step: int) -> None:
    kept: DecimatingBuffer[int] = DecimatingBuffer(bound)
    for index in range(0, 2000 * step, step):
        fill(kept, index, index + 1)
        assert len(kept) <= bound
        here = kept.within(0, index + 1)
        assert here[0] == 0
        gaps = {after - before for before, after in itertools.pairwise(here)}
        assert gaps <= {kept.stride * step}
        assert index - here[-1] < kept.stride * step
    assert len(kept) >= bound // 2


def test_thinning_makes_only_what_it_keeps() -> None:
    made: list[int] = []
    kept: DecimatingBuffer[int] = DecimatingBuffer(8)
    for index in range(1000):
        kept.push(index, lambda index=index: made.append(index) or index)  # type: ignore[misc,func-returns-value]
    assert len(made) < 8 * 9  # 8 for each doubling of the stride at most


def test_a_stretch_within_the_bound_is_exact_and_a_longer_one_near() -> None:
    kept: DecimatingBuffer[int] = DecimatingBuffer(64)
    fill(kept, 0, 64)
    assert [kept.nearest(i, 0, 64) for i in range(64)] == list(range(64))
    fill(kept, 64, 640)
    assert max(abs(kept.nearest(i, 0, 640) - i) for i in range(640)) <= kept.stride


def test_the_nearest_item_is_taken_from_the_span_where_it_has_one() -> None:
    kept: DecimatingBuffer[int] = DecimatingBuffer(64)
    fill(kept, 0, 100, step=10)
    assert kept.nearest(39, 31, 60) == 40
    assert kept.nearest(31, 31, 60) == 40  # 30 is nearer, but outside
    assert kept.nearest(33, 31, 39) == 30  # nothing inside
    assert kept.nearest(500, 0, 1000) == 90


def test_a_new_stretch_keeps_what_belongs_to_it_and_counts_anew() -> None:
    kept: DecimatingBuffer[int] = DecimatingBuffer(8)
    fill(kept, 0, 100)
    assert kept.stride > 1
    kept.restart(90)
    assert kept.stride == 1
    assert all(item >= 90 for item in kept.within(0, 1000))
    fill(kept, 100, 104)
    assert kept.within(100, 104) == [100, 101, 102, 103]
    kept.drop_before(1000)
    with pytest.raises(LookupError):
        kept.nearest(5, 0, 10)
