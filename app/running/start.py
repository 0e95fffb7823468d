"""Starting our own command as a process that outlives whoever started it, and what that process does around it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.running.process import mark_of, own_mark
from app.running.state import LOG_FILE, START_FILE, STATE_FILE, RunProgress, RunState, read_state, write_state

if TYPE_CHECKING:
    from app.compose import Settings

_ROOT = str(Path(__file__).resolve().parent.parent)
_KINDS = {"index": "index", "retry": "index", "export": "export", "fetch-model": "download"}
# The folder that holds our packages: on the path already where we are installed, and not where this is a checkout.
_CODE = """\
import sys
root = sys.argv[1]
if root not in sys.path:
    sys.path.insert(0, root)
from app.running.start import child
child(sys.argv[2], sys.argv[3], sys.argv[4:])
"""


def start_detached(folder: Path, run_id: str, arguments: Sequence[str], settings: Settings, *, title: str) -> None:
    """Make the run's folder and start the process. Raises OSError, and leaves no folder behind then."""
    words = [*settings_words(settings), *arguments]
    now = time.time()
    state = RunState(
        id=run_id,
        kind=_KINDS.get(arguments[0], arguments[0]),
        title=title,
        arguments=tuple(arguments),
        started_at=now,
        updated_at=now,
        progress=RunProgress(phase="start"),
    )
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    if settings.ffmpeg is not None:
        from app.compose import FFMPEG_VARIABLE

        environment[FFMPEG_VARIABLE] = settings.ffmpeg
    folder.mkdir(parents=True)
    try:
        write_state(folder / START_FILE, state)
        with (folder / LOG_FILE).open("ab") as log:
            # -P: a folder `app` where the person happens to stand is not ours.
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE, _ROOT, str(folder.absolute()), run_id, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                creationflags=_creation_flags(),
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    mark = mark_of(process.pid)
    with suppress(OSError):  # the child says it as well
        write_state(folder / START_FILE, replace(state, pid=mark.pid, born=mark.born, where=mark.where))
    # Somebody has to fetch the end of a child, else it stays as a zombie that looks alive.
    threading.Thread(target=process.wait, name=f"end of {run_id}", daemon=True).start()


def settings_words(settings: Settings) -> list[str]:
    """The options that give another process these settings."""
    words = ["--library", os.path.abspath(settings.library), "--device", settings.device]
    if settings.precision != "auto":
        words += ["--precision", settings.precision]
    if settings.encoder is not None:
        from app.remembered import canonical

        words += ["--encoder", canonical(settings.encoder)]
    return words


def _creation_flags() -> int:
    """Windows: no console of its own, and none of ours whose Ctrl-C would reach it."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def child(folder_name: str, run_id: str, words: Sequence[str]) -> None:
    """What the process does: the journal from its first moment to its last, whatever the command itself says in it."""
    from app.running.runs import RUN_VARIABLE

    folder = Path(folder_name)
    begun = read_state(folder / START_FILE, run_id)
    if begun is None:  # forgotten before it began
        return
    mark = own_mark()
    _write(folder, replace(begun, pid=mark.pid, born=mark.born, where=mark.where, updated_at=time.time()))
    threading.Thread(target=_beat, args=(folder / STATE_FILE,), name="sign of life", daemon=True).start()
    os.environ[RUN_VARIABLE] = run_id

    from app.cli import main

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
    from app.options import INTERRUPTED
    from app.running.runs import last_words
    from app.running.state import ended

    state = read_state(folder / STATE_FILE, run_id) or read_state(folder / START_FILE, run_id)
    if state is None or state.outcome is not None:
        return
    outcome = {0: "done", INTERRUPTED: "stopped"}.get(code, "failed")
    _write(folder, replace(ended(state, outcome, last_words(folder)), updated_at=time.time()))  # type: ignore[arg-type]


def _write(folder: Path, state: RunState) -> None:
    with suppress(OSError):  # the work goes on without a journal
        write_state(folder / STATE_FILE, state, durable=True)


def _beat(path: Path) -> None:
    from app.running.journal import BEAT_SECONDS

    while True:
        time.sleep(BEAT_SECONDS)
        with suppress(OSError):
            os.utime(path)
