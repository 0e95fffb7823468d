"""Indexing of folders into a library: scan, plan, decode and encode in parallel, one transaction per video.

A run that is stopped in any way (Ctrl-C, a full disk, kill -9, a power cut) loses at most the videos in flight. A run
leaves no state except the library itself, from which the next run makes its plan.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from db.errors import LibraryError, LibraryUnreachable
from db.records import KnownFile
from encoder import EncoderError
from encoder.quick import QuickEncoder
from indexer.batches import EncodingFailed
from indexer.comparing import compare, known_failures, lacking_of, records_of
from indexer.encoding import Encoding
from indexer.isolated_pass import RunPass
from indexer.isolation import Isolation
from indexer.media.errors import Cancelled
from indexer.messages import OpenVideo
from indexer.missing_facts import store_missing_facts
from indexer.plan import VideoTask
from indexer.preview import Decision, Review, preview, without_again
from indexer.progress import Progress, ProgressMeter
from indexer.quick_pass import QuickPass, most_useful_first
from indexer.relocating import forget, relocate
from indexer.report import IndexReport, ReportBuilder
from indexer.returning import changed_file_ids, changed_volumes, expire, vanished_as_known
from indexer.run_parts import RunEncoder, RunParts
from indexer.scan import FoundFile, Scan
from indexer.settings import RunOptions
from indexer.shared_tasks import Before, SharedTasks, revisions
from indexer.sweep import Gone, find_gone
from indexer.words_run import read_due_words
from indexer.workers.task import WorkersUnavailable

if TYPE_CHECKING:
    from db.claims import Claims
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
    quick: QuickPass | None = None,
    further: Sequence[Encoder] = (),
    claims: Claims | None = None,
) -> IndexReport:
    """Bring a library up to date with folders and files, for one encoder, or for several from one decoding.

    Errors of files, folders, the encoder or the library do not raise: they are in the report, whose `stopped` gives the
    reason if the run ended early. Finished videos are always in the library. A file that was indexed before and can no
    longer be decoded is a failure, but keeps its rows, because its old content may turn up elsewhere.

    Videos that wait for their full pass get it, the most useful first, without being asked for: see `quick_pass`.

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
        quick: What quick passes are made for; the encoder is then a quick one. None: full passes are made.
        further: Encoders of the same clips of the videos, each in its own shape. All rows of a video are stored in one
            transaction; one that lacks those of some encoders is encoded by these only. For quick passes, quick ones.
        claims: By which the run shares its work with others, and which it closes; by default `library.claims`.

    Returns:
        The report of the run.
    """
    options, cancelled = options or RunOptions(), cancelled or (lambda: False)
    meter = ProgressMeter(on_progress)
    with Isolation(
        options,
        settings,
        scorer=scorer,
        cancelled=cancelled,
        open_video=open_video,
        run_pass=run_pass,
        key_frames=quick is not None and quick.reads == "key frames",
    ) as isolation:
        run = RunParts(
            library=library,
            claims=claims or library.claims("index"),
            encoders=tuple(_run_encoder(each, settings, quick) for each in (encoder, *further)),
            options=options,
            isolation=isolation,
            scorer=scorer,
            quick=quick,
            meter=meter,
            report=ReportBuilder(library, meter),
            cancelled=cancelled,
        )
        with run.claims:
            return _done(run, tuple(roots), review or (lambda _: Decision()))


def _run_encoder(encoder: Encoder, settings: IndexSettings, quick: QuickPass | None) -> RunEncoder:
    if quick is None:
        return RunEncoder(encoder=encoder, recipe=settings.recipe(encoder.clip_spec))
    full_id = encoder.full_id if isinstance(encoder, QuickEncoder) else quick.full_id
    return RunEncoder(encoder=encoder, recipe=quick.recipe(settings, encoder.clip_spec), quick_of=full_id)


def _done(run: RunParts, roots: tuple[str | os.PathLike[str], ...], review: Review) -> IndexReport:
    """Do all steps and return the report, also after errors."""
    began = perf_counter()
    interrupted, stopped = False, ""
    try:
        _steps(run, roots, review)
    except (Cancelled, KeyboardInterrupt):
        interrupted = True
    except LibraryUnreachable as error:  # also of a run that was stopped while it waited for the server
        interrupted = run.cancelled()
        stopped = "" if interrupted else str(error)
    except (LibraryError, EncodingFailed, EncoderError, WorkersUnavailable) as error:
        stopped = str(error)
    with suppress(LibraryError):
        run.report.add(quick=run.library.quick.count())
    run.report.add_seconds("wall", perf_counter() - began)
    run.meter.finish()
    return run.report.build(interrupted=interrupted, stopped=stopped)


def _steps(run: RunParts, roots: tuple[str | os.PathLike[str], ...], review: Review) -> None:
    """Do the steps of a run. Each leaves the library consistent, so the run may end at any point."""
    library, options = run.library, run.options
    library.require_adopted()
    if library.roots:
        named = [os.path.abspath(os.fspath(root)) for root in roots]
        roots = run.isolation.reading.wait(lambda: tuple(map(library.roots.without_links, named)))

    def on_found(count: int) -> None:
        run.meter.files_done = count
        run.meter.report()

    run.meter.start("scan")
    with run.report.timed("scan"):
        scan = run.isolation.scan(
            roots,
            exclude=options.exclude,
            avoid=[str(library.directory), str(library.media_directory)],
            on_found=on_found,
        )
    run.report.add(problems=scan.problems, notes=scan.sequences, hidden=scan.hidden, others=scan.others)
    known = library.known_files(run.encoders[0].encoder.id)
    failures = known_failures(run, scan)
    if not options.dry_run:
        store_missing_facts(run, scan, known)
    vanished = vanished_as_known(library, run.encoders[0].encoder.id)
    records = records_of(run, [*known.values(), *vanished.values()])
    before = Before(revisions=[revisions(each) for each in records], failures=failures)
    lacking = lacking_of(run, records)
    plan, files = compare(run, scan, known, failures, vanished, lacking)
    gone = Gone()
    if options.sweep:
        volumes = {path: record.volume for path, record in known.items()}
        gone = run.isolation.reading.wait(lambda: find_gone(scan, known, failures, plan, volumes, library.roots))
    work = preview(plan, known | vanished, failures, lacking, gone, len(files.unchanged))
    decision = review(work)
    if options.dry_run or not decision.go_on:
        return
    if not decision.again:
        plan = without_again(work)
        run.report.add(left=len(work.again))
    with run.report.timed("store"):
        tasks = [*plan.tasks, *relocate(run, plan, {record.video_id for record in vanished.values()})]
        forget(run, scan, known, gone, decision)
        tasks += _lacking_media(run, files.unchanged, known)
    moved = {item.file.path for item in plan.moved}
    _encode(run, tasks, before, known=known.keys() | moved, deepened={file.path for file in work.deepened})
    known = library.known_files(run.encoders[0].encoder.id)
    _note_places(run, scan, known)
    read_due_words(run, scan, known)
    if options.sweep:
        run.report.add(expired=run.isolation.reading.wait(lambda: expire(library)))


def _encode(run: RunParts, tasks: list[VideoTask], before: Before, *, known: set[str], deepened: set[str]) -> None:
    """Decode, encode and store. known, deepened: paths of videos that were in the library, and only quickly."""
    options = run.options
    if tasks:
        run.isolation.start_decoders(min(options.decode_workers, len(tasks)))
        if not all(task.only_media for task in tasks):
            for each in run.encoders:
                each.encoder.prepare()  # in parallel with the decoding of the first video
        if run.scorer is not None and run.quick is None:  # a quick pass needs it for few videos only
            run.isolation.reading.wait(run.scorer.prepare)
    encoding = Encoding(
        run.library,
        run.encoders,
        SharedTasks(run.library, run.claims, run.encoders, before),
        batch_size=options.batch_size,
        known=known,
        deepened=deepened,
        meter=run.meter,
        report=run.report,
    )
    encoding.run(
        most_useful_first(tasks, run.library.quick.videos()),
        run.isolation.open_video,
        refresh=run.isolation.refresh,
        workers=options.decode_workers,
        queue_clips=options.queue_clips,
        cancelled=run.cancelled,
    )


def _lacking_media(run: RunParts, unchanged: list[FoundFile], known: dict[str, KnownFile]) -> list[VideoTask]:
    """Return tasks for the unchanged files whose posters or previews no longer match what was stored.

    A quick pass leaves those of full passes alone: it would cut the videos differently.
    """
    ours = [file for file in unchanged if run.quick is None or known[file.path].quick]
    lacking = run.library.lacking_media(known[file.path].video_id for file in ours)
    return [
        VideoTask(file=file, fingerprint=known[file.path].fingerprint, only_media=True)
        for file in ours
        if known[file.path].video_id in lacking
    ]


def _note_places(run: RunParts, scan: Scan, known: dict[str, KnownFile]) -> None:
    """Store on which volume each file is, and its number there, also where an earlier version did not.

    Not below a root of media, where another machine has other ones.
    """
    files = [file for file in scan.files if not run.library.roots.is_below(file.path)]
    changed = run.isolation.reading.wait(lambda: changed_volumes([file.path for file in files], known))
    numbers = changed_file_ids(files, known)
    if changed or numbers:
        run.library.set_places(changed, numbers)
