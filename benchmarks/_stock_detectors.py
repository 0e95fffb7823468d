"""Detectors as they come, to compare with: PySceneDetect's own, fed frame by frame, and ffmpeg's scdet filter."""

from __future__ import annotations

import re
import resource
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STOCK = ("PySceneDetect adaptive", "PySceneDetect content")


class StockDetector:
    """One of `STOCK` with its own defaults, but 0.6 s as on its command line; in the manner of CutDetector."""

    def __init__(self, name: str, time_base: Fraction, frame_rate: Fraction, start_pts: int) -> None:
        import scenedetect

        kinds = (scenedetect.AdaptiveDetector, scenedetect.ContentDetector)
        self._detector = kinds[STOCK.index(name)](min_scene_len="0.6s")
        self._time_base, self._rate, self._start = time_base, frame_rate, start_pts
        self._last: scenedetect.FrameTimecode | None = None

    def feed(self, pts: int, plane: NDArray[np.uint8]) -> list[int]:
        """Process the next frame and return the pts of newly found cuts."""
        from scenedetect import FrameTimecode
        from scenedetect.common import Timecode

        position = Timecode(pts=pts - self._start, time_base=self._time_base)
        self._last = FrameTimecode(timecode=position, fps=self._rate)
        return [self._start + cut.pts for cut in self._detector.process_frame(self._last, plane)]

    def finish(self) -> list[int]:
        """End the stream and return the pts of the remaining cuts."""
        assert self._last is not None
        return [self._start + cut.pts for cut in self._detector.post_process(self._last)]


def scdet(path: Path) -> tuple[list[float], float]:
    """Run ffmpeg's scdet filter at its default threshold.

    Returns:
        Seconds of the cuts, from the first frame, and the CPU seconds that the filter takes beside decoding.
    """
    found, whole = _ffmpeg(path, "scdet")
    _, decoding = _ffmpeg(path, "null")
    return found, whole - decoding


def _ffmpeg(path: Path, chain: str) -> tuple[list[float], float]:
    import imageio_ffmpeg

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    source = ["-nostdin", "-hide_banner", "-threads", "1", "-i", str(path), "-map", "0:v:0"]
    output = ["-vf", f"setpts=PTS-STARTPTS,{chain}", "-fps_mode", "passthrough", "-f", "null", "-"]
    said = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), *source, *output],
        capture_output=True,
        check=True,
        text=True,
        errors="replace",
    ).stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [float(each) for each in re.findall(r"lavfi\.scd\.time: ?([0-9.]+)", said)], cpu
