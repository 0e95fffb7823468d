"""The real app in a process of its own, and a real browser to drive it. Skips visibly where there is no browser."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.commands.ui import entry_address
from app.compose import Settings

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
START_SECONDS = 90


def find_chromium() -> str | None:
    """A Chromium or Chrome that is installed here; None where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    return None


class App:
    """`prismsearch ui` on a library, on a free port."""

    def __init__(self, library: Path, *options: str, encoder: str = "demo") -> None:
        self.library = library
        environment = {
            **os.environ,
            "PRISMSEARCH_LIBRARY": str(library),
            "PRISMSEARCH_ENCODER": encoder,
            "PRISMSEARCH_DEVICE": "cpu",
            "PYTHONPATH": str(ROOT),
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from app.cli import main; main()", "ui", "--no-browser", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.address = ""
        self._found = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._found.wait(START_SECONDS):
            self.kill()
            raise AssertionError("the app did not say its address:\n" + "".join(self.lines))

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(r"(?:http://|listens on )(?:127\.0\.0\.1|localhost):(\d+)", line):
                self.address = f"http://127.0.0.1:{match[1]}"
                self._found.set()
        self._found.set()

    def entry(self) -> str:
        """An address that lets one browser in."""
        return entry_address(Settings(library=self.library), int(self.address.rpartition(":")[2]))

    def cookie(self) -> str:
        """The `name=value` that a browser gets for such an address."""
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=30)
        connection.request("GET", self.entry().removeprefix(self.address))
        header = connection.getresponse().headers["set-cookie"]
        connection.close()
        return header.partition(";")[0]

    def context(self, chromium: Any) -> Any:
        """A new browser context that may see the page."""
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        name, _, value = self.cookie().partition("=")
        context.add_cookies([{"name": name, "value": value, "url": self.address}])
        return context

    def kill(self) -> None:
        """As a power cut would: no farewell."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As Ctrl-C in the terminal."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> App:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def wait_until(page: Any, question: str, argument: Any = None, seconds: float = 90.0) -> None:
    """Wait until a JavaScript function gives something true.

    Playwright's own `wait_for_function` evaluates a string inside the page, which the page's policy forbids.
    """
    deadline = time.monotonic() + seconds
    while not page.evaluate(question, argument):
        assert time.monotonic() < deadline, question
        page.wait_for_timeout(50)


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium driven by Playwright; skips the test where either is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium here: the browser tests need one (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        try:
            yield running
        finally:
            running.close()
