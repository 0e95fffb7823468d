"""Times of all frames of a video, as `clip.read_clip` counts them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ALL = Fraction(10**6)  # seconds, longer than any recording


def frame_seconds(path: str) -> NDArray[np.float64]:
    """Return when each frame of a video is shown.

    A clip of the range from time m to time n has the frames m to n - 1, counted from 0. The times come from packets if
    these are reliable, else all frames are decoded.

    Args:
        path: Path of the video.

    Returns:
        float64 (frames,), ascending, in seconds from the first frame shown.

    Raises:
        UnreadableVideo: The file cannot be decoded.
    """
    import numpy as np

    from indexer.media.decode import Decoding
    from indexer.media.frame_times import packet_times
    from indexer.media.probe import open_source

    with open_source(path) as source:
        base = source.time_base
        first = Decoding(source).first().pts
    times = packet_times(path, first, Fraction(0), _ALL)
    if times is None:
        with open_source(path) as source:
            times = [frame.pts for frame in Decoding(source)]
    return np.array([float((pts - first) * base) for pts in times])
