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

from indexer.shots.transitions import AROUND, MAX_SECONDS, THUMBNAIL, Transition, TransitionDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_HOLD = MAX_SECONDS / 2 + 0.25  # seconds that a hard cut is held, since it may be part of a gradual transition
_CERTAIN = 3.0  # times the next largest change around: certainly a hard cut
_LONE_CHANGE = 8.0  # mean change in levels
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
    lone: bool = False  # not found by the adaptive detector, so it must stand out by itself


class BlendDetector(SceneDetector):  # type: ignore[misc]
    """Finds hard cuts like the adaptive detector, and one cut in the middle of each dissolve, wipe or fade.

    Jerks, flashes and hard cuts within a gradual transition are not cuts. A change that stands out is a cut even if the
    adaptive detector does not find it. Cuts less than `min_scene_len` after the previous one are dropped. A certain
    hard cut is reported 0.3 s late, others after _HOLD seconds. Gradual transitions are reported up to 1.2 s after
    their middle: half of the longest one, and the time until it is certainly over.
    """

    def __init__(self, *, min_scene_len: Any = "0.6s", blend_score: float = 0.5, **adaptive: Any) -> None:
        """Create the detector.

        Args:
            min_scene_len: As in PySceneDetect.
            blend_score: Evidence required of a transition, see TransitionDetector.
            adaptive: Options of AdaptiveDetector.
        """
        super().__init__()
        self._hard = QuickAdaptiveDetector(min_scene_len=0, **adaptive)
        self._gradual = TransitionDetector(blend_score)
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
        while seconds - self._times[0][1] > _HISTORY:
            self._times.popleft()
        if self._last_cut is None:
            self._last_cut = timecode
        if self._stands_out(float(self._hard._calculate_frame_score(timecode, frame_img))):
            self._hold(_Cut(*self._times[-1 - self._hard.window_width]))
        for transition in self._gradual.feed(self._number, seconds, _thumbnail(frame_img)):
            self._replace(transition)
        if self._gradual.last_change[0] == self._number and self._gradual.last_change[1] >= _LONE_CHANGE:
            self._hold(_Cut(self._number, seconds, timecode, lone=True))
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
        others = [cut for cut in self._waiting if cut.number != new.number]
        self._waiting = sorted([*others, new], key=lambda cut: cut.number)

    def _is_certain(self, cut: _Cut) -> bool:
        step = self._gradual.step_at(cut.number)
        return step.is_change and step.stands_out >= _CERTAIN

    def _release(self, now: float) -> list[FrameTimecode]:
        """Remove and return the cuts to report: certain ones, with all before them, and those held long enough."""
        assert self._last_cut is not None
        judged = []
        for cut in self._waiting:
            if not (cut.judged or cut.final) and now - cut.seconds >= AROUND + _MARGIN:
                step = self._gradual.step_at(cut.number)
                if not step.is_change or (cut.lone and step.stands_out < _CERTAIN):
                    continue
                cut = replace(cut, judged=True, final=step.stands_out >= _CERTAIN)
            judged.append(cut)
        ready = [k for k, cut in enumerate(judged) if cut.final or now - cut.seconds >= _HOLD]
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
