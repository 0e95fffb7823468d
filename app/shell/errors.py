"""Errors of commands: one line on standard error and an exit code, whatever room the error comes from."""

from __future__ import annotations

from typing import Any

import click

from app.compose import WrongSetting
from app.shell.options import INTERNAL, MISSING, USAGE
from app.shell.terminal import say


class CommandError(click.ClickException):
    """A command that cannot be carried out. The message becomes one line on standard error."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # click declares a constant of the class and reads it from the instance

    def show(self, file: Any = None) -> None:
        """Print `prismsearch: message`, with control characters escaped."""
        say(f"prismsearch: {self.message}")


def as_command_error(error: Exception) -> CommandError:
    """Translate an exception of any room to a line and an exit code.

    The error types of the rooms are imported only now, because importing them is slow.
    """
    from app.exporting.ffmpeg_binary import ExportError
    from db.errors import LibraryError
    from encoder import EncoderError
    from indexer.media.errors import UnreadableVideo
    from search.query import QueryError

    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnreadableVideo):
        return CommandError(f"{error.path}: {error.reason}", MISSING)
    if isinstance(error, LibraryError | EncoderError | ExportError):
        return CommandError(message, MISSING)
    if isinstance(error, QueryError | WrongSetting):
        return CommandError(message, USAGE)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return CommandError(f"{where}{error.strerror}", MISSING)
    return CommandError(
        f"an error in prismsearch itself ({type(error).__name__}: {message}); "
        "please report it with the output of `prismsearch --debug ...`",
        INTERNAL,
    )
