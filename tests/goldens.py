"""The golden arrays of the official JAX code, and networks made of the stand-in parameters they belong to."""

from __future__ import annotations

import functools
import importlib.util
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from encoder.checkpoints.checkpoint import network_from_state, read_npz
from encoder.config import VideoPrismConfig
from encoder.model import VideoEncoder, VideoPrismLvT, vision_of
from encoder.weights import state_dict_from_flax

GOLDEN = Path(__file__).parent / "golden"


def recipe() -> ModuleType:
    """tests/golden/param_recipe.py: configurations, keys, shapes and deterministic parameters."""
    return _module("param_recipe")


def training_recipe() -> ModuleType:
    """tests/golden/training_recipe.py: inputs of losses, optimizers and schedules."""
    return _module("training_recipe")


@functools.cache
def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, GOLDEN / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def config(name: str) -> VideoPrismConfig:
    """The configuration called `name` in the recipe: tiny, odd, lvt_base, lvt_large, base, large."""
    c = recipe().CONFIGS[name]
    lvt = c["lvt"]
    frames, rows, columns = c["pos"]
    return VideoPrismConfig(
        name=name, patch=c["patch"], frames=frames, rows=rows, columns=columns, dim=c["dim"], heads=c["heads"],
        mlp=c["mlp"], spatial_layers=c["spatial"], temporal_layers=c["temporal"],
        auxiliary_layers=c["aux"] if lvt else 0, text_layers=c["text"] if lvt else 0,
        vocabulary=c["vocab"] if lvt else 0,
    )  # fmt: skip


def network(name: str) -> VideoPrismLvT | VideoEncoder:
    """A network of that configuration with the recipe's parameters."""
    stored = GOLDEN / f"{name}_params.npz"
    arrays = read_npz(stored) if stored.exists() else recipe().params(recipe().CONFIGS[name])
    return network_from_state(config(name), state_dict_from_flax(arrays, config(name)))


def lvt(name: str) -> VideoPrismLvT:
    made = network(name)
    assert isinstance(made, VideoPrismLvT)
    return made


def plain(name: str) -> VideoEncoder:
    """The video encoder of such a network as a plain network."""
    plain_config = config(name).plain
    made = network_from_state(plain_config, vision_of(network(name)).state_dict())
    assert isinstance(made, VideoEncoder)
    return made


def golden(name: str) -> dict[str, NDArray[np.float32]]:
    with np.load(GOLDEN / f"{name}_golden.npz") as file:
        return {key: file[key] for key in file.files}


