"""Times of modification as two file systems, or two ways to mount one, tell them of one file. Standard library only."""

from __future__ import annotations

_STEPS_NS = (100, 10**3, 10**6, 10**7, 10**9)
"""To which times are cut down: by SMB and NTFS, by drivers, by exFAT, by HFS+ and old NFS."""


def is_same_time(one_ns: int, other_ns: int) -> bool:
    """Return whether two times may be one: they are equal, or one is the other cut down to a coarser step."""
    if one_ns == other_ns:
        return True
    low, high = sorted((one_ns, other_ns))
    return high - low < _STEPS_NS[-1] and any(high - high % step == low for step in _STEPS_NS)


def is_same_stamp(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether two pairs of size and time may be of one unchanged file."""
    return one == other or (one[0] == other[0] and is_same_time(one[1], other[1]))
