"""The process of a job: runs the order in the job's folder and writes the job's journal.

`app.jobs.spawn` starts it. It is a layer above `app.commands`, so that `app.jobs` does not depend on the commands.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from app.commands.export_run import export_collection
from app.commands.fetch_model import download
from app.commands.index_run import index_videos
from app.commands.read_text import read_indexed_videos
from app.commands.retry_run import retry_failures
from app.commands.transcribe_run import download_speech_model, transcribe_videos
from app.compose import Settings
from app.jobs.command_line import words_of
from app.jobs.jobs import JOB_VARIABLE, last_words
from app.jobs.journal import HEARTBEAT_SECONDS
from app.jobs.orders import (
    DownloadOrder,
    ExportOrder,
    IndexOrder,
    Order,
    OrderError,
    ReadTextOrder,
    TranscribeOrder,
    read_order,
)
from app.jobs.process import own_process_id
from app.jobs.state import START_FILE, STATE_FILE, JobState, finished, read_state, write_state
from app.shell.errors import CommandError, command_errors
from app.shell.exit_codes import INTERRUPTED, USAGE
from app.shell.leaving import leave
from app.web.services.model_need import model_to_fetch


def child(folder_name: str, job_id: str) -> None:
    """Run the order in a folder and exit. The journal exists from start to end."""
    folder = Path(folder_name)
    begun = read_state(folder / START_FILE, job_id)
    if begun is None:  # the job was removed before it started
        return
    _write(folder, replace(begun.with_process(own_process_id()), updated_at=time.time()))
    threading.Thread(target=_beat, args=(folder / STATE_FILE,), name="heartbeat", daemon=True).start()
    os.environ[JOB_VARIABLE] = job_id

    code = 1
    try:
        code = run_order(folder)
    finally:
        _finish(folder, job_id, code)
    leave(code)
    sys.exit(code)


def run_order(folder: Path) -> int:
    """Run the order in a folder. Print what the command would print, and return its exit code."""
    try:
        try:
            order, settings = read_order(folder)
        except OrderError as error:
            raise CommandError(str(error), USAGE) from error
        with command_errors(f"prismsearch {words_of(order)[0]}"):
            dispatch(order, settings)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return 0


def dispatch(order: Order, settings: Settings) -> None:
    """Call the function that the corresponding command calls. Consent is assumed, because no user is present.

    A download before another job is a job of its own, so that the page shows it, and can stop it.
    Resuming it does the rest, too.
    """
    if isinstance(order, IndexOrder):
        if order.fetch and order.encoder is not None:
            need = model_to_fetch(order.encoder)
            if need is not None:
                download(settings, DownloadOrder(model=need.alias), yes=True, before=order)
        index_videos(settings, order)
    elif isinstance(order, DownloadOrder):
        download(settings, order, yes=True)
    elif isinstance(order, ReadTextOrder):
        read_indexed_videos(settings, order)
    elif isinstance(order, TranscribeOrder):
        if order.fetch:
            download_speech_model(settings, order)
        transcribe_videos(settings, order, yes=True)
    elif isinstance(order, ExportOrder):
        export_collection(settings, order)
    else:
        retry_failures(settings, order)


def _finish(folder: Path, job_id: str, code: int) -> None:
    """Finish the journal if the command did not, from its exit code and the last line it printed."""
    state = read_state(folder / STATE_FILE, job_id) or read_state(folder / START_FILE, job_id)
    if state is None or state.outcome is not None:
        return
    outcome = {0: "done", INTERRUPTED: "stopped"}.get(code, "failed")
    _write(folder, replace(finished(state, outcome, last_words(folder)), updated_at=time.time()))  # type: ignore[arg-type]


def _write(folder: Path, state: JobState) -> None:
    with suppress(OSError):  # the work goes on without a journal
        write_state(folder / STATE_FILE, state, durable=True)


def _beat(path: Path) -> None:
    while True:
        time.sleep(HEARTBEAT_SECONDS)
        with suppress(OSError):
            os.utime(path)
