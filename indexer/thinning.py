"""A bounded, evenly thinned memory of the frames of a stretch whose end is not known yet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Thinned(Generic[T]):
    """Keeps every `stride`-th item offered; when `bound` are kept, every other one goes and the stride doubles.

    So up to `bound` items are kept exactly, and of a longer stretch between bound / 2 and bound, evenly spread.
    Items are made only when they are kept: `offer` takes a function.
    """

    def __init__(self, bound: int) -> None:
        if bound < 2:
            raise ValueError(f"a thinned memory needs room for at least 2 items, got {bound}")
        self.bound = bound
        self.stride = 1
        self._skip = 0  # offers to let pass until the next is kept
        self._indices: list[int] = []
        self._items: list[T] = []

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, index: int, make: Callable[[], T]) -> None:
        """The next item, by ascending index (gaps allowed: strides count offers)."""
        if self._skip:
            self._skip -= 1
            return
        if len(self._items) >= self.bound:  # more where the bound was lowered
            ends_kept = len(self._items) % 2 == 1
            del self._indices[1::2], self._items[1::2]
            self.stride *= 2
            if ends_kept:  # then this one lies half a stride after the last: wait the other half
                self._skip = self.stride // 2 - 1
                return
        self._indices.append(index)
        self._items.append(make())
        self._skip = self.stride - 1

    def restart(self, index: int) -> None:
        """A new stretch begins at `index`: forget what is before it and keep every item offered from now on.

        Items from `index` on that are already here stay.
        """
        self.forget_before(index)
        self.stride = 1
        self._skip = 0

    def forget_before(self, index: int) -> None:
        """The stretch goes on, but nothing before `index` is asked for any more."""
        gone = bisect_left(self._indices, index)
        del self._indices[:gone], self._items[:gone]

    def nearest(self, index: int, low: int, high: int) -> T:
        """The item nearest to `index`, of those within [low, high) where there is one, else of all.

        Raises LookupError when nothing is kept.
        """
        if not self._items:
            raise LookupError("nothing is kept")
        first, last = bisect_left(self._indices, low), bisect_left(self._indices, high)
        if first == last:
            first, last = 0, len(self._indices)
        at = bisect_left(self._indices, index, first, last)
        if at == last or (at > first and index - self._indices[at - 1] <= self._indices[at] - index):
            at -= 1
        return self._items[at]

    def within(self, low: int, high: int) -> list[T]:
        """The items of [low, high), in order."""
        return self._items[bisect_left(self._indices, low) : bisect_left(self._indices, high)]
