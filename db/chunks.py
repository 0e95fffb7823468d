"""Long lists in portions that one SQL statement takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

MOST_VARIABLES = 900  # SQLite before 3.32 takes at most 999 in a statement


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """All items in order, at most MOST_VARIABLES at a time."""
    rest = iter(items)
    while chunk := list(islice(rest, MOST_VARIABLES)):
        yield chunk
