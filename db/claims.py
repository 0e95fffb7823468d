"""Claims of workers: which of several processes, on one machine or on many, does a piece of work of the library.

The claims of a library in a folder are locked files (`files.claims`). Those of one on a server are rows, with a lease
that the server's clock measures (`db.server.claims`): a worker that was killed loses its claims when the lease is over,
and so does one that was suspended. What such a worker has made is not stored: the transaction that would store it asks
whether the claim is still its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol

from sqlalchemy import Connection

from files import claims as locked_files


class Claim(Protocol):
    """A claim that may have lapsed."""

    def confirm(self, connection: Connection) -> None:
        """Keep the claim until the end of the caller's transaction. Raise ClaimLost if it is another's, or nobody's."""
        ...


class Claims(ABC):
    """The claims of one worker; a context manager that gives them up. Not thread-safe.

    Attributes:
        pause_seconds: How long to wait before asking again for work that others have claimed.
    """

    pause_seconds: float

    @abstractmethod
    def take(self, wanted: Mapping[str, str], most: int) -> list[str]:
        """Claim the first pieces of work that are free.

        Args:
            wanted: By names of letters, digits and dashes, the video that each is about, in order.
            most: How many to claim.

        Returns:
            The names that are this worker's from now on, in order. Those before the last of them, or all others if
            there are fewer than `most`, are claimed: by others, or by this worker before.

        Raises:
            LibraryError: See `db.errors`.
        """

    @abstractmethod
    def release(self, name: str) -> None:
        """Give a claim up. Does nothing if it is not held. Raises LibraryError."""

    def progress(self) -> None:
        """Tell that the work goes on. Whoever has told it once, and then no more for long, may lose its claims."""
        return

    @abstractmethod
    def close(self) -> None:
        """Give all claims up. Never raises."""

    def claim(self, name: str) -> Claim | None:
        """Return a claim that was taken, for the transaction that stores the work; None if it cannot lapse."""
        return None

    @contextmanager
    def holding(self, name: str, path: str) -> Iterator[bool]:
        """Yield whether a piece of work is free; it is then this worker's until the end of the block."""
        free = bool(self.take({name: path}, 1))
        try:
            yield free
        finally:
            if free:
                self.release(name)

    def __enter__(self) -> Claims:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FolderClaims(Claims):
    """Claims of a library in a folder. The system drops those of a process that ends."""

    pause_seconds = 0.1

    def __init__(self, folder: Path) -> None:
        self._files = locked_files.Claims(folder)
        self._held: set[str] = set()

    def take(self, wanted: Mapping[str, str], most: int) -> list[str]:
        """See Claims."""
        taken: list[str] = []
        for name in wanted:
            if len(taken) == most:
                break
            if name not in self._held and self._files.take(name):
                self._held.add(name)
                taken.append(name)
        return taken

    def release(self, name: str) -> None:
        """See Claims."""
        self._held.discard(name)
        self._files.release(name)

    def close(self) -> None:
        """See Claims."""
        self._held.clear()
        self._files.close()
