"""Folders of installed packages, found without importing them."""

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
