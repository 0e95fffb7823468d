"""Trust in fused kernels: they are used on a GPU only if they agree with plain torch there, else plain kernels are."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection

import torch
from torch import Tensor

from encoder.config import VideoPrismConfig
from encoder.runtime.plain_kernels import Kernels, PlainKernels
from encoder.runtime.token_layout import Sequences

_log = logging.getLogger(__name__)

_TESTED_CLIPS = 3
"""Clips in the test of kernels: the first one, one in the middle, the last one."""

_KERNELS_AGREE = 0.02
"""Largest relative RMS difference between fused and plain kernels: a few times bfloat16's 1/256."""


def best_kernels(
    device: torch.device, dtype: torch.dtype, config: VideoPrismConfig, frames: Collection[int] = ()
) -> Kernels:
    """Return fused kernels on a GPU if they compile and agree with plain ones; else plain kernels."""
    if device.type != "cuda":
        return PlainKernels()

    def fused() -> Kernels:
        from encoder.runtime.triton_kernels import TritonKernels

        return TritonKernels()

    return trusted(fused, device, dtype, config, frames)


def trusted(
    make: Callable[[], Kernels],
    device: torch.device,
    dtype: torch.dtype,
    config: VideoPrismConfig,
    frames: Collection[int] = (),
) -> Kernels:
    """Return `make()` if it compiles and agrees with plain kernels, else plain kernels, with a warning in the log.

    Args:
        make: Create the kernels to test.
        device: The device to test on.
        dtype: The dtype of the test's numbers.
        config: The network whose shapes they have.
        frames: The numbers of frames of a clip to test besides the network's own; 0 is none.
    """
    plain = PlainKernels()
    try:
        fused = make()
        with torch.inference_mode():
            off = [
                each
                for count in sorted({config.frames, *frames} - {0})
                for each in _disagreements(fused, plain, device, dtype, config, count)
            ]
    except Exception as error:  # noqa: BLE001  compilers raise all kinds of errors; plain kernels always work
        reason = (str(error).strip().splitlines() or [""])[0][:200]
        _log.warning("Triton cannot be used on this GPU (%s: %s); going on without it.", type(error).__name__, reason)
        return plain
    if not all(each <= _KERNELS_AGREE for each in off):  # false for NaN
        _log.warning("Fused kernels are off by %.2g on this GPU; going on without them.", max(off, key=_badness))
        return plain
    return fused


def _disagreements(
    fused: Kernels,
    plain: Kernels,
    device: torch.device,
    dtype: torch.dtype,
    config: VideoPrismConfig,
    frames: int,
) -> list[float]:
    """Return relative differences on random clips, of the three layouts of attention and of the norm.

    One is returned for each clip and each head, as an error in one of them would hardly show in the mean of all.
    Plain kernels compute in float32: in bfloat16 they would round the scores, and be off by more than fused ones.
    """
    patches, dim, heads = config.rows * config.columns, config.dim, config.heads
    a_clip = frames * patches
    random = torch.Generator().manual_seed(1)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random).to(device)

    qkv = (numbers(_TESTED_CLIPS * a_clip, 3 * dim) * torch.linspace(0.5, 3, dim).repeat(3).to(device)).to(dtype)
    off = []
    for make in (Sequences.within_frames, Sequences.across_frames, Sequences.within_clips):
        found = fused.attend(qkv, make(_TESTED_CLIPS, frames, patches), heads, config.logit_cap)
        for start in range(0, len(qkv), a_clip):  # plain attention of all clips at once takes much memory
            rows = slice(start, start + a_clip)
            expected = plain.attend(qkv[rows].float(), make(1, frames, patches), heads, config.logit_cap)
            pairs = zip(found[rows].chunk(heads, 1), expected.chunk(heads, 1), strict=True)
            off += [_off(*pair) for pair in pairs]
    x, vectors = numbers(_TESTED_CLIPS * a_clip, dim).to(dtype), [numbers(dim) for _ in range(3)]
    normed, expected = fused.shifted_norm(x, *vectors), plain.shifted_norm(x.float(), *vectors)
    return off + [_off(*pair) for pair in zip(normed.chunk(_TESTED_CLIPS), expected.chunk(_TESTED_CLIPS), strict=True)]


def _badness(off: float) -> float:
    return off if off == off else math.inf  # NaN is the worst


def _off(found: Tensor, expected: Tensor) -> float:
    """Return the RMS of the difference over the RMS of the expected; NaN if a value is NaN."""
    difference = (found.float() - expected.float()).square().mean().sqrt()
    return float(difference / expected.float().square().mean().sqrt())
