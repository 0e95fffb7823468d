"""Files whose clock jumps, as ffmpeg can cut them: a copy of the range with continuous times."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from files.durability import create_empty


@contextmanager
def continuous_source(
    path: str, start: Fraction, end: Fraction, draft: Path, *, clock_jumps: bool | None = None
) -> Iterator[tuple[str, Fraction]]:
    """Yield the file to cut a range from: the file itself, or a copy of the range if the file's clock jumps.

    Args:
        path: The file.
        start: Start of the range in seconds from the first frame shown.
        end: End of the range.
        draft: The copy gets this name with an ending, and is deleted at the end. If this run is killed, a later one
            sweeps it together with the draft.
        clock_jumps: As in Video. None, if that is not known: files in which it may are read through, once.

    Returns:
        Within the `with` block: the path to cut from, and what to add to its seconds for those of the file.

    Raises:
        UnreadableVideo: The file is missing or broken.
        OSError: The copy cannot be written.
    """
    from indexer.media.clock_map import clock_map
    from indexer.media.continuous import write_continuous

    clock = None if clock_jumps is False else clock_map(path)
    if clock is None:
        yield path, Fraction(0)
        return
    first, base = _first_shown(path)
    low, high = first + math.floor(start / base), first + math.ceil(end / base)
    if low > clock.pieces[-1].end + clock.pieces[-1].shift:  # past the end
        yield path, Fraction(0)
        return
    own = Path(path).suffix.lower()
    copy = draft.with_name(f"{draft.name}-copy{own if own in ('.ts', '.m2ts', '.mts', '.mkv', '.webm') else '.ts'}")
    create_empty(copy)
    try:
        moved = write_continuous(path, clock, low, high, copy)
        copied, copied_base = _first_shown(str(copy))
        yield str(copy), moved + copied * copied_base - first * base
    finally:
        copy.unlink(missing_ok=True)


def _first_shown(path: str) -> tuple[int, Fraction]:
    """Return the pts of the first frame shown, and the time base."""
    from indexer.media.decode import Decoding
    from indexer.media.probe import open_source

    with open_source(path) as source:
        return Decoding(source).first().pts, source.time_base
