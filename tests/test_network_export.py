"""Export of trained networks: official arrays, loaded strictly, the same rows, and a file of facts for the rest."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import goldens
import numpy as np
import pytest
import torch

from encoder.checkpoints.checkpoint import load_network, read_npz
from encoder.checkpoints.network_facts import NetworkFacts, facts_file, read_facts
from encoder.config import CONFIGS, DEMO, VideoPrismConfig
from encoder.errors import WeightsMismatch
from encoder.model import Network, VideoEncoder, VideoPrismLvT, build
from encoder.weights import entries
from training.errors import TrainingError
from training.export import export_network, has_known_vocabulary, stored_config

OBLONG = VideoPrismConfig(
    name="oblong", patch=2, frames=3, rows=2, columns=5, dim=8, heads=2, mlp=12, spatial_layers=1, temporal_layers=1,
    auxiliary_layers=1, text_layers=1, vocabulary=11, text_tokens=7,
)  # fmt: skip


def stated(**changed: object) -> dict[str, object]:
    """Return the configuration of a network as its description states it, with other values."""
    return {key: value for key, value in asdict(OBLONG).items() if key != "weights"} | changed


def facts_of(network: Network) -> NetworkFacts:
    return NetworkFacts(
        config=stored_config(network), stage="lit", steps=3, parent="0123", licence="Apache-2.0",
        trained_on="200 clips", version="1",
    )  # fmt: skip


def trained(config: VideoPrismConfig) -> Network:
    torch.manual_seed(3)
    network = build(config)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network.eval()


@pytest.mark.parametrize("config", [OBLONG, OBLONG.plain, goldens.config("tiny")])
def test_an_export_is_read_back_as_the_same_network(config: VideoPrismConfig, tmp_path: Path) -> None:
    network, path = trained(config), tmp_path / "mine.npz"
    again = export_network(network, path, facts_of(network))
    assert again.config == network.config
    arrays = read_npz(path)
    assert {key: array.shape for key, array in arrays.items()} == {e.flax: e.flax_shape for e in entries(config)}
    clips = np.random.default_rng(0).integers(
        0, 256, (2, config.frames, config.patch * config.rows, config.patch * config.columns, 3), np.uint8
    )
    with torch.inference_mode():
        assert torch.equal(again.encode_video(torch.from_numpy(clips)), network.encode_video(torch.from_numpy(clips)))
        if isinstance(again, VideoPrismLvT) and isinstance(network, VideoPrismLvT):
            ids, paddings = torch.tensor([[1, 2, 3]]), torch.zeros(1, 3)
            assert torch.equal(again.encode_text(ids, paddings), network.encode_text(ids, paddings))
    assert read_facts(path) == facts_of(network)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.json", "mine.npz"]


def test_without_its_facts_an_oblong_network_is_refused_and_with_them_it_is_read(tmp_path: Path) -> None:
    network, path = trained(OBLONG), tmp_path / "mine.npz"
    export_network(network, path, facts_of(network))
    assert load_network(path).config == OBLONG
    facts_file(path).unlink()
    with pytest.raises(WeightsMismatch, match="spatial_pos_emb"):
        load_network(path)


def test_the_video_encoder_of_a_network_with_words_is_exported_as_a_plain_one(tmp_path: Path) -> None:
    network = trained(DEMO)
    assert isinstance(network, VideoPrismLvT)
    again = export_network(network.vision_encoder, tmp_path / "plain.npz", facts_of(network.vision_encoder))
    assert isinstance(again, VideoEncoder)
    assert again.config == DEMO.plain


def test_the_demo_encoder_is_known_again(tmp_path: Path) -> None:
    network = trained(DEMO)
    assert has_known_vocabulary(network)
    assert not has_known_vocabulary(trained(OBLONG))
    assert export_network(network, tmp_path / "mine.npz", facts_of(network)).config is CONFIGS[DEMO.name]


def test_what_cannot_be_exported_leaves_what_is_there(tmp_path: Path) -> None:
    network, path = trained(OBLONG), tmp_path / "mine.npz"
    export_network(network, path, facts_of(network))
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with torch.no_grad():
        network.get_parameter("pooler.query")[0] = float("nan")
    with pytest.raises(TrainingError, match=r"contrastive_vision_pooler.*not finite"):
        export_network(network, path, facts_of(network))
    with pytest.raises(ValueError, match=r"ends in \.npz"):
        export_network(network, tmp_path / "mine.bin", facts_of(network))
    with pytest.raises(ValueError, match="the facts are of other"):
        export_network(network, path, replace(facts_of(network), config=replace(OBLONG, name="other")))
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": "map"}', '{"format": "other"}', "[" * 9999])
def test_another_programs_description_is_not_ours(content: str, tmp_path: Path) -> None:
    facts_file(tmp_path / "mine.npz").write_text(content)
    assert read_facts(tmp_path / "mine.npz") is None


@pytest.mark.parametrize(
    "change",
    [
        {"config": None},
        {"config": {"name": "x", "dim": -1}},
        {"config": {"name": "x", "dimension": 1}},
        {"config": stated(heads=0)},
        {"config": stated(dim=32.0)},
        {"config": stated(mlp=True)},
        {"config": stated(text_tokens=10_000_000)},
        {"config": stated(text_layers=1_001)},
        {"config": stated(name="x" * 300)},
        {"steps": "3"},
        {"steps": True},
        {"stage": None},
        {"parent": "a" * 20_000},
    ],
)
def test_a_description_of_ours_that_is_not_possible_is_one_sentence(change: dict[str, object], tmp_path: Path) -> None:
    network, path = trained(OBLONG), tmp_path / "mine.npz"
    export_network(network, path, facts_of(network))
    record = json.loads(facts_file(path).read_text())
    facts_file(path).write_text(json.dumps(record | change))
    with pytest.raises(WeightsMismatch, match="does not describe a network") as refused:
        load_network(path)
    assert "\n" not in str(refused.value)
    del record["licence"]
    facts_file(path).write_text(json.dumps(record))
    with pytest.raises(WeightsMismatch, match="'licence' is missing"):
        read_facts(path)
