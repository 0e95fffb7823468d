"""Shot detection by PySceneDetect, fed with the frames of our own decode pass."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from indexer.settings import DETECTORS, LEARNED, OptionValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scenedetect import FrameTimecode
    from scenedetect.detector import SceneDetector

    from encoder.shot_boundaries import ShotBoundaryScorer


_PLANE_PIXELS = 256  # PySceneDetect's own choice for its automatic downscale
_SMALL_PLANE_PIXELS = (
    128  # for blend and learned: finds what 256 finds at two thirds of the cost (benchmarks.detection)
)

_LOOKAHEAD_FRAMES = 32
"""Of detectors without a network. Of `blend`, hard cuts are 0.3 s late, the middles of long dissolves and fades up to
1.2 s."""


class CutDetector:
    """Finds cuts, the first frames of new shots, in a stream of small BGR planes.

    Cuts are reported late: the adaptive detector looks `window_width` frames ahead, merging waits for a quiet stretch,
    and a fade is recognised only when the picture is back. A cut is a pts; from the threshold detector, it need not be
    the pts of a frame.

    Attributes:
        plane_pixels: Long side of the planes to feed.
        lookahead_frames: Number of frames by which hard cuts are late at most.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, OptionValue],
        *,
        time_base: Fraction,
        frame_rate: Fraction,
        start_pts: int,
        scorer: ShotBoundaryScorer | None = None,
    ) -> None:
        """Create the detector.

        Args:
            name: Key of indexer.settings.DETECTORS.
            options: Options that differ from its defaults.
            time_base: Time base of all pts.
            frame_rate: Converts lengths given in frames to time.
            start_pts: pts of the first frame.
            scorer: Needed by the detectors in indexer.settings.LEARNED only.

        Raises:
            ValueError: For an option value that the detector rejects, or without the scorer that it needs.
        """
        self._detector = _make(name, options, scorer)
        self.plane_pixels = _SMALL_PLANE_PIXELS if name in ("blend", *LEARNED) else _PLANE_PIXELS
        self.lookahead_frames = _LOOKAHEAD_FRAMES
        if name in LEARNED:
            from indexer.shots.learned import LOOKAHEAD_FRAMES

            self.lookahead_frames = LOOKAHEAD_FRAMES
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


def _make(name: str, options: Mapping[str, OptionValue], scorer: ShotBoundaryScorer | None) -> SceneDetector:
    import scenedetect
    from scenedetect.detector import FlashFilter

    arguments: dict[str, Any] = {**DETECTORS[name], **options}
    if "weights" in arguments:
        arguments["weights"] = scenedetect.ContentDetector.Components(*arguments["weights"])
    if name in LEARNED:
        from indexer.shots.learned import LearnedDetector

        if scorer is None:
            raise ValueError(f"the {name} detector needs a scorer")
        return LearnedDetector(scorer.stream(), **arguments)
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
