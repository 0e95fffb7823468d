"""Screenshots of the page in all its states, for docs/ and for reviews of changes.

    python -m demo.screenshots [--to DIR] [--only NAME,...]

It serves the real app on the demo library with the demo encoder and drives a headless Chromium through it, in light and
dark, at 1440 and 800 pixels width. Nothing is staged: each picture shows what the app did.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "app" / "demo_library"
CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
LOOKS = {
    "": (1440, 900, "light"),
    "-dark": (1440, 900, "dark"),
    "-800": (800, 1000, "light"),
    "-800-dark": (800, 1000, "dark"),
}


@contextmanager
def served(library: Path) -> Iterator[str]:
    """Serve the app on a library; yield its address."""
    environment = {**os.environ, "PRISMSEARCH_LIBRARY": str(library), "PRISMSEARCH_ENCODER": "demo"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", "ui", "--no-browser", "--no-token"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if match := re.search(r"http://[\w.]+:(\d+)", line):
                yield f"http://127.0.0.1:{match[1]}/"
                return
        raise SystemExit("the app did not start")
    finally:
        process.terminate()
        process.wait(30)


def index(library: Path, folder: Path) -> None:
    environment = {**os.environ, "PRISMSEARCH_LIBRARY": str(library), "PRISMSEARCH_ENCODER": "demo"}
    command = [sys.executable, "-c", "from app.cli import main; main()", "index", str(folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True)  # one file is meant to fail


def ready(page: Any) -> None:
    page.wait_for_selector(".ps-grid[data-ready]")


def results(page: Any) -> None:
    page.goto(page.base + "?q=a+cactus+spins+around")
    ready(page)


def hover(page: Any) -> None:
    results(page)
    page.locator(".ps-card").nth(2).hover()
    page.wait_for_selector("video.ps-on")


def player(page: Any) -> None:
    results(page)
    page.locator(".ps-card").nth(2).click()
    page.wait_for_selector("dialog.ps-player[data-state=paused]")
    for key in ("Home", ".", ".", "i", *"." * 10, "o"):
        page.keyboard.press(key)
    page.wait_for_selector(".ps-strip-marked:not([hidden])")
    page.wait_for_selector(".ps-neighbour")


def example(page: Any) -> None:
    results(page)
    page.locator(".ps-card").nth(2).focus()
    token = page.get_attribute(".ps-grid", "data-ready")
    page.keyboard.press("m")
    while page.evaluate("document.querySelector('.ps-grid')?.dataset.ready") == token:
        page.wait_for_timeout(50)
    ready(page)
    page.goto(page.url + "&q=on+ocean+waves&term=-0.5:text:a+taxi")
    ready(page)
    page.get_by_text("on ocean waves").first.wait_for()


def filters(page: Any) -> None:
    results(page)
    page.get_by_role("button", name="Filters").click()
    page.get_by_text("One result per video").wait_for()


def keys(page: Any) -> None:
    results(page)
    page.locator(".ps-card").first.focus()
    page.keyboard.press("?")
    page.wait_for_selector(".ps-help")


def dock(page: Any) -> None:
    fill_tray(page)
    results(page)
    if page.get_attribute(".ps-dock-handle", "aria-expanded") == "false":
        page.locator(".ps-dock-handle").click()
    page.wait_for_selector(".ps-dock-item")


def fill_tray(page: Any) -> None:
    results(page)
    for at in range(4):
        page.locator(".ps-card").nth(at).focus()
        page.keyboard.press("s")
        page.wait_for_selector(f".ps-card:nth-child({at + 1}).ps-kept")


def collection(page: Any) -> None:
    fill_tray(page)
    page.goto(page.base + "collections")
    page.get_by_text("4 subclips").first.wait_for()


def trim(page: Any) -> None:
    collection(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("Around in").wait_for()
    page.wait_for_timeout(1500)  # the stills are drawn from the video as it loads


def export_done(page: Any) -> None:
    collection(page)
    page.keyboard.press("e")
    form = page.get_by_role("form", name="Export")
    for label in ("EDL", "FCPXML", "OTIO"):
        form.get_by_label(label).first.check()
    form.locator("button[type=submit]").click()
    page.get_by_role("link", name="Download").first.wait_for()


def library_page(page: Any) -> None:
    page.goto(page.base + "library")
    page.get_by_text("01_widescreen_25.mp4").first.wait_for()
    page.wait_for_timeout(500)


def timeline(page: Any) -> None:
    page.goto(page.base + "library?video=27&q=something+spins+around")
    page.get_by_text("best here").wait_for()
    page.wait_for_timeout(500)


def map_page(page: Any) -> None:
    page.goto(page.base + "map")
    page.get_by_text("nearby shots look alike").wait_for()
    page.wait_for_timeout(1500)


def nothing_found(page: Any) -> None:
    page.goto(page.base + "?q=a+penguin&score=0.99")
    page.get_by_text("No shot scores").wait_for()


def no_match(page: Any) -> None:
    page.goto(page.base + "?q=asdf+qwer+zxcv")
    page.locator(".ps-fold").wait_for()


def stack(page: Any) -> None:
    page.goto(page.base + "?q=a+cactus+spins+around")
    ready(page)
    page.locator(".ps-stack-button:visible").first.click()
    page.wait_for_selector(".ps-member")


def chain(page: Any) -> None:
    page.goto(page.base + "?q=a+penguin+grows+larger&then=a+hammer+shrinks")
    ready(page)
    page.locator(".ps-chain").first.focus()


def chips(page: Any) -> None:
    page.goto(page.base + "?q=a+penguin+grows+larger&shape=landscape&min=1&max=3")
    ready(page)


def negation(page: Any) -> None:
    page.goto(page.base + "?q=an+animal+without+a+penguin")
    page.get_by_role("button", name="Exclude").wait_for()
    page.locator(".ps-fold").wait_for()


def bad_link(page: Any) -> None:
    page.goto(page.base + "?q=a+penguin&since=tomorrowish&term=1:segment:../../etc/passwd")
    ready(page)


def gone_example(page: Any) -> None:
    page.goto(page.base + "?term=1:segment:999999")
    page.get_by_text("has gone").first.wait_for()


def gone_file(page: Any) -> None:
    page.goto(page.base + "?q=a+moved+file&name=gone")
    ready(page)
    page.locator(".ps-card").first.click()
    page.wait_for_selector("dialog.ps-player .ps-error")


def indexing(page: Any) -> None:
    page.goto(page.base + "indexing")
    page.get_by_text("Files that failed").first.wait_for()
    page.wait_for_timeout(500)


STATES: dict[str, Callable[[Any], None]] = {
    "results": results, "hover": hover, "player": player, "example": example, "filters": filters, "keys": keys,
    "tray": dock, "collection": collection, "trim": trim, "export": export_done, "library": library_page,
    "timeline": timeline, "map": map_page, "indexing": indexing, "error-nothing": nothing_found,
    "no-match": no_match, "stack": stack, "chain": chain, "chips": chips, "negation": negation,
    "error-link": bad_link, "error-example": gone_example, "error-file": gone_file,
}  # fmt: skip


def footage(folder: Path) -> Path:
    """Copy the demo videos, with one that will be removed and one that cannot be read."""
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("*.json", "*.md"))
    shutil.copy(DEMO / "05_square.mp4", folder / "gone.mp4")
    with (folder / "gone.mp4").open("ab") as file:
        file.write(b"\0" * 64)  # another file than the one it was made of
    (folder / "broken.mp4").write_bytes((DEMO / "05_square.mp4").read_bytes()[:2000])
    return folder


def first_start(browser: Any, to: Path, folder: Path) -> None:
    """Take an empty library, and its first folder being indexed from the page."""
    for suffix, (width, height, scheme) in LOOKS.items():
        with tempfile.TemporaryDirectory() as empty, served(Path(empty) / "library") as address:
            page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
            page.goto(address)
            page.get_by_text("Find the shot").wait_for()
            page.wait_for_timeout(500)
            page.screenshot(path=to / f"first-start{suffix}.png")
            page.get_by_role("button", name="Choose a folder").click()
            page.locator(".ps-folder-row").first.wait_for()
            page.wait_for_timeout(500)
            page.screenshot(path=to / f"chooser{suffix}.png")
            page.keyboard.press("Escape")
            page.locator("#ps-folder").fill(str(folder))
            page.get_by_text(re.compile("30 video")).first.wait_for()
            page.screenshot(path=to / f"folder{suffix}.png")
            page.get_by_role("button", name="Start indexing").click()
            page.get_by_role("button", name="Stop").first.wait_for()
            page.wait_for_timeout(2500)
            page.screenshot(path=to / f"indexing-running{suffix}.png")
            page.get_by_text(re.compile("29 videos added")).first.wait_for(timeout=180_000)
            page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", default="", help="Names, parted by commas.")
    options = parser.parse_args()
    from playwright.sync_api import Error, sync_playwright

    chromium = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("these pictures are taken by a Chromium, and none is installed")
    wanted = [name for name in options.only.split(",") if name] or [*STATES, "first"]
    options.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        folder = footage(Path(temporary) / "footage")
        if "first" in wanted:
            first_start(browser, options.to, folder)
        library = Path(temporary) / "library"
        index(library, folder)
        (folder / "gone.mp4").unlink()
        with served(library) as address:
            for suffix, (width, height, scheme) in LOOKS.items():
                for name in (each for each in STATES if each in wanted):
                    view = {"width": width, "height": height}
                    page = browser.new_context(viewport=view, color_scheme=scheme).new_page()
                    page.base = address
                    page.set_default_timeout(30_000)
                    try:
                        STATES[name](page)
                    except Error as error:
                        print(f"{name}{suffix}: {str(error).splitlines()[0]}", flush=True)
                    page.screenshot(path=options.to / f"{name}{suffix}.png")
                    page.context.close()
        browser.close()
    print(f"{len(list(options.to.glob('*.png')))} pictures in {options.to}")


if __name__ == "__main__":
    main()
