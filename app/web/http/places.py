"""A bounded number of something at a time, for each person or address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Places:
    """Counts who has how many. For one event loop.

    Args:
        most: That each may have at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def taken(self, who: Hashable) -> Iterator[bool]:
        """Take a place while this lasts; yield whether there was one."""
        free = self._taken[who] < self._most
        self._taken[who] += free
        try:
            yield free
        finally:
            self._taken[who] -= free
            if not self._taken[who]:
                del self._taken[who]
