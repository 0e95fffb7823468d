"""What can go wrong with a library; every message is a sentence that says what to do next. Standard library only.

LibraryError
  +- LibraryMissing    there is no library in that folder
  +- LibraryNewer      a newer prismsearch wrote it
  +- LibraryDamaged    the file is not a library, or SQLite finds it inconsistent
  +- LibraryBusy       another process held it for longer than we wait
  +- LibraryFull       no space left on the disk
EditConflict           what was to be changed has changed meanwhile; nothing is wrong with the library
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.records import Subclip


class LibraryError(Exception):
    """Base of what goes wrong with a library."""


class LibraryMissing(LibraryError):
    """There is no library in that folder, and none was to be made."""


class LibraryNewer(LibraryError):
    """The library has a format that this prismsearch does not know yet."""


class LibraryDamaged(LibraryError):
    """The file is not a library of ours, or SQLite finds it inconsistent."""


class LibraryBusy(LibraryError):
    """Another process kept the library locked for longer than the busy timeout."""


class LibraryFull(LibraryError):
    """The disk, or the quota, is full. What was there before is unharmed."""


class EditConflict(Exception):
    """An edit was made from a state that is no longer the current one, so it was not applied. `current` is that one."""

    def __init__(self, current: Subclip) -> None:
        super().__init__(
            "This subclip was changed meanwhile, perhaps in another tab. See how it is now and make your change again."
        )
        self.current = current
