"""Scores of windows merged back to frames: the figures that counting frame by frame gives."""

from __future__ import annotations

import numpy as np
import pytest

from app.evaluation.frame_scores import ScoredRecording, frame_figures, nearest_window
from metrics.classification import cohens_kappa, f1_by_class, indicators


def recording(labels: np.ndarray, said: np.ndarray, centres: np.ndarray, rate: float = 25.0) -> ScoredRecording:
    """Labels of frames (-1: nobody looked), and the class that each window is taken for."""
    return ScoredRecording(
        truth=labels[:, None] == np.arange(3),
        labelled=labels >= 0,
        seconds=np.arange(len(labels) + 1) / rate,
        centres=centres,
        logits=np.where(said[:, None] == np.arange(3), 1.5, -1.5),
    )


def test_a_frame_takes_the_window_with_the_nearest_centre() -> None:
    centres = np.array([8, 24, 30])
    nearest = nearest_window(centres, 40)
    assert nearest.tolist() == [int(np.argmin(np.abs(centres - frame))) for frame in range(40)]
    assert nearest[16] == 0, "of two equally near ones the earlier"
    assert nearest_window(np.array([5]), 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("exclusive", [True, False])
def test_figures_are_those_of_all_frames_together(exclusive: bool) -> None:
    rng = np.random.default_rng(5)
    made, truths, predictions = [], [], []
    for _ in range(4):
        labels = np.repeat(rng.integers(0, 3, 12), 10)
        labels[-7:] = -1
        centres = np.arange(8, 112, 16)
        said = rng.integers(0, 3, len(centres))
        made.append(recording(labels, said, centres))
        truths.append(labels[labels >= 0])
        predictions.append(said[nearest_window(centres, len(labels))][labels >= 0])
    truth, predicted = np.concatenate(truths), np.concatenate(predictions)
    found = frame_figures(made, exclusive=exclusive, background=2, seed=0)
    assert found is not None
    assert (found.recordings, found.frames) == (4, len(truth))
    wanted = f1_by_class(indicators(truth, 3), indicators(predicted, 3), background=2)
    assert found.f1_by_class == pytest.approx(wanted.each, abs=1e-12)
    assert found.f1.value == pytest.approx(wanted.mean, abs=1e-12)
    low, high = found.f1.interval or (1, 0)
    assert low <= found.f1.value <= high
    if exclusive:
        assert found.kappa is not None
        assert found.kappa.value == pytest.approx(cohens_kappa(truth, predicted), abs=1e-12)
    else:
        assert found.kappa is None


def test_bouts_are_matched_within_their_recording_and_late_starts_are_seen() -> None:
    labels = np.zeros(100, int)
    labels[20:40], labels[60:80] = 1, 2
    said = labels.copy()
    said[20:24], said[40:44], said[60:80], said[90:95] = 0, 1, 0, 2
    one = recording(labels, said, np.arange(100))
    found = frame_figures([one], exclusive=True, background=0, seed=0)
    assert found is not None
    late, missed = found.bouts[1], found.bouts[2]
    assert (late.true, late.predicted, late.matched, late.f1) == (1, 1, 1, 1.0)
    assert (late.onset_seconds, late.offset_seconds) == (pytest.approx(4 / 25), pytest.approx(4 / 25))
    assert (missed.true, missed.predicted, missed.matched, missed.onset_seconds) == (1, 1, 0, None)
    assert found.bout_f1.value == pytest.approx(0.5)
    assert found.bout_f1.interval is None, "one recording has no interval"
    both = frame_figures([one, one], exclusive=True, background=0, seed=0)
    assert both is not None
    assert (both.bouts[1].true, both.bouts[1].matched) == (2, 2)


def test_what_cannot_be_measured_is_none() -> None:
    labels = np.zeros(100, int)
    none = recording(labels, np.zeros(0, int), np.zeros(0, np.intp))
    assert frame_figures([none], exclusive=True, background=None, seed=0) is None
    assert frame_figures([], exclusive=True, background=None, seed=0) is None
    sparse = np.where(np.arange(100) % 10 == 0, 0, -1)
    seldom = recording(sparse, np.zeros(10, int), np.arange(0, 100, 10))
    assert frame_figures([seldom], exclusive=False, background=None, seed=0) is None
    same = frame_figures([recording(labels, np.zeros(1, int), np.array([50]))], exclusive=True, background=0, seed=0)
    assert same is not None
    assert (same.f1.value, same.kappa and same.kappa.value, same.bout_f1.value) == (None, None, None)
