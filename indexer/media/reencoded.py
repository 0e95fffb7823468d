"""A clip as it looks in a re-encoded copy of its video: smaller, cropped a little, and compressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALE = 0.6
CROP = 0.02  # of the width and height, half of it on each side
JPEG_QUALITY = 60  # of the small picture that an encoder sees, where the codec of a copy loses less


def reencoded(clip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a clip at SCALE of its size, without its edges, through JPEG and back at its own size.

    Args:
        clip: uint8 (T, S, S, 3), RGB.
    """
    return np.stack([_reencoded(frame) for frame in clip])


def _reencoded(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import cv2

    size = frame.shape[0]
    edge = max(1, round(CROP * size / 2)) if size > 2 else 0
    small = max(1, round(SCALE * size))
    inner = np.ascontiguousarray(frame[edge : size - edge, edge : size - edge, ::-1])
    reduced = cv2.resize(inner, (small, small), interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", reduced, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert decoded is not None, "it was encoded just now"
    restored = cv2.resize(decoded, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(restored[..., ::-1], dtype=np.uint8)
