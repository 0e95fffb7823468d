"""Video towers that benchmarks/gpu.py times, all of one network, and the arithmetic of a clip."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from encoder.config import CONFIGS, DEMO, VideoPrismConfig
from encoder.model import VideoPrismLvT
from encoder.runtime.fused_tower import FusedTower
from encoder.runtime.kernel_trust import best_kernels
from encoder.runtime.plain_kernels import PlainKernels

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

Tower = Callable[[Tensor], Tensor]
"""uint8 clips (B, T, S, S, 3) on the device -> rows (B, D)."""

EAGER = ("plain float32", "transformers float32", "transformers bfloat16", "unfused bfloat16", "fused bfloat16")
COMPILED = ("fused bfloat16, CUDA graph", "flex attention, torch.compile", "fused bfloat16, torch.compile")


@dataclass(frozen=True)
class Place:
    """The device of a measurement, and the size of the networks."""

    device: torch.device
    quick: bool

    def config(self, name: str) -> VideoPrismConfig:
        """Return `base` or `large`; for a rehearsal, a network of the same layers that is small enough for a CPU."""
        found = CONFIGS[f"videoprism_lvt_public_v1_{name}"]
        return replace(DEMO, name=f"quick {name}", frames=found.frames // 2) if self.quick else found

    def wait(self) -> None:
        """Wait until the device has finished."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def random_network(config: VideoPrismConfig, seed: int = 1) -> VideoPrismLvT:
    """Return a network initialised as for training, without zeros; speed does not depend on the values."""
    network = VideoPrismLvT(config).eval().requires_grad_(False)
    random = torch.Generator().manual_seed(seed)
    for name, value in network.named_parameters():
        if name.endswith("norm.weight"):
            value.fill_(1.0)
        else:
            value.normal_(0.0, 0.02 if value.ndim == 1 else value.shape[-1] ** -0.5, generator=random)
    return network


def gigaflops(config: VideoPrismConfig, frames: int | None = None) -> float:
    """Return the GFLOP of one clip's video tower (1193 for LvT-B, 1637 for LvT-L).

    Only matrix products count, a multiply-add as 2, the pooler with its query multiplied out.
    """
    t, n, d = frames or config.frames, config.rows * config.columns, config.dim
    tokens = t * n
    products = 2 * tokens * (4 * d * d + 2 * d * config.mlp)  # of one layer
    layers = config.spatial_layers + config.temporal_layers + config.auxiliary_layers
    attended = config.spatial_layers * n + config.temporal_layers * t + config.auxiliary_layers * tokens
    pooler = 2 * 2 * tokens * d * config.heads + 2 * 2 * 4 * d * d
    return (2 * tokens * 3 * config.patch**2 * d + layers * products + 4 * tokens * d * attended + pooler) / 1e9


def some_clips(config: VideoPrismConfig, count: int, device: torch.device) -> Tensor:
    """Return clips of noise, uint8 (B, T, S, S, 3)."""
    random = torch.Generator(device).manual_seed(2)
    shape = (count, config.frames, config.size, config.size, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, device=device, generator=random)


def towers(names: tuple[str, ...], network: VideoPrismLvT, place: Place) -> Iterator[tuple[str, Tower | str]]:
    """Yield each tower by name, created on demand and released before the next; or the error of its creation."""
    for name in names:
        try:
            yield name, _made(name, network, place)
        except Exception as error:  # noqa: BLE001  one that cannot be made must not keep the others from being measured
            yield name, f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
        if place.device.type == "cuda":
            torch.cuda.empty_cache()


def _made(name: str, network: VideoPrismLvT, place: Place) -> Tower:
    device = place.device
    if name == "plain float32":
        return network.to(device).encode_video
    if name.startswith("transformers"):
        return _transformers(network, device, torch.bfloat16 if name.endswith("bfloat16") else torch.float32)
    kernels = {"unfused bfloat16": PlainKernels, "flex attention, torch.compile": FlexKernels}.get(name)
    fused = best_kernels(device, torch.bfloat16, network.config) if kernels is None else kernels()
    tower = FusedTower(network, fused, device, torch.bfloat16)
    if name.endswith("torch.compile"):
        # On a CPU only the tracing is tried: compiling would need a C++ compiler, and minutes.
        options: dict[str, Any] = {"backend": "aot_eager"} if device.type == "cpu" else {}
        return torch.compile(tower.__call__, dynamic=False, **options)
    if name.endswith("CUDA graph"):
        if device.type == "cpu":
            raise RuntimeError("a CPU has no CUDA graphs")
        return _Graph(tower)
    return tower


def _transformers(network: VideoPrismLvT, device: torch.device, dtype: torch.dtype) -> Tower:
    from test_oracle import witness

    model = witness(network).to(device, dtype)

    def run(clips: Tensor) -> Tensor:
        pixels = clips.permute(0, 1, 4, 2, 3).to(dtype) / 255
        found = model.get_video_features(pixels, interpolate_pos_encoding=True)
        return getattr(found, "pooler_output", found).reshape(len(clips), -1)  # type: ignore[no-any-return]

    return run


class _Graph:
    """A tower recorded once per shape as a CUDA graph and replayed, without waiting for launches."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._recorded: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, clips: Tensor) -> Tensor:
        if clips.shape not in self._recorded:
            given = clips.clone()
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(2):  # libraries and kernels must have been loaded before
                    self._tower(given)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                rows = self._tower(given)
            self._recorded[clips.shape] = (graph, given, rows)
        graph, given, rows = self._recorded[clips.shape]
        given.copy_(clips)
        graph.replay()
        return rows


class FlexKernels(PlainKernels):
    """Attention by torch's own FlexAttention, for comparison; compiled with it, the norm becomes one kernel too."""

    def attend(self, qkv: Tensor, sequences: Any, heads: int, cap: float) -> Tensor:
        """See `encoder.runtime.plain_kernels.Kernels`. Short sequences use plain torch, because its blocks are long."""
        if sequences.inner > 1:
            return super().attend(qkv, sequences, heads, cap)
        from torch.nn.attention.flex_attention import flex_attention

        dim = qkv.shape[1] // 3
        q, k, v = qkv.view(sequences.count, sequences.length, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)

        def capped(score: Tensor, *_: Tensor) -> Tensor:
            return cap * torch.tanh(score / cap)

        y = flex_attention(q, k, v, score_mod=capped)
        assert isinstance(y, Tensor)
        return y.transpose(1, 2).reshape(-1, dim)
