"""Indexing of folders into a library: scan, plan, decode and encode in parallel, one transaction per video.

A run that is stopped in any way (Ctrl-C, a full disk, kill -9, a power cut) loses at most the videos in flight. A run
leaves no state except the library itself, from which the next run makes its plan.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from db.errors import LibraryError
from db.records import Failure, KnownFile
from encoder import EncoderError
from indexer.batches import EncodingFailed
from indexer.contents import Contents
from indexer.decoding import file_error
from indexer.encoding import Encoding
from indexer.isolated_pass import RunPass
from indexer.isolation import Isolation
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.messages import OpenVideo
from indexer.missing_facts import lacking_facts, read_missing_facts, seems_to_jump
from indexer.moves import was_moved
from indexer.new_files import NewFile, new_files
from indexer.plan import Plan, Relocation, VideoTask, classify_files, make_plan
from indexer.preview import Decision, Review, preview, without_again
from indexer.progress import Progress, ProgressMeter
from indexer.report import IndexReport, ReportBuilder
from indexer.returning import changed_file_ids, changed_volumes, expire, vanished_as_known
from indexer.scan import FoundFile, Scan
from indexer.settings import RunOptions
from indexer.sweep import Gone, find_gone, notes_of, problems_of, renamed_failures
from indexer.words import notes_of_words, store_words, words_due
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from encoder.shot_boundaries import ShotBoundaryScorer
    from indexer.settings import IndexSettings


def index_folders(
    library: Library,
    encoder: Encoder,
    roots: Iterable[str | os.PathLike[str]],
    settings: IndexSettings,
    options: RunOptions | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    open_video: OpenVideo | None = None,
    scorer: ShotBoundaryScorer | None = None,
    review: Review | None = None,
    run_pass: RunPass | None = None,
) -> IndexReport:
    """Bring a library up to date with folders and files, for one encoder.

    Errors of files, folders, the encoder or the library do not raise: they are in the report, whose `stopped` gives the
    reason if the run ended early. Finished videos are always in the library. A file that was indexed before and can no
    longer be decoded is a failure, but keeps its rows, because its old content may turn up elsewhere.

    Args:
        library: The library, open for writing.
        encoder: Its id marks the embeddings; its `clip_spec` shapes the clips.
        roots: Folders to walk, and files to index regardless of their names.
        settings: Settings of segments, clips and pictures.
        options: Options of this run; by default RunOptions().
        on_progress: Called in this thread, at most ten times a second. Its exceptions end the run.
        cancelled: Polled in this thread, about ten times a second and between batches; True stops the run like Ctrl-C.
        open_video: Opens a video for decoding, in this process; by default VideoPass, in a worker process. Words are
            then only read from the files beside videos.
        scorer: Scores frames as shot boundaries, for the detectors in indexer.settings.LEARNED; else None.
        review: Called in this thread with what the run is about to do, before anything is changed; returns what of it
            is done. By default all, except that videos which may only be on another drive are kept.
        run_pass: The task of a worker process that decodes a video; by default that of `indexer.isolated_pass`.

    Returns:
        The report of the run.
    """
    options, cancelled = options or RunOptions(), cancelled or (lambda: False)
    with Isolation(
        options,
        settings,
        encoder.clip_spec,
        scorer=scorer,
        cancelled=cancelled,
        open_video=open_video,
        run_pass=run_pass,
    ) as isolation:
        recipe = settings.recipe(encoder.clip_spec)
        run = _IndexRun(library, encoder, recipe, options, on_progress, cancelled, isolation, scorer)
        return run.run(tuple(roots), review or (lambda _: Decision()))


class _IndexRun:
    """One index run. Each step leaves the library consistent, so the run may end at any point."""

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        recipe: str,
        options: RunOptions,
        on_progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool],
        isolation: Isolation,
        scorer: ShotBoundaryScorer | None,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._recipe = recipe
        self._options = options
        self._cancelled = cancelled
        self._isolation = isolation
        self._scorer = scorer
        self._meter = ProgressMeter(on_progress)
        self._report = ReportBuilder(library, self._meter)
        self._unchanged: list[FoundFile] = []

    def run(self, roots: tuple[str | os.PathLike[str], ...], review: Review) -> IndexReport:
        """Do all steps and return the report, also after errors."""
        began = perf_counter()
        interrupted, stopped = False, ""
        try:
            self._steps(roots, review)
        except (Cancelled, KeyboardInterrupt):
            interrupted = True
        except (LibraryError, EncodingFailed, EncoderError, WorkersUnavailable) as error:
            stopped = str(error)
        self._report.add_seconds("wall", perf_counter() - began)
        self._meter.finish()
        return self._report.build(interrupted=interrupted, stopped=stopped)

    def _steps(self, roots: tuple[str | os.PathLike[str], ...], review: Review) -> None:
        self._meter.start("scan")
        with self._report.timed("scan"):
            scan = self._isolation.scan(
                roots,
                exclude=self._options.exclude,
                avoid=[str(self._library.directory)],
                on_found=self._on_found,
            )
        self._report.add(problems=scan.problems, notes=scan.sequences, hidden=scan.hidden, others=scan.others)
        known = self._library.known_files(self._encoder.id)
        failures = self._failures(scan)
        if not self._options.dry_run:
            self._read_missing_facts(scan, known)
        vanished = vanished_as_known(self._library, self._encoder.id)
        plan = self._plan(scan, known, failures, vanished)
        gone = Gone()
        if self._options.sweep:
            volumes = {path: record.volume for path, record in known.items()}
            gone = self._isolation.reading.wait(lambda: find_gone(scan, known, failures, plan, volumes))
        work = preview(plan, known | vanished, gone, self._report.unchanged)
        decision = review(work)
        if self._options.dry_run or not decision.go_on:
            return
        if not decision.again:
            plan = without_again(work)
            self._report.add(left=len(work.again))
        with self._report.timed("store"):
            tasks = [*plan.tasks, *self._relocate(plan, {record.video_id for record in vanished.values()})]
            self._forget(scan, known, gone, decision)
            tasks += self._lacking_media(known)
        if tasks:
            self._isolation.start_decoders(min(self._options.decode_workers, len(tasks)))
            if not all(task.only_media for task in tasks):
                self._encoder.prepare()  # in parallel with the decoding of the first video
            if self._scorer is not None:
                self._isolation.reading.wait(self._scorer.prepare)
        encoding = Encoding(
            self._library,
            self._encoder,
            self._recipe,
            batch_size=self._options.batch_size or self._encoder.batch,
            known=known.keys() | {item.file.path for item in plan.moved},
            meter=self._meter,
            report=self._report,
        )
        encoding.run(
            tasks,
            self._isolation.open_video,
            refresh=self._isolation.refresh,
            workers=self._options.decode_workers,
            queue_clips=self._options.queue_clips,
            cancelled=self._cancelled,
        )
        known = self._library.known_files(self._encoder.id)
        self._note_places(scan, known)
        self._read_words(scan, known)
        if self._options.sweep:
            self._report.add(expired=self._isolation.reading.wait(lambda: expire(self._library)))

    def _failures(self, scan: Scan) -> dict[str, Failure]:
        """Return the failures by path, after those of a renamed folder have followed it."""
        failures = {failure.path: failure for failure in self._library.failures()}
        renamed = self._isolation.reading.wait(lambda: renamed_failures(scan, failures))
        if renamed and not self._options.dry_run:
            self._library.move_failures(renamed)
        moved = {new: replace(failures.pop(old), path=new) for old, new in renamed.items()}
        return failures | moved

    def _note_places(self, scan: Scan, known: dict[str, KnownFile]) -> None:
        """Store on which volume each file is, and its number there, also where an earlier version did not."""
        paths = [file.path for file in scan.files]
        changed = self._isolation.reading.wait(lambda: changed_volumes(paths, known))
        numbers = changed_file_ids(scan.files, known)
        if changed or numbers:
            self._library.set_places(changed, numbers)

    def _read_words(self, scan: Scan, known: dict[str, KnownFile]) -> None:
        """Read the words that videos and the files beside them hold, where the library lacks them."""
        ids = [known[file.path].video_id for file in scan.files if file.path in known]
        sources = self._library.texts.sources_of(ids)
        in_videos, again = self._isolation.opens_videos, self._options.redo
        due = self._isolation.reading.wait(
            lambda: words_due(scan.files, known, sources, in_videos=in_videos, again=again)
        )
        self._report.not_others(due.sidecars)
        if not due.tasks:
            return
        with self._meter.aside("words", files_total=len(due.tasks)):
            for task in due.tasks:
                self._raise_if_cancelled()
                with self._report.timed("words"), suppress(KeyError):  # another process has removed the video
                    read = self._isolation.read_words(task, self._library.video(task.video_id))
                    lines = store_words(self._library, task, read)
                    self._report.add(
                        lines=lines, videos_read=bool(lines), notes=notes_of_words(task, read.found.problems)
                    )
                self._meter.files_done += 1
                self._meter.report(current=(task.path,))

    def _on_found(self, count: int) -> None:
        self._meter.files_done = count
        self._meter.report()

    def _read_missing_facts(self, scan: Scan, known: dict[str, KnownFile]) -> None:
        """Store the facts of files that an earlier version indexed without them, and put their kinds into `known`."""
        files = lacking_facts(scan.files, known)
        if not files:
            return
        self._meter.start("facts", files_total=len(files))
        with self._report.timed("scan"):
            for read in read_missing_facts(files, self._isolation.reading):
                if read is not None:
                    stored = known[read.file.path]
                    kinds = stored.kinds | read.kinds
                    if seems_to_jump(self._library.video(stored.video_id), read):
                        kinds |= {"clock"}
                    self._library.set_facts(stored.video_id, timecode=read.timecode, facts=read.facts, kinds=kinds)
                    known[read.file.path] = replace(stored, kinds=kinds, facts_read=True)
                self._meter.files_done += 1
                self._meter.report()
        self._raise_if_cancelled()

    def _plan(
        self,
        scan: Scan,
        known: dict[str, KnownFile],
        failures: dict[str, Failure],
        vanished: dict[str, KnownFile],
    ) -> Plan:
        options = self._options
        files = classify_files(
            scan.files, known, failures, self._recipe, redo=options.redo, retry_failed=options.retry_failed
        )
        self._unchanged = files.unchanged
        self._report.add(
            unchanged=len(files.unchanged), aliases=len(files.aliases), skipped_failed=tuple(files.skipped_failed)
        )
        with self._report.timed("fingerprint"):
            contents = Contents(
                self._fingerprints(
                    new_files(
                        files.unknown,
                        known=known,
                        named=scan.present,
                        present=(file.path for file in scan.files if file.path not in failures),
                        include_exports=options.include_exports,
                    )
                ),
                on_hash=self._store_hash,
                read_hash=self._isolation.read_hash,
                cancelled=self._cancelled,
            )
            every = known | vanished
            return self._isolation.reading.wait(
                lambda: make_plan(files.outdated, contents, every, self._recipe, redo=options.redo, was_moved=was_moved)
            )

    def _fingerprints(self, files: list[NewFile]) -> dict[FoundFile, str]:
        """Read the fingerprints of new and changed files; unreadable ones are failures, and some are left out."""
        self._meter.start("fingerprint", files_total=len(files))
        results: dict[FoundFile, str] = {}
        for new, future in self._isolation.reading.each(NewFile.look, files, lambda new: new.file.path):
            file = new.file
            try:
                left_out, content = future.result()
                if left_out:
                    self._report.add(**{left_out: (file.path,)})
                else:
                    results[file] = content
            except (OSError, UnreadableVideo) as error:
                if not self._options.dry_run:
                    self._report.fail(file, file_error(file.path, error))
            self._meter.files_done += 1
            self._meter.report(current=(file.path,))
        return results

    def _store_hash(self, record: KnownFile, content_hash: str) -> None:
        if not self._options.dry_run:
            self._library.set_content_hash(record.video_id, content_hash)

    def _lacking_media(self, known: dict[str, KnownFile]) -> list[VideoTask]:
        """Return tasks for the unchanged files whose posters or previews no longer match what was stored."""
        lacking = self._library.lacking_media(known[file.path].video_id for file in self._unchanged)
        return [
            VideoTask(file=file, fingerprint=known[file.path].fingerprint, only_media=True)
            for file in self._unchanged
            if known[file.path].video_id in lacking
        ]

    def _relocate(self, plan: Plan, vanished: set[int]) -> list[VideoTask]:
        """Store changes that need no decoding; return tasks for videos that another process removed meanwhile."""
        touched = self._each(plan.touched, self._touch)
        moved = self._each(plan.moved, self._touch)
        copied = self._each(plan.copied, self._copy)
        arrived = {item.video_id for item in plan.moved} - {item.video_id for item in moved}
        self._report.add(
            touched=len(plan.touched) - len(touched),
            moved=len(arrived - vanished),
            returned=len(arrived & vanished),
            duplicates=len(plan.copied) - len(copied),
        )
        encoded_anyway = {task.file.path for task in plan.tasks}
        # A moved video may have two steps, of which only the last leads to an existing file.
        lost = {item.video_id: item for item in (*touched, *moved)}.values()
        return [
            VideoTask(file=item.file, fingerprint=item.fingerprint)
            for item in (*lost, *copied)
            if item.file.path not in encoded_anyway
        ]

    def _each(self, items: Iterable[Relocation], write: Callable[[Relocation], None]) -> list[Relocation]:
        """Apply `write` to each item; return the items whose video another process has removed."""
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
            item.video_id,
            path=file.path,
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
            file_id=file.file_id,
        )

    def _copy(self, item: Relocation) -> None:
        file = item.file
        self._library.copy_video(
            item.video_id,
            path=file.path,
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
            file_id=file.file_id,
        )

    def _forget(self, scan: Scan, known: dict[str, KnownFile], gone: Gone, decision: Decision) -> None:
        """Hide videos and clear failures whose files were deleted, and report those that are kept."""
        forgotten = gone.forgotten(decision.forget)
        if forgotten:
            self._report.add(removed=self._library.hide_videos([known[path].video_id for path in forgotten]))
        if gone.failures:
            self._library.clear_failures(gone.failures)
        kept = {path for paths in gone.doubtful.values() for path in paths} - set(forgotten)
        self._report.add(
            kept_missing=tuple(sorted({*gone.unreachable, *kept})),
            problems=problems_of(scan, gone),
            notes=notes_of(scan, known, gone, decision.forget),
        )

    def _raise_if_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled
