"""Packets of an open file in file order, past errors of the demuxer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import av.error

from indexer.media.probe import read_error

if TYPE_CHECKING:
    from av.packet import Packet

    from indexer.media.probe import Source

_MAX_ERRORS = 32  # in a row, after which the demuxer is stuck


def read_packets(
    source: Source, streams: Sequence[int], *, on_damage: Callable[[], None] = lambda: None
) -> Iterator[Packet[Any]]:
    """Yield the packets of some streams, without the empty ones that PyAV adds at the end.

    Args:
        source: The open file.
        streams: Indices of the streams.
        on_damage: Called for each error that costs packets.

    Raises:
        UnreadableVideo: The disk fails, or the file was changed or removed meanwhile.
    """
    errors = 0
    packets = source.container.demux(*streams)
    while errors < _MAX_ERRORS:
        try:
            packet = next(packets)
        except MemoryError:
            raise
        except (StopIteration, av.error.EOFError):
            return
        except (OSError, av.error.FFmpegError) as problem:
            if not isinstance(problem, BlockingIOError):
                if isinstance(problem, OSError):
                    source.check_unchanged()
                    raise read_error(source.path, problem) from problem
                on_damage()
            errors += 1
            packets = source.container.demux(*streams)  # a generator that raised is exhausted
            continue
        if packet.size:
            errors = 0
            yield packet
