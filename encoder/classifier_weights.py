"""The official classifier's tree of arrays: a video encoder and a `MapHead` in it, exact in both directions.

    params/encoder/...       the arrays of a plain checkpoint, without their `params/`
    params/atten_pooler/...  the head's pooler
    params/projection/...    the head's linear layer

Source: a Flax init of FactorizedVideoClassifier, videoprism/encoders.py of google-deepmind/videoprism, with its layers
scanned as in the official configurations (tests/golden/README.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from encoder.checkpoints.checkpoint import CLASSIFIER_ENCODER, encoder_of_classifier, network_from_state
from encoder.errors import WeightsMismatch
from encoder.heads import MapHead
from encoder.model import VideoEncoder
from encoder.weights import (
    Array,
    Entry,
    arrays_from_state,
    config_from_shapes,
    flax_from_state_dict,
    pooler_entries,
    shortened,
    state_dict_from_flax,
    state_from_arrays,
)

_QUERY = "params/atten_pooler/pooling_attention/query/w"
_KERNEL = "params/projection/linear/kernel"


def head_entries(dim: int, heads: int, classes: int) -> Iterator[Entry]:
    """Yield an entry for every array of a head, and its counterpart in the state dict of `MapHead`."""
    yield from pooler_entries("params/atten_pooler", dim, heads, dim // heads)
    yield Entry(_KERNEL, (dim, classes), "projection.weight", "dense")
    yield Entry("params/projection/linear/bias", (classes,), "projection.bias", "same")


def flax_from_head(head: MapHead) -> dict[str, Array]:
    """Return the arrays of a head under their official names."""
    return arrays_from_state(head.state_dict(), head_entries(head.dim, head.heads, head.classes))


def head_from_flax(arrays: Mapping[str, Array]) -> MapHead:
    """Return the head of its arrays, those below `params/atten_pooler` and `params/projection`, for inference.

    Raises:
        WeightsMismatch: An array is missing, left over, of another shape or type, or has a value that is not finite.
    """
    shape, kernel = np.shape(arrays.get(_QUERY, ())), np.shape(arrays.get(_KERNEL, ()))
    if len(shape) != 3 or len(kernel) != 2 or 0 in (*shape, *kernel):
        raise WeightsMismatch(f"this is not a head of the official classifier: it has no {_QUERY} or no {_KERNEL}")
    dim, heads, _ = shape
    if dim % heads:
        raise WeightsMismatch(f"this is not a head of the official classifier: {_QUERY} has shape {shape}")
    state = state_from_arrays(arrays, list(head_entries(dim, heads, kernel[1])), "a head of the official classifier")
    require_finite(arrays)
    head = MapHead(dim, heads, kernel[1])
    head.load_state_dict(state)
    return head.requires_grad_(False).eval()


def flax_from_classifier(encoder: VideoEncoder, head: MapHead) -> dict[str, Array]:
    """Return the official tree of a classifier.

    Args:
        encoder: A plain network, or the video encoder of a video-text one (`encoder.model.vision_of`).
        head: A head on its tokens.

    Raises:
        ValueError: The head is for tokens of another width, or has another number of attention heads: the official
            code could not load the tree.
    """
    config = encoder.config.plain
    if (head.dim, head.heads) != (config.dim, config.heads):
        raise ValueError(
            f"a head of {head.dim} columns and {head.heads} attention heads does not belong to {config.name}, which "
            f"has {config.dim} and {config.heads}"
        )
    plain = flax_from_state_dict(encoder.state_dict(), config)
    tree = {CLASSIFIER_ENCODER + key.removeprefix("params/"): array for key, array in plain.items()}
    return dict(sorted({**tree, **flax_from_head(head)}.items()))


def classifier_from_flax(arrays: Mapping[str, Array], name: str = "classifier") -> tuple[VideoEncoder, MapHead]:
    """Return the video encoder and the head of an official tree, for inference.

    Args:
        arrays: The tree.
        name: What to call the encoder's configuration, if it is none of the published ones.

    Raises:
        WeightsMismatch: An array is missing, left over, of another shape or type, or has a value that is not finite;
            or the head is not for tokens of this encoder.
    """
    below = encoder_of_classifier(arrays)
    head = head_from_flax({key: each for key, each in arrays.items() if not key.startswith(CLASSIFIER_ENCODER)})
    config = config_from_shapes(below, name)
    network = network_from_state(config, state_dict_from_flax(below, config))
    assert isinstance(network, VideoEncoder)
    require_finite(below)
    if (head.dim, head.heads) != (config.dim, config.heads):
        raise WeightsMismatch(
            f"the head has {head.dim} columns and {head.heads} attention heads, the encoder {config.dim} and "
            f"{config.heads}; they do not belong together"
        )
    return network, head


def require_finite(arrays: Mapping[str, Array]) -> None:
    """Raise WeightsMismatch, naming the arrays, if a value is not finite."""
    problems = [f"{key} has a value that is not finite" for key, each in arrays.items() if not np.isfinite(each).all()]
    if problems:
        raise WeightsMismatch(f"these weights are damaged: {shortened(problems)}")
