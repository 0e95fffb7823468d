"""Strengths of several encoders together: Fisher's method, at all sizes, and what chance gives it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from search.several.fisher import together
from search.several.sum_null import _independent


def test_logarithms_of_the_probabilities_of_chance_add_up() -> None:
    strengths = np.random.default_rng(0).normal(0, 2, (3, 500))
    expected = norm.isf(chi2.sf(-2 * norm.logsf(strengths).sum(axis=0), 6))
    assert together(strengths) == pytest.approx(expected, abs=1e-5)


def test_one_encoder_says_what_it_says() -> None:
    strengths = np.array([[-30.0, -1.0, 0.0, 2.5, 60.0]])
    assert together(strengths).tolist() == strengths[0].tolist()


def test_every_strength_counts_however_large_or_small() -> None:
    strengths = np.linspace(-45, 60, 2_001)
    found = together(np.stack([strengths, strengths]))
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()
    beside = together(np.stack([strengths, np.full_like(strengths, -40.0)]))
    assert np.isfinite(beside).all()
    assert (np.diff(beside) >= 0).all()


def test_what_one_is_sure_of_is_not_outvoted() -> None:
    sure = together(np.array([[6.0], [-20.0]]))[0]
    assert sure > 5
    assert sure > together(np.array([[2.5], [2.5]]))[0]
    assert together(np.array([[6.0], [2.0]]))[0] > sure, "what the other one sees helps"


def test_by_chance_it_is_as_one_encoder_by_chance() -> None:
    found = together(np.random.default_rng(1).standard_normal((2, 50_000)))
    assert found.mean() == pytest.approx(0, abs=0.02)
    assert found.std() == pytest.approx(1, abs=0.02)


def test_encoders_without_shots_in_common_are_taken_for_independent() -> None:
    null = _independent(2, 500)
    assert null.count == 500
    assert len(null.tail.values) == 0
    from search.several.sizes import best_of

    mean, spread = best_of(500)
    drawn = np.random.default_rng(7).standard_normal((200, 2, 500))
    best = np.array([together((each - mean) / spread).max() for each in drawn])
    values = [each.value for each in null.strengths(best, 500)]
    assert np.mean(values) == pytest.approx(0, abs=0.2)
    assert np.std(values) == pytest.approx(1, abs=0.2)
