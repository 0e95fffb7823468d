"""Long jobs on a library whose server goes away for a while: they wait, say so, and go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.times import format_duration

if TYPE_CHECKING:
    from app.jobs.jobs import Job
    from app.shell.live_line import LiveLine
    from db.errors import LibraryUnreachable
    from db.library import Library

WAIT_SECONDS = 600.0
"""Time for which a job waits for the server. Then it ends as it would have at once."""


def waiting_for_server(library: Library, line: LiveLine, job: Job, is_stopped: Callable[[], bool]) -> Library:
    """Return a library whose calls wait for its server; one in a folder as it is.

    Args:
        library: The library.
        line: Says that the job waits, and that it goes on.
        job: Its journal says so, too, until the next progress.
        is_stopped: Whether the person wants the job to end.
    """
    from db.patience import Patience, patient

    def on_wait(error: LibraryUnreachable) -> None:
        minutes = round(WAIT_SECONDS / 60)
        text = f"the server of the library is not reachable; trying again for {minutes} minutes (Ctrl-C stops)"
        line.log(text)
        job.report_progress(phase="waiting", text=text)

    def on_return(seconds: float) -> None:
        line.log(f"the server is back after {format_duration(seconds)}; going on")

    return patient(library, Patience(WAIT_SECONDS, on_wait=on_wait, on_return=on_return, is_stopped=is_stopped))
