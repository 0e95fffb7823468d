"""transformers' VideoPrism as an independent witness: same random weights, every configuration, odd lengths and sizes.

Only its video side is one. Its text tower divides the sinusoid's exponent by D/2 instead of D/2 - 1; the last test here
shows that this, and nothing else, is where it leaves the official code.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import goldens
import pytest
import torch
from torch import Tensor
from transformers_state import POSITIONS, transformers_state

from encoder.checkpoints.checkpoint import load_network
from encoder.config import VideoPrismConfig
from encoder.layers import sinusoid
from encoder.model import VideoEncoder, VideoPrismLvT
from encoder.openclip.torchvision_shim import import_torchvision

pytest.importorskip("transformers", reason="the independent witness is not installed (extra `test`)")


def witness(network: VideoPrismLvT | VideoEncoder) -> Any:
    """transformers' model of the same configuration with the same weights."""
    import_torchvision()  # transformers imports it wherever it is installed
    from transformers import VideoPrismClipModel, VideoPrismVisionModel
    from transformers import VideoPrismConfig as Theirs

    c: VideoPrismConfig = network.config
    vision = {
        "image_size": c.size, "num_frames": c.frames, "tubelet_size": [1, c.patch, c.patch], "hidden_size": c.dim,
        "num_attention_heads": c.heads, "intermediate_size": c.mlp, "num_spatial_layers": c.spatial_layers,
        "num_temporal_layers": c.temporal_layers, "num_auxiliary_layers": c.auxiliary_layers,
    }  # fmt: skip
    text = {
        "vocab_size": c.vocabulary or 10, "hidden_size": c.dim, "intermediate_size": c.text_mlp,
        "num_hidden_layers": c.text_layers or 1, "num_attention_heads": c.heads, "max_position_embeddings": 64,
    }  # fmt: skip
    theirs = Theirs(vision_config=vision, text_config=text)
    theirs._attn_implementation = "eager"
    with torch.device("meta"):
        model = VideoPrismClipModel(theirs) if c.has_text else VideoPrismVisionModel(theirs.vision_config)
    state = transformers_state(network)
    if c.has_text:  # a computed buffer, which stays theirs
        with torch.device("cpu"):
            fresh = type(model.text_model.embeddings)(theirs.text_config)
        state[POSITIONS] = fresh.state_dict()["position_embedding"]
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval()


def video_difference(network: VideoPrismLvT | VideoEncoder, model: Any, clip: Tensor) -> tuple[float, float]:
    """max |difference| and smallest cosine between their rows and ours for one (1, T, S, S, 3) float clip."""
    pixels = clip.permute(0, 1, 4, 2, 3)
    with torch.no_grad():
        if isinstance(network, VideoPrismLvT):
            ours = network.encode_video(clip)
            theirs = model.get_video_features(pixels, interpolate_pos_encoding=True)
            theirs = getattr(theirs, "pooler_output", theirs).reshape(ours.shape)
        else:
            ours = network(clip)[0]
            theirs = model(pixels, interpolate_pos_encoding=True).last_hidden_state.reshape(ours.shape)
    cosine = float(torch.cosine_similarity(ours, theirs, dim=-1).min())
    return float((ours - theirs).abs().max()), cosine


SHAPES = [(None, None), (1, None), (3, None), (None, "smaller"), (9, "larger")]


@pytest.mark.parametrize(("frames", "size"), SHAPES)
def test_tiny(frames: int | None, size: str | None) -> None:
    network = goldens.lvt("tiny")
    side = {"smaller": 54, "larger": 108, None: 72}[size]
    clip = goldens.tensor(goldens.recipe().clip_u8(7, frames or 6, side))[None].float() / 255
    difference, cosine = video_difference(network, witness(network), clip)
    assert difference < 2e-6
    assert cosine > 0.999999


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base", "large", "lvt_base", "lvt_large"])
def test_full_size(name: str) -> None:
    network = goldens.network(name)
    model = witness(network)
    frames = network.config.frames
    for t, side in ((frames, 288), (frames - 5, 288), (3, 216)):
        clip = goldens.tensor(goldens.recipe().clip_u8(31, t, side))[None].float() / 255
        difference, cosine = video_difference(network, model, clip)
        print(f"{name} {t} x {side}: max |difference| {difference:.1e}, smallest cosine {cosine:.7f}")
        # Tokens of the plain encoders are not of unit length: their values reach 4.
        assert difference < (2e-6 if network.config.has_text else 4e-5)
        assert cosine > 0.999999


def test_their_text_tower_differs_by_its_sinusoid_alone() -> None:
    network = goldens.lvt("tiny")
    model = witness(network)
    g = goldens.golden("tiny")
    ids, paddings = goldens.tensor(g["in/text/len64/ids"]), goldens.tensor(g["in/text/len64/paddings"])
    mask = (paddings < 0.5).long()

    def theirs() -> Tensor:
        with torch.no_grad():
            found = model.get_text_features(input_ids=ids.long(), attention_mask=mask)
        return getattr(found, "pooler_output", found).reshape(len(ids), -1)

    expected = goldens.tensor(g["text/len64/emb"])
    with torch.no_grad():
        assert float((network.encode_text(ids, paddings) - expected).abs().max()) < goldens.UNIT
    some = (paddings < 0.5).sum(1) > 1  # one token at position 0 is too short to see it
    assert float((theirs() - expected)[some].abs().max()) > 0.01, "they have mended it: their text tower may serve too"
    embeddings = model.text_model.embeddings
    embeddings.position_embedding = torch.from_numpy(sinusoid(64, network.config.dim))
    assert float((theirs() - expected).abs().max()) < 4e-6


def test_what_they_save_is_read_as_the_official_file_is(tmp_path: Path) -> None:
    """Their own writer, with their own names: every number of the state dict is that of the network."""
    network = goldens.lvt("tiny")
    witness(network).save_pretrained(tmp_path)
    found = load_network(tmp_path / "model.safetensors")
    assert found.config == replace(network.config, name="model")
    expected = network.state_dict()
    assert {key: value.shape for key, value in found.state_dict().items()} == {k: v.shape for k, v in expected.items()}
    for key, value in found.state_dict().items():
        # The witness lost the last bit of a norm's gain: it stores gain - 1.
        same = torch.allclose if key.endswith("norm.weight") else torch.equal
        assert same(value, expected[key]), key
