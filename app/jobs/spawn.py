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
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.process import process_id_of
from app.jobs.state import LOG_FILE, START_FILE, JobProgress, JobState, write_state

if TYPE_CHECKING:
    from app.compose import Settings

_ROOT = str(Path(__file__).resolve().parents[2])
_KINDS = {"index": "index", "retry": "index", "export": "export", "fetch-model": "download"}
# The folder that holds our packages: on the path already where we are installed, and not where this is a checkout.
_CODE = """\
import sys
root = sys.argv[1]
if root not in sys.path:
    sys.path.insert(0, root)
from app.child import child
child(sys.argv[2], sys.argv[3], sys.argv[4:])
"""


def start_detached(folder: Path, run_id: str, arguments: Sequence[str], settings: Settings, *, title: str) -> None:
    """Make the run's folder and start the process. Raises OSError, and leaves no folder behind then."""
    words = [*settings_words(settings), *arguments]
    now = time.time()
    state = JobState(
        id=run_id,
        kind=_KINDS.get(arguments[0], arguments[0]),
        title=title,
        arguments=tuple(arguments),
        started_at=now,
        updated_at=now,
        progress=JobProgress(phase="start"),
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
    with suppress(OSError):  # the child says it as well
        write_state(folder / START_FILE, state.kept_by(process_id_of(process.pid)))
    # Somebody has to fetch the end of a child, else it stays as a zombie that looks alive.
    threading.Thread(target=process.wait, name=f"end of {run_id}", daemon=True).start()


def settings_words(settings: Settings) -> list[str]:
    """The options that give another process these settings."""
    words = ["--library", os.path.abspath(settings.library), "--device", settings.device]
    if settings.precision != "auto":
        words += ["--precision", settings.precision]
    if settings.encoder is not None:
        from app.encoder_choice import canonical

        words += ["--encoder", canonical(settings.encoder)]
    return words


def _creation_flags() -> int:
    """Windows: no console of its own, and none of ours whose Ctrl-C would reach it."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
