"""Image towers of open_clip: packed ones give open_clip's own rows, others say that they are slow, GPUs are checked."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoder import EncoderUnavailable, load_encoder
from encoder.openclip import image_tower, tower_trust
from encoder.openclip.eager_tower import EagerTower
from encoder.openclip.encoder import OpenCLIP
from encoder.openclip.image_tower import PackedTower, make_image_tower
from encoder.openclip.packed_tower import packable
from encoder.openclip.pretrained import import_open_clip
from encoder.runtime import packed_block
from encoder.runtime.precision import Precision, choose_precision, packs_layers

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("open_clip") is None, reason="the extra 'clip' is not installed"),
    pytest.mark.skipif(not packs_layers(), reason="packed layers are for x86 processors"),
]

SMALL = {"image_size": 48, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8}
OWN: dict[str, dict[str, Any]] = {
    "plain": SMALL,
    "layer scale": SMALL | {"ls_init_value": 0.1},
    "mean of patches": SMALL | {"pool_type": "avg", "final_ln_after_pool": True, "no_ln_pre": True},
    "attentional pool": SMALL | {"attentional_pool": True, "attn_pooler_queries": 4, "attn_pooler_heads": 4},
    "tanh": SMALL | {"act_kwargs": {"approximate": "tanh"}},
}
TIMM = {
    "rotary": ("vit_pe_core_tiny_patch16_384", 384, "map"),  # as in PE-Core
    "map, registers, layer scale": ("test_vit3", 160, "map"),
    "token": ("test_vit", 160, "token"),
}


class Model(nn.Module):
    """What the towers ask of a model of open_clip."""

    def __init__(self, visual: nn.Module, size: int) -> None:
        super().__init__()
        visual.preprocess_cfg = {"size": size, "mean": (0.5, 0.4, 0.5), "std": (0.3, 0.25, 0.3)}  # type: ignore[assignment]
        self.visual = visual
        with torch.no_grad():
            for value in self.parameters():
                value.add_(0.05 * torch.randn_like(value))
        self.eval().requires_grad_(False)

    def encode_image(self, images: Tensor) -> Tensor:
        found = self.visual(images)
        return found[0] if isinstance(found, tuple) else found


def model(kind: str) -> Model:
    import_open_clip()
    from open_clip.model import CLIPVisionCfg, _build_vision_tower
    from open_clip.timm_model import TimmModel

    torch.manual_seed(1)
    if kind in TIMM:
        name, size, pool = TIMM[kind]
        return Model(TimmModel(name, 48, image_size=size, pool=pool, proj=None), size)
    config = CLIPVisionCfg(**OWN.get(kind, SMALL))
    return Model(_build_vision_tower(48, config, quick_gelu=kind == "quick GELU"), 48)


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    """Pictures of large patches, which towers tell apart better than noise."""
    patches = np.random.default_rng(3).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return patches.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def packed(made: Model, precision: Precision = "float32") -> PackedTower:
    tower = packable(made.visual)
    assert tower is not None
    return PackedTower(made, tower, precision)


@pytest.mark.parametrize("kind", [*OWN, "quick GELU", *TIMM])
def test_packed_blocks_give_the_rows_of_open_clip(kind: str) -> None:
    made = model(kind)
    some = pictures(3, EagerTower(made).size)
    expected = EagerTower(made)(some)
    assert float((expected[0] @ expected[1]).abs()) < 0.99999, "pictures are told apart"
    found = packed(made)(some)
    assert found.dtype == torch.float32
    assert float((found - expected).abs().max()) < 2e-6
    assert packable(made.visual) is None, "the blocks were replaced"


def near(found: Tensor, expected: Tensor, cosine: float) -> None:
    """Assert that rows are near, and that they were not computed in float32."""
    assert float((found * expected).sum(1).min()) > cosine
    assert float((found - expected).abs().max()) > 1e-5


def can(precision: Precision) -> bool:
    try:
        choose_precision(precision, "cpu", 768)
    except EncoderUnavailable:
        return False
    return True


@pytest.mark.parametrize("kind", ["plain", "rotary"])
@pytest.mark.parametrize(("precision", "cosine"), [("bfloat16", 0.999), ("int8", 0.995)])
def test_other_precisions_are_near(kind: str, precision: Precision, cosine: float) -> None:
    if not can(precision):
        pytest.skip(f"this processor does not compute in {precision}")
    made = model(kind)
    some = pictures(4, EagerTower(made).size)
    expected = EagerTower(made)(some)
    near(packed(made, precision)(some), expected, cosine)


@pytest.mark.parametrize("kind", ["plain", "quick GELU", "rotary", "map, registers, layer scale"])
def test_bfloat16_is_near_where_the_processor_does_not_have_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With layers that round as the processor's do: factors and results to bfloat16, sums in float32."""

    def rounding(weight: Tensor, bias: Tensor, precision: Precision, *, lowest: float | None = None) -> Any:
        assert precision == "bfloat16"
        rounded, added = weight.bfloat16().float(), bias.bfloat16().float()
        return lambda x: torch.nn.functional.linear(x.bfloat16().float(), rounded, added).bfloat16()

    made = model(kind)
    some = pictures(3, EagerTower(made).size)
    expected = EagerTower(made)(some)
    monkeypatch.setattr(packed_block, "pack_linear", rounding)
    near(packed(made, "bfloat16")(some), expected, 0.999)


