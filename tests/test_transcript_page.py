"""The transcript beside the player in a real browser: lines of a subtitle file, a click that seeks, a search in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browser_app import App, browser, wait_until
from page_states import DEMO, WORDS, index_in_terminal

PATIENCE = 60_000  # milliseconds
RATE = 30000 / 1001
LINES = {0.5: "A kangaroo, quite still.", 2.5: "Now <b>a penguin</b> & a wall.", 4.5: "Naïve café: a hammer."}
ROWS = "[...document.querySelectorAll('.ps-transcript .ps-line-text')].map((row) => row.textContent)"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The page over a video of three shots with a subtitle in each, in a file beside it."""
    root = tmp_path_factory.mktemp("transcript")
    footage = root / "footage"
    footage.mkdir()
    shutil.copy(DEMO / "02_widescreen_ntsc.mp4", footage / "animals.mp4")
    cues = [
        f"00:00:0{start:.3f} --> 00:00:0{start + 1:.3f}\n{text}\n".replace(".", ",", 2) for start, text in LINES.items()
    ]
    content = "\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1))
    (footage / "animals.en.srt").write_text(content, "utf-8")
    index_in_terminal(footage, root / "library")
    with App(root / "library") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def page(app: App, chromium: Any) -> Iterator[Any]:
    """The player, stopped at the end of the shot that the words find: the penguin's."""
    with app.context(chromium) as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE)
        opened.broken = []
        opened.on("pageerror", lambda error: opened.broken.append(str(error)))
        opened.on("dialog", lambda dialog: opened.broken.append(f"a script ran: {dialog.message}"))
        opened.goto(f"{app.address}/?q={WORDS}")
        opened.wait_for_selector(".ps-grid[data-ready]")
        opened.locator(".ps-card").first.focus()
        opened.keyboard.press("Enter")
        opened.wait_for_selector("dialog.ps-player[data-state=paused]")
        opened.get_by_role("listbox", name="Lines of the transcript").wait_for()
        wait_until(opened, f"() => {ROWS}.length === 3")
        yield opened
        assert opened.broken == []


def frame(page: Any) -> int:
    return int(page.get_attribute("dialog.ps-player", "data-frame"))


def current(page: Any) -> list[str]:
    found: list[str] = page.locator(".ps-line[aria-current=true] .ps-line-text").all_text_contents()
    return found


def test_the_words_of_a_hit_stand_beside_the_player(page: Any) -> None:
    assert page.evaluate(ROWS) == ["A kangaroo, quite still.", "Now a penguin & a wall.", "Naïve café: a hammer."]
    page.keyboard.press("Home")
    wait_until(page, "() => document.querySelector('dialog.ps-player').dataset.frame === '66'")
    assert current(page) == [], "the line of this shot begins 0.3 s later"


def test_a_click_on_a_line_plays_from_it(page: Any) -> None:
    page.get_by_role("option", name="a hammer").click()
    first, last = round(4.5 * RATE), round(5.5 * RATE)
    wait_until(page, f"() => Number(document.querySelector('dialog.ps-player').dataset.frame) >= {first}")
    wait_until(page, "() => document.querySelector('.ps-line[aria-current=true]')?.textContent.includes('hammer')")
    assert frame(page) >= first
    page.keyboard.press(" ")  # the keys are the player's again
    page.wait_for_selector("dialog.ps-player[data-state=paused]")
    page.get_by_role("option", name="kangaroo").click()
    wait_until(page, f"() => Number(document.querySelector('dialog.ps-player').dataset.frame) < {last - first}")
    wait_until(page, "() => document.querySelector('.ps-line[aria-current=true]')?.textContent.includes('kangaroo')")


def test_a_search_in_it_leaves_the_lines_that_match_and_marks_the_words(page: Any) -> None:
    box = page.get_by_role("searchbox", name="Find in the transcript")
    box.fill("NAIVE CAFE")
    wait_until(page, f"() => {ROWS}.length === 1")
    assert page.locator(".ps-line-text mark").all_text_contents() == ["Naïve", "café"]
    assert page.locator(".ps-transcript-status").text_content() == "1 line"
    box.fill("elephant")
    wait_until(page, f"() => {ROWS}.length === 0")
    assert page.locator(".ps-transcript-status").text_content() == "0 lines"
    page.keyboard.press("Escape")
    wait_until(page, f"() => {ROWS}.length === 3")
    assert page.get_by_role("dialog").first.is_visible(), "the player stays open"
