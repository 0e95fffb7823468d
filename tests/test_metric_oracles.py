"""Metrics against scikit-learn, torchmetrics and torcheval: equal where these are right, and where they are not.

Each case in which a library differs from us, or from the others, has a test that says which is right and why. The
figures in docs/measures.md are those of these tests.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
import torch

from encoder.openclip.torchvision_shim import import_torchvision
from metrics.classification import (
    accuracy_by_class,
    average_precision_by_class,
    cohens_kappa,
    confusion_matrix,
    f1_by_class,
    hit_chances,
    indicators,
    top_k_accuracy,
)
from metrics.ranking import average_precision, precision_at, recall_at, roc_auc
from metrics.retrieval import rank_queries, retrieval_summary

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CLASSES = 4
EXACT = {"abs": 1e-12}
SINGLE = {"abs": 2e-6}  # torchmetrics and torcheval count in float32


@pytest.fixture(scope="module")
def torch_metrics() -> SimpleNamespace:
    """Imported by the first test that needs them, not by every worker of a parallel run: torchmetrics takes seconds."""
    for name in ("torchmetrics", "torcheval"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed (extra `test`)")
    if importlib.util.find_spec("torchvision") is not None:
        import_torchvision()  # torchmetrics imports it; a build for another torch does not load without help
    return SimpleNamespace(
        te=importlib.import_module("torcheval.metrics.functional"),
        tm=importlib.import_module("torchmetrics.functional.classification"),
        tr=importlib.import_module("torchmetrics.functional.retrieval"),
    )


def tensor(values: Any) -> torch.Tensor:
    array = np.asarray(values)
    return torch.tensor(array.astype(np.int64) if array.dtype == bool else array)


def several_labels(seed: int, decimals: int | None, empty: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Items of several classes with scores between 0 and 1, and with ties if rounded."""
    chance = np.random.default_rng(seed)
    relevant = chance.random((120, CLASSES)) < 0.2
    relevant[0] = True
    if empty is not None:
        relevant[:, empty] = False
    scores = 1 / (1 + np.exp(-chance.normal(size=relevant.shape) - 0.7 * relevant))
    return relevant, scores if decimals is None else scores.round(decimals)


