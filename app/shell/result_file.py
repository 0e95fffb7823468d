"""The file that a command writes its results to, looked at before the work begins: that may take hours."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from app.shell.terminal import display_path
from files.regular import AnyPath


def require_result_file(option: str, path: AnyPath | None, inputs: Iterable[AnyPath | None] = ()) -> None:
    """Raise click.UsageError if results cannot be written to a file, or would replace what the command reads.

    Args:
        option: How the file was named, such as `--clips`.
        path: The file; None is always right.
        inputs: Files of a person's that the command reads; None among them are left out.
    """
    if path is None:
        return
    shown = f"{option}: {display_path(os.path.abspath(path))}"
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise click.UsageError(f"{shown} cannot be written: there is no such folder")
    if os.path.lexists(path) and not (os.path.isfile(path) or os.path.islink(path)):
        raise click.UsageError(f"{shown} is a folder or no regular file; choose another name")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"{shown} cannot be written: the folder is read-only")
    for each in inputs:
        if each is not None and os.path.exists(path) and os.path.exists(each) and os.path.samefile(path, each):
            raise click.UsageError(f"{shown} is read by this command, and would be replaced; choose another name")
