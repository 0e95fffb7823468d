"""Files whose clock jumps, as ffmpeg can cut them: a copy of the range with continuous times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from files.durability import create_empty, remove

_COPY_SUFFIXES = (".ts", ".m2ts", ".mts", ".mkv", ".webm")


@contextmanager
def continuous_source(
    path: str, start: Fraction, end: Fraction, draft: Path, *, clock_jumps: bool | None = None
) -> Iterator[tuple[str, Fraction]]:
    """Yield what `write_continuous_source` returns, and delete the copy at the end.

    If this run is killed, a later one sweeps the copy together with the draft.
    """
    try:
        yield write_continuous_source(path, start, end, draft, clock_jumps=clock_jumps)
    finally:
        remove_copies(draft)


def remove_copies(draft: Path) -> None:
    """Delete the copies of `write_continuous_source` that go with a draft."""
    for suffix in _COPY_SUFFIXES:
        remove(draft.with_name(f"{draft.name}-copy{suffix}"))


def write_continuous_source(
    path: str, start: Fraction, end: Fraction, draft: Path, *, clock_jumps: bool | None = None
) -> tuple[str, Fraction]:
    """Return the file to cut a range from: the file itself, or a copy of the range if the file's clock jumps.

    Args:
        path: The file.
        start: Start of the range in seconds from the first frame shown.
        end: End of the range.
        draft: The copy gets this name with an ending.
        clock_jumps: As in Video. None, if that is not known: files in which it may are read through, once.

    Returns:
        The path to cut from, and what to add to its seconds for those of the file.

    Raises:
        UnreadableVideo: The file is missing or broken.
        OSError: The copy cannot be written.
    """
    from indexer.media.clock_map import clock_map
    from indexer.media.continuous import write_continuous

    clock = None if clock_jumps is False else clock_map(path)
    if clock is None:
        return path, Fraction(0)
    first, base = _first_shown(path)
    low, high = first + math.floor(start / base), first + math.ceil(end / base)
    if low > clock.pieces[-1].end + clock.pieces[-1].shift:  # past the end
        return path, Fraction(0)
    own = Path(path).suffix.lower()
    copy = draft.with_name(f"{draft.name}-copy{own if own in _COPY_SUFFIXES else '.ts'}")
    create_empty(copy)
    moved = write_continuous(path, clock, low, high, copy)
    copied, copied_base = _first_shown(str(copy))
    return str(copy), moved + copied * copied_base - first * base


def _first_shown(path: str) -> tuple[int, Fraction]:
    """Return the pts of the first frame shown, and the time base."""
    from indexer.media.decode import Decoding
    from indexer.media.probe import open_source

    with open_source(path) as source:
        return Decoding(source).first().pts, source.time_base
