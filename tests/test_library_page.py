"""The page of the library and of one video: what is listed, what is told of it, and what a person's clicks do."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import add, ids_of, make_video
from fakes import ColourEncoder
from page_library import client_of, small_library
from streamlit.testing.v1 import AppTest

import app.jobs.jobs
from app import compose
from app.jobs.orders import RetryOrder
from app.web.api.library import listing
from app.web.pages import components
from app.web.pages import library as library_page
from app.web.pages.video import duration_text, facts_text, find_video
from db.library import Library
from db.media_facts import MediaFacts
from db.records import Failure

HOSTILE = "<script>alert(1) **b** $x$.mp4"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Two folders: a video of three colours with a hostile name, and one of one."""
    videos = {
        HOSTILE: {"shots": [("red", 20), ("blue", 20), ("green", 30)]},
        "plain.mp4": {"shots": [("blue", 40)], "size": (48, 64)},
    }
    library = small_library(tmp_path, videos)
    settle(monkeypatch, library.directory)
    return library


def settle(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    import streamlit

    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(directory))
    monkeypatch.delenv(compose.ENCODER_VARIABLE, raising=False)
    monkeypatch.setattr(compose, "open_encoder", lambda *_: ColourEncoder())


def script() -> None:
    from app.web.pages import library as library_page

    library_page.show()


def opened(**params: str) -> AppTest:
    page = AppTest.from_function(script, default_timeout=60)
    for name, value in params.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def told(page: AppTest, view: str) -> dict[str, Any] | None:
    """What the page hands to a view, or None where it is not there."""
    for element in page.get("bidi_component"):
        if element.proto.component_name == f"prismsearch_{view}":
            data: dict[str, Any] = json.loads(element.proto.json)
            return data
    return None


def failure(path: str) -> Failure:
    return Failure(path=path, size_bytes=3, modified_ns=1, kind="broken", reason="It ends in the middle of a frame.")


# What is known


def test_the_listing_tells_every_video_with_its_state(library: Library) -> None:
    library.record_failure(failure("/films/torn.mp4"))
    gone, changed = library.videos()
    os.rename(gone.path, gone.path + ".away")
    os.utime(changed.path, ns=(1, 1))
    answer = client_of(library).get("/api/library").json()
    by_name = {video["name"]: video for video in answer["videos"]}
    assert set(by_name) == {HOSTILE, "plain.mp4"}
    crooked, plain = by_name[HOSTILE], by_name["plain.mp4"]
    assert (crooked["file"], plain["file"]) == ("missing", "changed")
    assert (crooked["shots"], plain["shots"]) == (3, 1)
    assert (plain["width"], plain["height"], plain["codec"]) == (48, 64, "h264")
    assert answer["folders"][plain["folder"]] == os.path.dirname(changed.path)
    assert answer["encoders"] == [ColourEncoder().id]
    assert plain["encoders"] == [0]
    assert crooked["poster"] in ids_of(library, crooked["id"])
    assert answer["totals"]["shots"] == 4
    assert answer["totals"]["seconds"] == pytest.approx(110 / 25, abs=0.01)
    (failed,) = answer["failures"]
    assert (failed["name"], failed["folder"], failed["gone"]) == ("torn.mp4", "/films", True)
    assert failed["reason"].startswith("It ends")


def test_names_that_are_not_utf8_are_listed(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "library")
    path = os.fsdecode(b"/films/caf\xe9.mp4")
    add(library, make_video(path))
    library.record_failure(failure(path + "2"))
    answer = client_of(library).get("/api/library")
    assert answer.status_code == 200
    assert [video["name"] for video in answer.json()["videos"]] == [os.path.basename(path)]


def test_the_listing_asks_nothing_for_each_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library.open(tmp_path / "library")
    for number in range(40):
        add(library, make_video(f"/films/{number}.mp4", f"f{number}"), count=2)
    asked = []
    for name in ("shots", "segments_of", "segments", "videos"):
        monkeypatch.setattr(library, name, lambda *_, name=name: asked.append(name))
    assert len(listing(library)["videos"]) == 40
    assert asked == []


def test_watchers_hear_of_changes_by_any_process(library: Library) -> None:
    client = client_of(library)
    before = client.get("/api/library/state").json()
    assert client.get("/api/library/state").json() == before
    with Library.open(library.directory) as other:
        other.record_failure(failure("/films/torn.mp4"))
    assert client.get("/api/library/state").json() != before
    assert client.get("/api/library/disk").json()["bytes"] > 10_000


# The page


def test_an_empty_library_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, tmp_path / "library")
    page = opened()
    assert page.title[0].value == "Find the shot"
    assert told(page, "library_view") is None


def test_the_list_is_there_with_the_encoder_in_use(library: Library) -> None:
    data = told(opened(), "library_view")
    assert data is not None
    assert data["encoder"] == ColourEncoder().id


