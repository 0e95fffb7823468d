"""An export as the shell shows it: a line a clip as it comes, a journal for whoever else looks, the end."""

from __future__ import annotations

import os
from contextlib import ExitStack

import click

from app.compose import Settings
from app.exporting.exporter import ExportResult, export
from app.exporting.request import ExportedClip, ExportRequest
from app.jobs.export_journal import ExportProgress, journal_result
from app.jobs.jobs import Jobs
from app.shell.interrupt import stop_on_interrupt
from app.shell.options import FAILED, INTERRUPTED
from app.shell.terminal import LiveLine, counted, print_json, printable, say, shown
from app.times import format_timestamp


def cut(settings: Settings, order: ExportRequest, words: list[str], *, as_json: bool) -> None:
    """Carry it out, say what became of each clip as it comes, and end with exit code 1 if one failed.

    words: those that do the same again, for the journal of a library that is there.
    """
    from db.library import FILE_NAME

    stopping = "stopping after this clip (Ctrl-C again: at once)"
    with ExitStack() as stack:
        line = stack.enter_context(LiveLine())
        stopped = stack.enter_context(stop_on_interrupt(line, stopping))
        journal = None
        if (settings.library / FILE_NAME).is_file():
            journal = stack.enter_context(Jobs(settings.library).begin("export", _title(order), words))
        progress = ExportProgress(order, journal)

        def told(done: int, total: int, clip: ExportedClip) -> None:
            line.clear()
            progress.told(done, total, clip)
            if clip.error is not None:
                say(clip_text(clip))
            elif not as_json:
                click.echo(clip_text(clip, whole_path=order.zip is None))
            if done < total:
                line.show(f"cutting {done + 1} of {total}")

        def within(number: int, share: float) -> None:
            progress.within(number, share)
            line.show(f"cutting {number + 1} of {len(order.requests)}, {share:.0%}")

        progress.started()
        if order.clips:
            line.show(f"cutting 1 of {len(order.requests)}")
        result = export(
            order,
            ffmpeg=settings.ffmpeg,
            on_clip=told,
            on_progress=within,
            cancelled=lambda: stopped() or (journal is not None and journal.stop_requested()),
        )
        if journal is not None:
            journal_result(journal, order, result)
    finish(order, result, as_json=as_json)


def finish(order: ExportRequest, result: ExportResult, *, as_json: bool) -> None:
    """Print what came of it and end with the exit code that it deserves."""
    for note in result.notes:
        say(note)
    if as_json:
        print_json(result.plain())
    else:
        names = [path.name for path in result.lists]
        place = result.zip or result.folder or order.zip
        where = "" if place is None else f" in {shown(os.path.abspath(place))}"
        if order.clips:
            listed = f", listed in {_and(names)}" if names else ""
            say(f"{counted(result.written, 'clip')}{where}{listed}")
        else:
            say(f"{counted(len(names), 'list')}{where}: {', '.join(names)}")
    if result.interrupted:
        say("stopped; the same command goes on from there")
        raise click.exceptions.Exit(INTERRUPTED)
    if result.written < len(result.clips) or not (result.clips or result.lists):
        raise click.exceptions.Exit(FAILED)


def _title(order: ExportRequest) -> str:
    """What the run is about: the collection, or the files."""
    first = order.requests[0]
    if first.collection:
        return first.collection
    names = dict.fromkeys(os.path.basename(each.path) for each in order.requests)
    return next(iter(names)) if len(names) == 1 else f"{next(iter(names))} and {len(names) - 1} more"


def clip_text(clip: ExportedClip, *, whole_path: bool = True) -> str:
    """One line: the clip's file, or its name only, and what is special about it; or what was not cut, and why."""
    request = clip.request
    if clip.file is None:
        span = f"{format_timestamp(request.start_seconds)}-{format_timestamp(request.end_seconds)}"
        return f"not written: {printable(request.path)}@{span}: {clip.error}"
    text = shown(str(clip.file) if whole_path else clip.file.name)
    if clip.early_seconds:
        text += f"  (begins {float(clip.early_seconds):.3f} s earlier, at the key frame)"
    return f"{text}  ({clip.note})" if clip.note else text


def _and(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
