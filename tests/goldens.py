"""The golden arrays of the official JAX code, and networks made of the stand-in parameters they belong to."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray

from encoder.checkpoint import network_from_state, read_npz
from encoder.config import VideoPrismConfig
from encoder.model import VideoEncoder, VideoPrismLvT
from encoder.weights import state_dict_from_flax

GOLDEN = Path(__file__).parent / "golden"


@functools.cache
def recipe() -> ModuleType:
    """tests/golden/param_recipe.py: configurations, keys, shapes and deterministic parameters."""
    spec = importlib.util.spec_from_file_location("param_recipe", GOLDEN / "param_recipe.py")
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


def disagreements(name: str, model: VideoPrismLvT) -> dict[str, float]:
    """Every golden of `name` against `model`: {stage: difference as a multiple of its tolerance}."""
    g = golden(name)
    frames = model.config.frames
    worst: dict[str, float] = {}

    def note(key: str, found: torch.Tensor, tolerance: float) -> None:
        if key in g:
            worst[key] = difference(found, g[key]) / tolerance

    def video(case: str, clips: torch.Tensor, paddings: torch.Tensor | None = None) -> None:
        side: dict[str, torch.Tensor] = {}
        note(f"{case}/emb", model.encode_video(clips, paddings, side=side), UNIT)
        note(f"{case}/emb_raw", model.encode_video(clips, paddings, normalize=False), RAW)
        note(f"{case}/frame_emb", model.encode_frames(clips, paddings), UNIT)
        note(f"{case}/frame_emb_raw", model.encode_frames(clips, paddings, normalize=False), RAW)
        note(f"{case}/spatial", side["spatial"], SIDE)
        note(f"{case}/spatiotemporal", side["spatiotemporal"], SIDE)
        note(f"{case}/aux", side["auxiliary"], SIDE)

    with torch.no_grad():
        pair = torch.stack([tensor(g["in/clip16_u8"])[:frames], tensor(g["in/clip_b_u8"])])
        video("video/main", pair)
        video("video/frame_paddings", pair, tensor(g["in/frame_paddings"]))
        for key in [k for k in g if k.startswith("video/") and k.endswith("/emb")]:
            words = key.split("/")[1].split("_")
            if words[0] == "frames" and words[1].isdigit():
                video(f"video/frames_{words[1]}", tensor(g["in/clip16_u8"])[None, : int(words[1])])
            elif words[0] == "size":
                clip = tensor(g[f"in/clip_size_{words[1]}_u8"])[None]
                video(key.removesuffix("/emb"), clip[:, : int(words[3])] if len(words) > 2 else clip)
        for key in [k for k in g if k.startswith("text/") and k.endswith("/emb")]:
            case = key.split("/")[1]
            ids, paddings = tensor(g[f"in/text/{case}/ids"]), tensor(g[f"in/text/{case}/paddings"])
            note(key, model.encode_text(ids, paddings), UNIT)
            note(f"{key}_raw", model.encode_text(ids, paddings, normalize=False), RAW)
    return worst
