"""Whether a joined clip is what it should be, by reading it back: the times of all packets, pictures at the joins."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from app.exporting.smart.nal import NotJoinable
from app.exporting.survey import STEPS_BACK, Survey

_AROUND = 8  # frames on either side of a join that are decoded


def check(file: Path, found: Survey, joins: Sequence[int]) -> None:
    """Raise NotJoinable unless the clip holds the frames of `found` at their times, and decodes around its joins.

    joins: places in found.pts where frames of one kind follow those of the other.
    """
    from indexer.media.errors import UnreadableVideo

    try:
        base, times = _packet_times(file)
        wanted = [(pts - found.pts[0]) * found.time_base for pts in found.pts]
        if [(pts - times[0]) * base for pts in times] != wanted:
            raise NotJoinable("the joined file shows other frames")
        for join in joins:
            _check_join(file, times, join)
    except UnreadableVideo as problem:
        raise NotJoinable(f"the joined file cannot be read ({problem.reason})") from problem


def _packet_times(file: Path) -> tuple[Fraction, list[int]]:
    from indexer.media.probe import open_source

    with open_source(str(file)) as source:
        packets = source.container.demux(source.stream)
        times = sorted(packet.pts for packet in packets if packet.size and packet.pts is not None)
    if not times:
        raise NotJoinable("the joined file is empty")
    return source.time_base, times


def _check_join(file: Path, times: list[int], join: int) -> None:
    """Pictures that are shown before the key picture they follow are lost by a seek there: then from further back."""
    begin, end = max(0, join - _AROUND), min(len(times), join + _AROUND)
    for back in STEPS_BACK:
        seen, damaged = _decoded(file, times[begin], times[end - 1], back)
        if seen == times[begin:end] and not damaged:
            return
    raise NotJoinable("the joined file does not decode across its joins")


def _decoded(file: Path, first: int, last: int, back: Fraction) -> tuple[list[int], int]:
    """The frames shown from first to last, and how often decoding went on past an error."""
    from indexer.media.decode import Decoding
    from indexer.media.probe import open_source

    with open_source(str(file)) as source:
        seek_pts = first - int(back / source.time_base)
        decoding = Decoding(source, seek_pts=seek_pts if seek_pts > 0 else None)
        seen = []
        for frame in decoding:
            if frame.pts >= first:
                seen.append(frame.pts)
            if frame.pts >= last:
                break
    return seen, decoding.damaged
