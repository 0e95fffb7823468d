"""A trained network as an official `.npz`, and beside it what it is. Importing this imports torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from encoder.checkpoints.checkpoint import load_network
from encoder.checkpoints.network_facts import NetworkFacts, facts_file, write_facts
from encoder.config import CONFIGS, VideoPrismConfig
from encoder.model import Network, VideoPrismLvT
from encoder.weights import flax_from_state_dict
from files.replace import replacing
from training.errors import TrainingError


def export_network(network: Network, path: Path, facts: NetworkFacts) -> Network:
    """Write a network in the official layout: the `.json` of its facts, and the `.npz`, each atomically.

    The file holds the arrays of a public checkpoint and nothing else: no temperature, no decoder, no adapter.

    Args:
        network: A network without adapters, on any device: video-text, or the video encoder alone.
        path: The `.npz`; its folder must exist. What is there is replaced.
        facts: What the network is; the configuration in it is that of `network`.

    Returns:
        The network that the file holds, read back from it, in evaluation mode on the CPU. It gives the rows that
        `network` gives; but a gain of a LayerNorm outside of [0.5, 2] is stored as gain - 1 and may differ in its last
        bit.

    Raises:
        TrainingError: A weight is not finite.
        ValueError: The path does not end in .npz, or the facts are of another network.
        OSError: A file could not be written.
    """
    if path.suffix != ".npz":
        raise ValueError(f"the file of a network ends in .npz, not {path.name!r}")
    if facts.config != stored_config(network):
        raise ValueError(f"the facts are of {facts.config.name}, the network is {network.config.name}")
    arrays = flax_from_state_dict(network.state_dict(), facts.config)
    wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if wrong:
        raise TrainingError(f"{wrong[0]} has numbers that are not finite; use an earlier checkpoint of the run")
    with replacing(path, durable=True) as draft:
        with draft.open("wb") as stream:
            np.savez(stream, **arrays)  # type: ignore[arg-type]
        # With the old file, new facts could refuse it; an old file without facts is read by its shapes.
        facts_file(path).unlink(missing_ok=True)
    write_facts(path, facts)
    with torch.no_grad():
        return load_network(path)


def stored_config(network: Network) -> VideoPrismConfig:
    """Return the configuration that a file of this network has: of a video encoder alone, without that of a text
    tower that it was trained beside."""
    return network.config if isinstance(network, VideoPrismLvT) else network.config.plain


def has_known_vocabulary(network: Network) -> bool:
    """Return whether a file of this network finds its vocabulary by itself, as that of a public one or the demo's."""
    return any(replace(each, weights=None) == replace(network.config, weights=None) for each in CONFIGS.values())
