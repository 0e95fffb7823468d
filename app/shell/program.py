"""The version of this program."""

from __future__ import annotations


def program_version() -> str:
    """Return the version of this program, or "" for a source tree that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("prismsearch")
    except PackageNotFoundError:
        return ""
