"""From words to clips on the keyboard alone: the focus is seen everywhere, comes back, and is never trapped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser_app import App, browser, wait_until
from page_states import make_library

PATIENCE = 90_000  # milliseconds; nothing waits that long unless something is wrong
MOST_TABS = 60

# What has the focus, and whether a person sees it: in sight, with an outline or a shadow; a field has a caret.
FOCUS = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
  const { width, top, bottom } = node.getBoundingClientRect();
  const marked = (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
  const name = (node.getAttribute('aria-label') ?? node.textContent ?? '').trim();
  return {
    what: node.getAttribute('data-testid') ?? node.className,
    name: name.slice(0, 60),
    seen: width > 0 && bottom > 0 && top < innerHeight && (marked || node.matches('input, textarea, select')),
  };
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App(make_library(tmp_path_factory.mktemp("keyboard"))) as running:
        yield running


@pytest.fixture
def page(app: App, chromium: Any) -> Iterator[Any]:
    context = app.context(chromium)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    opened.goto(app.address)
    opened.wait_for_selector(".ps-grid[data-ready]")
    yield opened
    context.close()


def test_from_the_address_bar_to_a_clip_without_a_mouse(page: Any) -> None:
    assert tab_to(page, "stTopNavLink")["name"].endswith("Search")
    tab_to(page, "stTextInputField")
    token = page.get_attribute(".ps-grid", "data-ready")
    page.keyboard.type("a penguin grows larger")
    page.keyboard.press("Enter")
    changed = "before => ![undefined, before].includes(document.querySelector('.ps-grid')?.dataset.ready)"
    wait_until(page, changed, token)

    card = tab_to(page, "ps-card")
    assert "02_widescreen_ntsc.mp4" in card["name"] or "copy.mp4" in card["name"]
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.ps-player[data-state=paused]")  # it stops by itself
    page.keyboard.press("?")
    page.wait_for_selector("dialog.ps-help")
    page.keyboard.press("Escape")  # one layer
    page.wait_for_selector("dialog.ps-help", state="detached")
    assert page.locator("dialog.ps-player").count() == 1
    for key in ("Home", ".", "i", ".", ".", ".", ".", "o"):
        page.keyboard.press(key)
    assert stops(page, inside="dialog.ps-player") > 5
    tab_to(page, "ps-button", name="Add to tray")
    page.keyboard.press("Enter")
    page.wait_for_selector(".ps-toast")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.ps-player", state="detached")
    assert focus(page)["name"].startswith(card["name"]), "the card that was opened has the focus again"

    tab_to(page, "stTopNavLink", name="Collections", back=True)
    page.keyboard.press("Enter")
    page.wait_for_selector(".ps-clip[data-clip]")
    clip = tab_to(page, "ps-clip")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.ps-trim[data-ready]")
    assert stops(page, inside="dialog.ps-trim") > 5
    before = page.get_attribute("dialog.ps-trim", "data-in")
    tab_to(page, "ps-trim-handle-in")
    page.keyboard.press("ArrowRight")
    wait_until(page, "before => document.querySelector('dialog.ps-trim').dataset.in !== before", before)
    wait_until(page, "() => document.querySelector('dialog.ps-trim').dataset.saved === 'saved'")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.ps-trim", state="detached")
    assert focus(page)["what"].startswith(clip["what"]), "the row that was trimmed has the focus again"

    tab_to(page, "ps-primary", name="Export", back=True)
    page.keyboard.press("Enter")
    page.wait_for_selector("form.ps-export")
    tab_to(page, "ps-primary", name="Start")
    page.keyboard.press("Enter")
    page.locator(".ps-run a").first.wait_for()


def test_what_the_keyboard_reaches_is_seen_and_tab_comes_round(page: Any) -> None:
    stops(page)
    page.keyboard.press("Escape")
    tab_to(page, "stPopoverButton", name="Filters")
    page.keyboard.press("Enter")
    inside = "() => document.querySelector('[data-testid=stPopoverBody]')?.contains(document.activeElement)"
    wait_until(page, inside)
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-testid=stPopoverBody]", state="detached")
    assert focus(page)["name"].startswith("Filters")


def focus(page: Any) -> dict[str, Any]:
    """What has the focus; fails where it is nowhere, or cannot be seen."""
    found: dict[str, Any] | None = page.evaluate(FOCUS)
    assert found, "nothing has the focus"
    assert found["seen"], found
    return found


def tab_to(page: Any, what: str, *, name: str = "", back: bool = False) -> dict[str, Any]:
    """Press Tab until something of a class or kind, with a name, has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(FOCUS) is None:  # in the browser's own bar
            continue
        found = focus(page)
        if what in str(found["what"]).split() and name in found["name"]:
            return found
    raise AssertionError(f"Tab does not come to {what} {name}")


def stops(page: Any, inside: str = "body") -> int:
    """Go once round with Tab and count the places; fails where the focus is unseen, stays, or leaves a dialog."""
    seen: list[str] = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUS) is None:
            return len(seen)
        here = str(focus(page))
        assert not seen or here != seen[-1] or "ps-" not in here, f"Tab stays at {here}"
        assert page.evaluate("inside => document.querySelector(inside).contains(document.activeElement)", inside), here
        if here in seen:
            return len(seen)
        seen.append(here)
    return len(seen)