def tensor(array: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def difference(found: torch.Tensor, expected: NDArray[np.float32]) -> float:
    """max |found - expected|, shapes checked."""
    assert tuple(found.shape) == expected.shape, (found.shape, expected.shape)
    return float((found.float() - tensor(expected)).abs().max())


UNIT, RAW, SIDE = 2e-6, 1.5e-5, 2e-5
"""Tolerances for tiny and odd (tests/golden/README.md): unit rows, raw rows, side outputs."""

FULL_UNIT, FULL_RAW = 1.5e-6, 4e-5
"""The same for the full-size networks; side outputs as above."""


@dataclass(frozen=True)
class Comparison:
    """One golden array and what a network makes of the same input."""

    key: str
    stage: str  # video, video raw, frames, frames raw, spatial, spatiotemporal, auxiliary, text, text raw
    found: torch.Tensor
    expected: NDArray[np.float32]
    tolerance: float

    @property
    def excess(self) -> float:
        """max |difference| as a multiple of the tolerance."""
        return difference(self.found, self.expected) / self.tolerance


def comparisons(name: str, model: VideoPrismLvT) -> Iterator[Comparison]:
    """Every golden of `name` (tiny, odd) against `model`."""
    g = golden(name)
    for key in [k for k in g if k.endswith("/emb")]:
        kind, case, _ = key.split("/")
        if kind == "text":
            ids, paddings = tensor(g[f"in/text/{case}/ids"]), tensor(g[f"in/text/{case}/paddings"])
            yield Comparison(key, "text", model.encode_text(ids, paddings), g[key], UNIT)
            raw = model.encode_text(ids, paddings, normalize=False)
            yield Comparison(f"{key}_raw", "text raw", raw, g[f"{key}_raw"], RAW)
            continue
        clips, paddings = _clips(case, g, model.config.frames)
        side: dict[str, torch.Tensor] = {}
        outputs = {
            "emb": ("video", model.encode_video(clips, paddings, side=side), UNIT),
            "emb_raw": ("video raw", model.encode_video(clips, paddings, normalize=False), RAW),
            "frame_emb": ("frames", model.encode_frames(clips, paddings), UNIT),
            "frame_emb_raw": ("frames raw", model.encode_frames(clips, paddings, normalize=False), RAW),
            "spatial": ("spatial", side["spatial"], SIDE),
            "spatiotemporal": ("spatiotemporal", side["spatiotemporal"], SIDE),
            "aux": ("auxiliary", side["auxiliary"], SIDE),
        }
        for array, (stage, found, tolerance) in outputs.items():
            if f"video/{case}/{array}" in g:  # other lengths and sizes have fewer arrays
                yield Comparison(f"video/{case}/{array}", stage, found, g[f"video/{case}/{array}"], tolerance)


def _clips(case: str, g: dict[str, NDArray[np.float32]], frames: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Input of a video case: main, frame_paddings, frames_T, size_S, size_S_frames_T."""
    words = case.split("_")
    if case in ("main", "frame_paddings"):
        pair = torch.stack([tensor(g["in/clip16_u8"])[:frames], tensor(g["in/clip_b_u8"])])
        return pair, tensor(g["in/frame_paddings"]) if case == "frame_paddings" else None
    if words[0] == "frames":
        return tensor(g["in/clip16_u8"])[None, : int(words[1])], None
    clip = tensor(g[f"in/clip_size_{words[1]}_u8"])[None]
    return (clip[:, : int(words[3])] if len(words) > 2 else clip), None


def full_size_comparisons(name: str, model: VideoPrismLvT) -> Iterator[Comparison]:
    """Every golden of `name` (lvt_base, lvt_large) against `model`, which has the recipe's parameters."""
    g, frames = golden(name), model.config.frames
    for i, checksum in enumerate(g["clip_crc32"]):
        clip = recipe().clip_u8(101 + i, frames, 288)
        assert zlib.crc32(clip.tobytes()) == checksum, "the recipe does not make the reference's clip"
        side: dict[str, torch.Tensor] = {}
        raw = model.encode_video(tensor(clip)[None], normalize=False, side=side)[0]
        key = f"video/clip{i}"
        yield Comparison(f"{key}/emb_raw", "video raw", raw, g[f"{key}/emb_raw"], FULL_RAW)
        yield Comparison(f"{key}/emb", "video", raw / raw.norm(), g[f"{key}/emb"], FULL_UNIT)
        per_frame = model.pooler(side["auxiliary"].reshape(frames, -1, model.config.dim))
        per_frame = per_frame / per_frame.norm(dim=-1, keepdim=True)
        yield Comparison(f"{key}/frame_emb", "frames", per_frame, g[f"{key}/frame_emb"], FULL_UNIT)
        for stage in ("spatial", "spatiotemporal"):
            found = side[stage][0, ::97, ::7]
            yield Comparison(f"{key}/{stage}_97_7", stage, found, g[f"{key}/{stage}_97_7"], SIDE)
    for key in [k for k in g if k.startswith("video/frames_")]:
        clip = recipe().clip_u8(111, int(key.split("/")[1].removeprefix("frames_")), 288)
        found = model.encode_video(tensor(clip)[None])[0]
        yield Comparison(key, "video, other frame counts", found, g[key], FULL_UNIT)
    raw = model.encode_text(tensor(g["text/ids"]), tensor(g["text/paddings"]), normalize=False)
    yield Comparison("text/emb_raw", "text raw", raw, g["text/emb_raw"], FULL_RAW)
    yield Comparison("text/emb", "text", raw / raw.norm(dim=-1, keepdim=True), g["text/emb"], FULL_UNIT)


def disagreements(name: str, model: VideoPrismLvT) -> dict[str, float]:
    """Every golden of `name` (tiny, odd) against `model`: {key: difference as a multiple of its tolerance}."""
    with torch.no_grad():
        return {each.key: each.excess for each in comparisons(name, model)}
