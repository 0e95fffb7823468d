"""The encoder against arrays that the official JAX code computed (tests/golden/README.md)."""

from __future__ import annotations

import zlib

import goldens
import numpy as np
import pytest
import torch

from encoder.layers import resize_matrix, sinusoid
from encoder.weights import flax_from_state_dict


@pytest.mark.parametrize("name", ["tiny", "odd"])
def test_every_stage_equals_the_reference(name: str) -> None:
    found = goldens.disagreements(name, goldens.lvt(name))
    stored = {k for k in goldens.golden(name) if not k.startswith("in/")}
    assert set(found) == stored, "a golden was not compared"
    assert max(found.values()) <= 1, {k: v for k, v in found.items() if v > 1}


def test_ids_under_paddings_do_not_matter() -> None:
    g, model = goldens.golden("tiny"), goldens.lvt("tiny")
    paddings = goldens.tensor(g["in/text/len64/paddings"])
    with torch.no_grad():
        plain = model.encode_text(goldens.tensor(g["in/text/len64/ids"]), paddings)
        junk = model.encode_text(goldens.tensor(g["in/text/len64_junk_ids/ids"]), paddings)
    assert torch.equal(plain, junk)


def test_float_and_8_bit_clips_are_the_same_clip() -> None:
    g, model = goldens.golden("tiny"), goldens.lvt("tiny")
    clip = goldens.tensor(g["in/clip16_u8"])[None]
    with torch.no_grad():
        assert torch.equal(model.encode_video(clip), model.encode_video(clip.float() / 255))


def test_attention_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    g, model = goldens.golden("tiny"), goldens.lvt("tiny")
    clip = goldens.tensor(g["in/clip16_u8"])[None]
    with torch.no_grad():
        whole = model.encode_video(clip)
        monkeypatch.setattr("encoder.layers._SCORE_ELEMENTS", 5000)
        blocks = model.encode_video(clip)
    assert float((whole - blocks).abs().max()) < 1e-6


def test_position_tables() -> None:
    with np.load(goldens.GOLDEN / "tables.npz") as tables:
        for key in tables.files:
            kind, _, name = key.partition("/")
            if kind == "temporal":
                n_in, n_out = (int(n) for n in name.split("_to_"))
                found = resize_matrix(n_in, n_out)
            elif kind == "spatial":
                (h_in, w_in), (h_out, w_out) = (map(int, side.split("x")) for side in name.split("_to_"))
                found = np.kron(resize_matrix(h_in, h_out), resize_matrix(w_in, w_out))
            elif name.isdigit():
                rows = tables["sinusoid/rows_kept_for_768_1024"] if int(name) > 100 else slice(None)
                found = sinusoid(65, int(name))[rows]
            else:
                continue
            # The sinusoid's angles reach 64 radians: float32 leaves 4e-6 there.
            np.testing.assert_allclose(found, tables[key], atol=8e-6 if kind == "sinusoid" else 1e-6, err_msg=key)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lvt_base", "lvt_large"])
def test_full_size(name: str) -> None:
    recipe, g, model = goldens.recipe(), goldens.golden(name), goldens.lvt(name)
    arrays = flax_from_state_dict(model.state_dict(), model.config)
    assert list(arrays) == list(g["keys"])
    exact = {k: zlib.crc32(recipe.value(k, a.shape).tobytes()) for k, a in arrays.items()}
    assert [exact[k] for k in g["keys"]] == list(g["param_crc32"]), (
        "the recipe does not make the reference's parameters"
    )
    del arrays

    with torch.no_grad():
        found = {each.key: each.excess for each in goldens.full_size_comparisons(name, model)}
    print({k: f"{v:.2f} of the tolerance" for k, v in found.items()})
    inputs = {"keys", "param_crc32", "clip_crc32", "text/ids", "text/paddings"}
    assert set(found) == set(g) - inputs, "a golden was not compared"
    assert max(found.values()) <= 1, found
