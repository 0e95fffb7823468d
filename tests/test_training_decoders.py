"""Decoders of stage 2: what is dealt to which position, and what is predicted there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from encoder.pooler import AttentionPooler
from training.decoders import DecoderShape, GlobalDecoder, LocalDecoder, own_places, random_orders
from training.losses import cosine_distillation
from training.masking import bevt, visible_positions

SMALL = DecoderShape(layers=2, width=32, hidden=48, heads=4)
B, L, V, D = 3, 12, 5, 16


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def orders(seed: int = 0, *, shared: bool = False) -> Tensor:
    return torch.from_numpy(random_orders(B, L, rng(seed), shared=shared))


def tokens(seed: int = 0) -> Tensor:
    return torch.randn(B, V, D, generator=torch.Generator().manual_seed(seed))


IN_ORDER = torch.arange(L).expand(B, L)


def test_what_stands_at_a_position_is_compared_with_the_target_of_that_position() -> None:
    """A decoder that returns its positions predicts targets that are those positions, whatever is dealt."""
    decoder = LocalDecoder(L, L, DecoderShape(1, L, 8, 1))
    decoder.layers, decoder.proj_out = nn.Sequential(), nn.Identity()
    with torch.no_grad():
        decoder.positions.copy_(100 * torch.eye(L))  # a marker for each
    visible = torch.randn(B, V, L)
    targets = torch.eye(L).expand(B, L, L)
    for order in (orders(1), IN_ORDER):
        found = decoder(visible, order)
        assert torch.equal(found.argmax(dim=-1), torch.arange(L).expand(B, L))
        assert cosine_distillation(found, targets).item() < 1e-3
        assert cosine_distillation(found.roll(1, dims=1), targets).item() > 0.9


def test_each_position_gets_the_token_that_the_order_names() -> None:
    decoder = LocalDecoder(D, L, DecoderShape(1, D, 8, 1))
    decoder.layers, decoder.proj_in, decoder.proj_out = nn.Sequential(), nn.Identity(), nn.Identity()
    with torch.no_grad():
        decoder.positions.zero_()
        decoder.mask_token.fill_(7.0)
    visible, order = tokens(), orders()
    found = decoder(visible, order)
    for clip in range(B):
        for place, token in enumerate(order[clip].tolist()):
            expected = visible[clip, token] if token < V else torch.full((D,), 7.0)
            assert torch.equal(found[clip, place], expected)


def test_without_positions_dealing_otherwise_only_moves_the_predictions() -> None:
    decoder = LocalDecoder(D, L, SMALL)
    nn.init.zeros_(decoder.positions)
    visible, order = tokens(), orders()
    dealt, in_order = decoder(visible, order), decoder(visible, IN_ORDER)
    moved = torch.take_along_dim(in_order, order[..., None], dim=1)
    assert (dealt - moved).abs().max() < 5e-6
    decoder = LocalDecoder(D, L, SMALL)  # with positions they are others
    moved = torch.take_along_dim(decoder(visible, IN_ORDER), order[..., None], dim=1)
    assert (decoder(visible, order) - moved).abs().max() > 1e-3


def test_all_layers_of_a_decoder_begin_with_weights_of_their_own() -> None:
    first, second = (layer.self_attn.in_proj_weight for layer in list(LocalDecoder(D, L, SMALL).layers)[:2])  # type: ignore[union-attr]
    assert isinstance(first, Tensor)
    assert isinstance(second, Tensor)
    assert not torch.equal(first, second)


def test_a_seed_repeats_the_first_weights_and_another_seed_does_not() -> None:
    torch.manual_seed(1)
    first = LocalDecoder(D, L, SMALL, seed=5).state_dict()
    torch.manual_seed(2)
    again, other = (LocalDecoder(D, L, SMALL, seed=seed).state_dict() for seed in (5, 6))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert {key for key in first if not torch.equal(first[key], other[key])} == {
        key for key in first if first[key].ndim > 1 or key == "mask_token"
    }
    assert 0.015 < float(first["positions"].std()) < 0.025
    assert not any(first[key].any() for key in first if key.endswith("bias"))


def test_a_seed_repeats_the_first_weights_of_a_global_decoder() -> None:
    first, again, other = (GlobalDecoder(D, AttentionPooler(D, 2, 32), SMALL, seed=seed).proj_in for seed in (5, 5, 6))
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)


def test_the_default_shape_is_the_published_one_with_norms_before_the_layers() -> None:
    shape = DecoderShape()
    assert (shape.layers, shape.width, shape.hidden, shape.heads) == (4, 512, 2048, 8)
    *layers, norm = LocalDecoder(D, L, SMALL).layers
    assert len(layers) == SMALL.layers
    for layer in layers:
        assert isinstance(layer, nn.TransformerEncoderLayer)
        assert layer.norm_first
        assert layer.norm1.eps == layer.norm2.eps == norm.eps == 1e-6


def test_a_clip_whose_tokens_are_all_visible_has_no_mask_tokens() -> None:
    decoder, visible = LocalDecoder(D, L, SMALL), torch.randn(B, L, D)
    found = decoder(visible, orders())
    nn.init.ones_(decoder.mask_token)
    assert torch.equal(decoder(visible, orders()), found)


def test_every_part_of_the_decoders_is_trained() -> None:
    local, whole = LocalDecoder(D, L, SMALL), GlobalDecoder(D, AttentionPooler(D, 2, 32), SMALL)
    nn.init.normal_(whole.pooler.query)  # a query of zero has no gradient for the keys
    targets = torch.randn(B, L, D)
    loss = cosine_distillation(local(tokens(), orders()), targets)
    loss = loss + cosine_distillation(whole(tokens()), targets[:, 0])
    loss.backward()
    without = {
        name
        for decoder in (local, whole)
        for name, parameter in decoder.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    }
    assert without == {"pooler.k.bias"}  # adds the same to all scores


def test_the_global_decoder_has_no_order_of_tokens() -> None:
    decoder = GlobalDecoder(D, AttentionPooler(D, 2, 32), SMALL)
    nn.init.normal_(decoder.pooler.query)
    visible = tokens()
    assert (decoder(visible) - decoder(visible.flip(1))).abs().max() < 1e-6


def test_the_global_decoder_trains_a_copy_of_the_teachers_pooler() -> None:
    teacher = AttentionPooler(D, 2, 32).requires_grad_(False)
    nn.init.normal_(teacher.query)
    decoder = GlobalDecoder(D, teacher, SMALL)
    assert torch.equal(decoder.pooler.query, teacher.query)
    assert all(parameter.requires_grad for parameter in decoder.pooler.parameters())
    with torch.no_grad():
        decoder.pooler.query.zero_()
    assert teacher.query.any()
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


# Orders


def test_random_orders_are_permutations_one_for_each_clip_or_one_for_all() -> None:
    each, one = orders(), orders(shared=True)
    for order in (each, one):
        assert torch.equal(order.sort(dim=1).values, IN_ORDER)
        assert order.dtype == torch.int64
        assert not torch.equal(order, IN_ORDER)
    assert not torch.equal(each[0], each[1])
    assert torch.equal(each, torch.from_numpy(random_orders(B, L, rng())))
    assert torch.equal(one[0], one[1])
    assert torch.equal(orders(4), orders(4))
    assert not torch.equal(orders(4), orders(5))


def test_in_its_own_place_each_visible_token_stays_where_it_came_from() -> None:
    hidden = np.stack([bevt(2, 2, 3, 0.6, rng(seed)).reshape(-1) for seed in range(B)])
    places, visible = own_places(hidden), visible_positions(hidden)
    count = visible.shape[1]
    for clip in range(B):
        assert sorted(places[clip]) == list(range(L))
        for place in range(L):
            if hidden[clip, place]:
                assert places[clip, place] >= count
            else:
                assert visible[clip, places[clip, place]] == place


def test_an_order_of_another_size_is_refused() -> None:
    decoder = LocalDecoder(D, L, SMALL)
    for visible, order in (
        (tokens(), orders()[:, :-1]),
        (tokens(), orders()[:-1]),
        (torch.ones(B, L + 1, D), orders()),
    ):
        with pytest.raises(ValueError, match="do not make 12"):
            decoder(visible, order)


@pytest.mark.parametrize("values", [{"layers": 0}, {"width": 30, "heads": 4}, {"heads": 0}, {"hidden": 0}])
def test_a_shape_that_no_decoder_can_have_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        DecoderShape(**values)
