"""The product's own way of reading a stretch of video: the frames that an index run would take of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.media_workers import ReadMedia

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.labelled import Stretch
    from encoder import ClipSpec


class ReadAsIndexed:
    """Reads a stretch as the segment of that range would be read; a ReadStretch."""

    name = "as indexed"

    def __init__(self, workers: ReadMedia) -> None:
        """Make the way of reading.

        Args:
            workers: Calls what reads files.
        """
        self._workers = workers

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> NDArray[np.uint8]:
        """See `ReadStretch`."""
        from indexer.media.clip import read_clip

        return self._workers(
            read_clip,
            stretch.path,
            spec,
            start_seconds=stretch.start_seconds,
            end_seconds=stretch.end_seconds,
            path=stretch.path,
        )
