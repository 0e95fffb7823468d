"""Claims: which of several processes does a piece of work. The system drops those of a process that ends.

A claim is a lock on a small file. Where files cannot be locked (Windows, some network drives), everyone gets every
claim.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Claims:
    """The claims of one owner in a folder, which is created with the first. Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}  # descriptors of locked files

    def take(self, name: str) -> bool:
        """Return whether a piece of work is this owner's from now on; False while it is another's.

        Args:
            name: Names the piece of work, and a file.
        """
        try:
            import fcntl
        except ImportError:  # Windows
            return True
        path = self._folder / name
        while name not in self._held:
            try:
                self._folder.mkdir(exist_ok=True)
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            except OSError:  # work done twice is better than work not done
                return True
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    self._held[name] = descriptor
                    return True
            except BlockingIOError:
                os.close(descriptor)
                return False
            except FileNotFoundError:
                pass  # its last owner released it just now
            except OSError:
                os.close(descriptor)
                return True
            os.close(descriptor)
        return True

    def release(self, name: str) -> None:
        """Give a claim up. Does nothing if it is not held."""
        descriptor = self._held.pop(name, None)
        if descriptor is not None:
            with suppress(OSError):
                os.unlink(self._folder / name)  # only by its owner, so that no claim of another process is removed
            os.close(descriptor)

    def close(self) -> None:
        """Give all claims up."""
        for name in list(self._held):
            self.release(name)
