"""Losses: values and gradients of JAX and optax, closed forms, and several positives or none, written out."""

from __future__ import annotations

import math

import goldens
import numpy as np
import pytest
import torch
from torch import Tensor

from training.losses import (
    FROM_SCRATCH,
    PUBLISHED,
    Temperature,
    contrastive_loss,
    cosine_distillation,
    soft_cross_entropy,
)

RECIPE = goldens.training_recipe()
GOLDEN = goldens.golden("training")


def leaf(array: np.ndarray | float) -> Tensor:
    return torch.tensor(array, dtype=torch.float32, requires_grad=True)


def log_scale(scale: float) -> Tensor:
    return torch.tensor(math.log(scale))


def agrees(found: Tensor | None, key: str, tolerance: float = 1e-6) -> bool:
    assert found is not None
    return bool(np.abs(found.detach().numpy() - GOLDEN[key]).max() <= tolerance)


# The contrastive loss


def test_the_contrastive_loss_and_its_gradients_are_those_of_jax() -> None:
    video, text, scale = map(leaf, RECIPE.contrast_inputs())
    loss = contrastive_loss(video, text, torch.eye(8, dtype=torch.bool), scale)
    loss.backward()
    assert agrees(loss, "contrast/loss")
    assert agrees(video.grad, "contrast/d_video")
    assert agrees(text.grad, "contrast/d_text")
    assert agrees(scale.grad, "contrast/d_log_scale")


def test_equal_rows_cost_the_logarithm_of_their_number() -> None:
    rows = torch.tensor([[0.6, 0.8]]).expand(7, 2)
    assert contrastive_loss(rows, rows, torch.eye(7).bool(), log_scale(50)).item() == pytest.approx(math.log(7))


@pytest.mark.parametrize("scale", [1.0, 3.0, 14.0])
def test_a_perfect_match_of_orthogonal_rows_costs_what_the_scale_leaves(scale: float) -> None:
    rows = torch.eye(5, 9)
    expected = math.log1p(4 * math.exp(-scale))
    found = contrastive_loss(rows, rows, torch.eye(5).bool(), log_scale(scale))
    assert found.item() == pytest.approx(expected, abs=3e-7)


def three_by_three() -> tuple[Tensor, list[list[int]]]:
    """Logits of three clips and three sentences, and the sentences that hold for each clip."""
    return torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0], [-2.0, 0.25, 1.5]]), [[0, 1], [1], [0, 2]]


def test_several_positives_cost_the_mean_of_what_each_alone_would_cost() -> None:
    logits, positives = three_by_three()
    marks = torch.tensor([[j in each for j in range(3)] for each in positives])
    each = [
        sum(-logits[i, j] + math.log(sum(math.exp(x) for x in logits[i])) for j in which) / len(which)
        for i, which in enumerate(positives)
    ]
    assert soft_cross_entropy(logits, marks).item() == pytest.approx(float(sum(each)) / 3, abs=1e-7)


def test_each_direction_is_normalised_by_its_own_positives() -> None:
    logits, positives = three_by_three()
    marks = torch.tensor([[j in each for j in range(3)] for each in positives])
    # Clips and sentences whose cosines are the logits over 10, in three dimensions: the sentences are the axes.
    video = logits / 10
    found = contrastive_loss(video, torch.eye(3), marks, log_scale(10))
    by_column = [[0, 2], [0, 1], [2]]  # clips for which each sentence holds
    columns = [
        sum(-logits[i, j] + math.log(sum(math.exp(x) for x in logits[:, j])) for i in which) / len(which)
        for j, which in enumerate(by_column)
    ]
    expected = (soft_cross_entropy(logits, marks).item() + float(sum(columns)) / 3) / 2
    assert found.item() == pytest.approx(expected, abs=3e-7)


def test_a_row_without_a_positive_is_left_out_of_the_mean() -> None:
    logits = torch.tensor([[2.0, -1.0], [5.0, 1.0], [0.0, 1.0]])
    marks = torch.tensor([[True, False], [False, False], [False, True]])
    assert soft_cross_entropy(logits, marks).item() == pytest.approx(
        soft_cross_entropy(logits[[0, 2]], marks[[0, 2]]).item(), abs=1e-7
    )


def test_one_row_costs_its_cross_entropy() -> None:
    logits, marks = torch.tensor([[2.0, -1.0], [3.0, 0.0]]), torch.tensor([[True, False], [False, False]])
    assert soft_cross_entropy(logits, marks).item() == pytest.approx(math.log1p(math.exp(-3.0)), abs=1e-7)


