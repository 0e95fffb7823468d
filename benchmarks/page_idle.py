"""Idle tabs of the page: CPU of the server under four of them, while nothing runs and while a job does, and its worst
answer while four old tabs reconnect to a new server.

    python -m benchmarks.page_idle [--against DIR] [--seconds 20] [--rounds 3] [--folder DIR]

The real app of this tree, and with --against also that of another checkout, in alternation within one run. CPU seconds
are those of the server's process alone, from the kernel, so that other work on the machine changes them little; the
worst answer is wall time. The tabs are of a headless Chromium, which counts each of them as visible. It prints a table,
then JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.page import CHROMIUM, ROOT

PAGES = {
    "search": "", "library": "library", "video": "library?video=1", "map": "map", "collections": "collections",
    "indexing": "indexing",
}  # fmt: skip
TABS = 4
SETTLE_SECONDS = 12
PROBED = ("/_stcore/health", "/api/library/state")
PROBE_SECONDS = 15.0
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Tree:
    """A checkout, with a library of its own and its server.

    Args:
        name: "now" or "before".
        root: The checkout.
        folder: Where its library is kept.
        port: Port of its server.
    """

    def __init__(self, name: str, root: Path, folder: Path, port: int) -> None:
        self.name, self.root, self.port = name, root, port
        self.library = folder / name
        self.address = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of this checkout."""
        environment = {
            **os.environ, "PRISMSEARCH_LIBRARY": str(self.library), "PRISMSEARCH_ENCODER": "demo",
            "PYTHONPATH": str(self.root),
        }  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-c", "from app.cli import main; main()", *arguments],
            cwd=self.root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        """Start the server; do not wait for it."""
        self.process = self.command("ui", "--no-browser", "--no-token", "--port", str(self.port))

    def wait(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + 120
        while probe(self.port, PROBED[0]) is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"the server of {self.root} did not start")
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server's process has used (Linux)."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def probe(port: int, path: str) -> float | None:
    """Return the seconds that an answer took; None if nobody listens."""
    started = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except OSError:
        return None
    finally:
        connection.close()
    return time.monotonic() - started


def open_tabs(browser: Any, tree: Tree, addresses: list[str]) -> Any:
    """Return a browser context with these pages open and drawn."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    for address in addresses:
        page = context.new_page()
        page.goto(f"{tree.address}/{address}")
        page.wait_for_selector(".ps-dock, .ps-coll-head", state="attached", timeout=120_000)
    return context


def idle_load(browser: Any, tree: Tree, address: str, seconds: float) -> dict[str, float]:
    """Return the cores that the server uses for idle tabs, and the requests that they make in a minute."""
    context = open_tabs(browser, tree, [address] * TABS)
    context.pages[0].wait_for_timeout(1000 * SETTLE_SECONDS)
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    before, started = tree.cpu_seconds(), time.monotonic()
    context.pages[0].wait_for_timeout(1000 * seconds)
    passed = time.monotonic() - started
    found = {"cores": (tree.cpu_seconds() - before) / passed, "requests_a_minute": 60 * len(requests) / passed}
    context.close()
    return found


def busy_load(browser: Any, tree: Tree, address: str, seconds: float) -> dict[str, float]:
    """Return the same while an index job of its own process runs."""
    job = tree.command("index", "--redo", "--yes", str(ROOT / "app" / "demo_library"))
    try:
        found = idle_load(browser, tree, address, seconds)
        if job.poll() is not None:
            print("the job ended before the measurement; choose fewer --seconds", file=sys.stderr)
    finally:
        with suppress(ProcessLookupError):
            job.send_signal(signal.SIGINT)
        job.wait(120)
    return found


def reconnection(browser: Any, tree: Tree) -> dict[str, float]:
    """Kill the server under four tabs, start it again, and return its worst and usual answers while they come back."""
    context = open_tabs(browser, tree, [PAGES[name] for name in ("search", "library", "collections", "indexing")])
    context.pages[0].wait_for_timeout(1000 * SETTLE_SECONDS)
    tree.kill()
    context.pages[0].wait_for_timeout(3000)
    sockets: list[str] = []
    for page in context.pages:
        page.on("websocket", lambda socket: sockets.append(socket.url))
    started = time.monotonic()
    tree.start()
    first, answers = 0.0, []
    while not first or time.monotonic() - first < PROBE_SECONDS:
        for path in PROBED:
            taken = probe(tree.port, path)
            if taken is not None:
                first = first or time.monotonic() - taken
                answers.append(taken)
        context.pages[0].wait_for_timeout(30)  # lets the browser's events in, too
    context.close()
    return {
        "worst_ms": 1000 * max(answers),
        "p50_ms": 1000 * statistics.median(answers),
        "listens_after_seconds": first - started,
        "tabs_back": len(sockets),
    }


def measure(browser: Any, trees: list[Tree], options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    results: dict[str, dict[str, Any]] = {tree.name: {"idle": {}, "busy": {}, "reconnect": []} for tree in trees}
    for kind, load, pages in (("idle", idle_load, list(PAGES)), ("busy", busy_load, options.busy)):
        for name in pages:
            for tree in trees:
                results[tree.name][kind][name] = load(browser, tree, PAGES[name], options.seconds)
                print(tree.name, kind, name, results[tree.name][kind][name], flush=True)
    for _ in range(options.rounds):
        for tree in trees:
            results[tree.name]["reconnect"].append(reconnection(browser, tree))
            print(tree.name, results[tree.name]["reconnect"][-1], flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="DIR", help="Measure this checkout, too, in alternation.")
    parser.add_argument("--seconds", type=float, default=20.0, help="Length of each measurement of CPU.")
    parser.add_argument("--rounds", type=int, default=3, help="How often tabs reconnect.")
    parser.add_argument("--busy", nargs="*", default=["library", "indexing"], help="Pages measured while a job runs.")
    parser.add_argument("--port", type=int, default=8640, help="Port of the first server; the next one is the other's.")
    parser.add_argument("--folder", type=Path, help="Keep the libraries here for the next run.")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("this benchmark drives a Chromium, and none is installed")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        trees = [Tree("now", ROOT, folder, options.port)]
        if options.against is not None:
            trees.append(Tree("before", options.against.resolve(), folder, options.port + 1))
        for tree in trees:
            if not (tree.library / "library.sqlite3").exists():
                tree.command("index", str(ROOT / "app" / "demo_library")).wait()
            tree.start()
        try:
            for tree in trees:
                tree.wait()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
                results = measure(browser, trees, options)
                browser.close()
        finally:
            for tree in trees:
                tree.kill()
    table(results)
    print(json.dumps({"benchmark": "page_idle", "tabs": TABS, "seconds": options.seconds, **results}))


def table(results: dict[str, dict[str, Any]]) -> None:
    names = list(results)
    print(f"{'cores of the server (requests a minute)':44}" + "".join(f"{name:>20}" for name in names))
    for kind in ("idle", "busy"):
        for page in results[names[0]][kind]:
            found = [results[name][kind][page] for name in names]
            cells = [f"{each['cores']:.3f} ({each['requests_a_minute']:.0f})" for each in found]
            print(f"{f'{TABS} tabs, {kind}, {page}':44}" + "".join(f"{cell:>20}" for cell in cells))
    for key in ("worst_ms", "p50_ms", "listens_after_seconds"):
        cells = [f"{max(each[key] for each in results[name]['reconnect']):.1f}" for name in names]
        print(f"{f'reconnecting, {key}, worst round':44}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main()
