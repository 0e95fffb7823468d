"""Paths as people write them for all machines, `nas:/films`, and as this machine has them. Prints nothing."""

from __future__ import annotations

import os

from app.settings_file import read_settings_file, roots_from
from db.media_roots import MediaRoots, is_named


def local_path(text: str) -> str:
    """Return the path of this machine that `nas:/films` means; any other text as it is.

    Raises:
        WrongSetting, OSError: The settings cannot be read.
    """
    return _roots().path_of(text) if is_named(text) else text


def shared_name(path: str) -> str:
    """Return a path of this machine as all machines know it, `nas:/films`; one below no root as it is.

    Raises:
        WrongSetting, OSError: As `local_path` does.
    """
    return _roots().named(path)


def _roots() -> MediaRoots:
    return roots_from(os.environ, read_settings_file())
