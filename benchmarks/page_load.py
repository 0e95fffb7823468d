"""Speed at which the page appears: requests, bytes and seconds of a cold and of a second load; from Enter to posters.

    python -m benchmarks.page_load [--against DIR] [--loads 5] [--starts 2] [--searches 120] [--folder DIR]

The real app serves the demo library, and a headless Chromium loads each page: cold in a new profile, then again in the
same one. Seconds count from the navigation to the first poster (search) or to the content (other pages). `--against`
measures the page of another checkout too, in alternation. It prints a table, then JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from app.commands.ui import entry_address
from app.compose import Settings
from benchmarks.page import CHROMIUM, ROOT, WATCH, demo_app, find_chromium, percentile, questions, search, serve

# What has to be there for a page to be ready; a picture has to be loaded as well.
PAGES = {
    "/": ".ps-grid img",
    "/library": ".ps-lib-list [role=row]",
    "/map": ".ps-map canvas",
    "/collections": ".ps-collections[data-revision]",
    "/indexing": "[data-testid=stMain] input",
}
_READY = """
(() => {
  const look = () => {
    const found = [...document.querySelectorAll(SELECTOR)].some((each) =>
      each instanceof HTMLImageElement ? each.complete && each.naturalWidth : each.getClientRects().length);
    if (found) window.readyAt = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
SETTLE_MILLISECONDS = 1500
LONGEST_SECONDS = 120


class Side:
    """The page of one checkout, with a library of its own.

    Args:
        name: Of the checkout, in the table.
        root: The checkout.
        folder: Where its library is, or is made.
    """

    def __init__(self, name: str, root: Path, folder: Path) -> None:
        self.name, self.root = name, root
        self.library = folder / f"{name}-library"
        if not self.library.exists():
            indexing = demo_app(self.library, "index", str(ROOT / "app" / "demo_library"), root=root)
            output, _ = indexing.communicate()
            if indexing.returncode:
                raise SystemExit(f"the demo library could not be indexed:\n{output}")
        self.results: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
        self.searches: list[float] = []

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve the page within a `with` block."""
        process, self.port = serve(self.library, self.root)
        self.server = psutil.Process(process.pid)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)

    @contextmanager
    def profile(self, browser: Any) -> Iterator[Any]:
        """Yield a new browser profile that may see the page."""
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        entry = context.request.get(entry_address(Settings(library=self.library), self.port), max_redirects=0)
        if entry.status != 303:
            raise SystemExit(f"the page refuses the browser: {entry.status}")
        yield context
        context.close()

    def load(self, context: Any, path: str) -> dict[str, float]:
        """Load a page and return what it took."""
        page = context.new_page()
        page.add_init_script(_READY.replace("SELECTOR", json.dumps(PAGES[path])))
        traffic = Traffic(context.new_cdp_session(page))
        server, browser = cpu_seconds([self.server]), cpu_seconds(browsers())
        page.goto(f"http://127.0.0.1:{self.port}{path}", wait_until="commit")
        began = time.monotonic()
        while (ready := page.evaluate("window.readyAt")) is None:
            if time.monotonic() - began > LONGEST_SECONDS:
                raise SystemExit(f"{self.name}: {path} was not ready within {LONGEST_SECONDS} s")
            page.wait_for_timeout(50)
        until_ready = len(traffic.bytes)
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        taken = {
            "seconds": ready / 1000,
            "requests_until_then": until_ready,
            "requests": len(traffic.bytes),
            "megabytes": sum(traffic.bytes.values()) / 1e6,
            "server_cpu_s": cpu_seconds([self.server]) - server,
            "browser_cpu_s": cpu_seconds(browsers()) - browser,
        }
        page.close()
        return taken


class Traffic:
    """Requests of a page that reach the server, and the bytes of each response."""

    def __init__(self, session: Any) -> None:
        self.bytes: dict[str, int] = {}
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.requestServedFromCache", lambda event: self.bytes.pop(event["requestId"], None))
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.bytes[event["requestId"]] = 0

    def _received(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self.bytes.pop(event["requestId"], None)

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.bytes:
            self.bytes[event["requestId"]] = int(event["encodedDataLength"])


def browsers() -> list[psutil.Process]:
    """Return the processes that this one has started, but for the servers."""
    return [each for each in psutil.Process().children(recursive=True) if "chrom" in each.name()]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the seconds of processor time that processes have taken."""
    times = [each.cpu_times() for each in processes if each.is_running()]
    return sum(each.user + each.system for each in times)


def measure_starts(sides: list[Side], browser: Any, starts: int) -> None:
    """Measure the first load of a server that has just started."""
    for _ in range(starts):
        for side in sides:
            with side.serving(), side.profile(browser) as context:
                side.results["/ of a new server"].append(side.load(context, "/"))


def measure_loads(sides: list[Side], browser: Any, paths: list[str], loads: int) -> None:
    """Measure each page in new profiles, and again in the same one, after a first load that does not count."""
    for turn in range(loads + 1):
        for path in paths:
            for side in sides:
                with side.profile(browser) as context:
                    cold, again = side.load(context, path), side.load(context, path)
                if turn:
                    side.results[f"{path} cold"].append(cold)
                    side.results[f"{path} again"].append(again)


def measure_searches(sides: list[Side], browser: Any, count: int) -> None:
    """Measure from Enter to posters: ten searches of one side, then ten of the other."""
    pages = []
    for side in sides:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(entry_address(Settings(library=side.library), side.port))
        page.wait_for_selector(".ps-grid[data-ready]", timeout=LONGEST_SECONDS * 1000)
        page.evaluate(WATCH)
        pages.append(page)
    asked = questions(count + 10)
    for start in range(0, len(asked), 10):
        for side, page in zip(sides, pages, strict=True):
            found = [search(page, words) for words in asked[start : start + 10]]
            if start:  # the first ten load what is loaded once
                side.searches += [each["milliseconds"] for each in found if not each["folded"]]
    for page in pages:
        page.context.close()


def results_of(side: Side) -> dict[str, Any]:
    """Return the medians of each kind of load, and the percentiles of the searches."""
    loads = {
        what: {key: statistics.median(each[key] for each in taken) for key in taken[0]}
        for what, taken in side.results.items()
    }
    if not side.searches:
        return {"loads": loads}
    searches = {"count": len(side.searches), "p50": statistics.median(side.searches)}
    return {"loads": loads, "enter_to_posters_ms": {**searches, "p95": percentile(side.searches, 0.95)}}


def print_table(results: dict[str, dict[str, Any]]) -> None:
    columns = ("seconds", "requests_until_then", "requests", "megabytes", "server_cpu_s", "browser_cpu_s")
    titles = [each.replace("_", " ") for each in columns]
    print(f"{'':32}{''.join(f'{title:>22}' for title in titles)}")
    for what in next(iter(results.values()))["loads"]:
        for name, result in results.items():
            row = result["loads"][what]
            print(f"{what:24}{name:8}{''.join(f'{row[each]:22.2f}' for each in columns)}")
    for name, result in results.items():
        if taken := result.get("enter_to_posters_ms"):
            line = f"p50 {taken['p50']:.0f} ms, p95 {taken['p95']:.0f} ms of {taken['count']} searches"
            print(f"{'Enter to posters':24}{name:8}{line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="DIR", help="Another checkout to measure in the same run.")
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES), metavar="PATH", help="Only these.")
    parser.add_argument("--starts", type=int, default=2)
    parser.add_argument("--searches", type=int, default=120)
    parser.add_argument("--folder", type=Path, help="Keep the libraries here for the next run.")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as temporary, ExitStack() as until_the_end:
        folder = (options.folder or Path(temporary)).resolve()
        sides = [Side("before", options.against.resolve(), folder)] if options.against else []
        sides.append(Side("now", ROOT, folder))
        playwright = until_the_end.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM))
        measure_starts(sides, browser, options.starts)
        for side in sides:
            until_the_end.enter_context(side.serving())
        measure_loads(sides, browser, options.pages, options.loads)
        if options.searches:
            measure_searches(sides, browser, options.searches)
        browser.close()
    results = {side.name: results_of(side) for side in sides}
    print_table(results)
    print(json.dumps({"benchmark": "page_load", **results}))


if __name__ == "__main__":
    main()
