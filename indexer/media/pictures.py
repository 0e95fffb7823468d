"""Clips of which every frame is a picture file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.media.clip import read_image
from indexer.media.sampling import sample_indices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec


def read_pictures(paths: Sequence[str], spec: ClipSpec) -> NDArray[np.uint8]:
    """Read a clip from pictures; from more than it has frames, as many evenly spaced ones as from a video.

    Args:
        paths: The pictures, in order.
        spec: Shape of the clip, T frames of S x S pixels.

    Returns:
        uint8 (T, S, S, 3), RGB.

    Raises:
        UnreadableVideo: One that is needed cannot be read.
        ValueError: There is none.
    """
    import numpy as np

    one = replace(spec, frames=1)
    chosen = sample_indices(len(paths), spec.frames, ends=spec.ends)
    return np.concatenate([read_image(paths[at], one) for at in chosen])
