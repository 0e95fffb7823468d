"""Errors of a library. Every message says what to do next. Standard library only.

LibraryError
  +- LibraryMissing      the folder has no library
  +- LibraryNewer        a newer prismsearch wrote it
  +- LibraryUnfinished   a copy that was stopped, and can go on
  +- LibraryDamaged      the file is not a library, or SQLite finds it inconsistent
  +- LibraryBusy         another process kept it locked for longer than the busy timeout
  +- LibraryFull         no space left on the disk
  +- LibraryUnreachable  its server does not answer
  +- ClaimLost           another worker has taken the work over
NotAllowed               a person's role does not allow it
EditConflict             a subclip was changed elsewhere in the meantime; the library itself is fine
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.records import Subclip


class LibraryError(Exception):
    """Base class of the errors of a library."""


class LibraryMissing(LibraryError):
    """The folder has no library, and `create` was False."""


class LibraryNewer(LibraryError):
    """The library has a newer format than this version of prismsearch can read."""


class LibraryUnfinished(LibraryError):
    """The library is a copy of another one that is not whole yet."""


class LibraryDamaged(LibraryError):
    """The file is not a library, or SQLite finds it inconsistent."""


class LibraryBusy(LibraryError):
    """Another process kept the library locked for longer than the busy timeout."""


class LibraryFull(LibraryError):
    """The disk, or the quota, is full. What was stored before is unharmed."""


class LibraryUnreachable(LibraryError):
    """The server of the library does not answer, or has ended the connection. What was stored before is unharmed."""


class ClaimLost(LibraryError):
    """Another worker has taken a piece of work over, or may: what was made of it is not stored."""


def reindex_advice(path: str) -> str:
    """Return what to do about damaged rows of a video, as a sentence."""
    return f"Index it again: prismsearch index --redo {shlex.quote(path)}"


class NotAllowed(Exception):
    """A person may not do this; nothing was changed."""


class EditConflict(Exception):
    """An edit was based on an outdated revision, so it was not applied.

    Attributes:
        current: The subclip as it is now.
    """

    def __init__(self, current: Subclip) -> None:
        super().__init__(
            "This subclip has been changed in the meantime, perhaps in another tab. Check it and make your change "
            "again."
        )
        self.current = current