def one_label(seed: int, absent: int | None = None, size: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions; an absent class is predicted, but not true."""
    chance = np.random.default_rng(seed)
    truth = chance.choice([at for at in range(CLASSES) if at != absent], size=size)
    return truth, np.where(chance.random(size) < 0.5, truth, chance.integers(CLASSES, size=size))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [None, 2, 1, 0])
def test_average_precision_and_auc_with_and_without_equal_scores(
    torch_metrics: SimpleNamespace, seed: int, decimals: int | None
) -> None:
    te, tm = torch_metrics.te, torch_metrics.tm
    relevant, scores = several_labels(seed, decimals)
    given = (tensor(scores).double(), tensor(relevant))
    found = average_precision_by_class(relevant, scores)
    np.testing.assert_allclose(found.each, sk.average_precision_score(relevant, scores, average=None), atol=1e-12)
    np.testing.assert_allclose(found.each, tm.multilabel_average_precision(*given, CLASSES, average=None), atol=2e-6)
    np.testing.assert_allclose(found.each, te.multilabel_auprc(*given, num_labels=CLASSES, average=None), atol=2e-6)
    assert found.mean == pytest.approx(sk.average_precision_score(relevant, scores), **EXACT)
    assert found.mean == pytest.approx(float(tm.multilabel_average_precision(*given, CLASSES)), **SINGLE)
    assert found.mean == pytest.approx(float(te.multilabel_auprc(*given, num_labels=CLASSES)), **SINGLE)
    first = relevant[:, 0], scores[:, 0]
    assert roc_auc(*first) == pytest.approx(sk.roc_auc_score(*first), **EXACT)
    assert roc_auc(*first) == pytest.approx(float(tm.binary_auroc(given[0][:, 0], given[1][:, 0])), **SINGLE)
    assert roc_auc(*first) == pytest.approx(float(te.binary_auroc(given[0][:, 0], given[1][:, 0])), **SINGLE)


def test_precision_at_each_positive_is_not_average_precision() -> None:
    """Where scores are equal, it depends on the order of the items; the mean over thresholds does not."""
    relevant, scores = (column[:, 0] for column in several_labels(7, 1))

    def naive(order: np.ndarray) -> float:
        ranked = relevant[order][np.argsort(-scores[order], kind="stable")]
        return float((np.cumsum(ranked) / np.arange(1, ranked.size + 1))[ranked].mean())

    orders = [np.random.default_rng(seed).permutation(scores.size) for seed in range(20)]
    each = [naive(order) for order in orders]
    assert (min(each), max(each)) == pytest.approx((0.388, 0.474), abs=0.0005)
    found = [average_precision(relevant[order], scores[order]) for order in orders]
    assert found == pytest.approx([sk.average_precision_score(relevant, scores)] * 20, **EXACT)
    assert found[0] == pytest.approx(0.4070, abs=0.00005)


def test_libraries_count_a_class_without_positives_as_0_and_we_leave_it_out(torch_metrics: SimpleNamespace) -> None:
    """Nothing was there to be found: that is no failure, and a mean with a 0 in it would look like one."""
    te, tm = torch_metrics.te, torch_metrics.tm
    relevant, scores = several_labels(1, None, empty=2)
    given = (tensor(scores).double(), tensor(relevant))
    found = average_precision_by_class(relevant, scores)
    assert (found.each[2], found.undefined) == (None, (2,))
    assert found.mean == pytest.approx(0.3620, abs=0.00005)
    for mean in (
        sk.average_precision_score(relevant, scores),
        float(tm.multilabel_average_precision(*given, CLASSES)),
        float(te.multilabel_auprc(*given, num_labels=CLASSES)),
    ):
        assert mean == pytest.approx(found.mean * 3 / 4, **SINGLE)


@pytest.mark.parametrize(("factor", "wrong"), [(80, 0.3083), (800, 0.2792)])
def test_torchmetrics_is_wrong_about_logits_far_outside_0_to_1(
    torch_metrics: SimpleNamespace, factor: int, wrong: float
) -> None:
    """It takes such scores for logits and applies a sigmoid, which makes equal scores of large ones in float32."""
    te, tm = torch_metrics.te, torch_metrics.tm
    chance = np.random.default_rng(2)
    relevant = chance.random((200, CLASSES)) < 0.2
    logits = (factor * (chance.normal(size=relevant.shape) + relevant)).astype(np.float32)
    right = sk.average_precision_score(relevant, logits)
    assert right == pytest.approx(0.4436, abs=0.00005)
    assert average_precision_by_class(relevant, logits).mean == pytest.approx(right, **EXACT)
    assert float(te.multilabel_auprc(tensor(logits), tensor(relevant), num_labels=CLASSES)) == pytest.approx(
        right, **SINGLE
    )
    found = float(tm.multilabel_average_precision(tensor(logits), tensor(relevant), CLASSES))
    assert found == pytest.approx(wrong, abs=0.0005)
    small = logits / (100 * factor)
    assert average_precision_by_class(relevant, small).mean == pytest.approx(right, **EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_confusion_f1_and_kappa(torch_metrics: SimpleNamespace, seed: int) -> None:
    te, tm = torch_metrics.te, torch_metrics.tm
    truth, predicted = one_label(seed)
    given = (tensor(predicted), tensor(truth))
    votes = indicators(predicted, CLASSES).astype(float)
    assert top_k_accuracy(truth, votes) == pytest.approx(sk.accuracy_score(truth, predicted), **EXACT)
    assert top_k_accuracy(truth, votes) == pytest.approx(float(te.multiclass_accuracy(*given)), **SINGLE)
    by_class = accuracy_by_class(truth, votes)
    np.testing.assert_allclose(by_class.each, sk.recall_score(truth, predicted, average=None), atol=1e-12)
    assert by_class.mean == pytest.approx(sk.balanced_accuracy_score(truth, predicted), **EXACT)
    assert by_class.mean == pytest.approx(float(tm.multiclass_accuracy(*given, CLASSES, average="macro")), **SINGLE)
    assert by_class.mean == pytest.approx(
        float(te.multiclass_accuracy(*given, num_classes=CLASSES, average="macro")), **SINGLE
    )

    matrix = confusion_matrix(truth, predicted, CLASSES)
    np.testing.assert_array_equal(matrix, sk.confusion_matrix(truth, predicted))
    np.testing.assert_array_equal(matrix, tm.multiclass_confusion_matrix(*given, CLASSES))
    np.testing.assert_array_equal(matrix, te.multiclass_confusion_matrix(*given, CLASSES))

    f1 = f1_by_class(indicators(truth, CLASSES), indicators(predicted, CLASSES))
    np.testing.assert_allclose(f1.each, sk.f1_score(truth, predicted, average=None), atol=1e-12)
    np.testing.assert_allclose(f1.each, tm.multiclass_f1_score(*given, CLASSES, average=None), atol=2e-6)
    np.testing.assert_allclose(f1.each, te.multiclass_f1_score(*given, num_classes=CLASSES, average=None), atol=2e-6)
    assert f1.mean == pytest.approx(sk.f1_score(truth, predicted, average="macro"), **EXACT)

    assert cohens_kappa(truth, predicted) == pytest.approx(sk.cohen_kappa_score(truth, predicted), **EXACT)
    assert cohens_kappa(truth, predicted) == pytest.approx(float(tm.multiclass_cohen_kappa(*given, CLASSES)), **SINGLE)


@pytest.mark.parametrize("seed", range(5))
def test_f1_of_items_with_several_labels(torch_metrics: SimpleNamespace, seed: int) -> None:
    tm = torch_metrics.tm
    relevant, scores = several_labels(seed, None)
    found = f1_by_class(relevant, scores > 0.5)
    np.testing.assert_allclose(found.each, sk.f1_score(relevant, scores > 0.5, average=None), atol=1e-12)
    single = tm.multilabel_f1_score(tensor(scores), tensor(relevant), CLASSES, average=None)
    np.testing.assert_allclose(found.each, single, atol=2e-6)


def test_libraries_disagree_about_a_class_that_is_absent_from_the_truth(torch_metrics: SimpleNamespace) -> None:
    """Its accuracy is 0 of 0: scikit-learn's balanced accuracy and torcheval leave it out as we do, others count 0."""
    te, tm = torch_metrics.te, torch_metrics.tm
    truth, predicted = one_label(3, absent=2)
    given = (tensor(predicted), tensor(truth))
    assert (predicted == 2).any()
    found = accuracy_by_class(truth, indicators(predicted, CLASSES))
    assert (found.each[2], found.undefined) == (None, (2,))
    assert found.mean == pytest.approx(0.6311, abs=0.00005)
    for mean in (
        sk.balanced_accuracy_score(truth, predicted),
        float(te.multiclass_accuracy(*given, num_classes=CLASSES, average="macro")),
    ):
        assert mean == pytest.approx(found.mean, **SINGLE)
    logging.disable()
    try:
        recall = float(te.multiclass_recall(*given, num_classes=CLASSES, average="macro"))
    finally:
        logging.disable(logging.NOTSET)
    for mean in (
        recall,
        sk.recall_score(truth, predicted, average="macro", zero_division=0),
        float(tm.multiclass_accuracy(*given, CLASSES, average="macro")),
    ):
        assert mean == pytest.approx(found.mean * 3 / 4, **SINGLE)
    f1 = f1_by_class(indicators(truth, CLASSES), indicators(predicted, CLASSES))
    assert f1.each[2] == 0, "it was predicted, so it is wrong rather than undefined, as all three say"
    assert f1.mean == pytest.approx(sk.f1_score(truth, predicted, average="macro"), **EXACT)
    assert f1.mean == pytest.approx(float(tm.multiclass_f1_score(*given, CLASSES, average="macro")), **SINGLE)


def test_f1_of_a_class_that_nobody_names_is_0_for_libraries_and_undefined_for_us() -> None:
    truth, predicted = [0, 0, 1, 3], [0, 1, 1, 3]
    found = f1_by_class(indicators(truth, CLASSES), indicators(predicted, CLASSES))
    assert (found.each[2], found.undefined) == (None, (2,))
    assert found.mean == pytest.approx(sk.f1_score(truth, predicted, average="macro"), **EXACT)
    counted = sk.f1_score(truth, predicted, average="macro", labels=range(CLASSES), zero_division=0)
    assert counted == pytest.approx(found.mean * 3 / 4, **EXACT)


def test_kappa_of_one_label_is_nan_for_libraries_and_none_for_us(torch_metrics: SimpleNamespace) -> None:
    tm = torch_metrics.tm
    assert np.isnan(sk.cohen_kappa_score([1, 1], [1, 1]))
    assert torch.isnan(tm.multiclass_cohen_kappa(tensor([1, 1]), tensor([1, 1]), 2))
    assert cohens_kappa([1, 1], [1, 1]) is None
    with pytest.raises(ValueError):
        sk.cohen_kappa_score([], [])
    assert cohens_kappa([], []) is None
    assert cohens_kappa([1, 1, 1], [1, 1, 2]) == sk.cohen_kappa_score([1, 1, 1], [1, 1, 2]) == 0
    assert cohens_kappa([1, 1], [2, 2]) == sk.cohen_kappa_score([1, 1], [2, 2]) == 0


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_without_equal_scores(torch_metrics: SimpleNamespace, k: int) -> None:
    te, tm = torch_metrics.te, torch_metrics.tm
    chance = np.random.default_rng(4)
    truth, scores = chance.integers(CLASSES, size=70), chance.normal(size=(70, CLASSES))
    given = (tensor(scores), tensor(truth))
    found = top_k_accuracy(truth, scores, k)
    assert found == pytest.approx(sk.top_k_accuracy_score(truth, scores, k=k, labels=range(CLASSES)), **EXACT)
    assert found == pytest.approx(float(tm.multiclass_accuracy(*given, CLASSES, average="micro", top_k=k)), **SINGLE)
    assert found == pytest.approx(
        float(te.multiclass_accuracy(*given, num_classes=CLASSES, average="micro", k=k)), **SINGLE
    )
    np.testing.assert_array_equal(hit_chances(truth, scores, k), te.hit_rate(*given, k=k))


def test_libraries_disagree_about_top_k_with_equal_scores_and_the_expectation_is_what_random_order_yields(
    torch_metrics: SimpleNamespace,
) -> None:
    """scikit-learn and torchmetrics go by position, and torcheval lets every equal score in."""
    te, tm = torch_metrics.te, torch_metrics.tm
    chance = np.random.default_rng(5)
    truth, scores = chance.integers(CLASSES, size=200), chance.normal(size=(200, CLASSES)).round(0)
    found = top_k_accuracy(truth, scores, 2)
    lenient = float(te.multiclass_accuracy(tensor(scores), tensor(truth), num_classes=CLASSES, k=2))
    sorted_by_position = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        place = np.argsort(order)  # where each class went
        sorted_by_position.append(sk.top_k_accuracy_score(place[truth], scores[:, order], k=2, labels=range(CLASSES)))
    random = scores + 1e-6 * chance.random((2000, *scores.shape))
    best = np.argsort(-random, axis=2)[:, :, :2]
    drawn = (best == truth[:, None]).any(axis=2).mean(axis=1)
    assert sorted_by_position == pytest.approx([0.435, 0.46]), "the order of the classes changes it"
    also = tm.multiclass_accuracy(tensor(scores), tensor(truth), CLASSES, average="micro", top_k=2)
    assert float(also) == pytest.approx(0.425)
    assert found == pytest.approx(np.mean(drawn), abs=0.005)
    assert found == pytest.approx(0.4542, abs=0.00005)
    assert lenient == pytest.approx(0.645)


@pytest.mark.parametrize("seed", range(3))
def test_retrieval_of_one_true_item_and_of_several(torch_metrics: SimpleNamespace, seed: int) -> None:
    te, tr = torch_metrics.te, torch_metrics.tr
    chance = np.random.default_rng(seed)
    scores = chance.random((60, 25))  # torchmetrics ignores items that score 0 or less
    true = chance.integers(25, size=60)
    summary = retrieval_summary(rank_queries(scores, true))
    for k, recall in summary.recall.items():
        assert recall == pytest.approx(float(te.hit_rate(tensor(scores), tensor(true), k=k).mean()), **SINGLE)
        assert recall == pytest.approx(sk.top_k_accuracy_score(true, scores, k=k, labels=range(25)), **EXACT)
    np.testing.assert_allclose(
        1 / rank_queries(scores, true).expected, te.reciprocal_rank(tensor(scores), tensor(true)), atol=2e-6
    )
    relevant = chance.random((60, 25)) < 0.15
    relevant[:, 0] = True
    ranks = rank_queries(scores, [np.flatnonzero(row) for row in relevant])
    pairs = [(tensor(row), tensor(wanted)) for row, wanted in zip(scores, relevant, strict=True)]
    for k in (1, 5, 10):
        any_of_them = [float(tr.retrieval_hit_rate(*pair, top_k=k)) for pair in pairs]
        np.testing.assert_array_equal(ranks.within(k), any_of_them)
        for row, wanted in zip(scores[:10], relevant[:10], strict=True):
            given = (tensor(row), tensor(wanted))
            assert recall_at(wanted, row, k) == pytest.approx(float(tr.retrieval_recall(*given, top_k=k)), **SINGLE)
            assert precision_at(wanted, row, k) == pytest.approx(
                float(tr.retrieval_precision(*given, top_k=k)), **SINGLE
            )
    first = [float(tr.retrieval_reciprocal_rank(*pair)) for pair in pairs]
    np.testing.assert_allclose(1 / ranks.expected, first, atol=2e-6)


def test_retrieval_with_equal_scores_is_lenient_in_torcheval_and_depends_on_the_order_in_torchmetrics(
    torch_metrics: SimpleNamespace,
) -> None:
    te, tr = torch_metrics.te, torch_metrics.tr
    scores, true = np.full((1, 4), 0.5), [2]
    assert rank_queries(scores, true).within(1).tolist() == [0.25]
    assert float(te.hit_rate(tensor(scores), tensor(true), k=1)[0]) == 1
    wanted = [np.arange(4) == at for at in range(4)]
    hits = [float(tr.retrieval_hit_rate(tensor(scores[0]), tensor(each), top_k=1)) for each in wanted]
    assert sorted(hits) == [0, 0, 0, 1]
    assert np.mean(hits) == 0.25, "the mean over all orders is ours"
    low = [-0.5, -0.6]
    assert recall_at([True, False], low, 1) == 1
    assert float(tr.retrieval_recall(tensor(low), tensor([True, False]), top_k=1)) == 0, "it skips scores below 0"
