"""Converted copies of large official checkpoints, which later starts map into memory instead of reading them.

A copy is a cache in the models folder, found by the digest of the weights. Without it, everything works but starts more
slowly.
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
"""Smaller checkpoints are not converted, because reading them takes no noticeable time."""

_KEEP_FREE_BYTES = 2_000_000_000


def load_network_cached(
    path: Path, config: VideoPrismConfig | None, models: Path
) -> tuple[VideoEncoder | VideoPrismLvT, str]:
    """Load the network of a checkpoint from its converted copy; if there is none, write one.

    Args:
        path: An official `.npz` or our `.safetensors`.
        config: The configuration that the file must have; None reads it from the file.
        models: The models folder, for records and copies.

    Returns:
        The network in evaluation mode on the CPU, and the digest of its weights, which is the same for both file
        formats.

    Raises:
        ModelNotFound: The file cannot be read.
        WeightsMismatch: It is not the expected checkpoint.
    """
    kept = verified.record_path_for(models, path)
    record = verified.read_record(kept)
    known = record.digest if record and record.is_current(path) else None
    if known is not None and path.suffix == ".npz":
        network = _from_copy(_copy_of(known, models), known, config, models)
        if network is not None:
            return network, known
    try:
        before = verified.VerifiedFile.of(path, "")
        network = load_network(path, config)
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error}") from error
    digest = weights_digest(network) if known is None else known
    if before.size_bytes >= CONVERT_FROM_BYTES and before.is_current(path):
        verified.write_record(kept, verified.VerifiedFile.of(path, digest))
        if path.suffix == ".npz":
            _write_copy(network, digest, models)
    return network, digest


def weights_digest(network: VideoEncoder | VideoPrismLvT) -> str:
    """Return a digest of configuration and weights, 16 hexadecimal digits, independent of the file format."""
    found = hashlib.blake2b(digest_size=8)
    # The number of heads, for example, does not show in the shapes of the state dict.
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
    """Load the network from its copy; return None unless the copy is one that we wrote, unchanged since."""
    record = verified.read_record(verified.record_path_for(models, copy))
    if record is None or record.digest != digest or not record.is_current(copy):
        return None
    try:
        return load_network(copy, config)
    except (WeightsMismatch, OSError):
        return None  # from another version, or deleted: read the official file, replace the copy


def _write_copy(network: VideoEncoder | VideoPrismLvT, digest: str, models: Path) -> None:
    """Write the copy, if there is ample disk space."""
    copy = _copy_of(digest, models)
    size = sum(value.numel() * value.element_size() for value in network.state_dict().values())
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(copy.parent).free < size + _KEEP_FREE_BYTES:
            return
        write_safetensors(copy, network)
        verified.write_record(verified.record_path_for(models, copy), verified.VerifiedFile.of(copy, digest))
    except (OSError, SafetensorError):  # a full disk raises either
        return
