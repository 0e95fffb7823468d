"""Converted copies of large official checkpoints, which later starts map into memory instead of reading them.

A copy is a cache in the models folder, found by the digest of the weights. Without it, everything works but starts more
slowly.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from torch import Tensor

from encoder.checkpoints import verified
from encoder.checkpoints.checkpoint import is_ours, load_network, write_safetensors
from encoder.config import VideoPrismConfig
from encoder.errors import ModelNotFound, WeightsMismatch
from encoder.model import VideoEncoder, VideoPrismLvT

CONVERT_FROM_BYTES = 100_000_000
"""Smaller checkpoints are not converted, because reading them takes no noticeable time."""

_KEEP_FREE_BYTES = 2_000_000_000

TEXT_PREFIX = "text_encoder."
"""What the names of the text tower's arrays begin with, in the state dict of a network."""

_SPACE_FIELDS = (
    "patch", "frames", "rows", "columns", "dim", "heads", "mlp", "spatial_layers", "temporal_layers",
    "auxiliary_layers", "logit_cap",
)  # fmt: skip
_TEXT_FIELDS = ("dim", "heads", "text_layers", "vocabulary", "text_tokens", "logit_cap")


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests of a network, 16 hexadecimal digits each, independent of the file format.

    Attributes:
        whole: Of configuration and all weights: what earlier versions named spaces by, and what names copies.
        space: Of what shapes the row of a clip: video encoder, auxiliary layers and pooler; `whole` of a plain network.
        text: Of the text tower; "" for a plain network.
    """

    whole: str
    space: str
    text: str


def load_network_cached(
    path: Path, config: VideoPrismConfig | None, models: Path
) -> tuple[VideoEncoder | VideoPrismLvT, Digests]:
    """Load the network of a checkpoint from its converted copy; if there is none, write one.

    Args:
        path: An official `.npz`, transformers' `model.safetensors`, or our own form, which is mapped itself.
        config: The configuration that the file must have; None reads it from the file.
        models: The models folder, for records and copies.

    Returns:
        The network in evaluation mode on the CPU, and its digests, which are the same for all file formats.

    Raises:
        ModelNotFound: The file cannot be read.
        WeightsMismatch: It is not the expected checkpoint.
    """
    kept = verified.record_path_for(models, path)
    record = verified.read_record(kept)
    current = record if record is not None and record.is_current(path) else None
    known = None
    if current is not None and current.space is not None and current.text is not None:
        known = Digests(current.digest, current.space, current.text)
    if current is not None:
        network = _from_copy(_copy_of(current.digest, models), current.digest, config, models)
        if network is not None:
            if known is None:  # the record is of a version that named spaces by the whole digest
                known = digests(network)
                verified.write_record(kept, replace(current, space=known.space, text=known.text))
            return network, known
    try:
        before = verified.VerifiedFile.of(path, "")
        network = load_network(path, config)
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error}") from error
    found = digests(network) if known is None else known
    if before.size_bytes >= CONVERT_FROM_BYTES and before.is_current(path):
        verified.write_record(kept, _record(path, found))
        if not is_ours(path):
            _write_copy(network, found.whole, models)
    return network, found


def digests(network: VideoEncoder | VideoPrismLvT) -> Digests:
    """Return the digests of a network's configuration and weights."""
    config, state = network.config, sorted(network.state_dict().items())
    # Another repr would orphan the libraries of earlier versions: `tests/test_loading.py` has one digest in full.
    whole = _digest(repr(replace(config, name="", weights=None)), state)
    if not isinstance(network, VideoPrismLvT):
        return Digests(whole, whole, "")
    video = [(key, value) for key, value in state if not key.startswith(TEXT_PREFIX)]
    text = [(key, value) for key, value in state if key.startswith(TEXT_PREFIX)]
    return Digests(
        whole, _digest(_dimensions(config, _SPACE_FIELDS), video), _digest(_dimensions(config, _TEXT_FIELDS), text)
    )


def _dimensions(config: VideoPrismConfig, names: Sequence[str]) -> str:
    """Return what the shapes of arrays do not show, such as the number of heads."""
    return " ".join(f"{name}={getattr(config, name)}" for name in names)


def _digest(dimensions: str, state: Sequence[tuple[str, Tensor]]) -> str:
    found = hashlib.blake2b(dimensions.encode(), digest_size=8)
    for key, value in state:
        array = np.ascontiguousarray(value.detach().cpu().numpy())
        found.update(f"{key} {array.dtype} {array.shape}\n".encode())
        found.update(array.data)
    return found.hexdigest()


def _record(path: Path, found: Digests) -> verified.VerifiedFile:
    return replace(verified.VerifiedFile.of(path, found.whole), space=found.space, text=found.text)


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
