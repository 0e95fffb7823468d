"""A person's whole path through the real page, in a real browser: from an empty library to a clip on the disk.

Steps, in order: an empty library says how to begin; a folder is chosen by the keyboard alone and started; Search now
leads to the search box; words and Enter find the right shot; hovering plays its preview without running the script;
Enter opens the player at the first frame of the shot, which stops on its last one; M asks for more like it; S puts it
into the tray, which is there after a reload and after a restart of the server; E exports it, and the file holds exactly
the shot's frames.

Beside that: what happens while the server is gone, and words in quotes, which lead to the word in the player.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from browser_app import App, browser, wait_until
from page_states import index_in_terminal

from app.web.services.open_pages import redirect_file

DEMO = Path(__file__).parent.parent / "app" / "demo_library"
FILES = ("01_widescreen_25.mp4", "02_widescreen_ntsc.mp4")
OTHER = "05_square.mp4"
WORDS, FILE, SHOT = "a penguin grows larger in front of a brick wall", "02_widescreen_ntsc.mp4", 1
PATIENCE = 90_000  # milliseconds; nothing waits that long unless something is wrong


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("footage")
    for name in FILES:
        shutil.copy(DEMO / name, folder)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


def truth() -> dict[str, Any]:
    """The shot that the words describe, as the maker of the demo library wrote it down."""
    files = json.loads((DEMO / "captions.json").read_text("utf-8"))["files"]
    shot: dict[str, Any] = next(each for each in files if each["file"] == FILE)["shots"][SHOT]
    assert shot["caption"] == WORDS
    return shot


def opened(chromium: Any, app: App) -> Any:
    """A fresh page that fails the test on any error of its own scripts, in a browser that comes with a token."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.broken = []
    page.on("pageerror", lambda error: page.broken.append(str(error)))
    page.on("console", lambda said: page.broken.append(said.text) if "Content Security" in said.text else None)
    with redirect_file(app.library.parent, app.entry()) as path:
        page.goto(path.as_uri())
        page.wait_for_url(f"{app.address}/")  # without the token
    return page


def ready(page: Any, after: str | None = None) -> str:
    """Wait until another grid than `after` shows its posters; gives its token."""
    wait_until(
        page,
        "after => { const ready = document.querySelector('.ps-grid')?.dataset.ready; return ready && ready !== after }",
        after,
    )
    token: str = page.evaluate("document.querySelector('.ps-grid').dataset.ready")
    return token


def test_from_an_empty_library_to_a_clip_on_the_disk(
    chromium: Any, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(videos.parent))
    library = tmp_path / "library"
    with App(library) as app:
        page = opened(chromium, app)
        index_from_the_page(page, videos)
        token = search(page)
        hover_plays_a_preview(page)
        segment = play_the_first_hit(page)
        more_like_it(page, token, segment)
        drop_a_clip(page, videos / "01_widescreen_25.mp4")
        page.goto(f"{app.address}/?q={WORDS}")
        keep_in_the_tray(page)
        assert page.broken == []
    with App(library) as app:  # the server was stopped: what was kept is there in the next one
        page = opened(chromium, app)
        page.wait_for_selector(".ps-dock")
        wait_until(page, "() => document.querySelector('.ps-dock').textContent.includes('· 1')")
        export_it(page, tmp_path / "clips")
        assert page.broken == []
        assert what_runs_of_injected_scripts(page) == []


def test_one_dialog_of_our_own_while_the_server_is_gone(chromium: Any, tmp_path: Path) -> None:
    """Nothing is refused on a page below the first one, either; what was typed is there when the server is back."""
    with socket.socket() as held:  # not the first free one from 8501 on: a test beside this one would take it meanwhile
        held.bind(("127.0.0.1", 0))
        port = str(held.getsockname()[1])
    with App(tmp_path / "library", "--port", port) as app:
        page = opened(chromium, app)
        refused: list[str] = []
        page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{app.address}/library")
        page.wait_for_selector(".ps-dock", state="attached")
        page.goto(f"{app.address}/indexing")
        box = page.get_by_role("textbox", name="Folder").first
        box.fill("/films")
        app.kill()
        notice = page.get_by_role("alertdialog", name="prismsearch is not responding")
        notice.wait_for()
        box.press_sequentially("/new")  # somebody who types goes on
        assert f"prismsearch ui --port {port}" in (notice.text_content() or "")
        assert page.get_by_role("dialog").count() == 0
    with App(tmp_path / "library", "--port", port):
        notice.wait_for(state="detached")
        assert box.input_value() == "/films/new"
    assert refused == []
    assert page.broken == []


