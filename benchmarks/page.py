"""The page on a large library: time from Enter to posters on the screen, cost of hovering, memory of the server.

    python -m benchmarks.page [--segments 100000] [--searches 200] [--folder DIR]

A synthetic library (benchmarks/_large_library.py) is served by the real app with the demo encoder, and a headless
Chromium sends it different queries. The floor is measured in the same run and alternates with the searches: a bare
HTML page with the posters of the last results, from the same server, in the same browser. It prints a table, then JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.commands.ui import entry_address
from app.compose import Settings
from benchmarks._large_library import grow, seed_library

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# Time from the key to the moment at which the grid says that every poster in view is there, on the browser's own clock.
WATCH = """
() => {
  window.watched = [];
  const note = (event) => { if (event.key === 'Enter') window.pressed = performance.now(); };
  document.addEventListener('keydown', note, true);
  const look = () => {
    const ready = document.querySelector('.ps-grid')?.dataset.ready;
    if (ready && ready !== window.lastReady) {
      window.lastReady = ready;
      window.watched.push({ready, milliseconds: performance.now() - window.pressed,
        python: Number(document.querySelector('.ps-grid').dataset.milliseconds),
        folded: document.querySelector('.ps-fold')?.hidden === false});
    }
    requestAnimationFrame(look);
  };
  look();
}
"""
FLOOR = """
async () => {
  const seen = (image) => image.getBoundingClientRect().top < innerHeight;
  const sources = [...document.querySelectorAll('.ps-grid img')].filter(seen).map((image) => image.src);
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const started = performance.now();
  const images = sources.map((source) => {
    const image = new Image();
    image.src = source + '?floor=' + Math.random();
    frame.contentDocument.body.append(image);
    return image;
  });
  await Promise.all(images.map((image) => image.decode()));
  const taken = performance.now() - started;
  frame.remove();
  return taken;
}
"""


def questions(count: int) -> list[str]:
    """Yield sentences of the demo encoder's world, all different."""
    captions = json.loads((ROOT / "app" / "demo_library" / "captions.json").read_text("utf-8"))["files"]
    known = list(dict.fromkeys(shot["caption"] for file in captions for shot in file["shots"]))
    return [f"{known[at % len(known)]}{', again' * (at // len(known))}" for at in range(count)]


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process, from the kernel (Linux)."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    return int(match[1]) / 1024 if match else float("nan")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def demo_app(library: Path, *words: str, root: Path = ROOT) -> subprocess.Popen[str]:
    """Start a command of the app in a checkout, with the demo encoder."""
    environment = {
        **os.environ,
        "PRISMSEARCH_LIBRARY": str(library),
        "PRISMSEARCH_ENCODER": "demo",
        "PYTHONPATH": str(root),
    }
    return subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", *words],
        cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def serve(library: Path, root: Path = ROOT) -> tuple[subprocess.Popen[str], int]:
    """Start the page of a checkout; return its process and port."""
    process = demo_app(library, "ui", "--no-browser", root=root)
    assert process.stdout is not None
    for line in process.stdout:
        if match := re.search(r"http://[\w.]+:(\d+)", line):
            return process, int(match[1])
    raise SystemExit("the app did not start")


def find_chromium() -> str:
    chromium = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("this benchmark drives a Chromium, and none is installed")
    return chromium


def search(page: Any, words: str) -> dict[str, float]:
    """Type a query, press Enter, wait for the posters; return the browser's measurements."""
    before = page.evaluate("window.watched.length")
    box = page.locator(".st-key-words input")
    box.fill(words)
    box.press("Enter")
    while page.evaluate("window.watched.length") <= before:  # `wait_for_function` evaluates strings, which is forbidden
        page.wait_for_timeout(5)
    found: dict[str, float] = page.evaluate("window.watched.at(-1)")
    return found


def hover_and_scroll(page: Any, frames_sent: list[int]) -> int:
    """Return the number of messages that browsing sends to the script; each would be a rerun."""
    before = len(frames_sent)
    for at in range(12):
        page.locator(".ps-card").nth(at).hover()
        page.wait_for_selector(".ps-frame video.ps-on", timeout=20_000)
    for _ in range(10):
        page.mouse.wheel(0, 900)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return len(frames_sent) - before


def measure(address: str, pid: int, searches: int, browser: Any) -> dict[str, Any]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: sent.append(1)))
    page.goto(address)
    page.wait_for_selector(".ps-grid[data-ready]", timeout=120_000)
    page.evaluate(WATCH)
    asked = questions(searches + 20)
    for words in asked[:20]:  # the first ones load what is loaded once: the encoder's kernels, the index
        search(page, words)
    memory = [resident_megabytes(pid)]
    taken, python, floor = [], [], []
    folded = 0  # searches without a good match, which show no posters
    for at, words in enumerate(asked[20:], start=1):
        found = search(page, words)
        if found["folded"]:
            folded += 1
            page.locator(".ps-fold").click()
        else:
            taken.append(found["milliseconds"])
        python.append(found["python"])
        if at % 10 == 0:
            floor.append(page.evaluate(FLOOR))
            memory.append(resident_megabytes(pid))
    return {
        "searches": searches,
        "without_a_good_match": folded,
        "enter_to_posters_ms": {"p50": statistics.median(taken), "p95": percentile(taken, 0.95), "most": max(taken)},
        "query_to_hits_ms": {"p50": statistics.median(python), "p95": percentile(python, 0.95), "most": max(python)},
        "same_posters_bare_ms": {"p50": statistics.median(floor), "p95": percentile(floor, 0.95)},
        "ratio_to_floor_p50": statistics.median(taken) / statistics.median(floor),
        "reruns_by_hover_and_scroll": hover_and_scroll(page, sent),
        "server_megabytes": {"first": memory[0], "half": memory[len(memory) // 2], "last": memory[-1]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="Keep the libraries here for the next run.")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = find_chromium()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        seed = seed_library(folder / "seed", ROOT / "app" / "demo_library")
        library = grow(seed, folder / f"large-{options.segments}", options.segments)
        print(f"{library.stats().segments:,} segments in {len(library.videos()):,} videos", flush=True)
        process, port = serve(library.directory)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
                address = entry_address(Settings(library=library.directory), port)
                results = measure(address, process.pid, options.searches, browser)
                browser.close()
        finally:
            process.terminate()
            process.wait(30)
    for name, value in results.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        print(f"{name:32}{'  '.join(f'{key} {number:.1f}' for key, number in parts)}")
    print(json.dumps({"benchmark": "page", "segments": options.segments, **results}))


if __name__ == "__main__":
    main()
