"""The scan of folders in a worker process: a folder whose drive does not answer costs its root, not the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.media.errors import UnreadableVideo
from indexer.missing_files import is_below
from indexer.scan import Problem, Scan, find_videos
from indexer.workers.pool import WorkerPool
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from indexer.workers.child import Link


def scan_in_worker(
    pool: WorkerPool,
    roots: Sequence[str],
    *,
    exclude: Sequence[str],
    avoid: Sequence[str],
    on_found: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> Scan:
    """Find videos as `indexer.scan.find_videos` does. A root below which nothing answers becomes a Problem.

    Raises:
        Cancelled: If `cancelled()` returns True.
        WorkersUnavailable: No process can be started, or each one ends.
    """
    left, silent, tried = list(roots), [], False
    while True:
        with pool.task(_scan, left, tuple(exclude), tuple(avoid), path="", cancelled=cancelled) as task:
            try:
                for count in task:
                    on_found(count)
            except UnreadableVideo as error:
                if error.kind != "stalled" and not tried:  # its process ended, perhaps for a reason of its own
                    tried = True
                    continue
                folder = task.progress
                root = max((each for each in left if is_below(str(folder), each)), key=len, default=None)
                if root is None:
                    raise WorkersUnavailable(f"The folders could not be scanned: {error.reason}") from error
                left.remove(root)
                reason = f"is not responding, and was left out of this run ({error.reason.rstrip('.')})"
                silent.append(Problem(path=str(folder), reason=reason))
                continue
        scan: Scan = task.result
        return replace(scan, problems=tuple(sorted((*scan.problems, *silent), key=lambda each: each.path)))


def _scan(link: Link, roots: list[str], exclude: tuple[str, ...], avoid: tuple[str, ...]) -> Scan:
    folder = ""

    def on_look(path: str) -> None:
        nonlocal folder
        folder = path
        link.progress(path, now=True)

    def alive() -> bool:
        link.progress(folder)
        return False

    return find_videos(roots, exclude=exclude, avoid=avoid, on_found=link.send, on_look=on_look, cancelled=alive)
