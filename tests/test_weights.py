"""Checkpoints are read strictly: what is missing, left over or of the wrong shape is named, nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import goldens
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from encoder import WeightsMismatch
from encoder.checkpoints.checkpoint import load_network, read_npz, read_safetensors, write_safetensors
from encoder.config import CONFIGS
from encoder.weights import config_from_shapes, entries, flax_from_state_dict, state_dict_from_flax

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
