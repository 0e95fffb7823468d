"""Adding of videos on the page: what the folder box is given and sends, and the way to the first search."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit
from cli_library import build
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest

import app
from app import compose
from app.cut_settings import store_cut_settings
from app.jobs.jobs import Jobs, new_id
from app.jobs.orders import DownloadOrder, IndexOrder, Order, order_to_json
from app.jobs.process import own_process_id
from app.jobs.state import STATE_FILE, JobState, write_state
from app.shell.index_options import ShapingOptions
from app.shell.notice import DEMO_LIBRARY
from db.library import Library
from encoder import ModelNotFound
from encoder.checkpoints import hub
from indexer.settings import IndexSettings

BASE, DEMO = "videoprism_lvt_public_v1_base", "videoprism_lvt_demo"
PAGE = str(Path(app.__file__).parent / "page.py")


def indexing() -> None:
    from unittest.mock import patch

    import streamlit as st

    from app.web.pages import folder_box, indexing

    sent = st.session_state.pop("sent", {})  # by the folder box
    with patch.object(folder_box, "event_payload", lambda key, event: sent.get(event)):
        folder_box.on_checked()
        folder_box.on_start()
    indexing.show()


class Place:
    """A library's folder with its jobs, a folder of a pretend video, and the jobs that were started."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = Jobs(root / "library")
        self.started: list[tuple[Order, str]] = []
        self.films = root / "Films"
        self.films.mkdir()
        (self.films / "a.mp4").write_bytes(b"x" * 2000)

    def put(self, **changes: Any) -> None:
        mark = own_process_id()
        fields: dict[str, Any] = {
            "id": new_id(), "kind": "index", "title": "Films", "pid": mark.pid, "create_time": mark.create_time,
            "host_id": mark.host_id, "order": order_to_json(IndexOrder(paths=(str(self.films),))),
            "started_at": time.time() - 62, "updated_at": time.time(), "arguments": ("index",),
        }  # fmt: skip
        state = JobState(**{**fields, **changes})
        (self.jobs.folder / state.id).mkdir(parents=True)
        write_state(self.jobs.folder / state.id / STATE_FILE, state)

    @property
    def orders(self) -> list[IndexOrder]:
        return [order for order, _ in self.started if isinstance(order, IndexOrder)]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv(compose.ENCODER_VARIABLE, raising=False)
    monkeypatch.setattr(hub, "fetch", lambda published, **_: tmp_path / published.file)
    made = Place(tmp_path)

    def start(self: Jobs, order: Order, settings: Any, *, title: str = "", in_place_of: str | None = None) -> str:
        assert settings.library == tmp_path / "library"
        made.started.append((order, title))
        return new_id()

    monkeypatch.setattr(Jobs, "start", start)
    return made


