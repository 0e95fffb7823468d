"""How fast each person may ask for changes and new answers, so that one of them does not hold up the others."""

from __future__ import annotations

BURST = 120.0
"""Requests at once."""
PER_SECOND = 5.0


class Pace:
    """The requests that each person has left: some at once, and more as time goes by. For one event loop."""

    def __init__(self, burst: float = BURST, per_second: float = PER_SECOND) -> None:
        self._burst = burst
        self._per_second = per_second
        self._left: dict[int, tuple[float, float]] = {}  # by person: how many, and when

    def refused_for(self, person_id: int, now: float) -> float:
        """Take a request. Return 0, or, if there is none left, the seconds until there is; none is taken then."""
        left = self._left_at(person_id, now)
        if left < 1:
            return (1 - left) / self._per_second
        self._left[person_id] = left - 1, now
        return 0.0

    def delay_of(self, person_id: int, now: float) -> float:
        """Take a request that is only delayed. Return for how many seconds."""
        left = self._left_at(person_id, now) - 1
        self._left[person_id] = left, now
        return max(0.0, -left / self._per_second)

    def _left_at(self, person_id: int, now: float) -> float:
        left, at = self._left.get(person_id, (self._burst, now))
        return min(self._burst, left + max(0.0, now - at) * self._per_second)
