"""Weights conversion between the official Flax arrays and the state dict of our networks, exact in both directions.

No file is read or written here: see `encoder.checkpoints.checkpoint`.

The form in Flax and in torch (D width, n heads, h head size; Flax stacks have a leading layer axis):

    layer norm scale          (D)        weight = scale + 1
    query/key/value w, b      (D, n, h)  Linear weight = w.reshape(D, n*h).T; fused into one qkv in the stacks
    post w (output first)     (D, n, h)  Linear weight = w.reshape(D, n*h), NOT transposed
    linear kernel             (in, out)  Linear weight = kernel.T
    position tables, queries  as they are

Source: the 88 keys of the published `.npz` files; google-deepmind/videoprism, videoprism/utils.py (loading).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoder.config import CONFIGS, VideoPrismConfig
from encoder.errors import WeightsMismatch

Array = NDArray[np.float32]
Kind = Literal["same", "gain", "dense", "project", "merge"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One array of the checkpoint, of one layer, and its counterpart in the state dict.

    Attributes:
        flax: The key of the Flax array.
        shape: Its shape, of one layer.
        torch: The key in the state dict.
        kind: The conversion.
        layer: The index into the leading axis of a stacked array; None if it is not stacked.
        layers: The length of that axis.
        part: The third of a fused qkv projection, 0 to 2; None for other arrays.
    """

    flax: str
    shape: tuple[int, ...]
    torch: str
    kind: Kind
    layer: int | None = None
    layers: int | None = None
    part: int | None = None

    @property
    def flax_shape(self) -> tuple[int, ...]:
        """The shape of the whole Flax array, stacked or not."""
        return self.shape if self.layers is None else (self.layers, *self.shape)


def entries(config: VideoPrismConfig) -> Iterator[Entry]:
    """Yield an entry for every array, and every layer of it, in a checkpoint of this configuration."""
    c = config
    top = "params/vision_encoder" if c.has_text else "params"
    pre = "vision_encoder." if c.has_text else ""
    patch = c.patch * c.patch * 3
    yield Entry(f"{top}/patch_projection/linear/kernel", (patch, c.dim), f"{pre}patch_projection.weight", "dense")
    yield Entry(f"{top}/patch_projection/linear/bias", (c.dim,), f"{pre}patch_projection.bias", "same")
    yield Entry(f"{top}/spatial_pos_emb/emb_var", (c.rows * c.columns, c.dim), f"{pre}spatial_positions", "same")
    yield Entry(f"{top}/temporal_pos_emb/emb_var", (c.frames, c.dim), f"{pre}temporal_positions", "same")
    for name, layers in (("spatial", c.spatial_layers), ("temporal", c.temporal_layers)):
        yield from _norm(f"{top}/{name}_ln", f"{pre}{name}_norm", c.dim)
        yield from _stack(f"{top}/{name}_encoder/transformers_stack", f"{pre}{name}", layers, c, c.mlp)
    if not c.has_text:
        return
    yield from _stack("params/auxiliary_encoder/transformers_stack", "auxiliary", c.auxiliary_layers, c, c.mlp)
    yield from pooler_entries("params/contrastive_vision_pooler", c.dim, c.heads, c.pooler_head_dim)
    text = "params/text_encoder"
    yield Entry(f"{text}/token_emb/emb_var", (c.vocabulary, c.dim), "text_encoder.token_embedding.weight", "same")
    yield Entry(f"{text}/cls_emb", (1, 1, c.dim), "text_encoder.class_embedding", "merge")
    yield from _norm(f"{text}/unimodal_ln", "text_encoder.norm", c.dim)
    yield from _stack(f"{text}/unimodal_transformer", "text_encoder.stack", c.text_layers, c, c.text_mlp)


def pooler_entries(flax: str, dim: int, heads: int, head_dim: int) -> Iterator[Entry]:
    """Yield an entry for every array of a pooler whose key is `flax`, and which is `pooler` in the state dict."""
    wide = (dim, heads, head_dim)
    for name, letter in (("query", "q"), ("key", "k"), ("value", "v")):
        yield Entry(f"{flax}/pooling_attention/{name}/w", wide, f"pooler.{letter}.weight", "project")
        yield Entry(f"{flax}/pooling_attention/{name}/b", wide[1:], f"pooler.{letter}.bias", "merge")
    yield Entry(f"{flax}/pooling_attention/post/w", wide, "pooler.out.weight", "merge")
    yield Entry(f"{flax}/pooling_attention/post/b", (dim,), "pooler.out.bias", "same")
    yield Entry(f"{flax}/pooling_attention/per_dim_scale/per_dim_scale", wide[2:], "pooler.per_dim_scale", "same")
    yield from _norm(f"{flax}/pooling_attention_layer_norm", "pooler.norm", dim)
    yield Entry(f"{flax}/pooling_attention_query", (1, dim), "pooler.query", "same")


