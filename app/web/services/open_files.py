"""The limit of open files of this process, which browsers' connections, players and SQLite share."""

from __future__ import annotations

import sys
from contextlib import suppress

_ENOUGH = 8192


def raise_open_files_limit() -> None:
    """Raise the limit of open files as far as the system allows (macOS begins with 256), at most to 8192."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
