"""Quick passes on the Indexing page: they can be chosen, and what waits for its full pass is said and made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import streamlit
from cli_library import FILMS, add
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest

from app import compose
from app.jobs.jobs import Jobs, new_id
from app.jobs.orders import IndexOrder, Order
from app.web.services.full_passes import full_passes
from app.web.services.job_card import job_card
from db.library import Library
from encoder.checkpoints import hub
from encoder.quick import quick_encoder

FULL = ColourEncoder(frames=8)


def script() -> None:
    from app.web.pages import indexing

    indexing.show()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Order, str]]:
    """The jobs that the page starts. Of the library's films, all but red.mp4 wait for their full pass."""
    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    with Library.open(tmp_path / "library") as library:
        for name, parts in FILMS.items():
            path = tmp_path / name
            if "red.mp4" in name:
                add(library, FULL, path, parts)
            else:
                add(library, quick_encoder(FULL), path, parts, quick_of=FULL.id)
    monkeypatch.setattr(hub, "fetch", lambda published, **_: tmp_path / published.file)
    orders: list[tuple[Order, str]] = []

    def start(self: Jobs, order: Order, settings: Any, *, title: str = "", in_place_of: str | None = None) -> str:
        orders.append((order, title))
        return new_id()

    monkeypatch.setattr(Jobs, "start", start)
    return orders


def opened() -> AppTest:
    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    return page


def line(page: AppTest) -> str:
    (found,) = (each.value for each in page.markdown if each.value.startswith("**Quick so far**"))
    return str(found.partition(":gray[")[2].replace("\\", "").removesuffix("]"))


def test_what_waits_is_said_and_made_at_a_press(started: list[tuple[Order, str]], tmp_path: Path) -> None:
    page = opened()
    assert line(page).startswith("3 videos of 15s. They are searched by their key frames so far")
    assert "motion waits for the full pass" in line(page)
    page.button(key="make_full_passes").click().run()
    assert not page.exception
    [(order, title)] = started
    assert isinstance(order, IndexOrder)
    assert (order.paths, order.quick) == ((str(tmp_path / "films"), str(tmp_path / "other")), False)
    assert title == "films and 1 more"


def test_the_time_is_that_of_the_last_full_passes(started: list[tuple[Order, str]], tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "library")
    jobs.begin("index", "films", IndexOrder(paths=("/films",))).finish("done", {"speed": 2.5}, "")
    jobs.begin("index", "films", IndexOrder(quick=True, paths=("/films",))).finish("done", {"speed": 15.0}, "")
    assert line(opened()).startswith("3 videos of 15s, roughly 6.0s of work. ")
    assert not started


def test_one_job_indexes_at_a_time(started: list[tuple[Order, str]], tmp_path: Path) -> None:
    page = opened()
    running = Jobs(tmp_path / "library").begin("index", "films")
    page.button(key="make_full_passes").click().run()
    assert not page.exception
    assert started == []
    assert line(page).endswith("Indexing is in progress; see below.")
    assert page.button(key="make_full_passes").disabled
    running.finish("done", {}, "")


@pytest.mark.usefixtures("started")
def test_nothing_is_said_where_nothing_waits(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        for video in library.quick.videos():
            library.remove_videos([video.video_id])
        assert full_passes(library, []) is None
    page = opened()
    assert "make_full_passes" not in {each.key for each in page.button}


@pytest.mark.usefixtures("started")
def test_a_quick_pass_is_an_option_and_takes_the_place_of_no_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web.pages import add_videos
    from app.web.pages.index_choices import IndexChoices

    drawn: list[IndexChoices] = []
    real = add_videos.draw_index_choices

    def draw(library: Library) -> IndexChoices:
        drawn.append(real(library))
        return drawn[-1]

    monkeypatch.setattr(add_videos, "draw_index_choices", draw)
    page = opened()
    page.checkbox(key="index_redo").check().run()
    assert drawn[-1].order("/films").redo
    page.checkbox(key="index_quick").check().run()
    assert not page.exception
    order = drawn[-1].order("/films")
    assert (order.quick, order.redo) == (True, False)
    assert page.checkbox(key="index_redo").disabled


def test_the_card_of_a_job_says_that_its_passes_are_quick(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    job = jobs.begin("index", "films", IndexOrder(quick=True, paths=("/films",)))
    job.finish("done", {"quick": 3}, "3 videos added")
    [state] = jobs.all()
    card = job_card(state, has_log=False)
    assert card["title"] == "Quick pass over films"
    assert "Quick so far: 3 videos" in card["lines"]