def test_without_any_positive_the_loss_and_its_gradient_are_zero() -> None:
    logits = torch.randn(3, 4, requires_grad=True)
    loss = soft_cross_entropy(logits, torch.zeros(3, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()  # type: ignore[union-attr]


def test_a_column_that_takes_no_part_has_no_gradient_and_changes_nothing() -> None:
    logits = torch.tensor([[2.0, -1.0, 9.0]])
    out = logits.masked_fill(torch.tensor([[False, False, True]]), -math.inf).requires_grad_()
    loss = soft_cross_entropy(out, torch.tensor([[True, False, False]]))
    loss.backward()
    assert loss.item() == pytest.approx(soft_cross_entropy(logits[:, :2], torch.tensor([[True, False]])).item())
    assert out.grad is not None
    assert torch.isfinite(out.grad).all()
    assert out.grad[0, 2] == 0


def test_more_sentences_than_clips_are_compared_with_all_clips() -> None:
    video, text = torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    marks = torch.tensor([[True, False, True, False], [False, True, False, True]])
    clips = math.log(2 + 2 * math.exp(-4.0))
    sentences = math.log1p(math.exp(-4.0))
    found = contrastive_loss(video, text, marks, log_scale(math.exp(0) * 4))
    assert found.item() == pytest.approx((clips + sentences) / 2, abs=3e-7)


def test_positives_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 3\), got \(3, 2\)"):
        contrastive_loss(torch.eye(3), torch.eye(3), torch.ones(3, 2).bool(), log_scale(2))


def test_half_precision_rows_and_autocast_change_nothing_but_the_rows() -> None:
    video, text, _ = (leaf(each) for each in RECIPE.contrast_inputs())
    half = [each.detach().bfloat16() for each in (video, text)]
    exact = contrastive_loss(half[0].float(), half[1].float(), torch.eye(8).bool(), log_scale(14))
    with torch.autocast("cpu", torch.bfloat16):
        found = contrastive_loss(half[0], half[1], torch.eye(8).bool(), log_scale(14))
        distilled = cosine_distillation(half[0], half[1])
        soft = soft_cross_entropy(half[0], torch.eye(8, 16).bool())
    assert found.dtype == distilled.dtype == soft.dtype == torch.float32
    assert found.item() == exact.item()
    assert distilled.item() == cosine_distillation(half[0].float(), half[1].float()).item()
    assert soft.item() == soft_cross_entropy(half[0].float(), torch.eye(8, 16).bool()).item()


# Distillation


def test_cosine_distillation_and_its_gradient_are_those_of_optax() -> None:
    predicted, target = map(leaf, RECIPE.distillation_inputs())
    loss = cosine_distillation(predicted, target)
    loss.backward()
    assert agrees(loss, "distillation/loss")
    assert agrees(predicted.grad, "distillation/d_predicted")
    assert target.grad is None


def test_the_same_direction_costs_nothing_and_the_opposite_one_two() -> None:
    target = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    assert cosine_distillation(3 * target, target).item() == pytest.approx(0, abs=1e-6)
    assert cosine_distillation(-0.1 * target, target).item() == pytest.approx(2, abs=1e-6)


def test_the_gradient_of_cosine_distillation_is_orthogonal_to_the_prediction() -> None:
    predicted, target = map(leaf, RECIPE.distillation_inputs())
    cosine_distillation(predicted, target).backward()
    assert predicted.grad is not None
    assert (predicted.grad * predicted).sum(dim=-1).abs().max() < 1e-7


def test_a_prediction_of_zero_has_a_finite_gradient() -> None:
    predicted = torch.zeros(2, 3, requires_grad=True)
    cosine_distillation(predicted, torch.ones(2, 3)).backward()
    assert predicted.grad is not None
    assert torch.isfinite(predicted.grad).all()


def test_predictions_are_compared_with_as_many_targets() -> None:
    with pytest.raises(ValueError, match="other targets"):
        cosine_distillation(torch.ones(2, 3), torch.ones(1, 3))  # would be broadcast


# The temperature


def test_a_scale_starts_where_it_is_told_and_is_its_exponential() -> None:
    assert Temperature().value == pytest.approx(1 / 0.07) == pytest.approx(FROM_SCRATCH)
    assert Temperature(PUBLISHED).value == pytest.approx(100)
    assert Temperature(1).value == 1
    assert [name for name, _ in Temperature().named_parameters()] == ["log_scale"]


@pytest.mark.parametrize(("stepped", "kept"), [(math.log(200), 100), (-0.5, 1), (math.log(30), 30)])
def test_a_scale_is_put_back_into_its_bounds_after_a_step(stepped: float, kept: float) -> None:
    temperature = Temperature()
    with torch.no_grad():
        temperature.log_scale.fill_(stepped)
    temperature.clip_()
    assert temperature.value == pytest.approx(kept)


def test_a_scale_at_its_bound_still_has_a_gradient() -> None:
    temperature = Temperature(PUBLISHED)
    video, text, _ = RECIPE.contrast_inputs()
    loss = contrastive_loss(leaf(video), leaf(text), torch.eye(8).bool(), temperature.log_scale)
    loss.backward()
    assert temperature.log_scale.grad is not None
    assert temperature.log_scale.grad > 0


@pytest.mark.parametrize("start", [0.5, 100.5, math.nan])
def test_a_scale_beyond_its_bounds_is_refused(start: float) -> None:
    with pytest.raises(ValueError, match="between 1 and 100"):
        Temperature(start)
