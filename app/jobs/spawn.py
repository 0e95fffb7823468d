"""Start of a job in a detached process, which outlives the current one. The process itself is `app.child`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.command_line import words_of
from app.jobs.orders import Order, job_kind, order_to_json, write_order
from app.jobs.process import process_id_of
from app.jobs.state import LOG_FILE, START_FILE, JobProgress, JobState, write_state

if TYPE_CHECKING:
    from app.compose import Settings

_ROOT = str(Path(__file__).resolve().parents[2])
# The folder of our packages: already on the path of an installation, but not in a checkout.
_CODE = """\
import sys
root = sys.argv[1]
if root not in sys.path:
    sys.path.insert(0, root)
from app.child import child
child(sys.argv[2], sys.argv[3])
"""


def start_detached(folder: Path, job_id: str, order: Order, settings: Settings, *, title: str) -> None:
    """Create the folder of a job, write its order there and start the process that runs it.

    Args:
        folder: The folder to create; removed again on errors.
        job_id: The name of the folder.
        order: What the job is to do.
        settings: The library, encoder and device of the job.
        title: Shown until the process sets its own.

    Raises:
        OrderError: The order is invalid.
        OSError: The files or the process cannot be created.
    """
    now = time.time()
    state = JobState(
        id=job_id,
        kind=job_kind(order),
        title=title,
        order=order_to_json(order),
        arguments=tuple(words_of(order)),
        started_at=now,
        updated_at=now,
        progress=JobProgress(phase="start"),
    )
    # Names that are not UTF-8 are printed escaped, as in the shell.
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace", "PYTHONUNBUFFERED": "1"}
    folder.mkdir(parents=True)
    try:
        write_order(folder, order, settings)
        write_state(folder / START_FILE, state)
        with (folder / LOG_FILE).open("ab") as log:
            # -P: do not import a folder `app` from the current directory.
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _CODE, _ROOT, str(folder.absolute()), job_id],
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
    with suppress(OSError):  # the process writes it as well
        write_state(folder / START_FILE, state.with_process(process_id_of(process.pid)))
    # Wait for the child, or it remains as a zombie.
    threading.Thread(target=process.wait, name=f"end of {job_id}", daemon=True).start()


def _creation_flags() -> int:
    """Return flags for Windows: no console, so that Ctrl-C in ours does not reach the process."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
