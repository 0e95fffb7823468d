"""Presentation times: strictly increasing integer pts for the frames of any stream, however damaged its timestamps."""

from __future__ import annotations


class Clock:
    """Assigns each frame, in presentation order, a pts greater than the one before.

    Rules, in order:
    - A frame without a time follows the previous frame by its duration (raw .h264 has no times at all).
    - Once pts have gone backwards more often than dts, dts are used.
    - A repeated time, or a step back of at most one second, becomes the time before plus one unit: no frame is lost.
    - A longer step back starts a new timeline (joined recordings): all that follows is moved behind the old one.
    """

    def __init__(self, *, step: int, second: int, prefer_dts: bool = False) -> None:
        """Start a clock.

        Args:
            step: pts units from one frame to the next at the nominal rate, used if nothing better is known.
            second: pts units per second.
            prefer_dts: The container stores decoding times only (AVI). There the pts are out of order wherever frames
                are reordered, while the decoding time of the packet just fed is late by a constant.
        """
        self.step = max(1, step)
        self.second = max(1, second)
        self.synthesized = False  # times were made up, so they cannot be used to seek
        self._prefer_dts = prefer_dts
        self._last: int | None = None
        self._last_duration = self.step
        self._offset = 0
        self._raw: dict[str, int] = {}
        self._faults = {"pts": 0, "dts": 0}

    def next_pts(self, pts: int | None, dts: int | None, duration: int) -> int:
        """Return the pts of the next frame shown; `duration` is its length in pts units, 0 if unknown."""
        raw = self._choose(pts, dts)
        last = self._last
        if raw is None:
            self.synthesized = True
            assigned = 0 if last is None else last + self._last_duration
        else:
            assigned = raw + self._offset
            if last is not None and assigned <= last:
                if last - assigned <= self.second:
                    assigned = last + 1
                else:
                    self.synthesized = True
                    self._offset += last + self._last_duration - assigned
                    assigned = last + self._last_duration
        self._last = assigned
        self._last_duration = duration if duration > 0 else self.step
        return assigned

    def _choose(self, pts: int | None, dts: int | None) -> int | None:
        for name, value in (("pts", pts), ("dts", dts)):
            if value is not None:
                if name in self._raw and value <= self._raw[name]:
                    self._faults[name] += 1
                self._raw[name] = value
        if pts is None or dts is None:
            return pts if dts is None else dts
        return dts if self._prefer_dts or self._faults["pts"] > self._faults["dts"] else pts
