"""Installed packages, of which nothing is imported: their folders, and the version of this one."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def package_folders(name: str) -> list[Path]:
    """Return the folders of a package; none if it is not installed. Reads no file of it."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module of this name was put into sys.modules without a spec
        return []
    return [Path(folder) for folder in (spec.submodule_search_locations if spec else None) or ()]


def program_version() -> str:
    """Return the version of this program, or "" for a source tree that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("prismsearch")
    except PackageNotFoundError:
        return ""