def test_words_in_quotes_lead_to_the_word_in_the_player(chromium: Any, tmp_path: Path) -> None:
    """The shot is found by its picture and by what is said in it; the player opens at the word, beside its line."""
    (tmp_path / "footage").mkdir()
    shutil.copy(DEMO / FILE, tmp_path / "footage")
    (tmp_path / "footage" / FILE).with_suffix(".en.srt").write_text(
        "1\n00:00:00,500 --> 00:00:01,500\nIs this a kangaroo?\n\n"
        "2\n00:00:02,800 --> 00:00:03,700\nStart the &lt;img src=x&gt; engine, Captain!\n",
        "utf-8",
    )
    index_in_terminal(tmp_path / "footage", tmp_path / "library")
    with App(tmp_path / "library") as app:
        page = opened(chromium, app)
        before = ready(page)
        page.get_by_role("textbox", name="Search").fill('a penguin "engine captain"')
        page.keyboard.press("Enter")
        page.wait_for_selector(".ps-found mark")
        ready(page, before)
        card = page.locator(".ps-card").first
        assert card.locator(".ps-channel").all_text_contents()[-1] == "Said"
        assert card.locator(".ps-found-time").text_content() == "0:03"
        assert card.locator("mark").all_text_contents() == ["engine, Captain"]
        assert page.locator(".ps-found img").count() == 0
        weight = page.get_by_role("slider", name="Picture or words")
        assert weight.input_value() == "0.5"
        weight.press("End")
        wait_until(page, "() => new URLSearchParams(location.search).get('tw') === '1'")
        page.reload()
        page.wait_for_selector(".ps-found mark")
        assert page.get_by_role("slider", name="Picture or words").input_value() == "1"
        ready(page)
        page.evaluate("""() => document.addEventListener('play', ({ target }) => {
            if (target.matches('.ps-video')) window.begun ??= document.querySelector('dialog.ps-player').dataset.frame;
        }, true)""")
        page.locator(".ps-card").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog.ps-player .ps-line.ps-now")
        assert "engine, Captain!" in page.locator(".ps-line.ps-now .ps-line-text").text_content()
        wait_until(page, "() => window.begun")
        first = round(2.8 * 30000 / 1001)
        assert int(page.evaluate("window.begun")) in (first, first + 1)
        assert page.broken == []


def what_runs_of_injected_scripts(page: Any) -> list[str]:
    """The kinds of scripts that text in the page could start, if it ever became HTML."""
    ran: list[str] = page.evaluate("""async () => {
        window.ran = []
        const add = (name, facts) => document.body.append(Object.assign(document.createElement(name), facts))
        add('div', { innerHTML: '<img src=x onerror="window.ran.push(1)">' })
        add('script', { textContent: 'window.ran.push("inline")' })
        add('script', { src: 'data:text/javascript,window.ran.push("data")' })
        await new Promise((done) => add('img', { src: 'y', onerror: done }))
        try { window.ran.push(eval('"eval"')) } catch {}  // after a wait: what the browser's driver starts may use it
        return window.ran
    }""")
    return ran


def index_from_the_page(page: Any, videos: Path) -> None:
    """Four actions: the chooser, a folder in it, its button, Search now."""
    page.get_by_text("Find the shot").wait_for()
    page.goto(f"{page.url}indexing")
    page.get_by_role("button", name="Choose a folder").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Choose a folder")
    dialog.get_by_role("option").first.wait_for()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "combobox", "the focus is inside"
    page.keyboard.press("Backspace")  # the folder above, where this one is highlighted
    home = "() => document.querySelector('.ps-folder-row[aria-selected=true]')?.textContent"
    wait_until(page, f"{home} === '{videos.parent.name}'")
    page.keyboard.press("Enter")
    wait_until(page, f"{home} === undefined")
    page.keyboard.type(videos.name)
    wait_until(page, f"{home}?.startsWith('{videos.name}')")
    page.keyboard.press("Enter")
    wait_until(page, f"() => document.querySelector('.ps-chooser-where').textContent === '{videos.name}'")
    dialog.get_by_text("2 video files").wait_for()
    page.keyboard.press("Enter")  # nothing is highlighted: to the button
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    wait_until(page, "() => document.activeElement.type === 'submit'")
    page.get_by_text("2 video files").first.wait_for()
    page.keyboard.press("Enter")
    first_click_counts(page, DEMO / OTHER)
    page.get_by_role("button", name="Search now").click()
    ready(page)
    wait_until(page, "() => document.activeElement.matches('.st-key-words input')")
    # What follows looks for one of these videos, all of which are there at the end.
    done = "async () => (await (await fetch('/api/runs')).json()).runs.every((run) => run.outcome === 'done')"
    wait_until(page, done)


