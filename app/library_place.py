"""The place of a library as a person names it: a folder, or the address of a server. Prints nothing.

A library on a server has a folder on each machine, for what is made from it there: jobs, vector files, maps.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.settings_file import WrongSetting
from db.server.address import has_secret, is_address, parse_address

if TYPE_CHECKING:
    from db.server.address import ServerAddress

MEDIA_VARIABLE = "PRISMSEARCH_MEDIA"
_PASSWORD_VARIABLE = "PGPASSWORD"  # libpq's own, which child processes inherit and `ps` does not show


def default_library() -> Path:
    """Return the default library folder: `library` in the platform's data directory."""
    return data_directory() / "library"


def data_directory() -> Path:
    """Return the folder for persistent data (~/.local/share/prismsearch on Linux)."""
    from platformdirs import user_data_path

    return user_data_path("prismsearch", appauthor=False)


def state_directory() -> Path:
    """Return the folder for what belongs to this machine (~/.local/state/prismsearch on Linux)."""
    from platformdirs import user_state_path

    return user_state_path("prismsearch", appauthor=False)


def library_place(named: str, environment: Mapping[str, str] | None = None) -> tuple[Path, ServerAddress | None]:
    """Return the folder of a library on this machine, and its address if it is on a server.

    Args:
        named: A folder or an address.
        environment: The variables, by default `os.environ`.

    Raises:
        WrongSetting: The address cannot be read. The message has none of its password.
    """
    if not is_address(named):
        return Path(named), None
    try:
        address = parse_address(named)
    except ValueError as error:
        raise WrongSetting(str(error)) from None
    shared = (os.environ if environment is None else environment).get(MEDIA_VARIABLE)
    media = address.media or (Path(os.path.abspath(shared)) if shared else None)
    work = address.work or data_directory() / "servers" / address.folder_name
    return work, replace(address, media=media, work=work)


def has_password(named: str | None) -> bool:
    """Return whether this is an address with a password, which has no place in a command line."""
    if named is None or not is_address(named):
        return False
    try:
        return has_secret(named)
    except ValueError:
        return False


def hand_on_password(address: ServerAddress | None) -> None:
    """Let the processes that this one starts log in, too: command lines and journals have no password."""
    if address is not None and address.password is not None:
        os.environ[_PASSWORD_VARIABLE] = address.password
