"""Strengths of spaces of different sizes: the best of n normal draws, and what is the same at every size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from search.several.sizes import best_of, rescaled


def test_the_best_of_few_is_known_exactly() -> None:
    assert best_of(1) == (pytest.approx(0.0, abs=1e-6), pytest.approx(1.0, abs=1e-3))
    assert best_of(2) == (pytest.approx(1 / math.sqrt(math.pi), abs=1e-4), pytest.approx(0.8256, abs=1e-3))
    assert best_of(5)[0] == pytest.approx(1.16296, abs=1e-4)


def test_the_best_of_many_is_that_of_drawing() -> None:
    draws = np.random.default_rng(1).normal(size=(4000, 1000)).max(axis=1)
    mean, spread = best_of(1000)
    assert mean == pytest.approx(draws.mean(), abs=0.03)
    assert spread == pytest.approx(draws.std(), abs=0.03)
    means = [best_of(10**power)[0] for power in range(8)]
    assert means == sorted(means)


def test_what_is_good_among_few_is_less_among_many_and_the_same_size_changes_nothing() -> None:
    values = np.array([-1.0, 0.0, 4.0])
    assert rescaled(values, 50, 50) is values
    more = rescaled(values, 50, 5000)
    assert (np.diff(more) > 0).all()
    assert more[1] < -3, "the best of fifty is nothing among five thousand"
    np.testing.assert_allclose(rescaled(more, 5000, 50), values, atol=1e-9)
