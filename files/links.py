"""Links in a folder that somebody else may have made: they can name any place of this machine, so none is followed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link, or a junction of Windows; False if it does not exist."""
    return os.path.islink(path) or bool(getattr(os.path, "isjunction", os.path.islink)(path))  # Python 3.12


def leads_outside(path: Path, root: Path) -> bool:
    """Return whether a path is not below `root`, or has a link on the way from there. It need not exist.

    Args:
        path: The path, absolute as `root` is. It is compared as it is written: `..` leads outside.
        root: A folder, which may itself be a link, because a person named it.
    """
    try:
        names = path.relative_to(root).parts
    except ValueError:
        return True
    steps = [root.joinpath(*names[: count + 1]) for count in range(len(names))]
    return not names or ".." in names or any(map(is_link, steps))


def remove_tree(path: Path, root: Path) -> None:
    """Remove a folder below `root` with its content, unless a link is on the way or in its place. Never raises.

    Links in it are removed, not followed.
    """
    if not leads_outside(path, root):
        shutil.rmtree(path, ignore_errors=True)
