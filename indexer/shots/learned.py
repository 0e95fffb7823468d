"""A PySceneDetect detector that combines a trained network with our own detector for gradual transitions."""

from __future__ import annotations

import math
from bisect import insort
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scenedetect import FrameTimecode
from scenedetect.detector import SceneDetector

from encoder.shot_boundaries.protocol import FRAME_HEIGHT, FRAME_WIDTH, MANY_HOT, SINGLE
from indexer.shots.blend import BlendDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from encoder.shot_boundaries.protocol import ScoreStream

    Pixels = NDArray[np.uint8]

LOOKAHEAD_FRAMES = 112
"""Frames by which cuts are late, unless a transition is long: those of a window that count and those after them (90),
and _NEAR, rounded up. At up to 75 frames per second, it is more than _BLEND_SECONDS."""

_NEAR = 12
"""Frames within which both detectors speak of the same transition."""

_PART = 0.3  # probability from which a frame is part of a transition that has a middle
_LONGEST = 50  # frames of a transition; what goes on for longer is divided
_BLEND_SECONDS = 1.5  # by which BlendDetector's cuts are late at most, except for rare ones
_HISTORY = 1024  # frames whose scores are kept: more than _BLEND_SECONDS at 600 frames per second


@dataclass(frozen=True, slots=True, order=True)
class _Cut:
    number: int
    timecode: FrameTimecode


@dataclass(slots=True)
class _Stretch:
    """Successive frames that the network takes for one transition; `peak` is the most likely middle."""

    first: int
    last: int
    peak: int
    score: float


class LearnedDetector(SceneDetector):  # type: ignore[misc]
    """Finds cuts and dissolves with the network, wipes and what else it misses with BlendDetector.

    Successive frames of which either score exceeds `threshold` are one transition, if the network sees a middle in it.
    The new shot begins after the likeliest middle. BlendDetector adds its cuts where the network found no transition
    within _NEAR frames, but does not rule one out: some frame that near is part of one with at least the probability
    `support`. Pans and passing objects, which alone it takes for dissolves, get no such support.

    Cuts come in order, each once.
    """

    def __init__(
        self,
        stream: ScoreStream,
        *,
        threshold: float = 0.5,
        support: float = 0.03,
        min_scene_len: Any = "0.3s",
        **blend: Any,
    ) -> None:
        """Create the detector.

        Args:
            stream: Scores the frames of this video.
            threshold: Probability from which a frame counts as part of a transition.
            support: Probability that a cut of BlendDetector needs.
            min_scene_len: As in PySceneDetect.
            blend: Options of BlendDetector.
        """
        super().__init__()
        self._stream = stream
        self._blend = BlendDetector(min_scene_len=min_scene_len, **blend)
        self._threshold = threshold
        self._support = support
        self._min_scene_len = min_scene_len
        self._fed = 0
        self._scored = 0
        self._times: deque[tuple[int, float, FrameTimecode]] = deque()  # of frames that a cut may still begin at
        self._part: deque[float] = deque(maxlen=_HISTORY)  # MANY_HOT of the last scored frames
        self._stretch: _Stretch | None = None  # not ended yet
        self._transitions: deque[tuple[int, int]] = deque(maxlen=_HISTORY)  # first and last frame of the latest
        self._offered: deque[_Cut] = deque()  # by BlendDetector, not decided
        self._waiting: list[_Cut] = []  # decided, by number
        self._settled_blend = -1  # BlendDetector finds no more cuts up to this frame
        self._last_cut: FrameTimecode | None = None

    @property
    def event_buffer_length(self) -> int:
        """Maximum number of frames by which cuts are late."""
        return max(LOOKAHEAD_FRAMES + _LONGEST, int(self._blend.event_buffer_length))

    def process_frame(self, timecode: FrameTimecode, frame_img: Pixels) -> list[FrameTimecode]:
        """Process the next frame, uint8 (h, w, 3) BGR, and return newly found cuts."""
        if self._last_cut is None:
            self._last_cut = timecode
        seconds = float(timecode.seconds)
        self._times.append((self._fed, seconds, timecode))
        self._fed += 1
        self._offer(self._blend.process_frame(timecode, frame_img))
        small = cv2.resize(frame_img, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_AREA)
        self._read(self._stream.feed(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)[None]))
        for number, then, _ in self._times:
            if seconds - then < _BLEND_SECONDS:
                break
            self._settled_blend = number
        return self._release(min(self._settled_blend, self._settled_scores()))

    def post_process(self, timecode: FrameTimecode) -> list[FrameTimecode]:
        """Return the remaining cuts; `timecode` is ignored."""
        if self._last_cut is None:
            return []
        self._offer(self._blend.post_process(timecode))
        self._read(self._stream.finish())
        self._end_stretch()
        return self._release(self._fed)

    def _offer(self, cuts: list[FrameTimecode]) -> None:
        for cut in cuts:
            number = next((number for number, _, timecode in self._times if timecode is cut), None)
            if number is not None:  # else too late to be reported in order
                self._offered.append(_Cut(number, cut))

    def _read(self, scores: NDArray[np.float32]) -> None:
        for frame in scores:
            single, part = float(frame[SINGLE]), float(frame[MANY_HOT])
            number = self._scored
            self._scored += 1
            self._part.append(part)
            if max(single, part) <= min(self._threshold, _PART):
                self._end_stretch()
                continue
            stretch = self._stretch
            if stretch is not None and number - stretch.first >= _LONGEST:
                self._end_stretch()
                stretch = None
            if stretch is None:
                self._stretch = _Stretch(number, number, number, single)
                continue
            stretch.last = number
            if single > stretch.score:
                stretch.peak, stretch.score = number, single

    def _end_stretch(self) -> None:
        stretch, self._stretch = self._stretch, None
        if stretch is None or stretch.score <= self._threshold:
            return
        self._transitions.append((stretch.first, stretch.last + 1))
        begin = stretch.peak + 1 - self._times[0][0]
        if begin < len(self._times):  # else the video ends there
            insort(self._waiting, _Cut(stretch.peak + 1, self._times[begin][2]), key=lambda cut: cut.number)

    def _settled_scores(self) -> int:
        """Return the last frame up to which all transitions of the network are known, and a cut can be decided."""
        begun = self._scored if self._stretch is None else self._stretch.first
        return begun - _NEAR - 1

    def _release(self, settled: int) -> list[FrameTimecode]:
        """Decide and return the cuts up to the frame `settled`."""
        assert self._last_cut is not None
        while self._offered and self._offered[0].number <= settled:
            cut = self._offered.popleft()
            if self._is_supported(cut.number):
                insort(self._waiting, cut, key=lambda each: each.number)
        released = []
        while self._waiting and self._waiting[0].number <= settled:
            cut = self._waiting.pop(0)
            if cut.timecode.seconds > self._last_cut.seconds and cut.timecode - self._last_cut >= self._min_scene_len:
                self._last_cut = cut.timecode
                released.append(cut.timecode)
        while self._times and self._times[0][0] < settled:
            self._times.popleft()
        return released

    def _is_supported(self, number: int) -> bool:
        if any(first - _NEAR <= number <= last + _NEAR for first, last in self._transitions):
            return False
        oldest = self._scored - len(self._part)
        near = range(max(oldest, number - _NEAR), min(self._scored, number + _NEAR + 1))
        return max((self._part[k - oldest] for k in near), default=-math.inf) > self._support
