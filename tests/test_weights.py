"""Checkpoints are read strictly: what is missing, left over or of the wrong shape is named, nothing is guessed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import goldens
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from encoder import WeightsMismatch
from encoder.checkpoints.checkpoint import (
    SAFETENSORS_FORMAT,
    load_network,
    network_from_state,
    read_npz,
    read_safetensors,
    write_safetensors,
)
from encoder.config import CONFIGS, VideoPrismConfig
from encoder.weights import config_from_shapes, entries, flax_from_state_dict, shortened, state_dict_from_flax

QUERY = "params/vision_encoder/spatial_encoder/transformers_stack/x_layers/self_attention/query/w"


@pytest.fixture
def arrays() -> dict[str, NDArray[np.float32]]:
    return read_npz(goldens.GOLDEN / "tiny_params.npz")


@pytest.mark.parametrize("name", ["lvt_base", "lvt_large", "base", "large"])
def test_keys_and_shapes_are_those_of_the_published_files(name: str) -> None:
    expected = goldens.recipe().shapes(goldens.recipe().CONFIGS[name])
    config = CONFIGS[f"videoprism_{'lvt_' if 'lvt' in name else ''}public_v1_{name.removeprefix('lvt_')}"]
    found = {entry.flax: entry.flax_shape for entry in entries(config)}
    assert found == expected
    parameters = {"lvt_base": 247_623_424, "lvt_large": 579_877_120, "base": 114_365_184, "large": 353_965_056}
    assert sum(int(np.prod(shape)) for shape in found.values()) == parameters[name]


def test_a_missing_key_is_named(arrays: dict[str, NDArray[np.float32]]) -> None:
    del arrays[QUERY]
    with pytest.raises(WeightsMismatch, match=f"missing: {QUERY}"):
        state_dict_from_flax(arrays, goldens.config("tiny"))


def test_a_key_left_over_is_named(arrays: dict[str, NDArray[np.float32]]) -> None:
    arrays["params/adapter/w"] = np.zeros(3, np.float32)
    with pytest.raises(WeightsMismatch, match="left over: params/adapter/w"):
        state_dict_from_flax(arrays, goldens.config("tiny"))


def test_a_wrong_shape_or_type_is_named(arrays: dict[str, NDArray[np.float32]]) -> None:
    swapped = {**arrays, QUERY: arrays[QUERY].swapaxes(2, 3)}
    with pytest.raises(WeightsMismatch, match=r"query/w has shape \(2, 32, 16, 2\), expected \(2, 32, 2, 16\)"):
        state_dict_from_flax(swapped, goldens.config("tiny"))
    halved = {**arrays, QUERY: arrays[QUERY].astype(np.float16)}
    with pytest.raises(WeightsMismatch, match="float16, expected float32"):
        state_dict_from_flax(halved, goldens.config("tiny"))


def test_there_and_back_is_the_same(arrays: dict[str, NDArray[np.float32]]) -> None:
    config = goldens.config("tiny")
    back = flax_from_state_dict(state_dict_from_flax(arrays, config), config)
    assert sorted(back) == sorted(arrays)
    for key, array in arrays.items():
        # Gains are stored as gain - 1, which costs the last bit of float32 on the way.
        np.testing.assert_allclose(back[key], array, atol=1.2e-7 if key.endswith("scale") else 0, err_msg=key)


def test_the_configuration_follows_from_the_shapes(arrays: dict[str, NDArray[np.float32]]) -> None:
    assert config_from_shapes(arrays, "tiny") == goldens.config("tiny")
    with pytest.raises(WeightsMismatch, match="no VideoPrism checkpoint"):
        config_from_shapes({"weights": np.zeros(3, np.float32)}, "other")


def test_pickles_and_damaged_files_are_refused(tmp_path: Path) -> None:
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, a=np.array([{"run": "me"}], dtype=object))
    with pytest.raises(WeightsMismatch, match="not a readable"):
        read_npz(pickled)
    whole = (goldens.GOLDEN / "tiny_params.npz").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        cut = tmp_path / "cut.npz"
        cut.write_bytes(whole[:length])
        with pytest.raises(WeightsMismatch, match="fetch it again"):
            read_npz(cut)


def test_our_own_form_holds_the_same_network(tmp_path: Path) -> None:
    network = goldens.lvt("tiny")
    path = tmp_path / "tiny.safetensors"
    write_safetensors(path, network)
    again = load_network(path)
    assert again.config == network.config
    for key, value in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.safetensors"]
    with pytest.raises(WeightsMismatch, match="holds tiny, not odd"):
        read_safetensors(path, goldens.config("odd"))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsMismatch, match="damaged"):
        load_network(path)


def test_another_programs_safetensors_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsMismatch, match=r"official \.npz"):
        load_network(path)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_published_network_is_recognised_by_its_shapes(name: str) -> None:
    assert config_from_shapes(empty(CONFIGS[name]), "renamed") == CONFIGS[name]


def test_every_size_of_another_network_is_read_from_its_shapes() -> None:
    """No two sizes are equal here, so none can be taken for another."""
    sizes = {"rows": 3, "columns": 3, "dim": 24, "heads": 4, "mlp": 40, "spatial_layers": 5, "temporal_layers": 6}
    plain = VideoPrismConfig(name="own", patch=7, frames=8, **sizes)  # type: ignore[arg-type]
    full = replace(plain, auxiliary_layers=9, text_layers=10, vocabulary=60)
    assert config_from_shapes(empty(plain), "own") == plain
    assert config_from_shapes(empty(full), "own") == full


def empty(config: VideoPrismConfig) -> dict[str, NDArray[np.float32]]:
    """Arrays of the right shapes that take no memory."""
    return {entry.flax: np.broadcast_to(np.float32(0), entry.flax_shape) for entry in entries(config)}


def test_a_key_missing_in_any_part_means_no_checkpoint() -> None:
    whole = empty(goldens.config("tiny"))
    for key in (
        "params/vision_encoder/patch_projection/linear/kernel",
        "params/vision_encoder/temporal_pos_emb/emb_var",
        "params/text_encoder/token_emb/emb_var",
    ):
        with pytest.raises(WeightsMismatch, match="own holds no VideoPrism checkpoint"):
            config_from_shapes({k: v for k, v in whole.items() if k != key}, "own")


def test_all_that_is_wrong_in_a_state_dict_is_named_in_order() -> None:
    config = goldens.config("tiny")
    state = dict(goldens.lvt("tiny").state_dict())
    del state["pooler.query"]
    state["adapter"] = torch.zeros(3)
    state["text_encoder.norm.bias"] = torch.zeros(1, 32)
    with pytest.raises(WeightsMismatch) as caught:
        network_from_state(config, state)
    assert str(caught.value) == (
        "these are not the weights of tiny: adapter: (3,) != None; pooler.query: None != (1, 32); "
        "text_encoder.norm.bias: (1, 32) != (32,)"
    )


def test_long_lists_of_problems_are_cut() -> None:
    problems = [f"p{i}" for i in range(9)]
    assert shortened(problems[:8]) == "p0; p1; p2; p3; p4; p5; p6; p7"
    assert shortened(problems) == "p0; p1; p2; p3; p4; p5; p6; p7; and 1 more"


def test_a_network_is_ready_to_be_used(arrays: dict[str, NDArray[np.float32]]) -> None:
    network = network_from_state(goldens.config("tiny"), state_dict_from_flax(arrays, goldens.config("tiny")))
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())


def test_our_own_form_of_a_published_network_is_that_network(tmp_path: Path) -> None:
    """The header does not hold the address of its weights, which may move."""
    from safetensors.torch import save_file

    path = tmp_path / "base.safetensors"
    base = CONFIGS["videoprism_lvt_public_v1_base"]
    header = {key: value for key, value in asdict(base).items() if key != "weights"}
    save_file({"a": torch.zeros(1)}, path, {"format": SAFETENSORS_FORMAT, "config": json.dumps(header)})
    assert read_safetensors(path, base)[0] == read_safetensors(path)[0] == base


@pytest.mark.parametrize("header", [{}, {"config": "{"}, {"config": '{"name": "x"}'}, {"config": '{"colour": 1}'}])
def test_a_header_that_is_not_a_configuration_is_damage(tmp_path: Path, header: dict[str, str]) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "ours.safetensors", {"format": SAFETENSORS_FORMAT, **header})
    with pytest.raises(WeightsMismatch, match="is damaged"):
        read_safetensors(tmp_path / "ours.safetensors")


def test_widths_follow_from_the_configuration() -> None:
    base = CONFIGS["videoprism_lvt_public_v1_base"]
    assert (base.head_dim, base.text_mlp, base.pooler_head_dim, base.size) == (64, 3072, 256, 288)
    assert base.has_text
    assert not CONFIGS["videoprism_public_v1_base"].has_text
    with pytest.raises(ValueError, match="width 768 is not a multiple of 7 heads"):
        replace(base, heads=7)
