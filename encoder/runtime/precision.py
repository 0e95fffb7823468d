"""What the video tower computes in, and what is chosen where nobody says.

The space of the vectors is the same in each: an encoder's id does not name it (docs/encoder.md has how little rows and
ranks differ). Importing this module does not import torch.
"""

from __future__ import annotations

import platform
from typing import Literal, get_args

from encoder.errors import EncoderUnavailable

Precision = Literal["float32", "bfloat16", "int8"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "int8"]
PRECISION_CHOICES: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)


WIDE = 512
"""Rows of the networks that are slow enough for all this; the demo encoder's are of 128, and gain nothing."""


def choose_precision(asked: str, device: str, dim: int) -> Precision:
    """What to compute in on `device`, a name that `loading.choose_device` gives, in a network of width `dim`.

    auto: bfloat16 where the processor itself multiplies it, which is twice as fast there; else float32. int8, which
    moves rows most, is never chosen unasked. Raises ValueError for no precision's name, EncoderUnavailable for what
    the device cannot do.
    """
    if asked not in PRECISION_CHOICES:
        raise ValueError(f"a precision is {', '.join(PRECISION_CHOICES)}, got {asked!r}")
    kind = device.partition(":")[0]
    if asked == "auto":
        return "bfloat16" if dim >= WIDE and _native_bfloat16(kind, device) else "float32"
    if asked == "bfloat16" and not _native_bfloat16(kind, device):
        raise EncoderUnavailable(f"{device} here does not compute in bfloat16, which would only be slow; use float32")
    if asked == "int8" and not (kind == "cpu" and packs_layers() and _multiplies_bytes()):
        raise EncoderUnavailable(f"int8 needs an x86 processor with AVX-512 VNNI, and runs on it alone (not {device})")
    return asked


def packs_layers() -> bool:
    """Whether `encoder.runtime.cpu` runs here: oneDNN on x86. Elsewhere the network runs as it is written."""
    import torch

    return torch.backends.mkldnn.is_available() and platform.machine().lower() in ("x86_64", "amd64")  # type: ignore[no-untyped-call]


def _native_bfloat16(kind: str, device: str) -> bool:
    import torch

    if kind == "cpu":
        return packs_layers() and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    if kind == "cuda":
        from encoder.runtime.cuda import computes_bfloat16

        return computes_bfloat16(device)
    return False


def _multiplies_bytes() -> bool:
    """VNNI. Without it oneDNN multiplies bytes in 16-bit sums, which overflow."""
    import torch

    return torch.cpu._is_vnni_supported()
