"""What the commands of `app.evaluation` share: errors in files that a person wrote, and the end of a stopped run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.shell.errors import CommandError
from app.shell.exit_codes import USAGE

STOPPING = "stopping; what was encoded is kept (press Ctrl-C again to stop at once)"


@contextmanager
def evaluation_errors() -> Iterator[None]:
    """Turn a TextFileError raised in the `with` block into a CommandError, and Cancelled into KeyboardInterrupt."""
    from app.evaluation.text_files import TextFileError
    from indexer.media.errors import Cancelled

    try:
        yield
    except TextFileError as error:
        raise CommandError(str(error), USAGE) from error
    except Cancelled as stop:
        raise KeyboardInterrupt from stop
