"""Errors of commands: one line on standard error and an exit code, for the errors of all packages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from app.compose import WrongSetting
from app.shell.exit_codes import FAILED, INTERNAL, MISSING, USAGE
from app.shell.interrupt import STOPPED, stopped_code
from app.shell.settings_values import place_of
from app.shell.terminal import has_printed_json, print_json, print_note

AS_JSON = "prismsearch.as json"
"""Key in click's `meta`: whether --json is among the words of the command line."""


class CommandError(click.ClickException):
    """A command that failed. The message becomes one line on standard error."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        vars(self)["exit_code"] = exit_code  # click declares a class constant, but reads it from the instance

    def show(self, file: Any = None) -> None:
        """Print `prismsearch: message`, with control characters escaped."""
        print_note(f"prismsearch: {self.message}")


class NothingDone(CommandError):
    """Nothing was found or done, which is no fault: exit code 1, and the line stands without the program's name."""

    def __init__(self, message: str) -> None:
        super().__init__(message, FAILED)

    def show(self, file: Any = None) -> None:
        """Print the message, with control characters escaped."""
        print_note(self.message)


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
        raise CommandError(STOPPED, stopped_code()) from stop
    except Exception as error:
        if debug:
            raise
        raise as_command_error(error) from error


@contextmanager
def shown_errors(command: str, *, debug: bool = False, as_json: bool = False) -> Iterator[None]:
    """Show exceptions raised in the `with` block as `command_errors` translates them, and end the command.

    Args:
        command, debug: As for `command_errors`.
        as_json: Print a JSON object with `error` and `code` to standard output, too, unless the command has printed
            its own.

    Raises:
        click.exceptions.Exit: With the exit code of the error.
    """
    try:
        with command_errors(command, debug=debug):
            yield
    except CommandError as error:
        error.show()
        if as_json and not has_printed_json():
            try:
                print_json({"error": error.message, "code": error.exit_code})
            except BrokenPipeError:
                raise
            except OSError:  # standard output is full: that was the error, or comes after it
                pass
        raise click.exceptions.Exit(error.exit_code) from error


def asks_for_json(words: Sequence[str]) -> bool:
    """Return whether --json is among the words of a command line, which may not be possible to parse."""
    return "--json" in words[: words.index("--")] if "--" in words else "--json" in words


def _usage_error(error: click.UsageError, command: str) -> CommandError:
    """Return what is wrong with a command line, and where its help is. `command`: unless the error has its own."""
    if error.ctx is not None:
        command = error.ctx.command_path
    message = error.format_message()
    if isinstance(error, click.MissingParameter) and error.ctx is not None and isinstance(error.param, click.Argument):
        arguments = [each for each in error.ctx.command.params if isinstance(each, click.Argument)]
        names = " ".join(each.make_metavar(error.ctx).strip("[]").removesuffix("...") for each in arguments)
        message = f"missing {names}: {command} {names}"
    elif isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        message = f"{max(error.param.opts, key=len)}: {error.message}"
    return CommandError(f"{message.removesuffix('.')} (see {command} --help)", error.exit_code)


def as_command_error(error: Exception) -> CommandError:
    """Translate an exception of any package to one line and an exit code.

    The error types are imported only here, because importing them is slow.
    """
    from app.exporting.ffmpeg_binary import ExportError
    from db.errors import LibraryError
    from encoder import EncoderError
    from indexer.media.errors import UnreadableVideo
    from recognition.errors import RecognitionError
    from search.query import QueryError
    from search.text.terms import TextQueryError

    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, UnreadableVideo):
        return CommandError(f"{error.path}: {error.reason}", MISSING)
    if isinstance(error, LibraryError | EncoderError | ExportError | RecognitionError):
        return CommandError(message, MISSING)
    if isinstance(error, QueryError | TextQueryError | WrongSetting):
        return CommandError(message, USAGE)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return CommandError(f"{where}{error.strerror}", MISSING)
    return CommandError(
        f"an error in prismsearch itself ({type(error).__name__}: {message}); "
        "please report it with the output of `prismsearch --debug ...`",
        INTERNAL,
    )
