"""Content fingerprints, which identify a file regardless of its name. At most 1.5 MiB are read.

A fingerprint is BLAKE2b of 128 bits over the size, the first and last 256 KiB and 16 blocks of 64 KiB evenly spaced in
between; a file that is not larger than all of these (1.5 MiB) is read whole. Two videos that were not made from one
another differ in size or, since compressed data is as good as random, in every block: with 128 bits, a collision by
chance among a million files has a probability of 1e-27. Two files of which one was made from the other may have one
fingerprint: renders in a codec of constant frame size (DV, DNxHD, raw pictures), or a download into a file of its final
size. So a fingerprint is a hint, and `indexer.identity` says what proves that two files are the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from files.regular import open_regular

END_BYTES = 256 * 1024
BLOCK_BYTES = 64 * 1024
BLOCKS = 16
_WHOLE_BYTES = 2 * END_BYTES + BLOCKS * BLOCK_BYTES
_PERSON = b"prismsearch-1"  # change it whenever other bytes are read, so that no old fingerprint can match


def fingerprint(path: str | os.PathLike[str]) -> str:
    """Return the fingerprint of a file.

    Args:
        path: Path of a regular file.

    Returns:
        32 hexadecimal digits.

    Raises:
        OSError: If the file cannot be read, or becomes shorter while it is read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16, person=_PERSON)
        for start, length in spans(size):
            file.seek(start)
            while length:
                block = file.read(min(length, END_BYTES))
                if not block:
                    raise OSError(f"{os.fspath(path)} became shorter while it was read")
                digest.update(block)
                length -= len(block)
    return digest.hexdigest()


def covers(size: int) -> bool:
    """Return whether the fingerprint of a file of `size` bytes covers all of them, and so proves equality."""
    return size <= _WHOLE_BYTES


def spans(size: int) -> Iterator[tuple[int, int]]:
    """Yield (start, length) of the parts of a file of `size` bytes that are read, in order and without overlap."""
    if size <= _WHOLE_BYTES:
        yield 0, size
        return
    yield 0, END_BYTES
    room = size - 2 * END_BYTES - BLOCKS * BLOCK_BYTES  # distributed as gaps before, between and after the blocks
    for number in range(BLOCKS):
        yield END_BYTES + number * BLOCK_BYTES + room * (number + 1) // (BLOCKS + 1), BLOCK_BYTES
    yield size - END_BYTES, END_BYTES
