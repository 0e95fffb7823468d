"""Detection of fades through black, white or any one colour, by the contrast of frames alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_BEFORE = 1.0  # seconds in which the contrast before the fade is looked up
_FLAT = 0.3  # fraction of the contrast before and after
_PICTURE_BACK = 6.0  # levels above the flattest frame at which the picture is back
_ONE_COLOUR = 4.0  # levels of contrast at most
_MOMENT = 0.25  # seconds of little contrast after which it counts as one colour, as at low frame rates no frame may be
_SAME = 2.0  # levels between two equally flat frames
_MAX_SEEN = 64  # frames kept of each part
_MIN_CONTRAST = 8.0  # levels, of a picture that can fade
_MAX_STEP_SHARE = 0.6  # fraction of the fall or rise; otherwise it is a hard cut to or from one colour
_RISE = 0.2  # seconds that a rise is observed before it is judged
_WELL_BEFORE = 0.4  # seconds before the picture is back: start of the new shot after a long dark


@dataclass(frozen=True, slots=True)
class Fade:
    """A fade; all values are frame numbers."""

    start: int
    middle: int
    end: int


@dataclass(frozen=True, slots=True)
class _Seen:
    number: int
    seconds: float
    contrast: float


class FadeDetector:
    """Finds fades: contrast that collapses and comes back, at least one of both gradually.

    If the contrast does not come back, it is not a fade. A fade is reported _RISE seconds after the contrast starts to
    come back. Memory is a few dozen numbers, however long it stays dark.
    """

    def __init__(self) -> None:
        self._lit: deque[_Seen] = deque(maxlen=_MAX_SEEN)  # frames of the last second
        self._fall: deque[_Seen] = deque(maxlen=_MAX_SEEN)  # from the last full contrast to the first flat frame
        self._flat: deque[_Seen] = deque(maxlen=_MAX_SEEN)  # the latest frames without a picture
        self._rise: deque[_Seen] = deque(maxlen=_MAX_SEEN)  # what came after the last of them
        self._entered = 0.0  # seconds

    @property
    def since(self) -> int | None:
        """The first frame of the current fall, once the picture is gone; else None."""
        return self._fall[0].number if self._fall and _is_gradual(self._fall) else None

    @property
    def certain(self) -> bool:
        """Whether the current fall has reached one colour, and not just little contrast."""
        return bool(self._fall) and self._fall[-1].contrast <= _ONE_COLOUR

    def feed(self, number: int, seconds: float, contrast: float) -> Fade | None:
        """Process the next frame and return the fade that ended with it, if any.

        Args:
            number: Number of the frame.
            seconds: Its time.
            contrast: Standard deviation in levels.
        """
        seen = _Seen(number, seconds, contrast)
        if not self._fall:
            self._while_lit(seen)
            return None
        if not self.certain and seconds - self._entered > _MOMENT:
            self._restart([seen])  # a picture of little contrast
            return None
        floor = self._fall[-1].contrast
        if contrast < floor - _SAME:
            self._fall.extend(self._rise)
            self._fall.append(seen)
            self._flat.clear()
            self._rise.clear()
        if contrast <= self._fall[-1].contrast + _SAME:
            self._flat.append(seen)
            self._rise.clear()
            return None
        self._rise.append(seen)
        back = max(3 * floor, floor + _PICTURE_BACK, 0.15 * self._fall[0].contrast)
        since = next((rise.seconds for rise in self._rise if rise.contrast >= back), None)
        if contrast < back or since is None or seconds - since < _RISE:
            return None
        fade = self._judge()
        self._restart(list(self._rise))
        return fade

    def _restart(self, lit: Sequence[_Seen]) -> None:
        for frames in (self._fall, self._flat, self._rise):
            frames.clear()
        self._lit.extend(lit[-1:])

    def _while_lit(self, seen: _Seen) -> None:
        while self._lit and seen.seconds - self._lit[0].seconds > _BEFORE:
            self._lit.popleft()
        self._lit.append(seen)
        high = max(lit.contrast for lit in self._lit)
        if high < _MIN_CONTRAST or seen.contrast > _FLAT * high:
            return
        frames = list(self._lit)
        self._lit.clear()
        self._fall.extend(frames[max(k for k, lit in enumerate(frames) if lit.contrast >= 0.85 * high) :])
        self._flat.append(seen)
        self._entered = seen.seconds

    def _judge(self) -> Fade | None:
        first, last = self._flat[0], self._flat[-1]
        falls, rises = _is_gradual(self._fall), _is_gradual([last, *self._rise])
        high = min(self._fall[0].contrast, max(seen.contrast for seen in self._rise))
        if not (falls or rises) or self._fall[-1].contrast > _FLAT * high:
            return None
        if not rises:
            middle = self._rise[0]
        elif not falls:
            if last.seconds - first.seconds > 2 * _WELL_BEFORE:
                return None  # the hard cut to one colour ended the shot
            middle = first
        else:
            wanted = max((first.seconds + last.seconds) / 2, self._rise[0].seconds - _WELL_BEFORE)
            middle = min(self._flat, key=lambda flat: abs(flat.seconds - wanted))
        return Fade(self._fall[0].number, middle.number, self._rise[-1].number)


def _is_gradual(frames: Sequence[_Seen]) -> bool:
    whole = abs(frames[-1].contrast - frames[0].contrast)
    steps = [abs(b.contrast - a.contrast) for a, b in pairwise(frames)]
    return len(steps) >= 2 and max(steps) <= _MAX_STEP_SHARE * max(whole, 1e-9)
