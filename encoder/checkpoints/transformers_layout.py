"""VideoPrism checkpoints in the layout of the transformers package: its `model.safetensors`, read into our state dict.

They hold the same numbers as the official `.npz`: what is read here is the state that the `.npz` gives, bit for bit.
Linear layers are stored as ours are; queries, keys and values apart; patches as a convolution; norms without the 1 that
is added at run time. Their text tower's table of positions is stored as well, and not used: it is computed here, and
theirs (transformers 5.24 and before) divides the exponent by D / 2 instead of D / 2 - 1.

Files may come from anybody: names and shapes are compared before any number is read, and whatever is wrong is one line.

Source: transformers 5.23, models/videoprism/modeling_videoprism.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from encoder.config import CONFIGS, VideoPrismConfig
from encoder.errors import WeightsMismatch
from encoder.weights import shortened

_LVT = "video_model.vision_model."  # what the names of the video encoder begin with, in a video-text checkpoint
_COMPUTED = frozenset({"text_model.embeddings.position_embedding", "text_model.embeddings.position_ids"})
_MAX_LAYERS = 1_000  # the largest of ours has 24

_LAYER = {
    "attention_norm": "layernorm_before",
    "feed_forward_norm": "layernorm_after",
    "attention.out": "attention.o_proj",
    "feed_forward.up": "mlp.fc1",
    "feed_forward.down": "mlp.fc2",
}

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A tensor of theirs: its name, its shape, and the conversion to ours, or to a third of ours (qkv)."""

    name: str
    shape: tuple[int, ...]
    convert: Callable[[Tensor], Tensor] = lambda tensor: tensor


Keys = Iterator[tuple[str, list[_Part]]]
"""Keys of our state dict, and the parts that each is made of."""


