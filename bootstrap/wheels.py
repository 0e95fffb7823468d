"""Packages without a wheel for this machine, told before the download. The markers in pyproject.toml say the same."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import platform
import sys
import sysconfig

from bootstrap.place import Refusal


def missing_wheels() -> list[str]:
    """Return a line for each part of prismsearch that will be left out here."""
    new_python = sys.version_info >= (3, 14)
    if not new_python and (sys.platform != "win32" or platform.machine() == "AMD64"):
        return []
    where = f"Python {platform.python_version()}" if new_python else f"Windows on {platform.machine()}"
    return [
        f"OpenTimelineIO has no wheel for {where} and is left out: lists in the format otio cannot be written here, "
        "all else works. (FCPXML and EDL do without it.)"
    ]


def refuse_musl() -> None:
    """Raise Refusal on a Linux with musl, such as Alpine: torch, faiss and others have no wheels for it."""
    if "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")):
        raise Refusal(
            "This Python is built for musl (Alpine Linux), for which torch, faiss and av have no wheels. Use a "
            "container or a machine with glibc, such as Debian, Ubuntu or Fedora."
        )