def first_click_counts(page: Any, video: Path) -> None:
    """A path is typed, and the button pressed at once: nothing has looked at the path, and the field has the focus."""
    page.get_by_text("Indexing started").wait_for()
    page.locator("#ps-folder").focus()
    page.keyboard.type(str(video))
    page.get_by_role("button", name="Start indexing").click()
    wait_until(page, "async () => (await (await fetch('/api/runs')).json()).runs.length === 2")


def search(page: Any) -> str:
    before = ready(page)
    page.keyboard.type(WORDS)
    page.keyboard.press("Enter")
    # The newest videos, which stood there, may have been drawn again meanwhile; only hits say how strong they are.
    wait_until(page, "() => location.search.includes('q=a+penguin')")
    wait_until(page, "() => document.querySelector('.ps-card .ps-number')?.textContent")
    token = ready(page, before)
    assert page.locator(".ps-card .ps-name").first.text_content() == FILE
    return token


def hover_plays_a_preview(page: Any) -> None:
    messages: list[Any] = []
    page.context.on("request", lambda request: messages.append(request))
    token = ready(page)
    page.locator(".ps-card").nth(1).hover()
    page.wait_for_selector(".ps-card:nth-child(2) video.ps-on")
    page.locator(".ps-card").first.hover()
    page.wait_for_selector(".ps-card:first-child video.ps-on")
    assert page.locator(".ps-grid video").count() == 1, "one preview at a time"
    assert page.evaluate("document.querySelector('.ps-grid video').muted")
    assert ready(page) == token, "hovering ran the script"
    allowed = ("/api/preview/", "/api/collections", "/api/moment/")  # the last one after a while
    assert all(any(each in request.url for each in allowed) for request in messages)


def play_the_first_hit(page: Any) -> int:
    shot = truth()
    page.locator(".ps-card").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog.ps-player[data-state=playing]")
    page.wait_for_selector("dialog.ps-player[data-state=paused]")  # it stops by itself
    rate = 30000 / 1001
    first, end = round(shot["start_seconds"] * rate), round(shot["end_seconds"] * rate)
    assert int(page.get_attribute("dialog.ps-player", "data-frame")) == end - 1
    page.keyboard.press("Home")
    wait_until(page, "frame => document.querySelector('dialog.ps-player').dataset.frame === frame", str(first))
    segment = int(page.get_attribute("dialog.ps-player", "data-segment"))
    assert page.locator(".ps-neighbour").count() == 3
    return segment


def more_like_it(page: Any, token: str, segment: int) -> None:
    page.keyboard.press("m")
    page.wait_for_url(f"**term=1%3Asegment%3A{segment}**")
    cards = "[...document.querySelectorAll('.ps-card')].map((card) => card.dataset.segment)"
    wait_until(
        page, f"segment => {{ const found = {cards}; return found.length && !found.includes(segment) }}", str(segment)
    )
    ready(page, token)


def drop_a_clip(page: Any, clip: Path) -> None:
    """Onto the page, as from a file manager: a file that its own shots are most like."""
    token = ready(page)
    drop = """([name, data]) => {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        const files = new DataTransfer();
        files.items.add(new File([bytes], name, { type: 'video/mp4' }));
        for (const kind of ['dragenter', 'dragover', 'drop'])
            document.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, [clip.name, base64.b64encode(clip.read_bytes()).decode()])
    page.wait_for_url("**term=1%3Afile%3A**")
    ready(page, token)
    page.locator("img[src^='/api/examples/']").wait_for()


def keep_in_the_tray(page: Any) -> None:
    wait_until(page, "name => document.querySelector('.ps-card .ps-name')?.textContent === name", FILE)
    page.locator(".ps-card").first.focus()
    page.keyboard.press("s")
    page.wait_for_selector(".ps-card.ps-kept")
    page.keyboard.press("s")  # a second time changes nothing
    page.get_by_text("already").wait_for()
    page.reload()
    page.wait_for_selector(".ps-card.ps-kept")
    assert "· 1" in page.locator(".ps-dock-handle").text_content()


def export_it(page: Any, folder: Path) -> None:
    page.wait_for_selector(".ps-card")
    page.locator(".ps-card").first.focus()
    page.keyboard.press("e")
    page.wait_for_url("**/collections?**")
    panel = page.get_by_role("form", name="Export")
    panel.get_by_label("Exact").check()
    panel.get_by_label("A folder").check()
    panel.get_by_label("Folder", exact=True).fill(str(folder))
    panel.locator("button[type=submit]").click()
    page.get_by_text("Exported", exact=True).wait_for()
    shot = truth()
    (clip,) = folder.glob("*.mp4")
    with av.open(str(clip)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames == round((shot["end_seconds"] - shot["start_seconds"]) * 30000 / 1001)
