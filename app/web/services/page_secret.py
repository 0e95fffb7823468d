"""The secret that signs a library's cookies: a file that only the person can read, outside of the library.

    STATE FOLDER/page/DIGEST.key       one per library; DIGEST is that of the library's id

It is made once and kept, so that open tabs and bookmarks work after a restart. Removing it signs all browsers out.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from files.publish import publish

SECRET_BYTES = 32
_MOST_BYTES = 4096


def page_folder(state_directory: Path, library_directory: Path) -> Path:
    """Return the folder of the secrets, which no other user can look into; it is made if it is missing.

    Args:
        state_directory: The program's folder in the person's state folder.
        library_directory: The library, in which it may not lie: libraries are copied and given away.

    Raises:
        CommandError: The folder cannot be made, is a link, belongs to another user or is open to others.
    """
    folder = state_directory.absolute() / "page"
    if folder.resolve().is_relative_to(library_directory.resolve()):
        raise CommandError(f"{folder} would be inside the library; set XDG_STATE_HOME to another folder", MISSING)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        info = folder.lstat()
    except OSError as error:
        raise CommandError(
            f"the page's secret cannot be kept in {folder} ({error.strerror}); set XDG_STATE_HOME to a folder of yours",
            MISSING,
        ) from error
    _require_private(info, folder, is_folder=True)
    return folder


def page_secret(folder: Path, library_id: str) -> bytes:
    """Return the secret of a library; it is made if it is missing.

    Args:
        folder: The folder of the secrets, see `page_folder`.
        library_id: The identity of the library.

    Raises:
        CommandError: The file cannot be read or made, is a link, belongs to another user or is open to others.
    """
    path = folder / f"{file_stem(library_id)}.key"
    try:
        if not os.path.lexists(path):
            draft = private_file(folder, ".new-", "", secrets.token_bytes(SECRET_BYTES))
            made = publish(draft, folder, path.name)
            if made != path:  # another process was first
                made.unlink()
        secret = read_private(path)
    except OSError as error:
        raise CommandError(f"the page's secret {path} cannot be used ({error.strerror})", MISSING) from error
    if len(secret) != SECRET_BYTES:
        raise CommandError(f"the page's secret {path} is damaged; remove it, and a new one is made", MISSING)
    return secret


def file_stem(library_id: str) -> str:
    """Return the part of a file name that stands for a library; its id may be anything."""
    return hashlib.blake2b(library_id.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def private_file(folder: Path, prefix: str, suffix: str, content: bytes) -> Path:
    """Write a new file with an unpredictable name that only its owner can read, and return its path.

    Raises:
        OSError: It cannot be written.
    """
    descriptor, name = tempfile.mkstemp(suffix, prefix, folder)
    with open(descriptor, "wb") as file:
        file.write(content)
    return Path(name)


def read_private(path: Path) -> bytes:
    """Read a small file that only its owner can read. Links are not followed.

    Raises:
        OSError: It cannot be read, or is a link.
        CommandError: It is no file, belongs to another user or is open to others.
    """
    if path.is_symlink():  # where there is no O_NOFOLLOW
        raise CommandError(f"{path} is a link, which is not followed; remove it", MISSING)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        _require_private(os.fstat(file.fileno()), path, is_folder=False)
        return file.read(_MOST_BYTES)


def _require_private(info: os.stat_result, path: Path, *, is_folder: bool) -> None:
    if not (stat.S_ISDIR if is_folder else stat.S_ISREG)(info.st_mode):
        raise CommandError(f"{path} is not a {'folder' if is_folder else 'file'} (a link?); remove it", MISSING)
    if os.name == "nt":  # the folders of a person are closed to others there
        return
    if info.st_uid != os.geteuid():
        raise CommandError(f"{path} belongs to another user; remove it, or run prismsearch as that user", MISSING)
    if info.st_mode & 0o077:
        advice = f"chmod 700 {path}" if is_folder else "remove it, and a new one is made"
        raise CommandError(f"{path} is open to other users; {advice}", MISSING)