def _norm(flax: str, to: str, dim: int) -> Iterator[Entry]:
    yield Entry(f"{flax}/scale", (dim,), f"{to}.weight", "gain")
    yield Entry(f"{flax}/bias", (dim,), f"{to}.bias", "same")


def _stack(flax: str, to: str, layers: int, c: VideoPrismConfig, mlp: int) -> Iterator[Entry]:
    x = f"{flax}/x_layers"
    heads = (c.dim, c.heads, c.head_dim)
    for i in range(layers):
        t = f"{to}.layers.{i}"
        one = [
            *_norm(f"{x}/layer_norm", f"{t}.attention_norm", c.dim),
            *_norm(f"{x}/ff_layer/layer_norm", f"{t}.feed_forward_norm", c.dim),
            Entry(f"{x}/self_attention/post/w", heads, f"{t}.attention.out.weight", "merge"),
            Entry(f"{x}/self_attention/post/b", (c.dim,), f"{t}.attention.out.bias", "same"),
            Entry(f"{x}/ff_layer/ffn_layer1/linear/kernel", (c.dim, mlp), f"{t}.feed_forward.up.weight", "dense"),
            Entry(f"{x}/ff_layer/ffn_layer1/linear/bias", (mlp,), f"{t}.feed_forward.up.bias", "same"),
            Entry(f"{x}/ff_layer/ffn_layer2/linear/kernel", (mlp, c.dim), f"{t}.feed_forward.down.weight", "dense"),
            Entry(f"{x}/ff_layer/ffn_layer2/linear/bias", (c.dim,), f"{t}.feed_forward.down.bias", "same"),
        ]
        for part, name in enumerate(("query", "key", "value")):
            one.append(Entry(f"{x}/self_attention/{name}/w", heads, f"{t}.attention.qkv.weight", "project", part=part))
            one.append(Entry(f"{x}/self_attention/{name}/b", heads[1:], f"{t}.attention.qkv.bias", "merge", part=part))
        for entry in one:
            yield replace(entry, layer=i, layers=layers)


def _to_torch(array: Array, kind: Kind) -> Array:
    if kind == "same":
        return array
    if kind == "gain":
        return array + np.float32(1)
    if kind == "dense":
        return array.T
    if kind == "project":
        return array.reshape(array.shape[0], -1).T
    # merge: the last two axes become one; vectors (n, h) and (1, 1, D) become flat
    return array.reshape(array.shape[0], -1) if array.ndim == 3 and array.shape[0] != 1 else array.reshape(-1)


def _to_flax(array: Array, entry: Entry) -> Array:
    if entry.kind == "gain":
        return array - np.float32(1)
    if entry.kind in ("dense", "project"):
        return array.T.reshape(entry.shape)
    return array.reshape(entry.shape)


def state_dict_from_flax(arrays: Mapping[str, Array], config: VideoPrismConfig) -> dict[str, Tensor]:
    """Convert Flax arrays to the state dict of `encoder.model.build(config)`.

    Raises:
        WeightsMismatch: A key is missing, unexpected, of another shape or not float32; the message names the keys.
    """
    return state_from_arrays(arrays, list(entries(config)), f"a checkpoint of {config.name}")


