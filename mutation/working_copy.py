"""Copies of the tree to break: the files that git knows of or would add, in a temporary folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def copy_tree(root: Path, to: Path) -> Path:
    """Copy what is tracked or could be; node_modules, which is large and not changed, is linked to."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, capture_output=True)
    listed.check_returncode()
    for name in sorted(set(filter(None, listed.stdout.decode().split("\0")))):
        if (root / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, to / name)
    modules = root / "node_modules"
    if modules.is_dir() and not (to / "node_modules").exists():
        (to / "node_modules").symlink_to(modules.resolve(), target_is_directory=True)
    return to
