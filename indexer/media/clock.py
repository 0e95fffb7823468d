"""Strictly increasing integer times for the frames of a stream, whatever its container says."""

from __future__ import annotations


class Clock:
    """Gives each frame, in the order shown, one pts that is greater than the one before.

    step: pts units from one frame to the next where nothing better is known (nominal rate).
    second: pts units in a second. prefer_dts: the container stores decoding times only (AVI), so what comes as pts is
    out of order wherever frames are reordered, while the decoding time of the frame just fed is late by a constant.

    Rules, in order:
    - a frame without any time follows the frame before by that one's duration (raw .h264 has no times at all);
    - once pts have gone backwards more often than dts have, dts are taken;
    - a repeated time, or a step back of at most one second, becomes the time before plus one unit: no frame is lost;
    - a longer step back is a new timeline (joined recordings): everything from there on is moved to follow.
    """

    def __init__(self, *, step: int, second: int, prefer_dts: bool = False) -> None:
        self.step = max(1, step)
        self.second = max(1, second)
        self.counted = False  # times were made up: a place in this stream cannot be sought
        self._prefer_dts = prefer_dts
        self._last: int | None = None
        self._last_duration = self.step
        self._offset = 0
        self._raw: dict[str, int] = {}
        self._faults = {"pts": 0, "dts": 0}

    def place(self, pts: int | None, dts: int | None, duration: int) -> int:
        """The time of the next frame shown; `duration` of it in pts units, 0 where unknown."""
        raw = self._choose(pts, dts)
        last = self._last
        if raw is None:
            self.counted = True
            placed = 0 if last is None else last + self._last_duration
        else:
            placed = raw + self._offset
            if last is not None and placed <= last:
                if last - placed <= self.second:
                    placed = last + 1
                else:
                    self.counted = True
                    self._offset += last + self._last_duration - placed
                    placed = last + self._last_duration
        self._last = placed
        self._last_duration = duration if duration > 0 else self.step
        return placed

    def _choose(self, pts: int | None, dts: int | None) -> int | None:
        for name, value in (("pts", pts), ("dts", dts)):
            if value is not None:
                if name in self._raw and value <= self._raw[name]:
                    self._faults[name] += 1
                self._raw[name] = value
        if pts is None or dts is None:
            return pts if dts is None else dts
        return dts if self._prefer_dts or self._faults["pts"] > self._faults["dts"] else pts
