"""Another attempt at the files that could not be indexed."""

from __future__ import annotations

import os

from app import compose
from app.commands.fetch_model import open_or_download_encoder
from app.commands.index_run import report_and_exit, run_indexer
from app.commands.index_values import run_options, run_values
from app.compose import Settings
from app.jobs.orders import RetryOrder
from app.shell.index_report import report_record
from app.shell.paths import as_indexed
from app.shell.root_states import note_unreachable
from app.shell.terminal import count_text, print_json, print_note
from indexer.media_roots import Reach
from indexer.missing_files import is_below


def retry_failures(settings: Settings, order: RetryOrder, *, as_json: bool = False) -> None:
    """Retry the failed files that an order names, and report as in `index_videos`."""
    from indexer.report import IndexReport

    with compose.open_library(settings) as library:
        values = run_values(settings, order, library)
        wanted = [as_indexed(library, path) for path in order.paths]
        failed = [
            failure.path
            for failure in library.failures()
            if not wanted or any(is_below(failure.path, folder) for folder in wanted)
        ]
        reach = Reach(library.roots, [video.path for video in library.videos()] if library.roots else ())
        note_unreachable("failed file", (reach.why_not(path) for path in failed if not os.path.lexists(path)))
        failed = [path for path in failed if os.path.lexists(path) or reach.is_proved(path)]
        gone = [path for path in failed if not os.path.lexists(path)]
        if gone:
            library.clear_failures(gone)
            print_note(f"{count_text(len(gone), 'failed file')} no longer on disk: removed from the library")
        there = [path for path in failed if os.path.lexists(path)]
        if not there:
            print_note("no failed files to retry")
            if as_json:
                print_json(report_record(IndexReport()))
            return
        encoder = open_or_download_encoder(values.settings, yes=False)
        options = run_options(order)
        title = count_text(len(there), "failed file")
        report = run_indexer(values, library, encoder, there, options, order=order, title=title)
        report_and_exit(report, as_json=as_json)
