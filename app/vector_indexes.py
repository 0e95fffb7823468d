"""The vector index of a space: this machine's copy of the rows (FAISS), or the server that has them. Prints nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.encoder_choice import VECTORS

if TYPE_CHECKING:
    from db.library import Library
    from search.vectors.faiss_index import FaissIndex
    from search.vectors.server_index import ServerIndex

_ROW_BYTES = 2  # of each column
_MOST_MEMORY = 0.5  # of the memory that is free, from which on `auto` leaves the rows on the server


def open_index(library: Library, encoder_id: str, choice: str) -> FaissIndex | ServerIndex:
    """Return the vector index of an encoder's rows, up to date with the library.

    Args:
        library: The library. Of one in a folder, there is only FAISS.
        encoder_id: The encoder.
        choice: One of `app.settings_file.VECTOR_INDEXES`.

    Raises:
        LibraryError: The library cannot be read.
    """
    if _asks_server(library, encoder_id, choice):
        from search.vectors.server_index import ServerIndex

        assert library.server_rows is not None
        return ServerIndex(library, library.server_rows, encoder_id)
    from search.vectors.faiss_index import FaissIndex

    return FaissIndex.open(library, encoder_id, library.directory / VECTORS)


def optimize(library: Library, encoder_id: str, choice: str, on_progress: Callable[[float], None]) -> None:
    """Prepare the vector index of a large library, so that no search has to wait for it.

    Args:
        library, encoder_id, choice: As for `open_index`.
        on_progress: Receives the share that a server has done of a graph; what it raises ends the work.

    Raises:
        LibraryError: The library cannot be read, or its server refuses.
    """
    from search.vectors.vector_index import CODED_ROWS

    if library.stamp(encoder_id).count >= CODED_ROWS:
        open_index(library, encoder_id, choice).optimize(on_progress)


def _asks_server(library: Library, encoder_id: str, choice: str) -> bool:
    if library.server_rows is None or choice == "faiss":
        return False
    if choice == "pgvector":
        return True
    stamp, free = library.stamp(encoder_id), free_memory()
    return free is not None and stamp.count * stamp.dim * _ROW_BYTES > _MOST_MEMORY * free


def free_memory() -> int | None:
    """Return the bytes of memory that programs can still have; half of all where only that is known, or None."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):  # Windows
        return None
