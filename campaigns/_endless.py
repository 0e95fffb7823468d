"""SIGKILL for a child that works without end."""

from __future__ import annotations

import time
from collections.abc import Callable

from campaigns._campaign import Case
from campaigns._children import Fault, start


def kill_endless(case: Case, turn: int, work: Callable[[int], object], kind: str) -> None:
    """Start a child, and kill it with its group after less than a second.

    Args:
        case: Draws the seed and the time, and counts.
        turn: The number of the child, for its log.
        work: What it does; takes a seed and never returns.
        kind: What is killed, for the count `kills of KIND`.

    Raises:
        Fault: The child ended by itself.
    """
    seed = case.random.randrange(10**6)
    child = start(lambda: work(seed), case.log(f"run{turn}"))
    time.sleep(case.random.uniform(0.05, 0.9))
    if child.ended():
        raise Fault(f"it should not have ended: {child.code} {child.last_words()}")
    child.kill(group=True)
    case.count("kills")
    case.count(f"kills of {kind}")