@pytest.fixture
def no_model(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(published: Any, **options: Any) -> Path:
        assert options == {"offline": True}, "looking downloads nothing"
        raise ModelNotFound("not here")

    monkeypatch.setattr(hub, "fetch", missing)


def opened(script: Callable[[], None] | None = None) -> AppTest:
    page = AppTest.from_function(script, default_timeout=60) if script else AppTest.from_file(PAGE, default_timeout=60)
    page.run()
    assert not page.exception
    return page


def box(page: AppTest) -> dict[str, Any]:
    """What the page hands to the folder box."""
    protos = [element.proto for element in page.get("bidi_component")]
    (found,) = [proto for proto in protos if proto.component_name == "prismsearch_indexing_folder_box"]
    data: dict[str, Any] = json.loads(found.json)
    return data


def send(page: AppTest, event: str, path: object) -> AppTest:
    """As the folder box does. `checked`: the folder in it can be indexed; `start`: its button was pressed."""
    page.session_state["sent"] = {event: {"path": str(path)}}
    page.run()
    assert not page.exception
    return page


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def keys(page: AppTest) -> set[str]:
    return {button.key or "" for button in page.button}


def words(page: AppTest) -> str:
    kinds = (page.title, page.header, page.markdown, page.caption, page.warning, page.error, page.info)
    return "\n".join(each.value for kind in kinds for each in kind).replace("\\", "")


def test_an_empty_library_invites_and_offers_the_demo_honestly(place: Place) -> None:
    page = opened(indexing)
    assert page.title[0].value == "Add your first folder"
    assert "trained on drawings like them" in words(page)
    assert "does not show how well the real encoder" in words(page)
    click(page, "index_demo")
    assert place.started == [(IndexOrder(encoder=DEMO, paths=(str(DEMO_LIBRARY),)), "the demo library")]


def library_page() -> None:
    from app.web.pages import library

    library.show()


def map_page() -> None:
    from app.web.pages import map

    map.show()


@pytest.mark.parametrize("script", [None, library_page, map_page])
def test_an_empty_page_leads_to_the_chooser_and_to_the_demo_library_in_one_click(
    place: Place, script: Callable[[], None] | None
) -> None:
    page = opened(script)
    assert "Find the shot" in words(page)
    data = box(page)
    assert (data["direct"], data["choose"], data["waiting"]) == (True, "Index this folder", False)
    click(page, "index_demo")
    assert len(place.started) == 1


def test_while_the_first_video_is_indexed_the_search_page_shows_that_and_waits(place: Place) -> None:
    place.put()
    page = opened()
    assert "You can search here as soon as the first video is indexed." in words(page)
    assert box(page)["waiting"]
    assert "index_demo" not in keys(page)


def test_a_folder_is_started_by_its_path_and_the_box_is_empty_again(place: Place) -> None:
    page = opened(indexing)
    assert (box(page)["turn"], box(page)["start"]) == (0, "Start indexing")
    assert box(page)["about"].startswith("Encoder: base.")
    send(page, "start", place.films)
    assert place.started == [(IndexOrder(encoder=BASE, paths=(str(place.films),)), "Films")]
    assert (box(page)["turn"], box(page)["trouble"]) == (1, "")
    page.run()
    assert len(place.started) == 1, "once"


def test_the_options_become_an_order(place: Place) -> None:
    page = send(opened(indexing), "checked", place.films)
    page.selectbox(key="index_encoder").set_value("videoprism_lvt_public_v1_large")
    page.selectbox(key="index_detector").set_value("content")
    page.text_area(key="index_exclude").set_value("*.tmp.mp4\n\n */raw/* ")
    page.checkbox(key="index_redo").check()
    page.checkbox(key="index_retry_failed").check()
    send(page, "start", place.films)  # in the same run: what was typed last counts
    assert place.orders == [IndexOrder(
        encoder="videoprism_lvt_public_v1_large", shaping=ShapingOptions(detector="content"), redo=True,
        retry_failed=True, exclude=("*.tmp.mp4", "*/raw/*"), paths=(str(place.films),),
    )]  # fmt: skip


def test_the_library_s_own_detector_is_chosen_and_another_one_is_ordered(place: Place) -> None:
    with Library.open(place.root / "library") as library:
        store_cut_settings(library, IndexSettings(detector="hash", segment_seconds=4.0))
    page = opened(indexing)
    assert page.selectbox(key="index_detector").value == "hash"
    send(page, "start", place.films)
    page.selectbox(key="index_detector").set_value("blend").run()
    send(page, "start", place.films)
    assert [order.shaping for order in place.orders] == [ShapingOptions(), ShapingOptions(detector="blend")]


def test_a_folder_that_went_away_is_not_started(place: Place) -> None:
    page = send(opened(indexing), "checked", place.films)
    place.films.rename(place.root / "elsewhere")
    send(page, "start", place.films)
    assert place.started == []
    assert "There is no such folder" in box(page)["trouble"]


def test_what_cannot_be_started_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Jobs, "start", full)
    page = send(opened(indexing), "start", place.films)
    assert "No space left on device" in box(page)["trouble"]
    assert box(page)["turn"] == 1


