"""Transformer blocks of open_clip's image towers, replaced by packed ones for an x86 CPU.

Only the blocks are replaced, which are nearly all of a tower's work: patches, positions and pooling stay as open_clip
and timm compute them. Two kinds of blocks fit: open_clip's own (of OpenAI's, LAION's and DataComp's ViTs, CLIPA, CoCa),
and timm's plain and rotary ones (of SigLIP, SigLIP 2, MobileCLIP-B, PE-Core). Those of ResNets, ConvNeXts, ViTamin,
EVA-02 and of the smaller MobileCLIPs do not.

Source: open_clip 3.3, transformer.py; timm 1.0, models/vision_transformer.py, models/eva.py and layers/attention.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from encoder.runtime.packed_block import Affine, BlockWeights, PackedBlock, gelu_
from encoder.runtime.precision import Precision


@dataclass(frozen=True, slots=True)
class PackableTower:
    """An image tower of which every block can be packed.

    Attributes:
        stack: The module that has the blocks.
        name: The name of the blocks in it.
        tokens: L, the tokens of a picture.
        width: D.
    """

    stack: Any
    name: str
    tokens: int
    width: int

    def pack(self, precision: Precision) -> None:
        """Replace the blocks, one by one, so that no more than one exists twice."""
        blocks = getattr(self.stack, self.name)
        rotations = _rotations(self.stack, self.tokens)
        for at, block in enumerate(blocks):
            weights = _weights_of(block)
            assert weights is not None
            blocks[at] = _PackedModule(weights, precision, rotations)


def packable(visual: Any) -> PackableTower | None:
    """Return an image tower as one that can be packed; None if it is of another kind."""
    try:
        if _kind(visual) == "open_clip.VisionTransformer" and visual.transformer.batch_first:
            tokens, width = visual.positional_embedding.shape
            found = PackableTower(visual.transformer, "resblocks", tokens, width)
        elif _kind(visual) == "open_clip.TimmModel" and _kind(visual.trunk) in ("timm.VisionTransformer", "timm.Eva"):
            trunk = visual.trunk
            turned = getattr(trunk, "rope", None) is not None  # by rotations that are computed once
            if trunk.pos_embed is None or (turned and (trunk.rope_mixed or trunk.dynamic_img_size)):
                return None
            prefix = trunk.num_prefix_tokens if trunk.no_embed_class else 0
            found = PackableTower(trunk, "blocks", trunk.pos_embed.shape[1] + prefix, trunk.embed_dim)
        else:
            return None
        blocks = getattr(found.stack, found.name)
        return found if len(blocks) and all(_weights_of(block) is not None for block in blocks) else None
    except AttributeError:  # another version of these packages
        return None


class _PackedModule(nn.Module):
    """A packed block where a block of the tower was. Its input is changed, as the sum of the residuals."""

    def __init__(self, weights: BlockWeights, precision: Precision, rotations: Tensor | None) -> None:
        super().__init__()
        self._block = PackedBlock(weights, precision)
        self._dtype = torch.float32 if precision == "float32" else torch.bfloat16  # of the products in attention
        self._rotations = rotations

    def forward(self, x: Tensor, **_: Any) -> Tensor:
        """Apply the block to x (B, L, D). Masks are none, and rotations are known already."""
        b, length, dim = x.shape
        rows = x.reshape(b * length, dim)
        heads = self._block.heads
        q, k, v = self._block.project(rows).view(b, length, 3, heads, dim // heads).unbind(2)
        if self._rotations is not None:
            q, k = _rotated(q, self._rotations), _rotated(k, self._rotations)
        q, k, v = (part.to(self._dtype).transpose(1, 2) for part in (q, k, v))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b * length, dim)
        self._block.finish_(rows, attended)
        return rows.view(b, length, dim)


def _rotated(x: Tensor, rotations: Tensor) -> Tensor:
    """Rotate the pairs of neighbouring dimensions of x (B, L, heads, d), each as one complex number."""
    pairs = torch.view_as_complex(x.float().view(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotations).flatten(-2)


def _rotations(stack: Any, tokens: int) -> Tensor | None:
    """Return the rotations of rotary positions, complex (L, 1, d / 2); None if the tower has none."""
    if getattr(stack, "rope", None) is None:
        return None
    sines, cosines = stack.rope.get_embed().float().chunk(2, -1)  # (L without prefix, d) each, twice for each pair
    rotations = torch.ones(tokens, sines.shape[1] // 2, dtype=torch.complex64)  # prefix tokens are not rotated
    rotations[tokens - len(sines) :] = torch.complex(cosines[:, ::2], sines[:, ::2])
    return rotations[:, None]


def _kind(module: Any) -> str:
    """Return package and name of a module's class."""
    return f"{type(module).__module__.partition('.')[0]}.{type(module).__name__}"


