"""Messages through a pipe: pickles, with the contents of arrays behind them instead of copied into them."""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO

_COUNT = struct.Struct("<I")


def write_message(stream: BinaryIO, message: Any) -> None:
    """Write a message that can be pickled. Raise OSError if nobody reads any more."""
    buffers: list[pickle.PickleBuffer] = []
    parts = [memoryview(pickle.dumps(message, protocol=5, buffer_callback=buffers.append))]
    parts += [buffer.raw() for buffer in buffers]
    stream.write(_COUNT.pack(len(parts)) + struct.pack(f"<{len(parts)}Q", *(part.nbytes for part in parts)))
    for part in parts:
        stream.write(part)
    stream.flush()


def read_message(stream: BinaryIO) -> Any:
    """Read a message; wait for it. Arrays in it can be written to. Raise EOFError at the end of the stream."""
    count = _COUNT.unpack(_exactly(stream, _COUNT.size))[0]
    sizes = struct.unpack(f"<{count}Q", _exactly(stream, 8 * count))
    content, *buffers = [_exactly(stream, size) for size in sizes]
    return pickle.loads(content, buffers=buffers)


def _exactly(stream: BinaryIO, size: int) -> bytearray:
    taken = bytearray(size)
    if stream.readinto(taken) < size:  # type: ignore[attr-defined]  # of a buffered stream, which waits for all of it
        raise EOFError
    return taken
