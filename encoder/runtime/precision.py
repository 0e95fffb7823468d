"""Precision of the video tower: the choices, and the automatic one.

The embedding space is the same in every precision, so an encoder's id does not name it; docs/encoder.md has the small
differences of rows and ranks. Importing this module does not import torch.
"""

from __future__ import annotations

import platform
from typing import Literal, get_args

from encoder.errors import EncoderUnavailable

Precision = Literal["float32", "bfloat16", "int8"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "int8"]
PRECISION_CHOICES: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)

WIDE = 512
"""Minimum width D of a network that benefits from lower precision and packed layers. The demo encoder's is 128, so it
does not."""


def choose_precision(choice: str, device: str, dim: int) -> Precision:
    """Return the precision to compute in.

    Args:
        choice: float32, bfloat16, int8, or auto: bfloat16 if the processor multiplies it natively, which is twice as
            fast, else float32. int8, which moves rows most, is never chosen automatically.
        device: A name from `encoder.loading.choose_device`.
        dim: D, the width of the network.

    Raises:
        ValueError, EncoderUnavailable: See `checked_precision`.
    """
    checked = checked_precision(choice, device)
    if checked != "auto":
        return checked
    return "bfloat16" if dim >= WIDE and _native_bfloat16(device) else "float32"


def checked_precision(choice: str, device: str) -> PrecisionChoice:
    """Return `choice` if the device supports it; auto is always supported.

    Raises:
        ValueError: It is unknown.
        EncoderUnavailable: The device does not support it.
    """
    if choice not in PRECISION_CHOICES:
        raise ValueError(f"a precision is {', '.join(PRECISION_CHOICES)}, got {choice!r}")
    if choice == "bfloat16" and not _native_bfloat16(device):
        raise EncoderUnavailable(f"{device} here does not compute in bfloat16, which would only be slow; use float32")
    if choice == "int8" and not (device == "cpu" and packs_layers() and _multiplies_bytes()):
        raise EncoderUnavailable(f"int8 needs an x86 processor with AVX-512 VNNI, and runs on it alone (not {device})")
    return choice


def packs_layers() -> bool:
    """Return whether `encoder.runtime.cpu` works here: it needs oneDNN on x86."""
    import torch

    return torch.backends.mkldnn.is_available() and platform.machine().lower() in ("x86_64", "amd64")  # type: ignore[no-untyped-call]


def _native_bfloat16(device: str) -> bool:
    import torch

    if device == "cpu":
        return packs_layers() and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    if device.startswith("cuda"):
        from encoder.runtime.cuda import computes_bfloat16

        return computes_bfloat16(device)
    return False


def _multiplies_bytes() -> bool:
    """Return whether the CPU has VNNI. Without it oneDNN sums products of bytes in 16 bits, which overflow."""
    import torch

    return torch.cpu._is_vnni_supported()
