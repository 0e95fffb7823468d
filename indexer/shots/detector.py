"""Shot detection by PySceneDetect, fed by hand with the frames of our own decode pass."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from indexer.settings import DETECTORS, OptionValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scenedetect import FrameTimecode
    from scenedetect.detector import SceneDetector


_PLANE_PIXELS = 256  # PySceneDetect's own choice for its automatic downscale
_BLEND_PLANE_PIXELS = 128  # finds what 256 finds at two thirds of the cost (benchmarks.detection)


class CutDetector:
    """Finds the first frames of new shots in a stream of small BGR planes.

    Cuts come out late: the adaptive detector looks `window_width` frames ahead, merging waits for quiet, and a fade is
    only known when the light is back. A cut is given as a pts; those of the threshold detector need not be of a frame.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, OptionValue],
        *,
        time_base: Fraction,
        frame_rate: Fraction,
        start_pts: int,
    ) -> None:
        """name, options: as in indexer.settings.DETECTORS. frame_rate turns lengths given in frames into time.

        Raises ValueError for an option that the detector refuses.
        """
        self._detector = _make(name, options)
        self.plane_pixels = _BLEND_PLANE_PIXELS if name == "blend" else _PLANE_PIXELS  # long side of what it is fed
        self._time_base = time_base
        self._rate = frame_rate
        self._start = start_pts
        self._last: FrameTimecode | None = None

    def feed(self, pts: int, plane: NDArray[np.uint8]) -> list[int]:
        """The next frame, uint8 (h, w, 3) BGR; returns the cuts that became known with it, as pts."""
        from scenedetect import FrameTimecode
        from scenedetect.common import Timecode

        position = Timecode(pts=pts - self._start, time_base=self._time_base)
        self._last = FrameTimecode(timecode=position, fps=self._rate)
        return self._as_pts(self._detector.process_frame(self._last, plane))

    def finish(self) -> list[int]:
        """No frame follows; returns the cuts that were still open."""
        return [] if self._last is None else self._as_pts(self._detector.post_process(self._last))

    def _as_pts(self, cuts: list[FrameTimecode]) -> list[int]:
        return sorted(
            {self._start + round(Fraction(cut.pts) * Fraction(cut.time_base) / self._time_base) for cut in cuts}
        )


def _make(name: str, options: Mapping[str, OptionValue]) -> SceneDetector:
    import scenedetect
    from scenedetect.detector import FlashFilter

    given: dict[str, Any] = {**DETECTORS[name], **options}
    if "weights" in given:
        given["weights"] = scenedetect.ContentDetector.Components(*given["weights"])
    if name in ("blend", "adaptive", "content"):
        from indexer.shots import blend

        if name == "blend":
            return blend.BlendDetector(**given)
        if name == "adaptive":
            return blend.QuickAdaptiveDetector(**given)
        given["filter_mode"] = FlashFilter.Mode[str(given["filter_mode"]).upper()]
        return blend.QuickContentDetector(**given)
    if name == "hash":
        return scenedetect.HashDetector(**given)
    if name == "histogram":
        return scenedetect.HistogramDetector(**given)
    given["method"] = scenedetect.ThresholdDetector.Method[str(given["method"]).upper()]
    return scenedetect.ThresholdDetector(**given)
