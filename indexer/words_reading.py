"""Reading of the words of a video in a worker process, where a hostile file costs no others their words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from indexer.decoding import file_error
from indexer.isolated_pass import could_not_be_decoded
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.text.found import TextFound, TextProblem
from indexer.text.sidecar_file import given_up
from indexer.text.sources import read_parts, read_sidecars, read_video
from indexer.words import WordsRead, WordsTask
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from db.records import Video
    from indexer.workers.pool import WorkerPool

_log = logging.getLogger(__name__)
_TRIED_AGAIN = frozenset(("missing", "permission", "stalled", "error"))
"""Kinds of errors that may not come from what a file holds: it is read again in the next run, although unchanged."""


def read_words(task: WordsTask, video: Video, pool: WorkerPool, cancelled: Callable[[], bool]) -> WordsRead:
    """Read the words of a task in a worker process. A part that cannot be read, or ends the process, is left out.

    Args:
        task: What to read.
        video: The video as indexed.
        pool: Has the worker.
        cancelled: Polled ten times a second.

    Raises:
        Cancelled: `cancelled()` returned True.
        WorkersUnavailable: No process can be started.
    """
    in_video, settled, left = task.in_video, task.in_video, list(task.sidecars)
    refused = TextFound()
    while in_video or left:
        with pool.task(read_parts, video, tuple(left), in_video, path=task.path, cancelled=cancelled) as running:
            try:
                for _ in running:
                    pass
                return WordsRead(running.result + refused, settled)
            except (Cancelled, WorkersUnavailable):
                raise
            except Exception as error:  # noqa: BLE001  no error of a file may end the run
                end = _end_of(task, error)
                at = running.progress
        again = end.kind in _TRIED_AGAIN
        culprit = next((each for each in left if each.name == at), left[0] if not in_video else None)
        if culprit is not None:
            left.remove(culprit)
            refused += given_up(culprit, _clause(end), again=again)
        else:
            in_video, settled = False, not again
            refused += TextFound(problems=(TextProblem("words", _clause(end)),))
    return WordsRead(refused, settled)


def read_words_here(task: WordsTask, video: Video, cancelled: Callable[[], bool]) -> WordsRead:
    """Do the same in this process. Raises Cancelled."""
    beside = read_sidecars(video, task.sidecars)
    if not task.in_video:
        return WordsRead(beside, False)
    try:
        return WordsRead(read_video(video, cancelled=cancelled) + beside, True)
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001  likewise
        end = _end_of(task, error)
        problem = TextProblem("words", _clause(end))
        return WordsRead(beside + TextFound(problems=(problem,)), end.kind not in _TRIED_AGAIN)


def _end_of(task: WordsTask, error: Exception) -> UnreadableVideo:
    """Return the error of one file that an error stands for."""
    if isinstance(error, OSError | UnreadableVideo):
        return file_error(task.path, error)
    _log.debug("reading the words of %r", task.path, exc_info=error)
    return UnreadableVideo(task.path, "error", could_not_be_decoded(error))


def _clause(error: UnreadableVideo) -> str:
    return f"reading failed ({error.reason.rstrip('.')})"
