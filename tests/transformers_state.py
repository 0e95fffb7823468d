"""The state dict that transformers' VideoPrism has for the weights of one of our networks."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor

from encoder.config import VideoPrismConfig
from encoder.model import VideoEncoder, VideoPrismLvT

_NAMES = (
    (r"^vision_encoder\.", "video_model.vision_model."),
    (r"spatial_positions", "spatial_embeddings.position_embeddings"),
    (r"temporal_positions", "temporal_embeddings.position_embeddings"),
    (r"patch_projection", "spatial_embeddings.patch_embeddings.projection"),
    (r"spatial_norm", "layernorm1"),
    (r"temporal_norm", "layernorm2"),
    (r"\bspatial\.layers", "spatial_layers"),
    (r"\btemporal\.layers", "temporal_layers"),
    (r"^auxiliary\.layers", "video_model.auxiliary_layers"),
    (r"attention_norm", "layernorm_before"),
    (r"feed_forward_norm", "layernorm_after"),
    (r"attention\.out", "attention.o_proj"),
    (r"feed_forward\.up", "mlp.fc1"),
    (r"feed_forward\.down", "mlp.fc2"),
    (r"^pooler\.norm", "video_model.head_layernorm"),
    (r"^pooler\.query", "video_model.head.pooling_attention_query"),
    (r"^pooler\.([qkv])\.", r"video_model.head.\1_proj."),
    (r"^pooler\.out", "video_model.head.o_proj"),
    (r"^pooler\.", "video_model.head."),
    (r"^text_encoder\.norm", "text_model.layernorm"),
    (r"^text_encoder\.stack\.layers", "text_model.layers"),
    (r"^text_encoder\.class_embedding", "text_model.embeddings.cls_emb"),
    (r"^text_encoder\.", "text_model.embeddings."),
)
POSITIONS = "text_model.embeddings.position_embedding"


def their_name(key: str) -> str:
    """Return the name that a key of our state dict has there; of queries, keys and values, `qkv` is still ours."""
    for pattern, name in _NAMES:
        key = re.sub(pattern, name, key)
    return key


def transformers_state(network: VideoPrismLvT | VideoEncoder) -> dict[str, Tensor]:
    """Return it, with transformers' own table of text positions (whose divisor is D / 2)."""
    c: VideoPrismConfig = network.config
    state: dict[str, Tensor] = {}
    for key, value in network.state_dict().items():
        key = their_name(key)
        if ".qkv." in key:
            for part, tensor in zip("qkv", value.chunk(3), strict=True):
                state[key.replace("qkv", f"{part}_proj")] = tensor
        elif "projection.weight" in key:  # (D, p*p*3), channel fastest -> a convolution
            state[key] = value.reshape(c.dim, c.patch, c.patch, 3).permute(0, 3, 1, 2)[:, :, None].contiguous()
        elif "position_embeddings" in key or "pooling_attention_query" in key:
            state[key] = value[None]
        elif "cls_emb" in key:
            state[key] = value[None, None]
        elif "layernorm" in key and key.endswith("weight"):  # they add the 1 at run time
            state[key] = value - 1
        else:
            state[key] = value
    if c.has_text:  # computed buffers, which stay theirs
        inverse = torch.exp(torch.arange(0, c.dim, 2) * (-math.log(10000.0) / c.dim))
        angles = torch.arange(64.0)[:, None] * inverse
        state[POSITIONS] = torch.cat([angles.sin(), angles.cos()], dim=1)
        state["text_model.embeddings.position_ids"] = torch.arange(64)[None]
    return state
