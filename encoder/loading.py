"""Loading of encoders: build the network from its files, choose the device, compute the id."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from encoder.checkpoints import hub, verified
from encoder.checkpoints.download_policy import Sources
from encoder.config import CONFIGS, DEMO, VideoPrismConfig, no_text
from encoder.errors import EncoderUnavailable, WeightsMismatch
from encoder.model_files import resolve, vocabulary_beside
from encoder.openclip.pretrained import PREFIX
from encoder.protocol import Encoder, Fit, Shape, known_shape
from encoder.runtime.precision import checked_precision, choose_precision

if TYPE_CHECKING:
    from encoder.checkpoints.converted import Digests
    from encoder.model import Network, VideoEncoder
    from encoder.runtime.precision import Precision
    from encoder.tokenizer import Tokenizer

DEMO_LICENCE = "Apache-2.0"  # of the bundled weights, as NOTICE says
DEMO_NOTICE = (
    "the demo encoder knows only the drawn world of the demo library; its hits in other videos are meaningless"
)


def load(
    name_or_path: str | Path,
    device: str = "auto",
    *,
    frames: int | None = None,
    fit: Fit = "stretch",
    still_frames: int = 0,
    precision: str = "auto",
    sources: Sources | None = None,
    needs_text: bool = False,
    shapes: Mapping[str, Shape] | None = None,
) -> Encoder:
    """Load an encoder; see `encoder.load_encoder`."""
    sources = sources or Sources()
    if frames is not None and frames < 1:
        raise ValueError(f"an encoder looks at one frame or more, got {frames}")
    device = choose_device(device)
    checked_precision(precision, device)  # before anything is downloaded
    if isinstance(name_or_path, str) and name_or_path.startswith(PREFIX):
        if still_frames:
            raise ValueError(f"{name_or_path} sees each frame by itself; still frames are for VideoPrism encoders")
        from encoder.openclip.encoder import load as load_open_clip

        return load_open_clip(
            name_or_path, device, frames=frames, fit=fit, precision=precision, sources=sources, shapes=shapes
        )
    config, weights, vocabulary = resolve(name_or_path, sources, needs_text=needs_text)

    from encoder.checkpoints.converted import load_network_cached

    network, digests = load_network_cached(weights, config, hub.models_folder(sources.models))
    config = network.config
    tokenizer = None
    if config.has_text:
        vocabulary = vocabulary or vocabulary_beside(weights, config, sources)
        tokenizer = _tokenizer(vocabulary, weights, config)
    elif needs_text:
        raise ValueError(no_text(f"{weights}"))
    return _encoder(
        network,
        digests,
        tokenizer,
        vocabulary,
        device,
        frames=frames,
        fit=fit,
        still_frames=still_frames,
        precision=choose_precision(precision, device, config.dim),
        shapes=shapes,
    )


def encoder_of(
    network: Network,
    parent: Parent,
    device: str,
    *,
    frames: int | None = None,
    fit: Fit = "stretch",
    still_frames: int = 0,
    precision: str = "auto",
) -> Encoder:
    """Return a network that was trained as an encoder, with the ids that it has as a file.

    Args:
        network: The network, on the CPU.
        parent: What it was trained from, whose vocabulary it has.
        device: As `choose_device` names it.
        frames, fit, still_frames, precision: As in `encoder.load_encoder`.

    Raises:
        ValueError, EncoderUnavailable: An option is out of range, or the device cannot be used.
    """
    from encoder.checkpoints.converted import digests

    return _encoder(
        network,
        digests(network),
        parent.tokenizer if network.config.has_text else None,
        parent.vocabulary,
        device,
        frames=frames,
        fit=fit,
        still_frames=still_frames,
        precision=choose_precision(precision, device, network.config.dim),
    )


def _encoder(
    network: Network,
    digests: Digests,
    tokenizer: Tokenizer | None,
    vocabulary: Path | None,
    device: str,
    *,
    frames: int | None,
    fit: Fit,
    still_frames: int,
    precision: Precision,
    shapes: Mapping[str, Shape] | None = None,
) -> Encoder:
    from encoder.videoprism import VideoPrism

    config = network.config
    # Not the file's name: a renamed or converted file has the same space.
    name, former_name = _family(config), config.name if config.name in CONFIGS else "videoprism_lvt"
    text_id, former_id = "", None
    if tokenizer is not None and vocabulary is not None:
        pieces = verified.sha256_of(vocabulary)
        text_id = f"{name}:text@{_joint_digest(digests.text, pieces)}"
        former_id = f"{former_name}@{_joint_digest(digests.whole, pieces)}"
    weights_id = f"{name}@{digests.space}"
    shape = known_shape(shapes, weights_id, former_id)
    if shape is not None:
        frames, fit, still_frames = shape
    return VideoPrism(
        network,
        tokenizer,
        device,
        weights_id=weights_id,
        text_id=text_id,
        former_weights_id=former_id,
        frames=frames,
        fit=fit,
        still_frames=still_frames,
        precision=precision,
        notice=DEMO_NOTICE if name == DEMO.name else None,
    )


def _family(config: VideoPrismConfig) -> str:
    """Return the first part of an id: the known network with the same video side, whatever its text tower, if any."""

    def video_side(of: VideoPrismConfig) -> VideoPrismConfig:
        return replace(of, name="", text_layers=min(1, of.text_layers), vocabulary=0, text_tokens=64, weights=None)

    other = "videoprism_lvt" if config.has_text else "videoprism"
    return next((name for name, known in CONFIGS.items() if video_side(known) == video_side(config)), other)


def _joint_digest(weights: str, vocabulary: str) -> str:
    return hashlib.blake2b(f"{weights} {vocabulary}".encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Parent:
    """A network to train on.

    Attributes:
        network: On the CPU, in evaluation mode, without gradients.
        tokenizer: Of its text tower; None for a plain video encoder.
        digest: Of configuration and all weights.
        vocabulary: The file of its tokenizer; None for a plain video encoder.
        licence: Of its weights; "" where that is not known.
    """

    network: Network
    tokenizer: Tokenizer | None
    digest: str
    vocabulary: Path | None
    licence: str


def load_parent(name_or_path: str | Path, *, sources: Sources | None = None) -> Parent:
    """Load a VideoPrism network to train it further.

    Args:
        name_or_path, sources: As in `encoder.load_encoder`.

    Raises:
        ValueError: The name is unknown, or that of an OpenCLIP model.
        ModelNotFound, WeightsMismatch: As `load`.
    """
    from encoder.checkpoints.converted import load_network_cached
    from encoder.checkpoints.network_facts import read_facts

    if isinstance(name_or_path, str) and name_or_path.startswith(PREFIX):
        raise ValueError(f"{name_or_path} is no network of VideoPrism; only these can be trained here")
    sources = sources or Sources()
    config, weights, vocabulary = resolve(name_or_path, sources)
    network, digests = load_network_cached(weights, config, hub.models_folder(sources.models))
    facts = read_facts(weights)
    licence = config.weights.licence if config and config.weights else facts.licence if facts else ""
    if config is DEMO:
        licence = DEMO_LICENCE
    if not network.config.has_text:
        return Parent(network, None, digests.whole, None, licence)
    vocabulary = vocabulary or vocabulary_beside(weights, network.config, sources)
    return Parent(network, _tokenizer(vocabulary, weights, network.config), digests.whole, vocabulary, licence)


def _tokenizer(vocabulary: Path, weights: Path, config: VideoPrismConfig) -> Tokenizer:
    """Return the tokenizer of a network. Raise WeightsMismatch if the vocabulary is another network's."""
    from encoder.tokenizer import Tokenizer

    tokenizer = Tokenizer(vocabulary, config.text_tokens)
    if tokenizer.pieces > config.vocabulary:
        raise WeightsMismatch(
            f"{vocabulary} has {tokenizer.pieces} tokens, the network of {weights} only {config.vocabulary}; they "
            "do not belong together. Put the right vocabulary beside the weights"
        )
    return tokenizer


