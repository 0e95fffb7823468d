"""The page of collections in a real browser, with several tabs, killed servers and hostile names."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from browser_app import App, browser, wait_until
from page_library import segment_ids, small_library

from app.timelines.model import frame_range
from app.web.pages.collections import _collection_id
from db.library import Library
from db.records import NewSubclip, Subclip

PATIENCE = 60_000  # milliseconds
# Frames of 1/25 s, but every third one stands for two: a variable rate.
UNEVEN = [each + each // 3 for each in range(40)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    videos = {
        "a.mp4": {"shots": [("red", 20), ("blue", 20)]},
        "b.mp4": {"shots": [("green", 20), ("red", 20)], "times": UNEVEN, "time_base": Fraction(1, 25)},
    }
    with small_library(tmp_path_factory.mktemp("collections"), videos) as opened:
        yield opened


@pytest.fixture(scope="module")
def port() -> int:
    """The same one for each server, because what a browser keeps belongs to an address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


@pytest.fixture(scope="module")
def app(library: Library, port: int) -> Iterator[App]:
    with App(library.directory, "--port", str(port)) as running:
        yield running


@pytest.fixture
def collection(library: Library) -> int:
    """A new collection with every segment, by file and number: those of a.mp4, then those of b.mp4."""
    found = library.segments(segment_ids(library))
    ids = sorted(found, key=lambda each: (found[each][1].path, found[each][0].number))
    made = library.collections.create(f"Reel {len(library.collections.all())} <img src=x onerror=alert(1)>")
    library.collections.add(made.id, [NewSubclip(segment_id=each) for each in ids])
    return made.id


def opened(chromium: Any, app: App, collection: int) -> Any:
    page = app.context(chromium).new_page()
    page.set_default_timeout(PATIENCE)
    page.broken = []
    page.on("pageerror", lambda error: page.broken.append(str(error)))
    page.on("dialog", lambda dialog: page.broken.append(f"a script ran: {dialog.message}"))
    return visit(page, app.address, collection)


def visit(page: Any, address: str, collection: int) -> Any:
    page.goto(f"{address}/collections?collection={collection}")
    page.wait_for_selector(".ps-clip[data-clip]")
    return page


def rows(page: Any) -> list[int]:
    found = page.eval_on_selector_all(".ps-clip[data-clip]", "rows => rows.map((row) => Number(row.dataset.clip))")
    return [int(each) for each in found]


def order(library: Library, collection: int) -> list[int]:
    return [each.id for each in library.collections.subclips(collection)]


def row(page: Any, number: int) -> Any:
    return page.locator(".ps-clip[data-clip]").nth(number)


def write(page: Any, number: int, field: str, words: str) -> None:
    """Type into a row's name or note by the keyboard alone; it is not sent yet."""
    row(page, number).focus()
    page.keyboard.press({"name": "F2", "note": "n"}[field])
    page.keyboard.press("End")
    page.keyboard.type(words)


def until(page: Any, question: str, argument: Any = None) -> None:
    wait_until(page, question, argument)


def settled(page: Any) -> None:
    """What was moved or taken out is so on the server too."""
    page.wait_for_selector(".ps-clips[aria-busy=false]", state="attached")


def saved(page: Any) -> None:
    """Nothing of this browser waits to be sent any more."""
    until(page, "() => !Object.keys(localStorage).some((key) => key.startsWith('prismsearch.unsent'))")


def test_rows_tell_the_frames_and_names_of_people_stay_text(
    chromium: Any, app: App, library: Library, collection: int
) -> None:
    page = opened(chromium, app, collection)
    first, second = (row(page, number).text_content() for number in (0, 1))
    assert "00:00:00:20" in first
    assert "20 frames" in first
    assert "00:00:01:15" in second
    write(page, 0, "name", "<img src=x onerror=alert(1)>")
    page.keyboard.press("Tab")
    page.keyboard.type('"quotes" </textarea><script>alert(2)</script>')
    page.keyboard.press("Enter")
    saved(page)
    kept = library.collections.subclips(collection)[0]
    assert kept.name == "<img src=x onerror=alert(1)>"
    assert kept.note == '"quotes" </textarea><script>alert(2)</script>'
    page.reload()
    page.wait_for_selector(".ps-clip[data-clip]")
    assert row(page, 0).locator(".ps-field-note").input_value() == kept.note
    assert page.broken == []


def test_order_and_taking_out_by_keys_with_a_way_back(
    chromium: Any, app: App, library: Library, collection: int
) -> None:
    page = opened(chromium, app, collection)
    before = order(library, collection)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    moved = [before[2], before[0], before[1], *before[3:]]
    assert page.locator(".ps-chosen[data-clip]").count() == 2
    settled(page)
    assert rows(page) == order(library, collection) == moved
    page.keyboard.press("z")
    page.wait_for_selector(f".ps-clip[data-clip='{before[0]}'][data-at='0']")
    settled(page)
    assert order(library, collection) == before
    row(page, 1).focus()
    page.keyboard.press("Escape")
    row(page, 1).focus()
    page.keyboard.press("Delete")
    settled(page)
    assert rows(page) == order(library, collection) == [before[0], *before[2:]]
    page.get_by_role("button", name="Undo").click()
    page.wait_for_selector(f".ps-clip[data-clip='{before[1]}']")
    assert rows(page) == before
    assert page.broken == []


