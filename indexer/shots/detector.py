"""Shot detection by PySceneDetect, fed with the frames of our own decode pass."""

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
    """Finds cuts, the first frames of new shots, in a stream of small BGR planes.

    Cuts are reported late: the adaptive detector looks `window_width` frames ahead, merging waits for a quiet stretch,
    and a fade is recognised only when the picture is back. A cut is a pts; from the threshold detector, it need not be
    the pts of a frame.

    Attributes:
        plane_pixels: Long side of the planes to feed.
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
        """Create the detector.

        Args:
            name: Key of indexer.settings.DETECTORS.
            options: Options that differ from its defaults.
            time_base: Time base of all pts.
            frame_rate: Converts lengths given in frames to time.
            start_pts: pts of the first frame.

        Raises:
            ValueError: For an option value that the detector rejects.
        """
        self._detector = _make(name, options)
        self.plane_pixels = _BLEND_PLANE_PIXELS if name == "blend" else _PLANE_PIXELS
        self._time_base = time_base
        self._rate = frame_rate
        self._start = start_pts
        self._last: FrameTimecode | None = None

    def feed(self, pts: int, plane: NDArray[np.uint8]) -> list[int]:
        """Process the next frame, uint8 (h, w, 3) BGR, and return the pts of newly found cuts."""
        from scenedetect import FrameTimecode
        from scenedetect.common import Timecode

        position = Timecode(pts=pts - self._start, time_base=self._time_base)
        self._last = FrameTimecode(timecode=position, fps=self._rate)
        return self._as_pts(self._detector.process_frame(self._last, plane))

    def finish(self) -> list[int]:
        """End the stream and return the pts of the remaining cuts."""
        return [] if self._last is None else self._as_pts(self._detector.post_process(self._last))

    def _as_pts(self, cuts: list[FrameTimecode]) -> list[int]:
        return sorted(
            {self._start + round(Fraction(cut.pts) * Fraction(cut.time_base) / self._time_base) for cut in cuts}
        )


def _make(name: str, options: Mapping[str, OptionValue]) -> SceneDetector:
    import scenedetect
    from scenedetect.detector import FlashFilter

    arguments: dict[str, Any] = {**DETECTORS[name], **options}
    if "weights" in arguments:
        arguments["weights"] = scenedetect.ContentDetector.Components(*arguments["weights"])
    if name in ("blend", "adaptive", "content"):
        from indexer.shots import blend

        if name == "blend":
            return blend.BlendDetector(**arguments)
        if name == "adaptive":
            return blend.QuickAdaptiveDetector(**arguments)
        arguments["filter_mode"] = FlashFilter.Mode[str(arguments["filter_mode"]).upper()]
        return blend.QuickContentDetector(**arguments)
    if name == "hash":
        return scenedetect.HashDetector(**arguments)
    if name == "histogram":
        return scenedetect.HistogramDetector(**arguments)
    arguments["method"] = scenedetect.ThresholdDetector.Method[str(arguments["method"]).upper()]
    return scenedetect.ThresholdDetector(**arguments)
