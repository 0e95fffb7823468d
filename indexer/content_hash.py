"""Hash of the whole content of a file: the proof that two files are the same, where a fingerprint is only a hint.

Reading is sequential and in large blocks. Right after decoding, most of a file is still in the page cache.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from files.filesystems import is_network
from files.regular import open_regular
from indexer.media.errors import Cancelled

BLOCK_BYTES = 4 << 20


def is_read_again(path: str, hash_content: str) -> bool:
    """Return whether a file is hashed after decoding, by a key of `indexer.settings.HASH_CONTENT`."""
    return hash_content == "always" or (hash_content == "local" and not is_network(path))


def content_hash(path: str | os.PathLike[str], *, cancelled: Callable[[], bool] | None = None) -> str:
    """Return BLAKE2b of 256 bits over the content of a file, as 64 hexadecimal digits.

    Args:
        path: Path of a regular file.
        cancelled: Called before each block.

    Raises:
        OSError: The file cannot be read, or has changed its length while it was read.
        Cancelled: `cancelled()` returned True.
    """
    digest = hashlib.blake2b(digest_size=32)
    block = memoryview(bytearray(BLOCK_BYTES))
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        read = 0
        while True:
            if cancelled is not None and cancelled():
                raise Cancelled(os.fspath(path))
            count = file.readinto(block)
            if not count:
                break
            digest.update(block[:count])  # without the interpreter's lock
            read += count
    if read != size:
        raise OSError(f"{os.fspath(path)} changed while it was read")
    return digest.hexdigest()
