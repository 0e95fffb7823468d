"""Verification of a joined clip by reading it back: the times of all packets, and decoding around the joins."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from app.exporting.range_frames import STEPS_BACK
from app.exporting.smart.nal import NotJoinable
from app.exporting.survey import Survey

_AROUND = 8  # frames that are decoded on either side of a join


def check_clip(file: Path, survey: Survey, joins: Sequence[int]) -> None:
    """Verify that a clip holds the frames of a survey at their times and decodes around its joins.

    Args:
        file: The clip.
        survey: The range that it was cut from.
        joins: Indices in `survey.pts` where copied frames follow encoded ones, or the other way round.

    Raises:
        NotJoinable: The clip shows other frames, or does not decode.
    """
    from indexer.media.errors import UnreadableVideo

    try:
        base, times = _packet_times(file)
        wanted = [(pts - survey.pts[0]) * survey.time_base for pts in survey.pts]
        if [(pts - times[0]) * base for pts in times] != wanted:
            raise NotJoinable("the joined file shows different frames")
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
    """Decode around a join. A seek may lose leading pictures of a key frame; then decode from further back."""
    begin, end = max(0, join - _AROUND), min(len(times), join + _AROUND)
    for back in STEPS_BACK:
        seen, damaged = _decoded(file, times[begin], times[end - 1], back)
        if seen == times[begin:end] and not damaged:
            return
    raise NotJoinable("the joined file does not decode across its joins")


def _decoded(file: Path, first: int, last: int, back: Fraction) -> tuple[list[int], int]:
    """Return the pts of the frames from first to last, and how often decoding continued after an error."""
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
