"""The public protocol's way of reading a video, for `encoded.encode_stretches`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.evaluation.labelled import Stretch
from app.media_workers import ReadMedia

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec


class ReadWholeVideo:
    """A ReadStretch: the whole video, cropped, as VideoPrism's published figures were measured."""

    name = "whole-crop-lanczos"

    def __init__(self, read_media: ReadMedia) -> None:
        """Read by `read_media`, in worker processes or here."""
        self._read_media = read_media

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> NDArray[np.uint8]:
        """Return uint8 (T, S, S, 3). Raises UnreadableVideo, and ValueError for a part of a video."""
        from indexer.media.whole_clip import read_whole_clip

        if stretch.start_seconds is not None or stretch.end_seconds is not None:
            raise ValueError("this protocol reads whole videos")
        return self._read_media(read_whole_clip, stretch.path, spec, path=stretch.path)
