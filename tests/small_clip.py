"""A small OpenCLIP model as a person may have one: a folder with open_clip's own configuration file and weights."""

from __future__ import annotations

import json
from pathlib import Path

from encoder.openclip.pretrained import import_open_clip

CONFIGURATION = {
    "model_cfg": {
        "embed_dim": 48,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]},
}


def write_small_clip(folder: Path, *, seed: int = 1) -> str:
    """Write it below `folder`; returns the name to load it by."""
    import torch
    from safetensors.torch import save_file

    open_clip = import_open_clip()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIGURATION))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.create_model(f"local-dir:{folder}")
        # As trained ones are: nothing is zero, and pictures and words are told apart.
        for value in model.parameters():
            value.data += 0.05 * torch.randn_like(value)
    state = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return f"open_clip:local-dir:{folder}"


def register_small_clip(folder: Path, name: str) -> None:
    """Make it a model that open_clip knows by name, for as long as this process lives."""
    open_clip = import_open_clip()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(CONFIGURATION["model_cfg"]))
    open_clip.add_model_config(folder / f"{name}.json")
