"""Frames of a video at given times, as shown: turned, with square pixels, at most 1,920 pixels on the longer side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from av.error import FFmpegError

from encoder import ClipSpec
from indexer.media.decode import Decoding
from indexer.media.scale import Scaler

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.media.decode import Frame
    from indexer.media.probe import Source

    Pixels = NDArray[np.uint8]

LONGEST_SIDE = 1920
_SHORT_SIDE = ClipSpec(frames=1, size=800)  # frames are halved as long as 1,080 pixels remain on their shorter side
_EARLIER_SECONDS = (0, 4, 30)  # some containers land after the requested time; then an earlier one is requested


class ShownFrames:
    """Reads frames of an open file, a few ascending times after the other.

    A file that can be sought is decoded from the key frame before each request. Any other is decoded once, and a
    request for what has passed finds nothing.
    """

    def __init__(self, source: Source, *, start_pts: int, on_frame: Callable[[], None] = lambda: None) -> None:
        """Decode the first frame.

        Args:
            source: The file, at its beginning.
            start_pts: When the first frame is shown: times count from it.
            on_frame: Called for every decoded frame; its exceptions end the reading.

        Raises:
            UnreadableVideo: No frame can be decoded.
        """
        self._source = source
        self._start = start_pts
        self._on_frame = on_frame
        decoding = Decoding(source)
        self._frames = iter(decoding)
        first = next(self._frames, None)
        if first is None:
            first = decoding.first()  # which says why there is none
        self._held: Frame = first
        self._following: Frame | None = None
        self._scaler = Scaler.of(source, first.picture, _SHORT_SIDE)
        self._seeks = source.seeks_exactly and not source.free_running_clock and not decoding.clock.synthesized

    def at(self, times_ms: Sequence[int]) -> Iterator[tuple[int, Pixels]]:
        """Yield the frame that is shown at each time, with that time. Times at which none is found are left out.

        Args:
            times_ms: Ascending, milliseconds from the first frame shown.

        Yields:
            The time, and uint8 (H, W, 3) RGB.

        Raises:
            UnreadableVideo: The file cannot be read any further.
        """
        base = self._source.time_base
        wanted = [self._start + int(time / (1000 * base)) for time in times_ms]
        if self._seeks and wanted and not self._held.pts <= wanted[0] < self._held.pts + self._source.step:
            self._seek(wanted[0])
        for time, pts in zip(times_ms, wanted, strict=True):
            if self._held.pts > pts:
                continue
            while self._following is None or self._following.pts <= pts:
                if self._following is not None:
                    self._held = self._following
                self._following = next(self._frames, None)
                self._on_frame()
                if self._following is None:
                    break
            picture = self._scaler.reduce(self._held.picture)
            yield time, self._scaler.shown(picture, LONGEST_SIDE)

    def _seek(self, pts: int) -> None:
        """Go to the key frame before a time; to the next one if there is none."""
        for earlier in _EARLIER_SECONDS:
            frames = iter(Decoding(self._source, seek_pts=pts - round(earlier / self._source.time_base)))
            try:
                landed = next(frames, None)
            except FFmpegError:  # no index, no way to seek
                landed = None
            if landed is not None:
                self._frames, self._held, self._following = frames, landed, None
                if landed.pts <= pts:
                    return