@pytest.mark.parametrize("path", ["relative", "", "/a\0b"])
def test_a_path_that_is_none_is_no_trouble(place: Place, path: str) -> None:
    page = send(opened(indexing), "checked", path)
    send(page, "start", path)
    assert place.started == []
    assert box(page)["trouble"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_recent_folder_whose_name_no_text_can_hold(place: Place) -> None:
    raw = os.fsdecode(os.path.join(os.fsencode(place.root), b"not \xff utf-8"))
    os.mkdir(raw)
    Path(raw, "a.mp4").write_bytes(b"x")
    place.put(order=order_to_json(IndexOrder(paths=(raw,))), outcome="done")
    page = opened(indexing)
    (folder,) = box(page)["folders"]
    assert folder == {"path": raw, "shown": str(place.root / "not \\xff utf-8"), "name": "not \\xff utf-8"}
    send(page, "start", folder["path"])
    assert place.orders[0].paths == (raw,)


def test_folders_are_suggested_until_there_are_recent_ones(place: Place) -> None:
    (place.root / "Videos").mkdir()
    data = box(opened(indexing))
    assert (data["heading"], [each["name"] for each in data["folders"]]) == ("Suggested", ["Videos"])
    place.put(outcome="done")
    data = box(opened(indexing))
    assert (data["heading"], [each["name"] for each in data["folders"]]) == ("Recent", ["Films"])


def test_the_demo_encoder_on_videos_of_ones_own_is_warned_of_and_another_is_one_click_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(compose.ENCODER_VARIABLE, "demo")
    page = opened(indexing)
    assert not box(page)["direct"], "a person sees the warning before anything begins"
    send(page, "checked", place.films)
    assert "results mean nothing" in words(page)
    assert "results mean nothing" not in words(send(page, "checked", DEMO_LIBRARY))
    send(page, "checked", place.films)
    click(page, "use_default_encoder")
    assert "results mean nothing" not in words(page)
    send(page, "start", place.films)
    assert place.orders[0].encoder == BASE


@pytest.mark.usefixtures("no_model")
def test_a_missing_model_is_said_with_its_size_and_fetched_by_the_start_that_says_so(place: Place) -> None:
    page = opened()
    data = box(page)
    assert data["start"] == data["choose"] == "Download base (991 MB) and index"
    assert "once from the Hugging Face Hub" in data["about"]
    assert place.started == []
    page = send(opened(indexing), "start", place.films)
    assert place.orders == [IndexOrder(encoder=BASE, fetch=True, paths=(str(place.films),))]


@pytest.mark.usefixtures("no_model")
def test_while_a_model_is_downloaded_nothing_else_is_started(place: Place) -> None:
    place.put(kind="download", title="model base", order=order_to_json(DownloadOrder(model="base")))
    page = opened(indexing)
    assert "is being downloaded" in box(page)["blocked"]
    assert not box(page)["direct"]
    assert "is being downloaded" in words(page)


@pytest.mark.usefixtures("no_model")
def test_the_model_alone_is_fetched_for_a_library_that_was_indexed_elsewhere(place: Place) -> None:
    build(place.root, ColourEncoder())
    page = opened(indexing)
    page.selectbox(key="index_encoder").set_value(BASE).run()
    click(page, "fetch_model")
    assert place.started == [(DownloadOrder(model="base"), "model base")]


def test_search_now_appears_as_soon_as_there_is_something_to_search(place: Place) -> None:
    page = send(opened(indexing), "start", place.films)
    assert "search_now" not in keys(page)
    build(place.root, ColourEncoder())
    page.run()
    assert "search_now" in keys(page)
    assert "search_now" not in keys(opened(indexing)), "in the tab where it began"
    place.put()
    page = opened(indexing)
    assert "search_now" in keys(page)
    assert "Indexing continues" in words(page)


def test_with_videos_in_it_the_page_is_about_adding_more(place: Place) -> None:
    build(place.root, ColourEncoder())
    page = opened(indexing)
    assert [each.value for each in page.header] == ["Add videos"]
    assert "index_demo" not in keys(page)
    assert (box(page)["direct"], box(page)["choose"]) == (False, "Choose this folder")
    assert "A search finds what its encoders have indexed" in words(page)


def test_what_would_be_encoded_again_is_said_and_waits_for_a_yes(place: Place) -> None:
    build(place.root, ColourEncoder())
    films = place.root / "films"
    page = send(opened(indexing), "checked", films)
    assert "3 unchanged videos (" in words(page)
    assert "would be re-encoded" in words(page)
    send(page, "start", films)
    page = send(opened(indexing), "checked", films)
    page.checkbox(key="index_again").check().run()
    send(page, "start", films)
    page = send(opened(indexing), "checked", place.films)
    assert "would be re-encoded" not in words(page), "nothing of that folder is in the library"
    assert [order.yes for order in place.orders] == [False, True]


def test_the_settings_file_reaches_jobs_of_the_page(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place.root / "settings.toml"
    monkeypatch.setenv("PRISMSEARCH_SETTINGS", str(file))
    file.write_text('encoder = "demo"\n[index]\ndetector = "hash"\nexclude = ["*.tmp.mp4"]\nworkers = 3\n')
    page = opened(indexing)
    assert page.selectbox(key="index_detector").value == "hash"
    assert page.text_area(key="index_exclude").value == "*.tmp.mp4"
    send(page, "start", place.films)
    click(page, "index_demo")
    own, demo = place.orders
    assert (own.encoder, own.workers, own.exclude) == (DEMO, 3, ("*.tmp.mp4",))
    assert demo.workers == 3
    for order in (own, demo):
        assert order.new_library.detector == "hash"
        assert order.shaping.detector is None, "a library that has a detector keeps it"
