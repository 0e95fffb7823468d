"""Errors of commands: one line on standard error and an exit code, for the errors of all packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from app.compose import WrongSetting
from app.shell.exit_codes import INTERNAL, INTERRUPTED, MISSING, USAGE
from app.shell.settings_values import place_of
from app.shell.terminal import print_note


class CommandError(click.ClickException):
    """A command that failed. The message becomes one line on standard error."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # click declares a class constant, but reads it from the instance

    def show(self, file: Any = None) -> None:
        """Print `prismsearch: message`, with control characters escaped."""
        print_note(f"prismsearch: {self.message}")


@contextmanager
def command_errors(command: str, *, debug: bool = False) -> Iterator[None]:
    """Turn exceptions raised in the `with` block into a CommandError: one line and an exit code.

    Exceptions that click handles itself (exits, CommandErrors, closed pipes) propagate.

    Args:
        command: Named in the help hint of a usage error, unless the error has its own command.
        debug: Let unexpected errors propagate, with their traceback.
    """
    try:
        yield
    except click.BadParameter as error:
        if (place := place_of(error)) is None:
            raise _usage_error(error, command) from error
        raise CommandError(f"{place}: {error.message}", USAGE) from error
    except click.UsageError as error:
        raise _usage_error(error, command) from error
    except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
        raise
    except (KeyboardInterrupt, click.Abort) as stop:
        raise CommandError(
            "stopped; what was finished is kept, and the same command goes on from there", INTERRUPTED
        ) from stop
    except Exception as error:
        if debug:
            raise
        raise as_command_error(error) from error


def _usage_error(error: click.UsageError, command: str) -> CommandError:
    help_command = error.ctx.command_path if error.ctx else command
    return CommandError(f"{error.format_message()} (see {help_command} --help)", error.exit_code)


def as_command_error(error: Exception) -> CommandError:
    """Translate an exception of any package to one line and an exit code.

    The error types are imported only here, because importing them is slow.
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
