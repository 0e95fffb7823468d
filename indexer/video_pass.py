"""One decode of one video: shots, segments, clips, posters and previews come out as soon as each is final."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.records import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentClip:
    """What one segment gives: the frames to encode and the pictures to show."""

    segment: Segment
    clip: NDArray[np.uint8]  # (T, S, S, 3) RGB
    poster: bytes  # JPEG
    preview: bytes  # MP4, no sound