def state_from_arrays(arrays: Mapping[str, Array], known: Sequence[Entry], what: str) -> dict[str, Tensor]:
    """Convert Flax arrays to a state dict.

    Args:
        arrays: The arrays.
        known: An entry for each of them.
        what: What they should be, for the message.

    Raises:
        WeightsMismatch: As in `state_dict_from_flax`.
    """
    wanted = {e.flax: e.flax_shape for e in known}
    problems = [f"missing: {key}" for key in wanted if key not in arrays]
    problems += [f"left over: {key}" for key in arrays if key not in wanted]
    for key, shape in wanted.items():
        if key in arrays and tuple(arrays[key].shape) != shape:
            problems.append(f"{key} has shape {tuple(arrays[key].shape)}, expected {shape}")
        elif key in arrays and arrays[key].dtype != np.float32:
            problems.append(f"{key} is {arrays[key].dtype}, expected float32")
    if problems:
        raise WeightsMismatch(f"this is not {what}: " + shortened(problems))
    state: dict[str, list[Tensor]] = {}
    for entry in known:
        array = arrays[entry.flax] if entry.layer is None else arrays[entry.flax][entry.layer]
        state.setdefault(entry.torch, []).append(torch.from_numpy(np.array(_to_torch(array, entry.kind), order="C")))
    return {key: parts[0] if len(parts) == 1 else torch.cat(parts) for key, parts in state.items()}


def flax_from_state_dict(state: Mapping[str, Tensor], config: VideoPrismConfig) -> dict[str, Array]:
    """Convert a state dict to Flax arrays in the official layout, the inverse of `state_dict_from_flax`."""
    return arrays_from_state(state, entries(config))


def arrays_from_state(state: Mapping[str, Tensor], known: Iterable[Entry]) -> dict[str, Array]:
    """Convert a state dict to Flax arrays, the inverse of `state_from_arrays`."""
    arrays: dict[str, Array] = {}
    for entry in known:
        value = state[entry.torch].detach().to("cpu", torch.float32).numpy()
        if entry.part is not None:
            value = np.split(value, 3)[entry.part]
        value = _to_flax(value, entry)
        if entry.layer is None:
            arrays[entry.flax] = value
        else:
            arrays.setdefault(entry.flax, np.empty(entry.flax_shape, np.float32))[entry.layer] = value
    return dict(sorted(arrays.items()))


def shortened(problems: list[str], most: int = 8) -> str:
    """Join the first `most` problems, and state the number of the others."""
    more = f"; and {len(problems) - most} more" if len(problems) > most else ""
    return "; ".join(problems[:most]) + more


def config_from_shapes(arrays: Mapping[str, Array], name: str) -> VideoPrismConfig:
    """Infer the configuration of a checkpoint from the shapes of its arrays.

    The sides of the spatial table are not in the file, so it is assumed to be square.

    Args:
        arrays: The Flax arrays.
        name: The name of the configuration, if its shapes match none in `CONFIGS`.

    Raises:
        WeightsMismatch: The arrays are not a VideoPrism checkpoint.
    """
    lvt = any(key.startswith("params/vision_encoder/") for key in arrays)
    v = "params/vision_encoder" if lvt else "params"
    try:
        kernel = arrays[f"{v}/patch_projection/linear/kernel"]
        spatial = arrays[f"{v}/spatial_encoder/transformers_stack/x_layers/self_attention/query/w"]
        temporal = arrays[f"{v}/temporal_encoder/transformers_stack/x_layers/self_attention/query/w"]
        up = arrays[f"{v}/spatial_encoder/transformers_stack/x_layers/ff_layer/ffn_layer1/linear/kernel"]
        side = round(len(arrays[f"{v}/spatial_pos_emb/emb_var"]) ** 0.5)
        text = "params/text_encoder"
        auxiliary = "params/auxiliary_encoder/transformers_stack/x_layers/layer_norm/bias"
        config = VideoPrismConfig(
            name=name, patch=round((kernel.shape[0] / 3) ** 0.5), frames=len(arrays[f"{v}/temporal_pos_emb/emb_var"]),
            rows=side, columns=side, dim=kernel.shape[1], heads=spatial.shape[2], mlp=up.shape[2],
            spatial_layers=len(spatial), temporal_layers=len(temporal),
            auxiliary_layers=len(arrays[auxiliary]) if lvt else 0,
            text_layers=len(arrays[f"{text}/unimodal_transformer/x_layers/layer_norm/bias"]) if lvt else 0,
            vocabulary=len(arrays[f"{text}/token_emb/emb_var"]) if lvt else 0,
        )  # fmt: skip
    except (KeyError, IndexError) as error:
        raise WeightsMismatch(f"{name} holds no VideoPrism checkpoint: {error} is missing") from error
    for known in CONFIGS.values():
        if replace(known, name=name, text_tokens=64, weights=None) == config:
            return known
    return config
