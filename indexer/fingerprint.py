"""What tells one content from another, whatever its name: a few megabytes read, of a file of any size.

BLAKE2b of 128 bits over the size, the first and last 256 KiB and 16 blocks of 64 KiB at even distances between; all
of a file that is not larger than that (1.5 MiB). Two videos that were not made from one another differ in size or,
since compressed data is as good as random, in every block: 128 bits make a collision by chance among a million files
as likely as 1e-27. What can be mistaken is a file changed in place, without its size changing, only between the
blocks: an edit of a tag lies in the head or the tail, where containers keep it; a download into a file of its final
size does not, which is why the pipeline decodes a file again whose time has changed and whose first decoding met
damage.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

END_BYTES = 256 * 1024
BLOCK_BYTES = 64 * 1024
BLOCKS = 16
_WHOLE_BYTES = 2 * END_BYTES + BLOCKS * BLOCK_BYTES
_PERSON = b"prismsearch-1"  # another version here if what is read ever changes: then no old fingerprint can match


def fingerprint(path: str | os.PathLike[str]) -> str:
    """32 hexadecimal digits. Raises OSError if the file cannot be read, or becomes shorter meanwhile."""
    with open(path, "rb", buffering=0) as file:
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


def spans(size: int) -> Iterator[tuple[int, int]]:
    """(start, length) of what is read of a file of `size` bytes, in order and without overlap."""
    if size <= _WHOLE_BYTES:
        yield 0, size
        return
    yield 0, END_BYTES
    room = size - 2 * END_BYTES - BLOCKS * BLOCK_BYTES  # shared out as gaps before, between and after the blocks
    for number in range(BLOCKS):
        yield END_BYTES + number * BLOCK_BYTES + room * (number + 1) // (BLOCKS + 1), BLOCK_BYTES
    yield size - END_BYTES, END_BYTES
