"""PySceneDetect detectors: faster versions of its own, and one that finds gradual transitions as well."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode
from scenedetect.detector import SceneDetector

from indexer.shots.steps import AROUND, FAR, LEAST_AROUND, LEAST_CONTENT, cut_evidence, is_change
from indexer.shots.thumbnails import THUMBNAIL, Thumbnails
from indexer.shots.transitions import MAX_SECONDS, Transition, TransitionDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_HOLD = MAX_SECONDS / 2 + 0.25  # seconds that a hard cut is held, since it may be part of a gradual transition
_CERTAIN = 4.0  # evidence from which a hard cut is no part of a gradual transition
_MARGIN = 0.05  # seconds, so that a frame follows the span by which a cut is judged
_HISTORY = 4.0  # seconds of frame times, more than any transition reaches back


class _QuickScore(ContentDetector):  # type: ignore[misc]
    """PySceneDetect's content score, bit for bit, by OpenCV alone: without 32-bit copies of the planes."""

    _hsv: Pixels | None = None

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: Pixels) -> float:
        if self._weights.delta_edges != 0.0 or self.stats_manager is not None:
            return float(super()._calculate_frame_score(timecode, frame_img))
        hsv = np.asarray(cv2.cvtColor(frame_img, cv2.COLOR_BGR2HSV), np.uint8)
        before, self._hsv = self._hsv, hsv
        if before is None:
            return 0.0
        pixels = float(frame_img.shape[0] * frame_img.shape[1])
        sums = cv2.sumElems(cv2.absdiff(hsv, before))
        score = sum(part / pixels * weight for part, weight in zip(sums, self._weights, strict=True))
        return float(score / sum(abs(weight) for weight in self._weights))


class QuickAdaptiveDetector(_QuickScore, AdaptiveDetector):  # type: ignore[misc]
    """AdaptiveDetector with the same cuts at a third of the cost."""


class QuickContentDetector(_QuickScore):
    """ContentDetector with the same cuts at lower cost."""


@dataclass(frozen=True, slots=True)
class _Cut:
    number: int
    seconds: float
    timecode: FrameTimecode
    final: bool = False  # can no longer be part of a gradual transition
    judged: bool = False
    lone: bool = False  # not found by the adaptive detector, so it needs evidence


