"""search.even: every n-th of many."""

from __future__ import annotations

import numpy as np
import pytest

from search.even import even_places, evenly


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 15, 1000, 1_000_003])
@pytest.mark.parametrize("most", [1, 2, 8, 400])
def test_even_places_are_as_many_as_wanted_and_each_once(count: int, most: int) -> None:
    places = even_places(count, most)
    assert len(places) == min(count, most)
    assert (np.diff(places) > 0).all()
    if count > most > 1:
        assert (places[0], places[-1]) == (0, count - 1)
        assert np.ptp(np.diff(places)) <= 1


def test_of_rows_and_of_few_values_the_same_way() -> None:
    rows = np.arange(20).reshape(10, 2)
    np.testing.assert_array_equal(evenly(rows, 2), rows[[0, 9]])
    np.testing.assert_array_equal(evenly(np.array([3, 5]), 9), [3, 5])
