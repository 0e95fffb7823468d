"""Checkpoint files: the official `.npz`, transformers' layout, and our own safetensors form, which is memory-mapped."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from encoder.checkpoints.network_facts import config_of, read_facts
from encoder.checkpoints.transformers_layout import read_transformers
from encoder.config import VideoPrismConfig
from encoder.errors import WeightsMismatch
from encoder.model import VideoEncoder, VideoPrismLvT, build
from encoder.weights import Array, config_from_shapes, shortened, state_dict_from_flax
from files.json_file import parse_json
from files.replace import replacing

SAFETENSORS_FORMAT = "prismsearch-1"
CLASSIFIER_ENCODER = "params/encoder/"
"""Where the official classifier has the arrays of its video encoder, which a plain checkpoint has in `params/`."""


def read_npz(path: Path) -> dict[str, Array]:
    """Read all arrays of an official `.npz`; pickled objects are refused.

    Raises:
        WeightsMismatch: The file is not a readable `.npz`.
        OSError: It cannot be opened.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, TypeError, EOFError, KeyError, AttributeError, RuntimeError) as error:
        raise WeightsMismatch(f"{path} is not a readable .npz checkpoint ({error}); fetch it again") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise WeightsMismatch(f"{path} is not a readable .npz checkpoint ({error}); fetch it again") from error


def load_network(path: Path, config: VideoPrismConfig | None = None) -> VideoEncoder | VideoPrismLvT:
    """Load a network, in evaluation mode and on the CPU, from an official `.npz`, or from a `.safetensors`.

    Of a checkpoint of the official classifier, its video encoder is loaded: a plain network.

    Args:
        path: The file. A `.safetensors` has our own form, which is memory-mapped, or that of transformers; anything
            else is read as `.npz`.
        config: The configuration that the file must have; None reads it from the file, and from the `.json` beside an
            `.npz` that was exported here (`network_facts`).

    Raises:
        WeightsMismatch: Keys, shapes or configuration differ, the file is damaged, or one of its numbers is not finite
            (looked at in other people's files only).
        OSError: It cannot be opened.
    """
    if path.suffix == ".safetensors":
        if is_ours(path):
            return network_from_state(*read_safetensors(path, config))
        config, state = read_transformers(path, config)
        _require_finite(state, f"{path}: ")
        return network_from_state(config, state)
    arrays = read_npz(path)
    arrays = encoder_of_classifier(arrays) or arrays
    facts = read_facts(path) if config is None else None
    try:
        if config is None:
            config = config_from_shapes(arrays, path.stem) if facts is None else facts.config
        state = state_dict_from_flax(arrays, config)
        _require_finite(state)
        return network_from_state(config, state)
    except WeightsMismatch as error:
        raise WeightsMismatch(f"{path}: {error}") from error


def _require_finite(state: Mapping[str, Tensor], where: str = "") -> None:
    if wrong := next((name for name, value in state.items() if not bool(value.isfinite().all())), None):
        raise WeightsMismatch(f"{where}{wrong} has numbers that are not finite; use other weights")


def encoder_of_classifier(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of the video encoder in a tree of the official classifier, under the names of a plain one."""
    top = CLASSIFIER_ENCODER
    return {f"params/{key.removeprefix(top)}": each for key, each in arrays.items() if key.startswith(top)}


def network_from_state(config: VideoPrismConfig, state: Mapping[str, Tensor]) -> VideoEncoder | VideoPrismLvT:
    """Build a network around the tensors of a state dict, without copying them.

    Returns:
        The network, in evaluation mode and without gradients.

    Raises:
        WeightsMismatch: Keys or shapes are not those of `config`.
    """
    with torch.device("meta"), _SkipInit():
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


class _SkipInit(TorchFunctionMode):
    """Skip the initialisation of parameters, which on the device "meta" has no effect.

    It is skipped because torch would import its whole compiler for it, which takes 2 s.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", "") == "torch.nn.init":
            return kwargs.get("tensor", args[0] if args else None)
        return function(*args, **kwargs)


def write_safetensors(path: Path, network: VideoEncoder | VideoPrismLvT) -> None:
    """Write a checkpoint in our own format: the state dict, with the configuration in the header. Atomic.

    Raises:
        OSError, safetensors.SafetensorError: The disk is full or not writable.
    """
    from safetensors.torch import save_file

    config = {key: value for key, value in asdict(network.config).items() if key != "weights"}
    with replacing(path) as draft:
        save_file(
            {key: value.contiguous() for key, value in network.state_dict().items()},
            draft,
            metadata={"format": SAFETENSORS_FORMAT, "config": json.dumps(config)},
        )


def is_ours(path: Path) -> bool:
    """Return whether a file was written by `write_safetensors`. Raise WeightsMismatch or OSError: it is damaged."""
    if path.suffix != ".safetensors":
        return False
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format") == SAFETENSORS_FORMAT
    except (SafetensorError, ValueError, TypeError) as error:
        raise WeightsMismatch(f"{path} is damaged ({error}); convert or fetch it again") from error


def read_safetensors(path: Path, config: VideoPrismConfig | None = None) -> tuple[VideoPrismConfig, dict[str, Tensor]]:
    """Map a file written by `write_safetensors` into memory.

    Args:
        path: The file.
        config: The configuration that it must have; None accepts any.

    Returns:
        The configuration and the state dict.

    Raises:
        WeightsMismatch: The file is of another kind or damaged, or has another configuration.
        OSError: It cannot be opened.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != SAFETENSORS_FORMAT:
                raise WeightsMismatch(f"{path} is not a checkpoint that prismsearch wrote; use the official .npz")
            found = config_of(parse_json(metadata["config"]))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise WeightsMismatch(f"{path} is damaged ({error}); convert or fetch it again") from error
    if config is not None and config != found:
        raise WeightsMismatch(f"{path} holds {found.name}, not {config.name}")
    return found, state
