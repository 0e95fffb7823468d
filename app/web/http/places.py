"""A bounded number of something at a time, for each person or address."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Places:
    """Counts who has how many. Several threads may take places.

    Args:
        most: That each may have at a time.
        most_together: That all may have; by default, any number.
    """

    def __init__(self, most: int, most_together: int | None = None) -> None:
        self._most, self._most_together = most, most_together
        self._taken: Counter[Hashable] = Counter()
        self._counting = threading.Lock()

    @contextmanager
    def taken(self, who: Hashable) -> Iterator[bool]:
        """Take a place while this lasts; yield whether there was one."""
        with self._counting:
            full = self._most_together is not None and self._taken.total() >= self._most_together
            free = not full and self._taken[who] < self._most
            self._taken[who] += free
        try:
            yield free
        finally:
            with self._counting:
                self._taken[who] -= free
                if not self._taken[who]:
                    del self._taken[who]
