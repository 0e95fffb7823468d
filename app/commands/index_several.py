"""Indexing with several encoders in one command: one run for each, and one report of all.

Each run decodes the videos. Shots are those of the first run, whose ids the others keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from app import compose, word_engines
from app.commands.fetch_model import open_or_download_encoder
from app.commands.index_run import index_videos, note_nothing_renewed, require_paths, run_indexer
from app.commands.index_values import run_options, run_values
from app.commands.read_text import read_text
from app.commands.recognize_run import report_failures
from app.compose import Settings
from app.encoder_choice import choice_of
from app.encoder_names import encoder_names
from app.jobs.orders import IndexOrder
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.index_report import print_report, report_record, stopped_text
from app.shell.interrupt import stopped_code
from app.shell.terminal import print_json, print_note

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.report import IndexReport


def index_for_each(
    settings: Settings, order: IndexOrder, *, renew: bool = False, yes: bool = False, as_json: bool = False
) -> None:
    """Index the paths of an order with the encoder that is named, or with each of several; see `index_videos`.

    The library's own encoder is then the first one. A run that is stopped, or cannot go on, ends the command. All
    encoders are loaded first, so that a model that is missing is told before hours of work.
    """
    with compose.open_existing_library(settings) as known:
        names = names_to_index(settings, order, known)
    if len(names) < 2:
        index_videos(settings, order, renew=renew, yes=yes, as_json=as_json)
        return
    require_paths(order.paths)
    encoders = _encoders(settings, order, names, renew=renew, yes=yes)
    reader = word_engines.open_text_reader() if order.read_text else None
    with compose.open_library(settings, create=True) as library:
        is_new = not library.videos()
        reports: dict[str, IndexReport] = {}
        for name, encoder in zip(names, encoders, strict=True):
            # What the first run has indexed is unchanged for the next, which is no surprise in a new library.
            own = replace(order, encoder=name, yes=order.yes or (is_new and bool(reports)))
            values = run_values(settings, own, library, renew=renew and not reports)
            print_note(f"encoder {name}")
            report = reports[name] = run_indexer(values, library, encoder, own.paths, run_options(own), order=own)
            note_nothing_renewed(report, renew=renew and len(reports) == 1)
            if not as_json:
                print_report(report)
            if not report.complete:
                break
        if (first := choice_of(library, names[0])) is not None:
            library.use_encoders(first)
        words = None
        if reader is not None and all(each.complete for each in reports.values()):
            words = read_text(library, order, reader)
        _exit(reports, as_json=as_json)
        if words is not None:
            report_failures(words)


def names_to_index(settings: Settings, order: IndexOrder, library: Library | None) -> tuple[str, ...]:
    """Return the names of the encoders that a run indexes with, as in `run_values`; none for the library's own."""
    named = order.encoder or settings.encoder
    if named is None and (library is None or choice_of(library) is None):
        named = settings.new_encoder
    return () if named is None else encoder_names(named)


def _encoders(settings: Settings, order: IndexOrder, names: Sequence[str], *, renew: bool, yes: bool) -> list[Encoder]:
    with compose.open_existing_library(settings) as known:
        values = [run_values(settings, replace(order, encoder=name), known, renew=renew) for name in names]
    encoders = [open_or_download_encoder(each.settings, yes=yes) for each in values]
    if len({encoder.id for encoder in encoders}) < len(encoders):
        raise compose.WrongSetting(f"{' and '.join(names)} are the same encoder")
    return encoders


def _exit(reports: dict[str, IndexReport], *, as_json: bool) -> None:
    """Print the reports as JSON if asked to, and end the command with the exit code for all, unless that is 0."""
    last = list(reports.values())[-1]
    if as_json:
        failure = {"error": last.stopped, "code": MISSING} if last.stopped and not last.interrupted else {}
        runs = [{"encoder": name, **report_record(report)} for name, report in reports.items()]
        print_json({"encoders": runs, **failure})
    if last.interrupted:
        print_note(stopped_text(last))
        raise click.exceptions.Exit(stopped_code())
    if last.stopped:
        raise CommandError(last.stopped, MISSING)
    if any(each.failed or each.problems for each in reports.values()):
        raise click.exceptions.Exit(FAILED)
