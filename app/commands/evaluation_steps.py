"""The frame of long steps of an evaluation, with their progress; and the first of them, indexing a set of videos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.commands.evaluation_run import STOPPING, evaluation_errors
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.interrupt import stop_on_interrupt
from app.shell.live_line import LiveLine
from app.shell.progress_line import shown_progress

if TYPE_CHECKING:
    from app.evaluation.own_way import Segments
    from encoder import Encoder
    from indexer.progress import Progress
    from indexer.settings import IndexSettings

Followed = tuple[LiveLine, Callable[[], bool]]
"""The line of the steps, and whether to stop."""


@contextmanager
def followed() -> Iterator[Followed]:
    """Show steps on a line, and let the first Ctrl-C end them in order: yield the line, and whether to stop.

    Raises:
        CommandError: A person's file is wrong, or there is no room; see `evaluation_errors`.
        KeyboardInterrupt: A step was stopped.
    """
    with evaluation_errors(), LiveLine() as line, stop_on_interrupt(line, STOPPING) as stopped:
        yield line, stopped


def index_followed(
    settings: Settings,
    encoder: Encoder,
    paths: Mapping[str, str],
    follow: Followed,
    *,
    cuts: IndexSettings | None = None,
) -> Segments:
    """Index the videos of a set and return their segments; see `index_set`.

    Args:
        settings: Their library is the set's own.
        encoder: Of these settings.
        paths: The file of each video, by id.
        follow: Of `followed`.
        cuts: How videos are cut; None for the default.

    Raises:
        Cancelled: The run was stopped.
        CommandError: The library stopped it.
    """
    from app.evaluation.own_way import index_set
    from indexer.media.errors import Cancelled

    line, stopped = follow

    def on_progress(progress: Progress) -> None:
        if (shown := shown_progress(progress)) is not None:
            line.show(shown)

    segments, report = index_set(settings, encoder, paths, on_progress=on_progress, cancelled=stopped, cuts=cuts)
    if report.interrupted:
        raise Cancelled
    if report.stopped:
        raise CommandError(report.stopped, MISSING)
    return segments