def clicked(monkeypatch: pytest.MonkeyPatch, view: str, name: str, value: Any) -> None:
    def answer(key: str, asked: str) -> Any:
        return value if (key, asked) == (view, name) else None

    monkeypatch.setattr(components, "event_payload", answer)


def test_removing_forgets_the_video_and_leaves_the_file(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = library.videos()
    clicked(monkeypatch, "library", "remove", {"ids": [first.id]})
    before = told(opened(), "library_view")
    library_page.on_remove()
    assert [video.id for video in library.videos()] == [second.id]
    assert Path(first.path).is_file()
    assert before is not None


def test_only_what_failed_is_tried_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[RetryOrder] = []
    monkeypatch.setattr(app.jobs.jobs.Jobs, "start", lambda self, order, *_, **__: started.append(order))
    for path in ("/films/a.mp4", "/-rf.mp4", "/films/c.mp4"):
        library.record_failure(failure(path))
    clicked(monkeypatch, "library", "retry", {"paths": ["/-rf.mp4", "/etc/passwd"]})
    library_page.on_retry()
    clicked(monkeypatch, "library", "retry", {"paths": ["/etc/passwd"]})
    library_page.on_retry()
    clicked(monkeypatch, "library", "retry", {"paths": ["/films/a.mp4", "/-rf.mp4", "/films/c.mp4"]})
    library_page.on_retry()
    assert started == [RetryOrder(paths=("/-rf.mp4",)), RetryOrder()]


# One video


def test_one_video_shows_its_shots_in_order(library: Library) -> None:
    video = next(video for video in library.videos() if video.path.endswith(HOSTILE))
    page = opened(video=str(video.id))
    assert told(page, "library_view") is None
    data = told(page, "video_view")
    assert data is not None
    assert [segment[0] for segment in data["segments"]] == ids_of(library, video.id or 0)
    starts, ends = ([segment[at] for segment in data["segments"]] for at in (2, 3))
    assert starts == [0.0, 0.8, 1.6]
    assert ends == [0.8, 1.6, pytest.approx(2.8)]
    assert data["scores"] is None
    assert "<script>" not in page.header[0].value.replace("\\<", "")
    assert "3 shots" in page.caption[0].value.replace("\\", "")


def test_a_question_within_the_video_scores_its_shots(library: Library) -> None:
    video = next(video for video in library.videos() if video.path.endswith(HOSTILE))
    page = opened(video=str(video.id), q="blue")
    data = told(page, "video_view")
    assert data is not None
    assert int(np.argmax(data["scores"])) == 1
    assert data["high"] == pytest.approx(max(data["scores"]), abs=0.02), "the best of the library is blue too"
    assert data["low"] < data["high"]
    page.text_input[0].set_value("green").run()
    assert not page.exception
    again = told(page, "video_view")
    assert again is not None
    assert int(np.argmax(again["scores"])) == 2
    assert page.query_params["q"] in ("green", ["green"])
    assert page.query_params["video"] in (str(video.id), [str(video.id)])
    assert again["token"] != data["token"]


def test_a_video_of_another_encoder_has_no_scores_and_says_why(library: Library) -> None:
    other = add(library, make_video("/films/other.mp4", "0e"), encoder_id="other")
    page = opened(video=str(other), q="blue")
    data = told(page, "video_view")
    assert data is not None
    assert data["scores"] is None
    assert "not indexed with the current encoder" in page.info[0].value


@pytest.mark.parametrize("wanted", ["999", "", "-1", "1.5", "٣", "../../etc", "9" * 40, "<b>"])
def test_videos_that_are_not_there_are_a_sentence(library: Library, wanted: str) -> None:
    assert find_video(library, wanted) is None
    page = opened(video=wanted)
    assert "no such video" in page.warning[0].value
    page.button[0].click().run()
    assert not page.exception
    assert told(page, "library_view") is not None


def test_lengths_read_as_in_the_views() -> None:
    assert [duration_text(each) for each in (0, 3.24, 59.94, 59.96, 65, 3599.7, 3725)] == [
        "0.0 s",
        "3.2 s",
        "59.9 s",
        "1:00",
        "1:05",
        "1:00:00",
        "1:02:05",
    ]


def test_the_facts_of_a_video_are_one_line() -> None:
    facts = MediaFacts(nominal_rate=Fraction(30_000, 1001), camera_make="Canon", camera_model="Canon EOS R5")
    video = make_video("/films/a.mp4", codec="hevc", facts=facts, has_audio=True)
    assert facts_text(video, []) == (
        "12.0 s · 0 shots · 64 × 48 · HEVC · 29.97 fps · with sound · Canon EOS R5 · offline · /films"
    )