def test_what_cannot_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tower whose blocks compute anything else is left to open_clip, whatever is different."""
    import_open_clip()
    from open_clip.timm_model import TimmModel

    assert packable(TimmModel("test_vit4", 48, image_size=160, pool="avg", proj=None)) is None  # RMS norms
    assert packable(TimmModel("test_resnet", 48, image_size=160, pool="avg", proj=None)) is None
    for change in (
        {"qk_norm": True},
        {"scale_attn": True},
        {"block_type": "custom"},
    ):
        with monkeypatch.context() as patch:
            patch.setitem(OWN, "changed", SMALL | change)
            assert packable(model("changed").visual) is None
    made = model("plain")
    made.visual.transformer.resblocks[1].mlp.gelu = nn.SiLU()  # type: ignore[union-attr,index]
    assert packable(made.visual) is None
    made = model("map, registers, layer scale")
    made.visual.trunk.blocks[3].attn.q_norm = nn.LayerNorm(32)  # type: ignore[union-attr,index]
    assert packable(made.visual) is None
    assert packable(nn.Linear(2, 2)) is None


def test_a_batch_is_made_over_clips_and_a_picture_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, looked = model("plain"), []
    tower = packed(made)
    rows = PackedTower._rows

    def count(self: PackedTower, some: NDArray[np.uint8]) -> Tensor:
        looked.append(len(some))
        return rows(self, some)

    monkeypatch.setattr(PackedTower, "_rows", count)
    four = pictures(4, 48)
    alone = torch.cat([tower(each[None]) for each in four])
    looked.clear()
    together = tower(four[[0, 1, 1, 2, 0, 3, 3, 3]])
    assert sum(looked) == 4
    assert len(looked) == 1, "37 tokens each: several pictures are one task"
    assert float((together - alone[[0, 1, 1, 2, 0, 3, 3, 3]]).abs().max()) < 1e-6


def configured(tmp_path: Path, name: str, **vision: Any) -> str:
    """Make a small model that open_clip knows by name, for as long as this process lives."""
    open_clip = import_open_clip()
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    (tmp_path / f"{name}.json").write_text(json.dumps({"embed_dim": 48, "vision_cfg": vision, "text_cfg": text}))
    open_clip.add_model_config(tmp_path / f"{name}.json")
    return f"open_clip:{name}/random"


def test_an_encoder_of_a_wide_tower_is_packed_at_its_first_clip(tmp_path: Path) -> None:
    name = configured(tmp_path, "test-wide", **SMALL | {"width": 192, "head_width": 64, "layers": 1})
    found = load_encoder(name, "cpu", frames=2)
    assert isinstance(found, OpenCLIP)
    assert isinstance(found._pictures, PackedTower)
    assert (found.precision, found.notice) == ("float32", None)  # bfloat16 is for wider ones
    blocks = found._model.visual.transformer.resblocks
    found.encode_texts(["a dog"])
    assert type(blocks[0]).__name__ == "ResidualAttentionBlock"
    clips = pictures(4, 48).reshape(2, 2, 48, 48, 3)
    rows = found.encode_clips(clips)
    assert type(blocks[0]).__name__ == "_PackedModule"
    narrow = load_encoder(name, "cpu", frames=2)
    assert isinstance(narrow, OpenCLIP)
    narrow._pictures = EagerTower(narrow._model)
    assert np.abs(narrow.encode_clips(clips) - rows).max() < 2e-6
    assert narrow.id == found.id


def test_a_tower_of_another_kind_stays_as_it_is_and_the_encoder_says_so(tmp_path: Path) -> None:
    name = configured(tmp_path, "test-resnet", image_size=64, layers=[1, 1, 1, 1], width=8, patch_size=None)
    found = load_encoder(name, "cpu", frames=1)
    assert isinstance(found, OpenCLIP)
    assert type(found._pictures) is EagerTower
    assert found.notice is not None
    assert "as open_clip does, in float32: its image tower (ModifiedResNet)" in found.notice
    narrow = load_encoder(configured(tmp_path, "test-narrow", **SMALL), "cpu", frames=1)
    assert narrow.notice is None, "it is small, not slow"
    with pytest.raises(EncoderUnavailable, match="runs in float32 here, not in bfloat16"):
        make_image_tower(found._model, "cpu", "bfloat16", name="x")


class Device(EagerTower):
    """A tower on a stand-in of a GPU, which is off in some precisions, and from some place in a batch on."""

    def __init__(self, made: Model, *, off: tuple[str, ...] = (), from_place: int = 0, most: int = 1000) -> None:
        super().__init__(made, "bfloat16")
        self.off, self.from_place, self.most = off, from_place, most
        self.moved = False

    def move(self, device: str, name: str) -> None:
        self.moved = True

    def __call__(self, some: NDArray[np.uint8]) -> Tensor:
        if len(some) > self.most:
            raise torch.OutOfMemoryError("too many")
        rows = super().__call__(some)
        if self.moved and self.precision in self.off:
            rows[self.from_place :] = rows[self.from_place :].roll(1, 1)
        return rows


def test_a_gpu_is_trusted_in_the_first_precision_whose_batches_are_right(caplog: pytest.LogCaptureFixture) -> None:
    made = model("plain")
    assert tower_trust.trusted(Device(made), "cuda", "x", 8).precision == "bfloat16"
    assert caplog.messages == []
    for place in (0, 1, 5):  # all of a batch, all but its first picture, its second half
        found = tower_trust.trusted(Device(made, off=("bfloat16",), from_place=place), "cuda", "x", 8)
        assert found.precision == "float32"
    assert len(caplog.messages) == 3
    assert "x in bfloat16 is off on this GPU" in caplog.messages[0]
    with pytest.raises(EncoderUnavailable, match="x computes other rows on cuda than on the CPU; use --device cpu"):
        tower_trust.trusted(Device(made, off=("bfloat16", "float32")), "cuda", "x", 8)
    assert tower_trust.trusted(Device(made, most=4), "cuda", "x", 8).precision == "bfloat16", "a batch that is halved"


def test_autocast_is_near_float32() -> None:
    """On the CPU, whose autocast has other rules than a GPU's; a GPU is compared when an encoder is loaded."""
    made = model("plain")
    some = pictures(70, 48)  # more than a batch
    expected = EagerTower(made)(some)
    near(EagerTower(made, "bfloat16")(some), expected, 0.999)


def test_on_a_gpu_the_check_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, int]] = []

    def trusted(tower: EagerTower, device: str, name: str, batch: int) -> EagerTower:
        asked.append((tower.precision, device, batch))
        return tower

    monkeypatch.setattr(image_tower, "trusted", trusted)
    monkeypatch.setattr(image_tower, "choose_precision", lambda choice, device, width: "bfloat16")
    for kind in ("plain", "rotary"):
        assert type(make_image_tower(model(kind), "cuda:1", "auto", name="x")) is EagerTower
    made = model("plain")
    made.visual.transformer.resblocks[1].mlp.gelu = nn.SiLU()  # type: ignore[union-attr,index]
    make_image_tower(made, "cuda", "auto", name="x")
    assert asked == [("bfloat16", "cuda:1", 64)] * 2 + [("float32", "cuda", 64)]
