"""Reference numbers of low-rank adapters, by peft: adapters_golden.npz.

    python tests/golden/adapters_recipe.py        # peft 0.21, torch; from the root of the repository

The layers are those of one block of width 12, and the inputs below need numpy alone, so that a test can draw them again.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RANK, ALPHA = 3, 5.0
SHAPES = {"attention.qkv": (36, 12), "attention.out": (12, 12), "feed_forward.up": (20, 12), "feed_forward.down": (12, 20)}


def drawn(name):
    """Weight (out, in) and bias of a layer, A (r, in) and B (out, r) of its adapter, and an input (5, in), float32."""
    rng = np.random.default_rng([405, list(SHAPES).index(name)])
    out, inner = SHAPES[name]
    shapes = ((out, inner), (out,), (RANK, inner), (out, RANK), (5, inner))
    return [(0.3 * rng.normal(size=shape)).astype(np.float32) for shape in shapes]


def main():
    sys.modules["torchvision"] = None  # peft's dependencies look for it, and a broken one stops them
    import torch
    from peft import LoraConfig, inject_adapter_in_model
    from torch import nn

    stored = {}
    for name, (out, inner) in SHAPES.items():
        weight, bias, a, b, x = (torch.from_numpy(each) for each in drawn(name))
        model = nn.ModuleDict({"layer": nn.Linear(inner, out)})
        with torch.no_grad():
            model["layer"].weight.copy_(weight)
            model["layer"].bias.copy_(bias)
        model = inject_adapter_in_model(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["layer"]), model)
        layer = model["layer"]
        with torch.no_grad():
            layer.lora_A["default"].weight.copy_(a)
            layer.lora_B["default"].weight.copy_(b)
            stored[f"{name}/output"] = layer(x).numpy()
            layer.merge()
            stored[f"{name}/merged"] = layer.base_layer.weight.numpy()
    np.savez_compressed(HERE / "adapters_golden.npz", **stored)


if __name__ == "__main__":
    main()
