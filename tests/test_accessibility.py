"""The page for everybody: axe-core finds nothing serious on any page, in light and dark, on screens and on phones.

    python tests/test_accessibility.py

prints the number of violations of each page, colour scheme and width.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_app import App, browser
from page_states import EMPTY_LIBRARY, STATES, Visit, make_library

from app.web.pages.theme import DARK, LIGHT

AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"
EVERY = [(scheme, width) for scheme in ("light", "dark") for width in (1440, 800, 390)]
FURTHEST = [("light", 1440), ("dark", 390)]  # what CI has the time for
PATIENCE = 90_000  # milliseconds; nothing waits that long unless something is wrong

# What is not ours and cannot be mended from here, by rule and place, with the reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}

RUN = """async () => {
  const found = await axe.run(document, {
    resultTypes: ['violations'], rules: { 'target-size': { enabled: true } },
  });
  return found.violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ target, html, failureSummary }) => ({ id, impact, where: target.join(' '), html, failureSummary })));
}"""
# What a person would have to scroll sideways for: the page, and controls beyond its edge that nothing scrolls to.
BEYOND = """() => {
  const style = (node) => getComputedStyle(node);
  const wide = (node) => node.scrollWidth > node.clientWidth + 1;
  const scroller = (node) => !node || (/auto|scroll/.test(style(node).overflowX) && wide(node)) ? node
    : scroller(node.parentElement);
  const main = document.querySelector('[data-testid=stMain]');
  const found = [document.scrollingElement, main].filter(wide).map((node) => `${node.tagName} scrolls sideways`);
  for (const node of document.querySelectorAll('button, a[href], input, select, textarea, [role=slider]')) {
    const { left, right, width, height } = node.getBoundingClientRect();
    const drawn = width > 1 && height > 1 && node.parentElement.offsetWidth > 1
      && node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    if (!drawn || (right <= innerWidth + 1 && left >= -1)) continue;
    if ([null, main, document.scrollingElement].includes(scroller(node.parentElement)))
      found.push(node.outerHTML.slice(0, 160));
  }
  return found;
}"""
# What a page comes to rest in: our own style sheets and observers follow a change of Streamlit's in a frame or two.
# The browser may begin a transition of what is not drawn, as within a closed <details>, and goes on with it only once
# it is drawn; until then it stays among the animations, so it does not count.
NOW = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const page = document.querySelector('.stApp');
  const moving = document.getAnimations().filter((each) => each instanceof CSSTransition
    && each.effect.target.checkVisibility());
  done({
    background: getComputedStyle(page).backgroundColor,
    preferred: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    streamlit: `${page.dataset.testConnectionState} ${page.dataset.testScriptState}`,
    moving: moving.map(({ transitionProperty, playState, currentTime, effect }) =>
      `${transitionProperty} ${playState} at ${currentTime} ms in ${effect.target.outerHTML.slice(0, 160)}`),
  });
})))"""
AT_REST = "CONNECTED notRunning"
BACKGROUNDS = {
    scheme: "rgb({}, {}, {})".format(*bytes.fromhex(colours["backgroundColor"].removeprefix("#")))
    for scheme, colours in (("light", LIGHT), ("dark", DARK))
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: python3 dev.py check installs node_modules")
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App(make_library(tmp_path_factory.mktemp("accessible"))) as running:
        yield running


@pytest.fixture(scope="module")
def empty_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App(tmp_path_factory.mktemp("empty") / "library") as running:
        yield running


@pytest.mark.parametrize("state", STATES)
def test_nothing_keeps_anybody_out(chromium: Any, app: App, state: str) -> None:
    assert_open_to_all(looks(chromium, app, STATES[state], FURTHEST))


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_nothing_keeps_anybody_out_at_any_width(chromium: Any, app: App, state: str) -> None:
    assert_open_to_all(looks(chromium, app, STATES[state], EVERY))


@pytest.mark.parametrize("state", EMPTY_LIBRARY)
def test_nothing_keeps_anybody_out_at_the_beginning(chromium: Any, empty_app: App, state: str) -> None:
    assert_open_to_all(looks(chromium, empty_app, EMPTY_LIBRARY[state], FURTHEST))


def test_what_axe_is_to_find_is_found(chromium: Any, app: App) -> None:
    """A button without a name and a button in a button, as a page with such faults would have them."""

    def with_faults(visit: Visit) -> None:
        STATES["library"](visit)
        visit.page.evaluate("""() => {
            const option = document.createElement('div');
            Object.assign(option, { role: 'option', tabIndex: 0 });
            option.append(document.createElement('button'));
            option.style.cssText = 'position: fixed; left: 2000px; top: 0; width: 40px; height: 40px';
            document.querySelector('[data-testid=stMain]').append(option);
        }""")

    ((_, violations, beyond),) = looks(chromium, app, with_faults, FURTHEST[:1])
    assert {"button-name", "nested-interactive"} <= {each["id"] for each in violations}
    assert beyond


def test_a_transition_that_nobody_sees_is_not_waited_for(chromium: Any) -> None:
    page = chromium.new_page()
    try:
        page.set_content(
            f"<div class=stApp style='background: {DARK['backgroundColor']}'><details><summary>Options</summary>"
            "<p style='color: white; transition: color 60s'>Encode again</p></details></div>"
        )
        page.evaluate("""() => {
            const hidden = document.querySelector('p');
            getComputedStyle(hidden).color;
            hidden.style.color = 'black';
            getComputedStyle(hidden).color;
        }""")
        assert page.evaluate("document.getAnimations().length") == 1
        now = page.evaluate(NOW)
        assert (now["background"], now["moving"]) == (BACKGROUNDS["dark"], [])
        page.evaluate("document.querySelector('details').open = true")
        (moving,) = page.evaluate(NOW)["moving"]
        assert moving.startswith("color running at ")
    finally:
        page.close()


def wait_until_at_rest(page: Any, scheme: str) -> None:
    """Wait until the page has our colours of a scheme, its script has ended, and no transition is to be seen."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        now = page.evaluate(NOW)
        if now["background"] == BACKGROUNDS[scheme] and now["streamlit"] == AT_REST and not now["moving"]:
            return
        assert time.monotonic() < deadline, f"the page does not come to rest in {scheme} colours: {now}"
        page.wait_for_timeout(100)


Look = tuple[str, list[dict[str, str]], list[str]]


def looks(chromium: Any, app: App, go: Callable[[Visit], None], at: list[tuple[str, int]]) -> Iterator[Look]:
    """Go to a state once, and look at it in some colour schemes and widths.

    The page starts in the first scheme, and changes only while it is at rest: a change in its first second, while
    Streamlit takes our colours in, Streamlit may miss, or lose our colours by.

    Yields:
        The look, its violations, and what lies beyond the edge of the page.
    """
    name, _, value = app.cookie().partition("=")
    # The page's policy forbids scripts that are not its own, such as axe-core.
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=at[0][0], bypass_csp=True)
    try:
        context.add_cookies([{"name": name, "value": value, "url": app.address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        go(Visit(app, page))
        page.evaluate(AXE.read_text("utf-8"))
        for scheme, width in at:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            wait_until_at_rest(page, scheme)
            yield f"{scheme} {width}", page.evaluate(RUN), page.evaluate(BEYOND)
    finally:
        context.close()


def serious(violations: list[dict[str, str]]) -> list[dict[str, str]]:
    """Those of impact serious or critical that are not among the stated exceptions."""
    return [
        each
        for each in violations
        if each["impact"] in ("serious", "critical")
        and not any(each["id"] == rule and place in each["where"] for rule, place in EXCEPTIONS)
    ]


def assert_open_to_all(seen: Iterator[Look]) -> None:
    for look, violations, beyond in seen:
        assert not serious(violations), f"{look}: {serious(violations)[0]}"
        assert not beyond, f"{look}: {beyond}"


def print_table(chromium: Any, app: App, states: dict[str, Callable[[Visit], None]]) -> None:
    """One line for each state: violations by impact, and controls beyond the edge, for each look."""
    for state, go in states.items():
        cells = []
        for look, violations, beyond in looks(chromium, app, go, EVERY):
            rules = sorted({each["id"] for each in violations})
            cells.append(
                f"{look}: {len(serious(violations))} serious, {len(violations)} in all {rules or ''} {beyond or ''}"
            )
        print(f"{state}\n  " + "\n  ".join(cells), flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, browser() as running:
        with App(make_library(Path(folder))) as app_with_videos:
            print_table(running, app_with_videos, {k: v for k, v in STATES.items() if k in (sys.argv[1:] or STATES)})
        with App(Path(folder) / "empty") as new_app:
            print_table(
                running, new_app, {k: v for k, v in EMPTY_LIBRARY.items() if k in (sys.argv[1:] or EMPTY_LIBRARY)}
            )
