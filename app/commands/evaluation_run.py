"""Errors in files that a person wrote, and the end of a stopped run, for the commands of `app.evaluation`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE

STOPPING = "stopping; what is finished is kept, and the same command continues from there (Ctrl-C again stops at once)"


@contextmanager
def evaluation_errors() -> Iterator[None]:
    """Turn what is wrong with a person's files, or no room for tokens, into one line, and Cancelled into a stop."""
    from app.evaluation.task import TaskError
    from app.evaluation.token_store import NoRoom
    from app.text_files import TextFileError
    from indexer.media.errors import Cancelled

    try:
        yield
    except (TextFileError, TaskError) as error:
        raise CommandError(str(error), USAGE) from error
    except NoRoom as error:
        raise CommandError(f"{error.strerror}; free some, or name a folder elsewhere with --work", MISSING) from error
    except Cancelled as stop:
        raise KeyboardInterrupt from stop