def load_video_encoder(name_or_path: str | Path, *, sources: Sources | None = None) -> VideoEncoder:
    """Load the video encoder of a VideoPrism network, for a checkpoint of the official classifier.

    Args:
        name_or_path, sources: As in `encoder.load_encoder`.

    Returns:
        The network whose tokens the encoder of that name returns, on the CPU.

    Raises:
        ValueError: The name is unknown, or that of an OpenCLIP model.
        ModelNotFound, WeightsMismatch: As `load`.
    """
    from encoder.checkpoints.converted import load_network_cached
    from encoder.model import vision_of

    if isinstance(name_or_path, str) and name_or_path.startswith(PREFIX):
        raise ValueError(f"{name_or_path} has no video encoder of VideoPrism")
    sources = sources or Sources()
    config, weights, _ = resolve(name_or_path, sources)
    return vision_of(load_network_cached(weights, config, hub.models_folder(sources.models))[0])


def choose_device(device: str) -> str:
    """Return the name of the device to use.

    Args:
        device: cpu, cuda, cuda:N, mps, or auto for the best of cuda, mps and cpu that is available.

    Raises:
        ValueError: The name is not valid.
        EncoderUnavailable: This machine, or this torch, does not have the device.
    """
    import torch

    kind, colon, number = device.partition(":")
    mps = torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if mps else "cpu"
    if kind not in ("cpu", "cuda", "mps") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise ValueError(f"a device must be auto, cpu, cuda, cuda:N or mps, got {device!r}")
    if kind == "mps" and not mps:
        raise EncoderUnavailable("this machine, or this torch, has no Apple GPU (mps); use --device cpu")
    if kind == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise EncoderUnavailable("this machine, or this torch, has no NVIDIA GPU (cuda); use --device cpu")
        if int(number or 0) >= count:
            raise EncoderUnavailable(f"there is no {device}: the GPUs here are cuda:0 to cuda:{count - 1}")
    return device


def device_name(device: str) -> str:
    """Return what people call a device from `choose_device`: the name of an NVIDIA GPU, or the device itself."""
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device