def _weights_of(block: Any) -> BlockWeights | None:
    """Return the weights of a block in our layout; None if it computes something else."""
    kind = _kind(block)
    if kind == "open_clip.ResidualAttentionBlock":
        return _of_open_clip(block)
    return _of_timm(block) if kind in ("timm.Block", "timm.EvaBlock") else None


def _of_open_clip(block: Any) -> BlockWeights | None:
    attention, names = block.attn, [name for name, _ in block.mlp.named_children()]
    plain = type(attention) is nn.MultiheadAttention and attention.in_proj_weight is not None
    if not plain or attention.bias_k is not None or attention.add_zero_attn or not attention.batch_first:
        return None
    if names != ["c_fc", "gelu", "c_proj"] or hasattr(block, "ln_1_kv"):
        return None
    return _weights(
        norms=(block.ln_1, block.ln_2),
        qkv=(attention.in_proj_weight, attention.in_proj_bias),
        linears=(attention.out_proj, block.mlp.c_fc, block.mlp.c_proj),
        gains=(getattr(block.ls_1, "gamma", None), getattr(block.ls_2, "gamma", None)),
        activation=block.mlp.gelu,
        heads=attention.num_heads,
    )


def _of_timm(block: Any) -> BlockWeights | None:
    attention, mlp = block.attn, block.mlp
    if _kind(attention) not in ("timm.Attention", "timm.AttentionRope") or _kind(mlp) != "timm.Mlp":
        return None
    nothing = (attention.q_norm, attention.k_norm, attention.norm, mlp.norm)
    if not all(isinstance(each, nn.Identity) for each in nothing) or getattr(attention, "gate", None) is not None:
        return None
    if attention.qkv is None or attention.attn_dim != attention.proj.out_features:
        return None
    if getattr(attention, "rotate_half", False) or getattr(attention, "num_kv_groups", 1) != 1:
        return None
    if _kind(block) == "timm.Block":
        gains = (getattr(block.ls1, "gamma", None), getattr(block.ls2, "gamma", None))
    else:
        gains = (block.gamma_1, block.gamma_2)
    return _weights(
        norms=(block.norm1, block.norm2),
        qkv=(attention.qkv.weight, attention.qkv.bias),
        linears=(attention.proj, mlp.fc1, mlp.fc2),
        gains=gains,
        activation=mlp.act,
        heads=attention.num_heads,
    )


def _weights(
    *,
    norms: tuple[Any, Any],
    qkv: tuple[Tensor, Tensor | None],
    linears: tuple[Any, Any, Any],
    gains: tuple[Tensor | None, Tensor | None],
    activation: nn.Module,
    heads: int,
) -> BlockWeights | None:
    """Return the weights of a block; None if a layer is of another kind.

    Args:
        norms: Before attention and before the feed-forward layers.
        qkv: Weight and bias of the projection to queries, keys and values.
        linears: Out of attention, up and down.
        gains: What the results of attention and of the feed-forward layers are multiplied by (LayerScale).
        activation: Between up and down.
        heads: The number of heads.
    """
    activate = _activation(activation)
    plain = all(isinstance(each, nn.LayerNorm) and each.weight is not None for each in norms)
    if activate is None or not plain or not all(isinstance(each, nn.Linear) for each in linears):
        return None
    if norms[0].eps != norms[1].eps:
        return None
    out, up, down = (_affine(each.weight, each.bias) for each in linears)
    first, second = (_affine(each.weight, each.bias) for each in norms)
    return BlockWeights(
        attention_norm=first,
        qkv=_affine(*qkv),
        out=_scaled(out, gains[0]),
        feed_forward_norm=second,
        up=up,
        down=_scaled(down, gains[1]),
        heads=heads,
        eps=norms[0].eps,
        activate=activate,
    )


def _affine(weight: Tensor, bias: Tensor | None) -> Affine:
    return Affine(weight.detach(), weight.new_zeros(len(weight)) if bias is None else bias.detach())


def _scaled(linear: Affine, gain: Tensor | None) -> Affine:
    """Multiply a layer by the gain of its results."""
    if gain is None:
        return linear
    gain = gain.detach()
    return Affine(linear.weight * gain[:, None], linear.bias * gain)


def _activation(module: nn.Module) -> Callable[[Tensor], Tensor] | None:
    """Return an activation whose outputs are not below `GELU_LOWEST` by more than 0.0001; None for another one."""
    if isinstance(module, nn.GELU):
        return partial(gelu_, approximate=module.approximate)
    known: dict[str, Callable[[Tensor], Tensor]] = {
        "timm.GELU": gelu_,
        "timm.GELUTanh": partial(gelu_, approximate="tanh"),
        "open_clip.QuickGELU": module,
    }
    return known.get(_kind(module))