class BlendDetector(SceneDetector):  # type: ignore[misc]
    """Finds hard cuts, also amid fast motion, and one cut in the middle of each dissolve, wipe or fade.

    Jerks, flashes and hard cuts within a gradual transition are not cuts. A change with enough evidence of a hard cut
    (see `cut_evidence`) is one, and so is what the adaptive detector finds. Cuts less than `min_scene_len` after the
    previous one are dropped. A certain hard cut is reported 0.3 s late, at low frame rates two frames; others after
    _HOLD seconds. Gradual transitions are reported up to 1.2 s after their middle: half of the longest one, and the
    time until it is certainly over.
    """

    def __init__(self, *, min_scene_len: Any = "0.3s", blend_score: float = 4.0, **adaptive: Any) -> None:
        """Create the detector.

        Args:
            min_scene_len: As in PySceneDetect.
            blend_score: Evidence required of a transition, see TransitionDetector.
            adaptive: Options of AdaptiveDetector.
        """
        super().__init__()
        self._hard = QuickAdaptiveDetector(min_scene_len=0, **adaptive)
        self._rows = Thumbnails()
        self._gradual = TransitionDetector(self._rows, blend_score)
        self._min_scene_len = min_scene_len
        self._scores: deque[float] = deque(maxlen=2 * self._hard.window_width + 1)
        self._number = -1
        self._times: deque[tuple[int, float, FrameTimecode]] = deque()  # times of the last frames
        self._waiting: list[_Cut] = []  # by number
        self._last_cut: FrameTimecode | None = None

    @property
    def event_buffer_length(self) -> int:
        """Maximum number of frames by which cuts are late."""
        return 240  # in frames like FlashFilter's: enough at up to 240 frames per second

    def process_frame(self, timecode: FrameTimecode, frame_img: Pixels) -> list[FrameTimecode]:
        """Process the next frame, uint8 (h, w, 3) BGR, and return newly found cuts."""
        seconds = timecode.seconds
        self._number += 1
        self._times.append((self._number, seconds, timecode))
        while seconds - self._times[0][1] > _HISTORY and len(self._times) > self._hard.window_width + 1:
            self._times.popleft()
        if self._last_cut is None:
            self._last_cut = timecode
        score = float(self._hard._calculate_frame_score(timecode, frame_img))
        if self._stands_out(score):
            self._hold(_Cut(*self._times[-1 - self._hard.window_width]))
        row = self._rows.append(self._number, seconds, _thumbnail(frame_img), score)
        if row is not None:
            for transition in self._gradual.feed(row):
                self._replace(transition)
            back = self._number - int(self._rows.content_frame[row])
            if self._rows.content[row] >= LEAST_CONTENT and back < len(self._times):
                self._hold(_Cut(*self._times[-1 - back], lone=True))
        fading = self._gradual.fading_since
        if fading is not None:
            self._waiting = [cut for cut in self._waiting if cut.final or cut.number <= fading]
        return self._release(seconds)

    def post_process(self, timecode: FrameTimecode) -> list[FrameTimecode]:
        """Return the remaining cuts; `timecode` is ignored."""
        for transition in self._gradual.finish():
            self._replace(transition)
        return self._release(math.inf)

    def _stands_out(self, score: float) -> bool:
        """Apply AdaptiveDetector's rule for a cut in the middle of the window, without its timecode arithmetic."""
        hard, scores = self._hard, self._scores
        scores.append(score)
        if len(scores) <= 2 * hard.window_width:
            return False
        middle = scores[hard.window_width]
        around = (sum(scores) - middle) / (2 * hard.window_width)
        if middle < hard.min_content_val:
            return False
        return bool(abs(around) < 1e-5 or min(middle / around, 255.0) >= hard.adaptive_threshold)

    def _replace(self, transition: Transition) -> None:
        """Replace all cuts within a transition by one in its middle, unless one of them is certainly a hard cut."""
        covered = [cut for cut in self._waiting if transition.start < cut.number <= transition.end]
        if any(cut.final or self._is_certain(cut) for cut in covered):
            return
        number, seconds, timecode = min(self._times, key=lambda time: abs(time[0] - transition.middle))
        self._waiting = [cut for cut in self._waiting if cut not in covered]
        self._hold(_Cut(number, seconds, timecode, final=True))

    def _hold(self, new: _Cut) -> None:
        """Add a cut. One that the adaptive detector finds replaces a lone one, and one of a transition any other."""
        others = [cut for cut in self._waiting if cut.number != new.number]
        if not new.lone or len(others) == len(self._waiting):
            self._waiting = sorted([*others, new], key=lambda cut: cut.number)

    def _is_certain(self, cut: _Cut) -> bool:
        return cut_evidence(self._rows, cut.number) >= _CERTAIN and is_change(self._rows, cut.number)

    def _release(self, now: float) -> list[FrameTimecode]:
        """Remove and return the cuts to report: certain ones, with all before them, and those held long enough."""
        assert self._last_cut is not None
        judged = []
        for cut in self._waiting:
            late = now - cut.seconds
            enough = late >= AROUND + _MARGIN and (self._number - cut.number >= LEAST_AROUND or late > FAR)
            if enough and not (cut.judged or cut.final):
                evidence = cut_evidence(self._rows, cut.number)
                if (cut.lone and evidence < 0) or not is_change(self._rows, cut.number):
                    continue
                cut = replace(cut, judged=True, final=evidence >= _CERTAIN)
            judged.append(cut)
        ready = [k for k, cut in enumerate(judged) if cut.final or (cut.judged and now - cut.seconds >= _HOLD)]
        split = ready[-1] + 1 if ready else 0
        self._waiting = judged[split:]
        released = []
        for k, cut in enumerate(judged[:split]):
            long_enough = cut.seconds > self._last_cut.seconds and cut.timecode - self._last_cut >= self._min_scene_len
            if long_enough and not (cut.final and not cut.judged and self._yields_to(cut, judged[k + 1 :])):
                self._last_cut = cut.timecode
                released.append(cut.timecode)
        return released

    def _yields_to(self, gradual: _Cut, after: Sequence[_Cut]) -> bool:
        """Return whether a certain hard cut follows too soon for both to be reported."""
        return any(
            not cut.timecode - gradual.timecode >= self._min_scene_len
            and not (cut.final and not cut.judged)
            and self._is_certain(cut)
            for cut in after
        )


def _thumbnail(plane: Pixels) -> Pixels:
    """Scale a plane to THUMBNAIL by area: by halves while possible, which OpenCV does fastest."""
    while max(plane.shape[:2]) >= 2 * THUMBNAIL and plane.shape[0] % 2 == plane.shape[1] % 2 == 0:
        to = plane.shape[1] // 2, plane.shape[0] // 2
        plane = np.asarray(cv2.resize(plane, to, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = plane.shape[:2]
    scale = THUMBNAIL / max(height, width)
    if scale >= 1.0:
        return plane
    to = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(plane, to, interpolation=cv2.INTER_AREA), np.uint8)
