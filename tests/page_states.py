"""States of the page for tests that look at all of them: how a browser gets to each, over one small library."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser_app import App, wait_until
from click.testing import CliRunner

from app.cli import main

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "app" / "demo_library"
WORDS = "a+penguin+grows+larger"  # a shot of 02_widescreen_ntsc.mp4, and of its copy
NO_SHOTS = "a+car&name=no-such-file"


def make_library(folder: Path) -> Path:
    """Index videos of the demo from a terminal: a copy, one that goes missing, and one that cannot be read."""
    footage = folder / "footage"
    footage.mkdir()
    for name in ("01_widescreen_25.mp4", "02_widescreen_ntsc.mp4"):
        shutil.copy(DEMO / name, footage)
    (footage / "copy.mp4").write_bytes((DEMO / "02_widescreen_ntsc.mp4").read_bytes() + b"\0" * 64)
    (footage / "gone.mp4").write_bytes((DEMO / "13_one_shot.mp4").read_bytes())
    (footage / "broken.mp4").write_bytes((DEMO / "05_square.mp4").read_bytes()[:2000])
    library = folder / "library"
    index_in_terminal(footage, library)
    (footage / "gone.mp4").unlink()
    return library


def index_in_terminal(footage: Path, library: Path) -> None:
    """Index a folder with the demo encoder, as in a terminal but in this process. Broken files are left out.

    `tests/test_browser.py` shows that the page indexes in processes of its own, with the detector of new libraries.
    """
    words = ["index", str(footage), "--detector", "blend"]
    CliRunner().invoke(main, words, env={"PRISMSEARCH_LIBRARY": str(library), "PRISMSEARCH_ENCODER": "demo"})


class Visit:
    """A tab of a browser on the page, and the ways that it goes."""

    def __init__(self, app: App, page: Any) -> None:
        self.app = app
        self.page = page

    def to(self, address: str, shown: str) -> None:
        """Open an address of the page, and wait until an element is there."""
        self.page.goto(f"{self.app.address}/{address}")
        self.page.wait_for_selector(shown, state="attached")

    def search(self, query: str) -> None:
        self.to(query, ".ps-grid[data-ready]")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def shown(self, selector: str) -> None:
        self.page.locator(selector).first.wait_for()

    def focus_card(self) -> None:
        self.page.locator(".ps-card").first.focus()


def newest(visit: Visit) -> None:
    visit.search("")


def hits(visit: Visit) -> None:
    visit.search(f"?q={WORDS}")


def weak(visit: Visit) -> None:
    visit.search("?q=asdf+qwer+zxcv")
    visit.shown(".ps-fold")


def nothing(visit: Visit) -> None:
    visit.to(f"?q={NO_SHOTS}", "[data-testid=stAlert]")


def composed(visit: Visit) -> None:
    """Words, an example with a picture, and something unwanted, each with a slider."""
    visit.search(f"?q={WORDS}&term=1:segment:1&term=-0.5:text:a+taxi")
    visit.shown("[data-testid=stSliderThumbValue]")


def stack(visit: Visit) -> None:
    hits(visit)
    visit.click(".ps-stack-button:visible")
    visit.shown(".ps-member")


def chains(visit: Visit) -> None:
    visit.search(f"?q={WORDS}&then=a+hammer+shrinks")
    visit.shown(".ps-chain")


def filters(visit: Visit) -> None:
    visit.search(f"?q={WORDS}&shape=landscape&min=1&max=9&single=1")
    visit.page.get_by_role("button", name="Filters").first.click()
    visit.shown("[data-testid=stPopoverBody] [data-testid=stDateInput]")


def combine(visit: Visit) -> None:
    hits(visit)
    visit.page.get_by_role("button", name="Combine").first.click()
    visit.shown("[data-testid=stPopoverBody] input")


def keys(visit: Visit) -> None:
    hits(visit)
    visit.focus_card()
    visit.press("?")
    visit.shown(".ps-help")


def player(visit: Visit) -> None:
    hits(visit)
    visit.focus_card()
    visit.press("Enter")
    visit.page.wait_for_selector("dialog.ps-player[data-state=paused]")  # it stops by itself
    visit.press("Home", ".", "i", ".", ".", "o")
    visit.shown(".ps-strip-marked")
    visit.shown(".ps-neighbour")


def missing_file(visit: Visit) -> None:
    visit.search("?q=a+mouse+grows+larger&name=gone")
    if visit.page.locator(".ps-fold:visible").count():
        visit.click(".ps-fold")
    visit.focus_card()
    visit.press("Enter")
    visit.shown("dialog.ps-player .ps-error")


def tray(visit: Visit) -> None:
    """A shot in the tray, the message that it is, and the open tray."""
    hits(visit)
    visit.focus_card()
    visit.press("s")
    visit.shown(".ps-card.ps-kept")
    visit.shown(".ps-toast")
    if visit.page.get_attribute(".ps-dock-handle", "aria-expanded") == "false":
        visit.press("t")
    visit.shown(".ps-dock-item")


def collection(visit: Visit) -> None:
    tray(visit)
    visit.press("t")  # closed for the states to come
    visit.to("collections", ".ps-clip[data-clip]")


def trim(visit: Visit) -> None:
    collection(visit)
    visit.press("ArrowDown", "Enter")
    visit.page.wait_for_selector("dialog.ps-trim[data-ready]")


def export(visit: Visit) -> None:
    collection(visit)
    visit.press("e")
    visit.shown("form.ps-export")


def exported(visit: Visit) -> None:
    export(visit)
    visit.click("form.ps-export button[type=submit]")
    visit.shown(".ps-run a[download], .ps-run a[href]")


def library(visit: Visit) -> None:
    visit.to("library", ".ps-lib-row")


def removal(visit: Visit) -> None:
    """A video of the library chosen, and the question whether it is to be removed."""
    library(visit)
    visit.page.locator(".ps-lib-row input[type=checkbox]").first.check()
    visit.shown(".ps-lib-bar")
    visit.click(".ps-lib-row [data-action=remove]")
    visit.shown("dialog.ps-confirm")


def video(visit: Visit) -> None:
    visit.to(f"library?video=1&q={WORDS}", ".ps-shots .ps-card")


def map_of_shots(visit: Visit) -> None:
    visit.to("map", ".ps-map-stage")
    wait_until(visit.page, "() => document.querySelector('.ps-view')?.dataset.ready")


def questions(visit: Visit) -> None:
    """A shot to watch, a question about it, and one about what is not there."""
    visit.to("questions", ".ps-questions [data-state=playing]")
    for at in (0, 1):
        visit.page.locator(".ps-question-form input").nth(at).fill(f"a burger, or {at}")
        visit.press("Enter")
        visit.shown(f".ps-question-list > :nth-child({at + 1})")


def indexing(visit: Visit) -> None:
    """The page with a job that has ended, one of its files failed."""
    visit.to("indexing", "[data-testid=stMain] :text('broken.mp4')")


STATES: dict[str, Callable[[Visit], None]] = {
    "search, nothing asked": newest,
    "search, hits": hits,
    "search, no good match": weak,
    "search, nothing found": nothing,
    "search, composed": composed,
    "search, a stack open": stack,
    "search, chains": chains,
    "search, filters": filters,
    "search, combining": combine,
    "keys": keys,
    "player": player,
    "player, no file": missing_file,
    "tray and message": tray,
    "collection": collection,
    "trim": trim,
    "export": export,
    "export, done": exported,
    "library": library,
    "library, removal": removal,
    "video": video,
    "map": map_of_shots,
    "questions": questions,
    "indexing": indexing,
}


def first_start(visit: Visit) -> None:
    visit.to("", "[data-testid=stMain] h1")


def first_folder(visit: Visit) -> None:
    visit.to("indexing", "[data-testid=stMain] input")


def nothing_collected(visit: Visit) -> None:
    visit.to("collections", ".ps-coll-empty")


EMPTY_LIBRARY: dict[str, Callable[[Visit], None]] = {
    "first start": first_start,
    "first folder": first_folder,
    "empty collection": nothing_collected,
}
