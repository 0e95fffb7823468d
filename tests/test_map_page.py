"""The page of the map: its making in the background, its points as bytes, its colours by score."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import add, ids_of, make_video
from fakes import ColourEncoder
from numpy.typing import NDArray
from page_library import client_of, index, small_library
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest
from synthetic import make_video as make_file

from app import compose
from app.web.api.map import map_routes
from app.web.pages.map import packed_scores
from app.web.services.map_making import MapMaker
from db.errors import LibraryBusy
from db.library import Library
from search.projection import ProjectionStore

ENCODER = ColourEncoder().id
WAIT_SECONDS = 60


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    import streamlit

    library = small_library(tmp_path, {"a.mp4": {"shots": [("red", 20), ("blue", 20), ("green", 30)]}})
    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(library.directory))
    monkeypatch.delenv(compose.ENCODER_VARIABLE, raising=False)
    monkeypatch.setattr(compose, "open_encoder", lambda *_: ColourEncoder())
    return library


def made(client: Any, encoder: str = ENCODER) -> dict[str, Any]:
    """The state once nothing is being made any more."""
    state = client.post(f"/api/map?encoder={encoder}").json()
    pause = threading.Event()
    for _ in range(20 * WAIT_SECONDS):
        if not state["making"]:
            return dict(state)
        pause.wait(0.05)
        state = client.get(f"/api/map?encoder={encoder}").json()
    raise AssertionError(f"still making: {state}")


def unpacked(content: bytes) -> tuple[NDArray[np.float32], list[int], list[int]]:
    (count,) = np.frombuffer(content[:4], "<u4")
    assert len(content) == 4 + 16 * count
    points = np.frombuffer(content[4 : 4 + 8 * count], "<f4").reshape(-1, 2)
    ids, videos = (np.frombuffer(content[4 + at * count : 4 + (at + 4) * count], "<u4").tolist() for at in (8, 12))
    return points, ids, videos


# Over HTTP


def test_a_map_is_made_when_asked_for_and_goes_out_as_bytes(library: Library) -> None:
    client = client_of(library)
    before = client.get(f"/api/map?encoder={ENCODER}").json()
    assert (before["version"], before["making"], before["new"]) == (None, False, 3)
    state = made(client)
    assert (state["current"], state["count"], state["new"], state["error"]) == (True, 3, 0, None)
    address = f"/api/map/{state['version']}"
    answer = client.get(f"{address}/points?encoder={ENCODER}")
    assert "immutable" in answer.headers["cache-control"]
    points, ids, videos = unpacked(answer.content)
    (video,) = library.videos()
    assert ids == ids_of(library, video.id or 0)
    assert videos == [video.id] * 3
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == 3
    named = client.get(f"{address}/videos?encoder={ENCODER}").json()
    assert named == {"folders": [str(Path(video.path).parent)], "videos": {str(video.id): ["a.mp4", 0]}}


def test_what_is_indexed_later_makes_a_new_version_in_which_nothing_else_moved(library: Library) -> None:
    client = client_of(library)
    for number in range(12):
        add(library, make_video(f"/films/{number}.mp4", f"f{number}"), encoder_id="enc", seed=number)
    first = made(client, "enc")
    add(library, make_video("/films/new.mp4", "0e"), count=3, encoder_id="enc", seed=99)
    stale = client.get("/api/map?encoder=enc").json()
    assert (stale["version"], stale["current"], stale["new"]) == (first["version"], False, 3)
    old = unpacked(client.get(f"/api/map/{first['version']}/points?encoder=enc").content)
    second = made(client, "enc")
    assert second["version"] != first["version"]
    new = unpacked(client.get(f"/api/map/{second['version']}/points?encoder=enc").content)
    assert new[1][: len(old[1])] == old[1]
    assert np.array_equal(new[0][: len(old[0])], old[0])
    assert client.get(f"/api/map/{first['version']}/points?encoder=enc").status_code == 404


def test_a_kept_map_is_there_at_once_for_the_next_server(library: Library) -> None:
    version = made(client_of(library))["version"]
    again = client_of(library).get(f"/api/map?encoder={ENCODER}").json()
    assert (again["version"], again["current"]) == (version, True)


def test_segments_that_went_since_have_no_video(library: Library) -> None:
    client = client_of(library)
    other = add(library, make_video("/films/b.mp4", "0b"), encoder_id="enc")
    add(library, make_video("/films/c.mp4", "0c"), encoder_id="enc")
    version = made(client, "enc")["version"]
    library.remove_videos([other])
    _, ids, videos = unpacked(client.get(f"/api/map/{version}/points?encoder=enc").content)
    assert len(ids) == 6
    assert videos.count(0) == 3


@pytest.mark.parametrize("encoder", ["", "nobody", "../x", "<script>", "%00"])
def test_encoders_that_are_not_there_are_a_sentence(library: Library, encoder: str) -> None:
    client = client_of(library)
    for answer in (client.get(f"/api/map?encoder={encoder}"), client.post(f"/api/map?encoder={encoder}")):
        assert answer.status_code == 404
        assert "encoder" in answer.json()["error"]


def test_making_is_not_started_by_other_pages(library: Library) -> None:
    client = client_of(library)
    assert client.post(f"/api/map?encoder={ENCODER}", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get(f"/api/map?encoder={ENCODER}").json()["making"] is False


def test_only_one_is_made_at_a_time_and_an_error_is_a_sentence(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, begun = threading.Event(), []

    def update(self: ProjectionStore, **_: Any) -> None:
        begun.append(self)
        assert go.wait(WAIT_SECONDS)
        raise LibraryBusy("Another process is writing; try again in a moment.")

    monkeypatch.setattr(ProjectionStore, "update", update)
    client = TestClient(Starlette(routes=map_routes(library, MapMaker(library))))
    for _ in range(3):
        assert client.post(f"/api/map?encoder={ENCODER}").json()["making"] is True
    go.set()
    pause = threading.Event()
    while (state := client.get(f"/api/map?encoder={ENCODER}").json())["making"]:
        pause.wait(0.02)
    assert len(begun) == 1
    assert state["error"].startswith("Another process")
    assert state["version"] is None


# Colours


def test_scores_travel_as_steps_from_which_they_can_be_read_again() -> None:
    scores = np.random.default_rng(0).normal(0.1, 0.05, 1000).astype(np.float32)
    allowed = np.arange(1000) % 3 > 0
    told = packed_scores(scores, allowed)
    steps = np.frombuffer(base64.b64decode(told["scores"]), "<u2")
    read = told["least"] + steps[allowed] / 65534 * (told["most"] - told["least"])
    assert np.abs(read - scores[allowed]).max() < 1e-4
    assert (steps[~allowed] == 65535).all()
    assert (steps[allowed] < 65535).all()
    assert told["left_out"] == int((~allowed).sum())
    assert told["low"] == pytest.approx(np.median(scores), abs=1e-3)
    assert told["high"] == pytest.approx(scores.max(), abs=1e-4)


def test_equal_scores_have_colours_too() -> None:
    told = packed_scores(np.full(5, 0.2, np.float32), None)
    assert told["low"] < told["high"]
    assert told["left_out"] == 0


# The page


def script() -> None:
    from app.web.pages import map as map_page

    map_page.show()


def opened(**params: str) -> AppTest:
    page = AppTest.from_function(script, default_timeout=60)
    for name, value in params.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def told(page: AppTest) -> dict[str, Any]:
    (found,) = [e.proto for e in page.get("bidi_component") if e.proto.component_name == "prismsearch_map_view"]
    data: dict[str, Any] = json.loads(found.json)
    return data


def test_the_page_colours_the_map_by_the_search_once_there_is_a_map(library: Library) -> None:
    page = opened(q="green")
    assert told(page) == {"encoder": ENCODER, "shots": 3, "asks": True, "asked": None}
    version = made(client_of(library))["version"]
    asked = told(page.run())["asked"]
    assert asked["version"] == version
    assert asked["scored"] is True
    steps = np.frombuffer(base64.b64decode(asked["scores"]), "<u2")
    assert int(steps.argmax()) == 2
    page.text_input[0].set_value("red").run()
    steps = np.frombuffer(base64.b64decode(told(page)["asked"]["scores"]), "<u2")
    assert int(steps.argmax()) == 0
    page.text_input[0].set_value("").run()
    assert told(page)["asked"] is None


def test_filters_of_the_search_leave_shots_out(library: Library, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    make_file(tmp_path / "more" / "b.mp4", [("blue", 30)])
    index(library, tmp_path / "more", 1)
    made(client_of(library))
    page = opened(**{"in": str(tmp_path / "more")})
    asked = told(page)["asked"]
    assert (asked["scored"], asked["left_out"]) == (False, 3)
    page.button[0].click().run()  # only words
    assert not page.exception
    assert told(page)["asked"] is None


def test_an_empty_library_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit

    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "nothing"))
    monkeypatch.setattr(compose, "open_encoder", lambda *_: ColourEncoder())
    assert opened().title[0].value == "Find the shot"
