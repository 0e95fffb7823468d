"""Checkpoints as files: the official `.npz`, and our own safetensors form, which is mapped into memory."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from encoder.config import CONFIGS, VideoPrismConfig
from encoder.errors import WeightsMismatch
from encoder.model import VideoEncoder, VideoPrismLvT, build
from encoder.weights import Array, config_from_shapes, shortened, state_dict_from_flax
from files.replace import replacing

SAFETENSORS_FORMAT = "prismsearch-1"


def read_npz(path: Path) -> dict[str, Array]:
    """All arrays of an official `.npz`. Pickled objects are refused. Raises WeightsMismatch for a file that is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError, AttributeError) as error:
        raise WeightsMismatch(f"{path} is not a readable .npz checkpoint ({error}); fetch it again") from error


def load_network(path: Path, config: VideoPrismConfig | None = None) -> VideoEncoder | VideoPrismLvT:
    """A network in evaluation mode from an official `.npz` or from our `.safetensors` (memory mapped).

    config: what the file must be; None reads it from the file. Raises WeightsMismatch.
    """
    if path.suffix == ".safetensors":
        config, state = read_safetensors(path, config)
    else:
        arrays = read_npz(path)
        config = config or config_from_shapes(arrays, path.stem)
        state = state_dict_from_flax(arrays, config)
    return network_from_state(config, state)


def network_from_state(config: VideoPrismConfig, state: Mapping[str, Tensor]) -> VideoEncoder | VideoPrismLvT:
    """Put a state dict into a network without a second copy of it. Raises WeightsMismatch."""
    with torch.device("meta"), _LeftEmpty():
        network: nn.Module = build(config)
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in state.items()}
    if expected != found:
        wrong = sorted(f"{key}: {found.get(key)} != {expected.get(key)}" for key in expected.keys() | found.keys()
                       if found.get(key) != expected.get(key))  # fmt: skip
        raise WeightsMismatch(f"these are not the weights of {config.name}: " + shortened(wrong))
    network.load_state_dict(dict(state), strict=True, assign=True)
    network.requires_grad_(False)
    assert isinstance(network, VideoEncoder | VideoPrismLvT)
    return network.eval()


class _LeftEmpty(TorchFunctionMode):
    """Parameters are not filled: those of a network on the device "meta" have nothing to be filled.

    That alone is no saving, but torch does it by importing its whole compiler, which takes 2 s.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", "") == "torch.nn.init":
            return kwargs.get("tensor", args[0] if args else None)
        return function(*args, **kwargs)


def write_safetensors(path: Path, network: VideoEncoder | VideoPrismLvT) -> None:
    """Our own form of a checkpoint: the state dict, its configuration in the header. Written whole or not at all."""
    from safetensors.torch import save_file

    config = {key: value for key, value in asdict(network.config).items() if key != "weights"}
    with replacing(path) as draft:
        save_file(
            {key: value.contiguous() for key, value in network.state_dict().items()},
            draft,
            metadata={"format": SAFETENSORS_FORMAT, "config": json.dumps(config)},
        )


def read_safetensors(path: Path, config: VideoPrismConfig | None = None) -> tuple[VideoPrismConfig, dict[str, Tensor]]:
    """What `write_safetensors` wrote, memory mapped. Raises WeightsMismatch for any other file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != SAFETENSORS_FORMAT:
                raise WeightsMismatch(f"{path} is not a checkpoint that prismsearch wrote; use the official .npz")
            found = VideoPrismConfig(**json.loads(metadata["config"]))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError, TypeError, KeyError) as error:
        raise WeightsMismatch(f"{path} is damaged ({error}); convert or fetch it again") from error
    if found.name in CONFIGS:
        found = replace(found, weights=CONFIGS[found.name].weights)
    if config is not None and config != found:
        raise WeightsMismatch(f"{path} holds {found.name}, not {config.name}")
    return found, state
