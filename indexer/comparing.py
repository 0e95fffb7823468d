"""Comparison of the files of a run with the library, which results in the plan of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from db.records import Failure, KnownFile
from indexer.contents import Contents
from indexer.decoding import file_error
from indexer.lacking import Lacking, lacking
from indexer.media.errors import UnreadableVideo
from indexer.media_roots import Reach
from indexer.moves import was_moved
from indexer.new_files import NewFile, new_files
from indexer.plan import ClassifiedFiles, Plan, classify_files, make_plan
from indexer.quick_pass import known_to_quick_pass
from indexer.scan import FoundFile, Scan
from indexer.sweep import renamed_failures

if TYPE_CHECKING:
    from indexer.run_parts import RunParts


def known_failures(run: RunParts, scan: Scan) -> dict[str, Failure]:
    """Return the failures by path, after those of a renamed folder have followed it."""
    failures = {failure.path: failure for failure in run.library.failures()}
    renamed = run.isolation.reading.wait(lambda: renamed_failures(scan, failures))
    if renamed and not run.options.dry_run:
        run.library.move_failures(renamed)
    moved = {new: replace(failures.pop(old), path=new) for old, new in renamed.items()}
    return failures | moved


def records_of(run: RunParts, first: Iterable[KnownFile]) -> list[Iterable[KnownFile]]:
    """Return the known and vanished files as to each encoder of a run. first: Those as to the first one."""
    library = run.library
    records: list[Iterable[KnownFile]] = [first]
    for each in run.encoders[1:]:
        vanished = [record for _, record in library.vanished_files(each.encoder.id)]
        records.append([*library.known_files(each.encoder.id).values(), *vanished])
    return records


def lacking_of(run: RunParts, records: Sequence[Iterable[KnownFile]]) -> dict[int, dict[int, KnownFile]]:
    """Return which encoders of a run each known or vanished video lacks.

    Args:
        run: The run. One of quick passes lacks nothing of a video that has had a full pass.
        records: See `records_of`.
    """
    if run.quick is not None:
        records = [
            [known_to_quick_pass(record, each.recipe) for record in files]
            for files, each in zip(records, run.encoders, strict=True)
        ]
    return lacking(records, [each.recipe for each in run.encoders])


def compare(
    run: RunParts,
    scan: Scan,
    known: Mapping[str, KnownFile],
    failures: Mapping[str, Failure],
    vanished: Mapping[str, KnownFile],
    lacks: Lacking,
) -> tuple[Plan, ClassifiedFiles]:
    """Return the plan of a run, and what it was made from. Only hashes of contents are stored.

    Args:
        run: The run.
        scan: The files that it found.
        known: The library's files, by path.
        failures: Likewise.
        vanished: The files that were in the library and vanished, by their last path.
        lacks: Of all these videos, those that were not indexed as the run would index them.

    Raises:
        Cancelled: The run is to stop.
    """
    options = run.options
    files = classify_files(scan.files, known, failures, lacks, redo=options.redo, retry_failed=options.retry_failed)
    run.report.add(
        unchanged=len(files.unchanged), aliases=len(files.aliases), skipped_failed=tuple(files.skipped_failed)
    )

    def store_hash(record: KnownFile, content_hash: str) -> None:
        if not options.dry_run:
            run.library.set_content_hash(record.video_id, content_hash)

    with run.report.timed("fingerprint"):
        looked_at = new_files(
            files.unknown,
            known=known,
            named=scan.present,
            present=(file.path for file in scan.files if file.path not in failures),
            include_exports=options.include_exports,
        )
        contents = Contents(
            _fingerprints(run, looked_at),
            on_hash=store_hash,
            read_hash=run.isolation.read_hash,
            cancelled=run.cancelled,
        )
        every = dict(known) | dict(vanished)
        reach = Reach(run.library.roots, known, {file.path for file in scan.files})
        moved = partial(was_moved, reach=reach)
        plan = run.isolation.reading.wait(
            lambda: make_plan(files.outdated, contents, every, lacks, redo=options.redo, was_moved=moved)
        )
    return plan, files


def _fingerprints(run: RunParts, files: list[NewFile]) -> dict[FoundFile, str]:
    """Read the fingerprints of new and changed files; unreadable ones are failures, and some are left out."""
    run.meter.start("fingerprint", files_total=len(files))
    results: dict[FoundFile, str] = {}
    for new, future in run.isolation.reading.each(NewFile.look, files, lambda new: new.file.path):
        file = new.file
        try:
            left_out, content = future.result()
            if left_out:
                run.report.add(**{left_out: (file.path,)})
            else:
                results[file] = content
        except (OSError, UnreadableVideo) as error:
            if not run.options.dry_run:
                run.report.fail(file, file_error(file.path, error))
        run.meter.files_done += 1
        run.meter.report(current=(file.path,))
    return results