def read_transformers(path: Path, config: VideoPrismConfig | None = None) -> tuple[VideoPrismConfig, dict[str, Tensor]]:
    """Read a `model.safetensors` of transformers' VideoPrism.

    Args:
        path: The file, of a VideoPrismClipModel or a VideoPrismVisionModel.
        config: The configuration that it must have; None reads it from the shapes.

    Returns:
        The configuration and the state dict of `encoder.model.build`, in memory of its own.

    Raises:
        WeightsMismatch: The file is of another kind or damaged, has another configuration, or its tensors have other
            names, shapes or dtypes than that.
        OSError: It cannot be opened.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            views = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            shapes = {name: tuple(view.get_shape()) for name, view in views.items()}
            if config is None:
                config = config_of_shapes(shapes, path.stem)
            parts = dict(_parts(config))
            wanted = {part.name: part.shape for each in parts.values() for part in each}
            _require(shapes, {name: view.get_dtype() for name, view in views.items()}, wanted, config)
            state = {
                key: torch.cat([part.convert(file.get_tensor(part.name)) for part in each])
                for key, each in parts.items()
            }
    except (SafetensorError, ValueError, TypeError) as error:
        raise WeightsMismatch(f"{path} is damaged ({_first_line(error)}); fetch it again") from error
    except WeightsMismatch as error:
        raise WeightsMismatch(f"{path}: {error}") from error
    return config, state


def config_of_shapes(shapes: Shapes, name: str) -> VideoPrismConfig:
    """Return the configuration of a checkpoint from the shapes of its tensors.

    Heads show only in the pooler. So a video encoder without one must have the dimensions of a published network.

    Args:
        shapes: Of all tensors, by their names.
        name: The name of the configuration, if its shapes match none in `CONFIGS`.

    Raises:
        WeightsMismatch: They are not a VideoPrism checkpoint.
    """
    text = any(key.startswith(_LVT) for key in shapes)
    top = _LVT if text else ""
    try:
        dim, _, _, patch, _ = shapes[f"{top}spatial_embeddings.patch_embeddings.projection.weight"]
        positions = shapes[f"{top}spatial_embeddings.position_embeddings"][1]
        side = round(positions**0.5)
        mlp = shapes[f"{top}spatial_layers.0.mlp.fc1.weight"][0]
        heads = 4 * dim // shapes["video_model.head.per_dim_scale"][0] if text else 1
        found = VideoPrismConfig(
            name=name, patch=patch, frames=shapes[f"{top}temporal_embeddings.position_embeddings"][1], rows=side,
            columns=side, dim=dim, heads=heads, mlp=mlp, spatial_layers=_layers(shapes, f"{top}spatial_layers"),
            temporal_layers=_layers(shapes, f"{top}temporal_layers"),
            auxiliary_layers=_layers(shapes, "video_model.auxiliary_layers") if text else 0,
            text_layers=_layers(shapes, "text_model.layers") if text else 0,
            vocabulary=shapes["text_model.embeddings.token_embedding.weight"][0] if text else 0,
        )  # fmt: skip
    except (KeyError, IndexError, ValueError, ZeroDivisionError, OverflowError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else "its shapes are not possible"
        raise WeightsMismatch(
            f"this is neither a checkpoint that prismsearch wrote nor one of transformers' VideoPrism ({missing}); use "
            "the official .npz"
        ) from error
    for known in CONFIGS.values():
        if replace(known, name=name, heads=known.heads if text else 1, text_tokens=64, weights=None) == found:
            return known
    if not text:
        raise WeightsMismatch(
            "the number of attention heads is not in a video encoder of this layout, and none of the published ones "
            "has its dimensions; use its .npz"
        )
    return found


def _layers(shapes: Shapes, name: str) -> int:
    pattern = re.compile(rf"{re.escape(name)}\.(\d{{1,4}})\.layernorm_before\.bias")
    count = len({found[1] for key in shapes if (found := pattern.fullmatch(key))})
    if count > _MAX_LAYERS:
        raise ValueError(f"{count} layers")
    return count


def _require(shapes: Shapes, dtypes: Mapping[str, str], wanted: Shapes, config: VideoPrismConfig) -> None:
    """Raise WeightsMismatch unless the tensors are exactly those wanted, and maybe the computed ones."""
    problems = [f"missing: {name}" for name in wanted if name not in shapes]
    problems += [f"left over: {name}" for name in shapes if name not in wanted and name not in _COMPUTED]
    for name, shape in wanted.items():
        if name in shapes and shapes[name] != shape:
            problems.append(f"{name} has shape {shapes[name]}, expected {shape}")
        elif name in shapes and dtypes[name] != "F32":
            problems.append(f"{name} is {dtypes[name]}, expected F32")
    if problems:
        what = f"a checkpoint of {config.name} in transformers' layout"
        raise WeightsMismatch(f"this is not {what}: {shortened(problems)}")


def _parts(config: VideoPrismConfig) -> Keys:
    c = config
    ours, theirs = ("vision_encoder.", _LVT) if c.has_text else ("", "")
    patch = (c.dim, 3, 1, c.patch, c.patch)
    projection = f"{theirs}spatial_embeddings.patch_embeddings.projection"
    yield f"{ours}patch_projection.weight", [_Part(f"{projection}.weight", patch, _patch_weight)]
    yield f"{ours}patch_projection.bias", [_Part(f"{projection}.bias", (c.dim,))]
    for name, count, norm in (("spatial", c.rows * c.columns, "layernorm1"), ("temporal", c.frames, "layernorm2")):
        table = _Part(f"{theirs}{name}_embeddings.position_embeddings", (1, count, c.dim), _first)
        yield f"{ours}{name}_positions", [table]
        yield from _norm(f"{ours}{name}_norm", f"{theirs}{norm}", c.dim)
        layers = c.spatial_layers if name == "spatial" else c.temporal_layers
        yield from _stack(f"{ours}{name}.layers", f"{theirs}{name}_layers", layers, c.dim, c.mlp)
    if not c.has_text:
        return
    yield from _stack("auxiliary.layers", "video_model.auxiliary_layers", c.auxiliary_layers, c.dim, c.mlp)
    head, wide = "video_model.head", c.heads * c.pooler_head_dim
    yield "pooler.query", [_Part(f"{head}.pooling_attention_query", (1, 1, c.dim), _first)]
    yield "pooler.per_dim_scale", [_Part(f"{head}.per_dim_scale", (c.pooler_head_dim,))]
    for letter in "qkv":
        yield from _linear(f"pooler.{letter}", f"{head}.{letter}_proj", c.dim, wide)
    yield from _linear("pooler.out", f"{head}.o_proj", wide, c.dim)
    yield from _norm("pooler.norm", "video_model.head_layernorm", c.dim)
    words = "text_model.embeddings"
    yield "text_encoder.token_embedding.weight", [_Part(f"{words}.token_embedding.weight", (c.vocabulary, c.dim))]
    yield "text_encoder.class_embedding", [_Part(f"{words}.cls_emb", (1, 1, c.dim), _flat)]
    yield from _norm("text_encoder.norm", "text_model.layernorm", c.dim)
    yield from _stack("text_encoder.stack.layers", "text_model.layers", c.text_layers, c.dim, c.text_mlp)


def _stack(ours: str, theirs: str, layers: int, dim: int, mlp: int) -> Keys:
    for i in range(layers):
        for norm in ("attention_norm", "feed_forward_norm"):
            yield from _norm(f"{ours}.{i}.{norm}", f"{theirs}.{i}.{_LAYER[norm]}", dim)
        for name, shape in (("weight", (dim, dim)), ("bias", (dim,))):
            parts = [_Part(f"{theirs}.{i}.attention.{letter}_proj.{name}", shape) for letter in "qkv"]
            yield f"{ours}.{i}.attention.qkv.{name}", parts
        for linear, k, n in (
            ("attention.out", dim, dim),
            ("feed_forward.up", dim, mlp),
            ("feed_forward.down", mlp, dim),
        ):
            yield from _linear(f"{ours}.{i}.{linear}", f"{theirs}.{i}.{_LAYER[linear]}", k, n)


def _linear(ours: str, theirs: str, k: int, n: int) -> Keys:
    yield f"{ours}.weight", [_Part(f"{theirs}.weight", (n, k))]
    yield f"{ours}.bias", [_Part(f"{theirs}.bias", (n,))]


def _norm(ours: str, theirs: str, dim: int) -> Keys:
    yield f"{ours}.weight", [_Part(f"{theirs}.weight", (dim,), _gain)]
    yield f"{ours}.bias", [_Part(f"{theirs}.bias", (dim,))]


def _gain(weight: Tensor) -> Tensor:
    return weight + 1


def _first(table: Tensor) -> Tensor:
    return table.flatten(0, -2)


def _flat(vector: Tensor) -> Tensor:
    return vector.flatten()


def _patch_weight(convolution: Tensor) -> Tensor:
    """Return a convolution (D, 3, 1, p, p) as a linear layer on patches (D, p * p * 3), the channel fastest."""
    return convolution[:, :, 0].permute(0, 2, 3, 1).flatten(1)


def _first_line(error: Any) -> str:
    return str(error).partition("\n")[0][:200]
