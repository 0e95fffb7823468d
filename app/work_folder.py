"""This machine's folder for what is made from a library on a server belongs to that one library, whatever its address.

Takes, moments, journals and exports name shots and people by ids, which are others' in another library. Such a one
comes to an address when a schema is dropped and made anew, or when a tunnel leads to another server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.errors import LibraryError
from files.replace import try_replace_file

if TYPE_CHECKING:
    from db.library import Library

NOTE = "library-id"


def require_own(library: Library) -> None:
    """Note whose folder it is, the first time. Raise LibraryError if it has what was made from another library."""
    if not library.shared:
        return
    note = library.directory / NOTE
    try:
        noted = note.read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        try_replace_file(note, f"{library.id}\n".encode())
        return
    if noted != library.id:
        raise LibraryError(
            f"{library.directory} has what was made on this machine from another library, which was at this address "
            "before. Remove that folder, or name another: ?work=FOLDER in the address."
        )
