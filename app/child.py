"""The process of a long job: runs one command of ours, and keeps the job's journal around it.

`app.jobs.spawn` starts it. It stands above `app.cli`, so that jobs need not know the commands that they run.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from app.cli import main
from app.jobs.jobs import JOB_VARIABLE, last_words
from app.jobs.journal import BEAT_SECONDS
from app.jobs.process import own_process_id
from app.jobs.state import START_FILE, STATE_FILE, JobState, ended, read_state, write_state
from app.shell.options import INTERRUPTED


def child(folder_name: str, run_id: str, words: Sequence[str]) -> None:
    """What the process does: the journal from its first moment to its last, whatever the command itself says in it."""
    folder = Path(folder_name)
    begun = read_state(folder / START_FILE, run_id)
    if begun is None:  # forgotten before it began
        return
    _write(folder, replace(begun.kept_by(own_process_id()), updated_at=time.time()))
    threading.Thread(target=_beat, args=(folder / STATE_FILE,), name="sign of life", daemon=True).start()
    os.environ[JOB_VARIABLE] = run_id

    code = 1
    try:
        main(list(words), prog_name="prismsearch")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        _end(folder, run_id, code)
    sys.exit(code)


def _end(folder: Path, run_id: str, code: int) -> None:
    """The last word for a command that did not say one: by its exit code and by what it printed last."""
    state = read_state(folder / STATE_FILE, run_id) or read_state(folder / START_FILE, run_id)
    if state is None or state.outcome is not None:
        return
    outcome = {0: "done", INTERRUPTED: "stopped"}.get(code, "failed")
    _write(folder, replace(ended(state, outcome, last_words(folder)), updated_at=time.time()))  # type: ignore[arg-type]


def _write(folder: Path, state: JobState) -> None:
    with suppress(OSError):  # the work goes on without a journal
        write_state(folder / STATE_FILE, state, durable=True)


def _beat(path: Path) -> None:
    while True:
        time.sleep(BEAT_SECONDS)
        with suppress(OSError):
            os.utime(path)
