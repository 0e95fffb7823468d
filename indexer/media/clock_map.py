"""Maps of a file's clock: the pieces between its jumps, found by reading all packets once without decoding.

A file whose clock jumps cannot be sought by time. With its map, reading can begin at any key frame by number.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING

from indexer.media.joined import starts_of_parts
from indexer.media.packets import read_packets
from indexer.media.probe import open_source
from indexer.media.timeline import Timeline, stamp_of, watched_streams

if TYPE_CHECKING:
    from indexer.media.probe import Source

_KEPT = 8  # maps of the files read last, as many clips of one file are often wanted


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch without a jump. Times are the file's own decoding times, in pts units of the video stream."""

    start: int
    end: int  # of the last packet of the video
    shift: int  # what to add for the continued time


@dataclass(frozen=True, slots=True)
class ClockMap:
    """The pieces of a file, and its key frames: (number among the packets of the video, continued pts)."""

    pieces: tuple[Piece, ...]
    keys: tuple[tuple[int, int], ...]

    def key_before(self, pts: int) -> tuple[int, int] | None:
        """Return the last key frame at or before a continued time; None if there is none."""
        at = bisect_right(self.keys, pts, key=itemgetter(1))
        return self.keys[at - 1] if at else None


def clock_map(path: str) -> ClockMap | None:
    """Return the map of a file whose clock jumps; None for any other file.

    Files that cannot jump are not read: MP4 and others with one index, and Matroska unless something follows its end.

    Raises:
        UnreadableVideo: The file cannot be opened.
    """
    with open_source(path) as source:
        if not may_jump(source):
            return None
        found = _map_of(path, source.size_bytes, source.modified_ns)
    return found if len(found.pieces) > 1 else None


def may_jump(source: Source) -> bool:
    """Return whether only its packets can show that the clock of a file does not jump."""
    if source.free_running_clock:
        return True
    if "matroska" not in source.container.format.name:
        return False
    return len(starts_of_parts(source.path)) > 1


@lru_cache(_KEPT)
def _map_of(path: str, size_bytes: int, modified_ns: int) -> ClockMap:
    with open_source(path) as source:
        return _read(source)


def _read(source: Source) -> ClockMap:
    timeline = Timeline.of(source)
    pieces: list[Piece] = []
    keys: list[tuple[int, int]] = []
    start = end = None
    count = jumps = shift = 0
    for packet in read_packets(source, watched_streams(source)):
        stamp = stamp_of(packet, source.time_base)
        if packet.stream_index != source.stream.index:
            timeline.sound(packet.stream_index, stamp)
            continue
        placed = timeline.picture(stamp)
        at = stamp.dts if stamp.dts is not None else stamp.pts
        if timeline.jumps > jumps and start is not None and end is not None:
            pieces.append(Piece(start, end, shift))
            start = None
        jumps, shift = timeline.jumps, timeline.shift
        if at is not None:
            start, end = at if start is None else start, at
        if stamp.key and placed.pts is not None:
            keys.append((count, placed.pts))
        count += 1
    if start is not None and end is not None:
        pieces.append(Piece(start, end, shift))
    return ClockMap(tuple(pieces), tuple(sorted(keys, key=itemgetter(1))))
