"""Large official checkpoints are written once more in our own form, which is mapped into memory and need not be read.

The copy is a cache: it is found by the digest of the weights, and without it everything works, only slower to start.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from encoder.checkpoints import verified
from encoder.checkpoints.checkpoint import load_network, write_safetensors
from encoder.config import VideoPrismConfig
from encoder.errors import ModelNotFound, WeightsMismatch
from encoder.model import VideoEncoder, VideoPrismLvT

CONVERT_FROM_BYTES = 100_000_000
"""Smaller checkpoints are read in no time."""

_KEEP_FREE_BYTES = 2_000_000_000


def load_quickly(path: Path, config: VideoPrismConfig | None, models: Path) -> tuple[VideoEncoder | VideoPrismLvT, str]:
    """The network of a checkpoint, and the digest of its weights: the same for the official and for our own form.

    config: what it must be; None reads that from the file. models: where receipts and copies are kept.
    Raises WeightsMismatch, ModelNotFound.
    """
    place = verified.place_for(models, path)
    receipt = verified.read(place)
    known = receipt.digest if receipt and receipt.holds(path) else None
    if known is not None and path.suffix == ".npz":
        network = _from_copy(_copy_of(known, models), known, config, models)
        if network is not None:
            return network, known
    try:
        before = verified.about(path, "")
        network = load_network(path, config)
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error}") from error
    digest = weights_digest(network) if known is None else known
    if before.size_bytes >= CONVERT_FROM_BYTES and before.holds(path):
        verified.write(place, verified.about(path, digest))
        if path.suffix == ".npz":
            _write_copy(network, digest, models)
    return network, digest


def weights_digest(network: VideoEncoder | VideoPrismLvT) -> str:
    """Names these very weights, whatever file they came from: 16 hexadecimal digits over numbers and arrays."""
    found = hashlib.blake2b(digest_size=8)
    # Heads, for one, leave no trace in the shapes here.
    found.update(repr(replace(network.config, name="", weights=None)).encode())
    for key, value in sorted(network.state_dict().items()):
        array = np.ascontiguousarray(value.detach().cpu().numpy())
        found.update(f"{key} {array.dtype} {array.shape}\n".encode())
        found.update(array.data)
    return found.hexdigest()


def _copy_of(digest: str, models: Path) -> Path:
    return models / "converted" / f"{digest}.safetensors"


def _from_copy(
    copy: Path, digest: str, config: VideoPrismConfig | None, models: Path
) -> VideoEncoder | VideoPrismLvT | None:
    """The network from its copy; None where there is none that was written by us and left alone since."""
    receipt = verified.read(verified.place_for(models, copy))
    if receipt is None or receipt.digest != digest or not receipt.holds(copy):
        return None
    try:
        return load_network(copy, config)
    except (WeightsMismatch, OSError):
        return None  # of another version, or gone meanwhile: the official file is read instead, and the copy replaced


def _write_copy(network: VideoEncoder | VideoPrismLvT, digest: str, models: Path) -> None:
    """Keep a copy where there is ample room for one."""
    copy = _copy_of(digest, models)
    size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(copy.parent).free < size + _KEEP_FREE_BYTES:
            return
        write_safetensors(copy, network)
        verified.write(verified.place_for(models, copy), verified.about(copy, digest))
    except (OSError, SafetensorError):  # a full disk is either
        return