def test_two_tabs_that_write_one_note_lose_neither(chromium: Any, app: App, library: Library, collection: int) -> None:
    page = opened(chromium, app, collection)
    other = visit(page.context.new_page(), app.address, collection)
    write(page, 0, "note", "mine")
    write(other, 0, "note", "theirs")
    with other.expect_response("**/api/subclips/*"):
        other.keyboard.press("Enter")
    assert library.collections.subclips(collection)[0].note == "theirs"
    assert row(page, 0).locator(".ps-field-note").input_value() == "mine"
    page.bring_to_front()
    page.keyboard.press("Enter")
    page.get_by_text("Another tab has changed this note to “theirs”.").wait_for()
    assert library.collections.subclips(collection)[0].note == "theirs", "written over unseen"
    page.get_by_role("button", name="Keep mine").click()
    saved(page)
    assert library.collections.subclips(collection)[0].note == "mine"
    until(other, "() => document.querySelector('.ps-field-note').value === 'mine'")


def test_a_note_typed_into_what_another_tab_took_out_can_be_saved_yet(
    chromium: Any, app: App, library: Library, collection: int
) -> None:
    page = opened(chromium, app, collection)
    write(page, 1, "note", "not to be lost")
    library.collections.take_out([order(library, collection)[1]])
    page.get_by_text("has been removed.").wait_for()
    assert page.get_by_text("“not to be lost”").is_visible()
    page.get_by_role("button", name="Restore").click()
    saved(page)
    assert library.collections.subclips(collection)[1].note == "not to be lost"


def test_in_and_out_are_set_by_frames_at_any_rate(chromium: Any, app: App, library: Library, collection: int) -> None:
    page = opened(chromium, app, collection)
    assert library.collections.subclips(collection)[2].path.endswith("b.mp4")
    for number in (0, 2):
        trimmed(page, library, collection, number)
    assert page.broken == []


def trimmed(page: Any, library: Library, collection: int, number: int) -> None:
    """Two frames off the start, one off the end; then all of it undone by a reset."""
    before = library.collections.subclips(collection)[number]
    row(page, number).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f".ps-trim[data-ready][data-clip='{before.id}']")
    for key in (".", ".", "i", "Shift+O", ",", "o"):
        page.keyboard.press(key)
    page.wait_for_selector(".ps-trim[data-saved=saved]")
    saved(page)
    times = pts_of(before)
    inside = [each for each in times if before.start_pts <= each < before.end_pts]
    after = library.collections.subclips(collection)[number]
    assert (after.start_pts, after.end_pts) == (inside[2], inside[-1]), (
        "out is where the frame after the last one begins"
    )
    said = page.get_attribute(".ps-trim", "data-in"), page.get_attribute(".ps-trim", "data-out")
    start, end = ((each - after.video_start_pts) * after.time_base for each in (after.start_pts, after.end_pts))
    assert after.facts is not None
    assert said == tuple(str(each) for each in frame_range(start, end, after.facts.nominal_rate)), "not as lists count"
    page.keyboard.press("x")
    saved(page)
    again = library.collections.subclips(collection)[number]
    assert (again.start_pts, again.end_pts) == (before.start_pts, before.end_pts)
    page.keyboard.press("Escape")
    page.wait_for_selector(".ps-trim", state="detached")


def test_what_is_typed_survives_a_killed_server_and_a_killed_page(
    chromium: Any, app: App, library: Library, collection: int, port: int
) -> None:
    page = opened(chromium, app, collection)
    write(page, 0, "note", "before")
    app.kill()
    page.keyboard.type(" and after")
    page.keyboard.press("Enter")
    page.get_by_text("This note is kept in this browser").wait_for()
    write(page, 1, "name", "never sent")
    context = page.context
    page.close()  # nothing of it is asked before it goes
    with App(library.directory, "--port", str(port)) as again:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        visit(page, again.address, collection)
        saved(page)
        clips = library.collections.subclips(collection)
        assert (clips[0].note, clips[1].name) == ("before and after", "never sent")


@pytest.mark.parametrize(
    ("text", "asked"),
    [(None, None), ("7", 7), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("9" * 30, None), ("x", None)],
)
def test_the_address_names_a_collection_or_nothing(text: str | None, asked: int | None) -> None:
    assert _collection_id(text) == asked


def pts_of(clip: Subclip) -> list[int]:
    """When the frames of its video are shown, by decoding it."""
    import av

    with av.open(clip.path) as container:
        stream = container.streams.video[0]
        assert stream.time_base == clip.time_base
        return sorted(frame.pts for frame in container.decode(stream) if frame.pts is not None)
