"""From folders to a library that knows them: scan, plan, decode beside encode, one transaction a video.

Whatever stops a run (Ctrl-C, a full disk, kill -9, a power cut) loses at most the videos in flight: nothing about a run
is remembered but the library itself, and the next run plans anew from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING

from db.errors import LibraryError
from db.records import Failure, KnownFile
from encoder import EncoderError
from indexer.batches import EncodingFailed
from indexer.decoding import unreadable
from indexer.encoding import Encoding
from indexer.fingerprint import fingerprint
from indexer.media.errors import Cancelled
from indexer.messages import OpenVideo, Reading
from indexer.missing_files import absent, is_below, is_empty, was_left_for
from indexer.plan import Job, Plan, Relocation, make_plan, sort_files
from indexer.progress import Progress, ProgressMeter
from indexer.report import IndexReport
from indexer.run_options import RunOptions
from indexer.scan import FoundFile, Problem, Scan, find_videos
from indexer.tally import Tally

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.settings import IndexSettings


__all__ = ["RunOptions", "index_folders"]


def index_folders(
    library: Library,
    encoder: Encoder,
    roots: Iterable[str | os.PathLike[str]],
    settings: IndexSettings,
    options: RunOptions | None = None,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    open_video: OpenVideo | None = None,
) -> IndexReport:
    """Bring the library up to date with the folders and files in `roots`, for one encoder.

    progress: called in this thread, see ProgressMeter. cancelled: asked in this thread, about ten times a second and
    between batches; Ctrl-C does the same. open_video: what decodes, by default VideoPass.

    Never raises for a file, a folder, the encoder or the library: the report says what became of each, and `stopped`
    says what kept the run from its end. What was finished is in the library in any case. A file that was indexed and
    can no longer be decoded is a failure, and keeps the rows it had: its old content may turn up elsewhere.
    """

    def video_pass(path: str, content: str, stopped: Callable[[], bool]) -> Reading:
        from indexer.video_pass import VideoPass

        return VideoPass(path, encoder.clip_spec, settings, fingerprint=content, cancelled=stopped)

    recipe = settings.recipe(encoder.clip_spec)
    run = _Run(library, encoder, recipe, options or RunOptions(), progress, cancelled, open_video or video_pass)
    return run.report(tuple(roots))


class _Run:
    """One run; each step leaves the library right, so it may end between, or within, any two of them."""

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        recipe: str,
        options: RunOptions,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool] | None,
        open_video: OpenVideo,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._recipe = recipe
        self._options = options
        self._cancelled = cancelled or (lambda: False)
        self._open_video = open_video
        self._meter = ProgressMeter(progress)
        self._tally = Tally(library, self._meter)

    def report(self, roots: tuple[str | os.PathLike[str], ...]) -> IndexReport:
        """Run, whatever comes; afterwards say what came of it."""
        began = perf_counter()
        try:
            self._steps(roots)
        except (Cancelled, KeyboardInterrupt):
            self._tally.interrupted = True
        except (LibraryError, EncodingFailed, EncoderError) as error:
            self._tally.stopped = str(error)
        self._tally.seconds["wall"] = perf_counter() - began
        self._meter.finish()
        return self._tally.report()

    def _steps(self, roots: tuple[str | os.PathLike[str], ...]) -> None:
        self._meter.start("scan")
        with self._tally.timed("scan"):
            scan = find_videos(
                roots,
                exclude=self._options.exclude,
                avoid=[self._library.directory],
                found=self._found,
                cancelled=self._cancelled,
            )
        self._tally.problems += scan.problems
        known = self._library.known_files(self._encoder.id)
        failures = {failure.path: failure for failure in self._library.failures()}
        plan = self._plan(scan, known, failures)
        with self._tally.timed("store"):
            jobs = [*plan.jobs, *self._relocate(plan)]
            if self._options.sweep:
                self._sweep(scan, known, failures, plan)
        if jobs:
            self._encoder.prepare()  # beside the first video's decoding
        encoding = Encoding(
            self._library,
            self._encoder,
            self._recipe,
            batch_size=self._options.batch_size or self._encoder.batch,
            known=known.keys() | {item.file.path for item in plan.moved},
            meter=self._meter,
            tally=self._tally,
        )
        encoding.run(
            jobs,
            self._open_video,
            workers=self._options.workers,
            queue_clips=self._options.queue_clips,
            cancelled=self._cancelled,
        )

    def _found(self, count: int) -> None:
        self._meter.files_done = count
        self._meter.tell()

    def _plan(self, scan: Scan, known: dict[str, KnownFile], failures: dict[str, Failure]) -> Plan:
        options = self._options
        looks = sort_files(
            scan.files, known, failures, self._recipe, redo=options.redo, retry_failed=options.retry_failed
        )
        self._tally.unchanged += len(looks.unchanged)
        self._tally.aliases += len(looks.aliases)
        self._tally.skipped_failed += looks.skipped
        with self._tally.timed("fingerprint"):
            fingerprints = self._fingerprints(looks.unknown)
            return make_plan(
                looks.settled,
                fingerprints,
                known,
                self._recipe,
                redo=options.redo,
                was_left_for=was_left_for,
                was_damaged=self._was_damaged,
            )

    def _fingerprints(self, files: list[FoundFile]) -> dict[FoundFile, str]:
        """Contents of new and changed files; those that cannot be read are failures."""
        self._meter.start("fingerprint", files_total=len(files))
        results: dict[FoundFile, str] = {}
        pool = ThreadPoolExecutor(self._options.workers, thread_name_prefix="fingerprint")
        try:
            for file, future in [(file, pool.submit(fingerprint, file.path)) for file in files]:
                self._raise_if_cancelled()
                try:
                    results[file] = future.result()
                except OSError as error:
                    self._tally.failed_file(file, unreadable(file.path, error))
                self._meter.files_done += 1
                self._meter.tell(current=(file.path,))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return results

    def _was_damaged(self, known: KnownFile) -> bool:
        videos = self._library.videos_with_fingerprint(known.fingerprint)
        return any(video.damaged for video in videos if video.id == known.video_id)

    def _relocate(self, plan: Plan) -> list[Job]:
        """Write down what needs no decoding; gives jobs for videos that went from the library meanwhile."""
        touched = self._each(plan.touched, self._touch)
        moved = self._each(plan.moved, self._touch)
        copied = self._each(plan.copied, self._copy)
        self._tally.touched += len(plan.touched) - len(touched)
        self._tally.moved += len({item.video_id for item in plan.moved} - {item.video_id for item in moved})
        self._tally.duplicates += len(plan.copied) - len(copied)
        encoded_anyway = {job.file.path for job in plan.jobs}
        # A moved video may have two steps, and only the last one leads to a file that is there.
        lost = {item.video_id: item for item in (*touched, *moved)}.values()
        return [
            Job(file=item.file, fingerprint=item.fingerprint)
            for item in (*lost, *copied)
            if item.file.path not in encoded_anyway
        ]

    def _each(self, items: Iterable[Relocation], write: Callable[[Relocation], None]) -> list[Relocation]:
        """Write each down; gives those whose video another process has removed."""
        lost = []
        for item in items:
            self._raise_if_cancelled()
            try:
                write(item)
            except KeyError:
                lost.append(item)
        return lost

    def _touch(self, item: Relocation) -> None:
        file = item.file
        self._library.touch_video(
            item.video_id, path=file.path, size_bytes=file.size_bytes, modified_ns=file.modified_ns
        )

    def _copy(self, item: Relocation) -> None:
        file = item.file
        self._library.copy_video(
            item.video_id, path=file.path, size_bytes=file.size_bytes, modified_ns=file.modified_ns
        )

    def _sweep(self, scan: Scan, known: dict[str, KnownFile], failures: dict[str, Failure], plan: Plan) -> None:
        """Forget what was deleted below the roots, as `indexer.missing_files` allows it."""
        seen = {file.path for file in scan.files} | {item.old_path for item in plan.moved}

        def unseen(paths: Iterable[str]) -> list[str]:
            return [path for path in paths if path not in seen and any(is_below(path, root) for root in scan.present)]

        missing = absent(unseen(known))
        if missing.gone:
            self._tally.removed += self._library.remove_videos([known[path].video_id for path in missing.gone])
        self._tally.kept_missing += missing.out_of_reach
        for root in scan.present:
            if is_empty(root) and (kept := sum(is_below(path, root) for path in missing.out_of_reach)):
                reason = f"is empty, and {kept} of its videos are kept in the library; is its drive connected?"
                self._tally.problems.append(Problem(path=root, reason=reason))
        forgotten = absent(unseen(failures)).gone
        if forgotten:
            self._library.clear_failures(forgotten)

    def _raise_if_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled
