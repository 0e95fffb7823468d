"""Batches in chunks: the loss and gradients of the whole batch, in the memory of a chunk."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import Tensor, nn

from encoder.layers import unit_rows
from training.gradient_cache import encode_in_chunks
from training.losses import Temperature, contrastive_loss


class Towers(nn.Module):
    """Two small towers and a temperature, with or without dropout."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.video = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Dropout(dropout), nn.Linear(16, 8))
        self.text = nn.Sequential(nn.Linear(5, 16), nn.GELU(), nn.Linear(16, 8))
        self.temperature = Temperature()

    def loss(self, video: Tensor, text: Tensor, size: int | None) -> Tensor:
        rows = [
            encode_in_chunks(lambda x, tower=tower: unit_rows(tower(x)), size, x)
            for tower, x in ((self.video, video), (self.text, text))
        ]
        return contrastive_loss(rows[0], rows[1], torch.eye(len(video)).bool(), self.temperature.log_scale)

    def gradients(self) -> dict[str, Tensor]:
        return {name: each.grad.clone() for name, each in self.named_parameters() if each.grad is not None}


def batch() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(3)
    return torch.randn(16, 6, generator=random), torch.randn(16, 5, generator=random)


def furthest(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """The greatest difference, as a share of the greatest gradient."""
    greatest = max(float(each.abs().max()) for each in expected.values())
    return max(float((found[name] - expected[name]).abs().max()) for name in expected) / greatest


@pytest.mark.parametrize("size", [1, 3, 8, 15])
def test_chunks_give_the_loss_and_the_gradients_of_the_whole_batch(size: int) -> None:
    whole, chunked = Towers(), Towers()
    losses = [towers.loss(*batch(), each) for towers, each in ((whole, None), (chunked, size))]
    for loss in losses:
        loss.backward()
    assert abs(losses[0].item() - losses[1].item()) < 1e-6
    expected, found = whole.gradients(), chunked.gradients()
    assert found.keys() == expected.keys() == dict(whole.named_parameters()).keys()
    assert furthest(found, expected) < 1e-6


def test_accumulated_gradients_of_parts_are_others() -> None:
    """Why chunks need a cache: the loss of a part knows fewer wrong answers."""
    whole, parts = Towers(), Towers()
    whole.loss(*batch(), None).backward()
    for start in (0, 8):
        (parts.loss(*(each[start : start + 8] for each in batch()), None) / 2).backward()
    expected, found = whole.gradients(), parts.gradients()
    assert furthest(found, expected) > 1e-2


def test_a_chunk_is_dropped_out_alike_when_it_is_encoded_again() -> None:
    """Along the gradient, the loss with the same dropout changes as the gradient says."""
    towers = Towers(dropout=0.5).double()
    video, text = (each.double() for each in batch())

    def loss() -> Tensor:
        torch.manual_seed(11)
        return towers.loss(video, text, 4)

    loss().backward()
    weight = towers.video[0].weight  # before the dropout
    assert isinstance(weight, nn.Parameter)
    gradient, step = weight.grad, 1e-2
    assert gradient is not None
    with torch.no_grad():
        weight += step * gradient
        above = loss()
        weight -= 2 * step * gradient
        below = loss()
    slope = float((above - below) / (2 * step))
    assert slope == pytest.approx(float((gradient**2).sum()), rel=1e-2)


def test_the_activations_of_one_chunk_are_held_at_a_time() -> None:
    """Hidden activations that live at the same time, at most, with chunks of 4 of 16 clips and with the whole batch."""
    most = {}
    for size in (4, None):
        alive: list[weakref.ref[Tensor]] = []
        counted = [0]

        class Watched(nn.Module):
            def forward(
                self, x: Tensor, alive: list[weakref.ref[Tensor]] = alive, counted: list[int] = counted
            ) -> Tensor:
                out = _Kept.apply(x, alive)
                counted[0] = max(counted[0], sum(len(t) for ref in alive if (t := ref()) is not None))
                return out  # type: ignore[no-any-return]

        towers = Towers()
        towers.video = nn.Sequential(nn.Linear(6, 16), Watched(), nn.Linear(16, 8))
        loss = towers.loss(*batch(), size)
        after_forward = sum(len(t) for ref in alive if (t := ref()) is not None)
        assert after_forward == (0 if size else 16)
        loss.backward()
        most[size] = counted[0]
    assert most == {4: 4, None: 16}


class _Kept(torch.autograd.Function):
    """The identity, which keeps a copy of its input for the backward pass and lets it be watched."""

    @staticmethod
    def forward(ctx, x: Tensor, alive: list[weakref.ref[Tensor]]) -> Tensor:  # type: ignore[no-untyped-def]
        kept = x.clone()
        alive.append(weakref.ref(kept))
        ctx.save_for_backward(kept)
        return x.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        (_,) = ctx.saved_tensors
        return gradient, None


def test_a_batch_that_fits_is_encoded_once() -> None:
    calls = []

    def encode(x: Tensor) -> Tensor:
        calls.append(len(x))
        return x * weight

    weight = torch.ones(1, requires_grad=True)
    for size in (None, 5, 9):
        calls.clear()
        encode_in_chunks(encode, size, torch.ones(5, 2)).sum().backward()
        assert calls == [5]
    calls.clear()
    encode_in_chunks(encode, 2, torch.ones(5, 2)).sum().backward()
    assert sorted(calls) == [1, 1, 2, 2, 2, 2]


def test_without_gradients_chunks_are_encoded_once() -> None:
    calls = []
    with torch.no_grad():
        found = encode_in_chunks(lambda x: calls.append(len(x)) or 2 * x, 2, torch.ones(5, 2))
    assert torch.equal(found, torch.full((5, 2), 2.0))
    assert calls == [2, 2, 1]


def test_several_inputs_are_cut_alike() -> None:
    ids, paddings = torch.arange(10.0).reshape(5, 2), torch.arange(5.0)[:, None]
    found = encode_in_chunks(lambda x, y: x + y, 2, ids, paddings)
    assert torch.equal(found, ids + paddings)
    with pytest.raises(ValueError, match=r"\[5, 4\]"):
        encode_in_chunks(lambda x, y: x, 2, ids, paddings[:4])
    with pytest.raises(ValueError, match="at least 1 clip"):
        encode_in_chunks(lambda x: x, 0, ids)
