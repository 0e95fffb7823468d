"""Child processes by fork, from a process that has imported everything: a command starts in milliseconds.

A child leads a process group and a session of its own, so that whatever it starts can be killed with it. The parent
must have no threads and must never compute with torch or FAISS itself: use `call` for that.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODULES = (
    "torch",
    "av",
    "scenedetect",
    "faiss",
    "alembic.command",
    "sqlalchemy",
    "psutil",
    "imageio_ffmpeg",
    "numpy",
    "app.cli",
    "app.commands.index_run",
    "app.commands.export_run",
    "app.commands.export_selection",
    "app.commands.library",
    "app.exporting.exporter",
    "indexer.pipeline",
    "search.engine",
    "search.vectors.faiss_index",
    "db.library",
    "encoder.loading",
    "app.diagnostics.checks",
    "opentimelineio",
)
PATIENCE = 240.0
"""Seconds after which a child that should have ended counts as hanging. Machines are busy."""


class Fault(Exception):
    """What a campaign looks for. The message says what happened, on one line."""


def warm_up(*more: str) -> None:
    """Import what commands need, once for all children."""
    for name in (*MODULES, *more):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


@dataclass
class Child:
    """A process that was started by `start`. Its code is negative when a signal ended it, as subprocess has it."""

    pid: int
    out: Path
    err: Path
    code: int | None = None
    started: float = field(default_factory=time.monotonic)

    def ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for the end and return the code. Raises Fault where it does not end."""
        deadline = time.monotonic() + seconds
        pause = 0.001
        while not self.ended():
            if time.monotonic() > deadline:
                self.kill(group=True)
                raise Fault(f"did not end within {seconds:.0f} s: {self.last_words()}")
            time.sleep(pause)
            pause = min(0.02, pause * 1.5)
        assert self.code is not None
        return self.code

    def kill(self, *, group: bool) -> None:
        """SIGKILL, to its whole group or to it alone; then wait for it."""
        if group:
            self.sweep()
        with contextlib.suppress(ProcessLookupError):  # which may not lead its group yet
            os.kill(self.pid, signal.SIGKILL)
        while not self.ended():
            time.sleep(0.001)

    def sweep(self) -> None:
        """Kill whatever is in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    @property
    def printed(self) -> str:
        return self.out.read_text("utf-8", "replace") if self.out.exists() else ""

    @property
    def said(self) -> str:
        return self.err.read_text("utf-8", "replace") if self.err.exists() else ""

    def last_words(self) -> str:
        lines = (self.said or self.printed).strip().splitlines()
        return lines[-1][:300] if lines else "(it said nothing)"


def start(
    work: Callable[[], object],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    largest_file: int | None = None,
) -> Child:
    """Run a function in a child, with output in `log`.out and `log`.err.

    Args:
        work: Its SystemExit gives the exit code; any other exception is printed, with code 70.
        log: Without suffix.
        environment: Added to this process's.
        largest_file: A limit in bytes on each file it writes, as if the disk were full.
    """
    out, err = log.with_name(log.name + ".out"), log.with_name(log.name + ".err")
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid, out, err)
    code = 70
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        for number, (file, flags) in enumerate(
            [(Path(os.devnull), os.O_RDONLY)] + [(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for file in (out, err)]
        ):
            os.dup2(os.open(file, flags, 0o600), number)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        os.environ.update(environment or {})
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        work()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()  # type: ignore[attr-defined]
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 255)


def command(
    words: Sequence[object],
    log: Path,
    *,
    library: object = None,
    largest_file: int | None = None,
    prepare: Callable[[], None] = lambda: None,
) -> Child:
    """Start `prismsearch WORDS` with the demo encoder, in a child that was prepared."""
    state = log.parent / "state"  # never that of the person who runs this
    environment = {"PRISMSEARCH_ENCODER": "demo", "PRISMSEARCH_DEVICE": "cpu", "XDG_STATE_HOME": str(state)}
    if library is not None:
        environment["PRISMSEARCH_LIBRARY"] = str(library)

    def work() -> None:
        prepare()
        run_command([str(word) for word in words])

    return start(work, log, environment=environment, largest_file=largest_file)


def run_command(words: list[str]) -> None:
    from app.cli import main

    sys.argv = ["prismsearch", *words]
    main(words, prog_name="prismsearch")


def call(work: Callable[..., Any], *arguments: Any, log: Path, seconds: float = PATIENCE) -> Any:
    """Return what a function returns in a child. Raises Fault with its last line where it fails."""
    answer = log.with_name(log.name + ".answer")

    def told() -> None:
        answer.write_bytes(pickle.dumps(work(*arguments)))

    child = start(told, log)
    code = child.wait(seconds)
    child.sweep()
    if code:
        raise Fault(f"{getattr(work, '__name__', 'work')} ended with {code}: {child.last_words()}")
    result = pickle.loads(answer.read_bytes())
    answer.unlink()
    return result


def left_behind(mark: str) -> list[int]:
    """Return the processes whose environment holds a mark: those that outlived their parent, in any session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                mark.encode() in (folder / "environ").read_bytes()
                and "Z" not in (folder / "stat").read_text().split()[2]
            ):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def require_one_line(child: Child, what: str, *, codes: Sequence[int]) -> None:
    """Raise Fault where a command ended in another way than those that are told in words."""
    text = f"{child.said}\n{child.printed}"
    if child.code is not None and child.code < 0:
        raise Fault(f"raw: {what} was ended by signal {-child.code}: {child.last_words()}")
    if child.code == 4 or "Traceback (most recent call last)" in text or "an error in prismsearch itself" in text:
        raise Fault(f"raw: {what} ended with {child.code}: {child.last_words()}")
    if child.code not in codes:
        raise Fault(f"{what} ended with {child.code}: {child.last_words()}")
    if child.code and not child.said.strip() and not child.printed.strip():
        raise Fault(f"{what} ended with {child.code} and said nothing")
