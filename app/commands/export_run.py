"""Exports for the command and for jobs: a line for each clip, a journal in the library, the result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import click

from app import compose
from app.commands.export_selection import from_collection, readable_library
from app.compose import Settings
from app.exporting.exporter import ExportResult, export
from app.exporting.request import ExportedClip, ExportRequest
from app.exporting.words.choosing import with_words
from app.jobs.export_journal import ExportProgress, journal_result
from app.jobs.jobs import Jobs
from app.jobs.orders import ExportOrder
from app.shell.errors import CommandError, NothingDone
from app.shell.exit_codes import FAILED, MISSING
from app.shell.interrupt import stop_on_interrupt, stopped_code
from app.shell.live_line import LiveLine
from app.shell.terminal import count_text, display_path, print_json, print_note, printable
from app.times import format_timestamp


def export_collection(settings: Settings, order: ExportOrder, *, as_json: bool = False) -> None:
    """Export the subclips of a collection named by an order, as in `run_export`.

    Raises:
        CommandError: The collection no longer exists.
        click.UsageError: A subclip is not in the collection (any more).
    """
    with compose.open_library(settings) as library:
        seen = library.collections.of(order.person, "")
        try:
            collection = seen.get(order.collection)
        except KeyError as error:
            gone = f"the collection {printable(order.collection_name)} is no longer there"
            raise CommandError(gone, MISSING) from error
        clips = from_collection(library, collection, seen.subclips(collection.id), order.subclips)
    if not clips:
        raise NothingDone(f"the collection {collection.name} is empty; there is nothing to export")
    request = ExportRequest.with_options(order.options, clips, collection.name)
    run_export(settings, request, order=order, as_json=as_json)


def run_export(
    settings: Settings,
    request: ExportRequest,
    *,
    order: ExportOrder | None = None,
    arguments: Sequence[str] = (),
    as_json: bool = False,
) -> None:
    """Export with a progress line, and a journal if there is a library; print each clip's result as it comes.

    Ends the command with exit code 1 if a clip failed, and with 130 after Ctrl-C (see `stopped_code`).

    Args:
        settings: The library, and the ffmpeg to use.
        request: What to export, how and where.
        order: Stored in the journal, so that the job can be restarted.
        arguments: The equivalent command, for the journal, if there is no order.
        as_json: Print the result as JSON.
    """
    from db.library import FILE_NAME

    request = _with_words(settings, request)
    stopping = "stopping after this clip (press Ctrl-C again to stop at once)"
    with ExitStack() as stack:
        line = stack.enter_context(LiveLine())
        stopped = stack.enter_context(stop_on_interrupt(line, stopping))
        job = None
        if settings.server is not None or (settings.library / FILE_NAME).is_file():
            begun = Jobs(settings.library).begin("export", _title(request), order, arguments=arguments)
            job = stack.enter_context(begun)
        progress = ExportProgress(request, job, line)

        def on_clip(done: int, total: int, clip: ExportedClip) -> None:
            line.clear()
            if clip.error is not None:
                print_note(clip_text(clip))
            elif not as_json:
                click.echo(clip_text(clip, whole_path=request.zip is None))
            progress.clip_done(done, clip)

        def on_result(result: ExportResult) -> None:
            if job is not None:
                journal_result(job, request, result)
            line.clear()
            print_result(request, result, as_json=as_json)

        progress.begin()
        result = export(
            request,
            ffmpeg=settings.ffmpeg,
            on_clip=on_clip,
            on_progress=progress.clip_progress,
            on_result=on_result,
            cancelled=lambda: stopped() or (job is not None and job.stop_requested()),
        )
    if result.interrupted:
        raise click.exceptions.Exit(stopped_code())
    if result.written < len(result.clips) or not (result.clips or result.lists):
        raise click.exceptions.Exit(FAILED)


def _with_words(settings: Settings, request: ExportRequest) -> ExportRequest:
    """Return the request with what is said in its clips, if that is asked for, and say of which it is not known."""
    if not request.carries_words:
        return request
    with readable_library(settings) as library:
        clips, notes = with_words(
            library,
            request.requests,
            request.subtitles if request.clips else "none",
            language=request.language,
            words_from=request.words_from,
        )
    for note in notes:
        print_note(note)
    return replace(request, requests=tuple(clips))


def print_result(request: ExportRequest, result: ExportResult, *, as_json: bool) -> None:
    """Print the result of an export."""
    for note in result.notes:
        print_note(note)
    if as_json:
        print_json(result.plain())
    else:
        names = [path.name for path in result.lists]
        place = result.zip or result.folder or request.zip
        where = "" if place is None else f" in {display_path(os.path.abspath(place))}"
        if request.clips:
            listed = f", listed in {_and(names)}" if names else ""
            print_note(f"{count_text(result.written, 'clip')}{where}{listed}")
        else:
            print_note(f"{count_text(len(names), 'list')}{where}: {', '.join(names)}")
    if result.interrupted:
        print_note("stopped; run the same command again to continue")


def _title(request: ExportRequest) -> str:
    """Return the title of the job: the collection, or the files."""
    first = request.requests[0]
    if first.collection:
        return first.collection
    names = dict.fromkeys(os.path.basename(each.path) for each in request.requests)
    return next(iter(names)) if len(names) == 1 else f"{next(iter(names))} and {len(names) - 1} more"


def clip_text(clip: ExportedClip, *, whole_path: bool = True) -> str:
    """Return one line: the clip's path or name with any notes, or the reason why it was not cut."""
    request = clip.request
    if clip.file is None:
        span = f"{format_timestamp(request.start_seconds)}-{format_timestamp(request.end_seconds)}"
        return f"not written: {printable(request.path)}@{span}: {clip.error}"
    text = display_path(str(clip.file) if whole_path else clip.file.name)
    return f"{text}  ({clip.note})" if clip.note else text


def _and(names: list[str]) -> str:
    """Return `a`, `a and b` or `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
