"""The page of indexing, driven by Streamlit's AppTest: every state is a journal written by hand."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import streamlit
from cli_library import build
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest

from app import compose
from app.cut_settings import store_cut_settings
from app.jobs.jobs import Jobs, new_id
from app.jobs.orders import DownloadOrder, IndexOrder, Order, RetryOrder, order_to_json
from app.jobs.process import own_process_id
from app.jobs.state import LOG_FILE, STATE_FILE, STOP_FILE, JobFailure, JobProgress, JobState, write_state
from app.shell.index_options import ShapingOptions
from app.shell.notice import DEMO_LIBRARY
from app.web.pages.job_cards import order_to_retry
from app.web.pages.job_texts import progress_text
from db.library import Library
from encoder import ModelNotFound
from encoder.checkpoints import hub
from indexer.settings import IndexSettings

BASE, DEMO = "videoprism_lvt_public_v1_base", "videoprism_lvt_demo"
HOSTILE = "<script>alert(1)<b> **b** $x$ :smile: [a](b) `c`.mp4"


def script() -> None:
    from app.web.pages import indexing

    indexing.show()


def to_json(*paths: str, **changes: Any) -> dict[str, Any]:
    """The order of an index job, as journals keep it."""
    return order_to_json(IndexOrder(paths=paths, **changes))


class Place:
    """A library's folder with its runs, folders of pretend videos, and what was started."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = Jobs(root / "library")
        self.started: list[tuple[Order, str, str | None]] = []
        self.films = root / "Films"
        self.films.mkdir()
        (self.films / "a.mp4").write_bytes(b"x" * 2000)

    def put(self, **changes: Any) -> JobState:
        mark = own_process_id()
        fields: dict[str, Any] = {
            "id": new_id(), "kind": "index", "title": "Films", "order": to_json(str(self.films)),
            "arguments": ("index", "--", str(self.films)),
            "pid": mark.pid, "create_time": mark.create_time, "host_id": mark.host_id, "started_at": time.time() - 62,
            "updated_at": time.time(),
        }  # fmt: skip
        state = JobState(**{**fields, **changes})
        (self.jobs.folder / state.id).mkdir(parents=True)
        write_state(self.jobs.folder / state.id / STATE_FILE, state)
        return state

    def opened(self) -> AppTest:
        page = AppTest.from_function(script, default_timeout=60).run()
        assert not page.exception
        return page


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    monkeypatch.delenv(compose.ENCODER_VARIABLE, raising=False)
    monkeypatch.setattr(hub, "fetch", lambda published, **_: tmp_path / published.file)
    made = Place(tmp_path)

    def start(self: Jobs, order: Order, settings: Any, *, title: str = "", in_place_of: str | None = None) -> str:
        assert settings.library == tmp_path / "library"
        made.started.append((order, title, in_place_of))
        return new_id()

    monkeypatch.setattr(Jobs, "start", start)
    return made


def words(page: AppTest) -> str:
    """All that is to be read on the page, with the marks of plain text taken away."""
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.warning, page.error, page.info, page.success)
    texts = [each.value for kind in kinds for each in kind]
    texts += [str(each.proto.text) for each in page.get("progress")]
    return "\n".join(texts).replace("\\", "")


def typed(page: AppTest, path: str) -> AppTest:
    page.text_input(key="index_path").set_value(path).run()
    assert not page.exception
    return page


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def keys(page: AppTest) -> set[str]:
    return {button.key or "" for button in page.button}


def test_an_empty_library_invites_and_offers_the_demo_honestly(place: Place) -> None:
    page = place.opened()
    assert page.title[0].value == "Add your first folder"
    assert "trained on just such drawings" in words(page)
    assert "says nothing about how well the real encoder" in words(page)
    assert page.button(key="index_start").disabled
    click(page, "index_demo")
    assert place.started == [(IndexOrder(encoder=DEMO, paths=(str(DEMO_LIBRARY),)), "the demo library", None)]


def test_a_folder_is_checked_and_started_and_the_box_is_empty_again(place: Place) -> None:
    page = typed(place.opened(), f" {place.films} ")
    assert "1 video file, 2.00 kB" in words(page)
    assert "with the encoder base" in words(page)
    click(page, "index_start")
    assert place.started == [(IndexOrder(encoder=BASE, paths=(str(place.films),)), "Films", None)]
    assert page.text_input(key="index_path").value == ""
    assert page.button(key="index_start").disabled


def test_the_options_become_an_order(place: Place) -> None:
    page = typed(place.opened(), str(place.films))
    page.selectbox(key="index_encoder").set_value("videoprism_lvt_public_v1_large")
    page.selectbox(key="index_detector").set_value("content")
    page.text_area(key="index_exclude").set_value("*.tmp.mp4\n\n */raw/* ")
    page.checkbox(key="index_redo").check()
    page.checkbox(key="index_retry_failed").check()
    page.run()
    click(page, "index_start")
    assert place.started[0][0] == IndexOrder(
        encoder="videoprism_lvt_public_v1_large", shaping=ShapingOptions(detector="content"), redo=True,
        retry_failed=True, exclude=("*.tmp.mp4", "*/raw/*"), paths=(str(place.films),),
    )  # fmt: skip


def test_the_library_s_own_detector_is_chosen_and_another_one_is_ordered(place: Place) -> None:
    with Library.open(place.root / "library") as library:
        store_cut_settings(library, IndexSettings(detector="hash", segment_seconds=4.0))
    page = typed(place.opened(), str(place.films))
    assert page.selectbox(key="index_detector").value == "hash"
    click(page, "index_start")
    page = typed(place.opened(), str(place.films))
    page.selectbox(key="index_detector").set_value("blend").run()
    click(page, "index_start")
    orders = [order for order, _, _ in place.started]
    assert [order.shaping for order in orders if isinstance(order, IndexOrder)] == [
        ShapingOptions(),
        ShapingOptions(detector="blend"),
    ]


def test_a_mistyped_folder_is_answered_with_the_right_one(place: Place) -> None:
    page = typed(place.opened(), str(place.root / "Flims"))
    assert "There is no such folder" in words(page)
    assert page.button(key="index_start").disabled
    click(page, "meant_0")
    assert page.text_input(key="index_path").value == str(place.films)
    assert "1 video file" in words(page)


def test_a_drive_that_was_plugged_in_meanwhile_is_looked_at_again(place: Place) -> None:
    folder = place.root / "later"
    page = typed(place.opened(), str(folder))
    folder.mkdir()
    (folder / "b.mp4").write_bytes(b"x")
    assert "There is no such folder" in words(page.run())
    assert "1 video file" in words(click(page, "look_again"))


def test_a_folder_that_went_away_is_not_started(place: Place) -> None:
    page = typed(place.opened(), str(place.films))
    place.films.rename(place.root / "elsewhere")
    click(page, "index_start")
    assert place.started == []
    assert "There is no such folder" in words(page)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_recent_folder_whose_name_no_text_can_hold(place: Place) -> None:
    raw = os.fsdecode(os.path.join(os.fsencode(place.root), b"not \xff utf-8"))
    os.mkdir(raw)
    Path(raw, "a.mp4").write_bytes(b"x")
    place.put(order=to_json(raw), title=os.path.basename(raw), outcome="done")
    page = click(place.opened(), "recent_0")
    assert page.text_input(key="index_path").value == str(place.root / "not \\xff utf-8")
    click(page, "index_start")
    order = place.started[0][0]
    assert isinstance(order, IndexOrder)
    assert order.paths == (raw,)


def test_the_demo_encoder_on_videos_of_ones_own_is_warned_of(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compose.ENCODER_VARIABLE, "demo")
    page = typed(place.opened(), str(place.films))
    assert "hits mean nothing" in words(page)
    assert not page.button(key="index_start").disabled
    assert "hits mean nothing" not in words(typed(page, str(DEMO_LIBRARY)))


def test_a_missing_model_is_said_with_its_size_and_fetched_only_when_asked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(published: Any, **options: Any) -> Path:
        assert options == {"offline": True}, "looking downloads nothing"
        raise ModelNotFound("not here")

    monkeypatch.setattr(hub, "fetch", missing)
    page = typed(place.opened(), str(place.films))
    assert "about 991 MB" in words(page)
    assert page.button(key="index_start").disabled
    assert place.started == []
    click(page, "fetch_model")
    assert place.started == [(DownloadOrder(model="base"), "model base", None)]
    progress = JobProgress(phase="download", fraction=0.5, text="weights.npz  400 MB of 991 MB")
    place.put(kind="download", title="model base", arguments=("fetch-model", "base", "--yes"), progress=progress)
    page.run()
    assert "is being downloaded" in words(page)
    assert "fetch_model" not in keys(page)
    assert "400 MB of 991 MB" in words(page)


def test_what_cannot_be_started_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Jobs, "start", full)
    page = click(typed(place.opened(), str(place.films)), "index_start")
    assert "No space left on device" in words(page)
    assert page.text_input(key="index_path").value == str(place.films)


def test_a_run_under_way_shows_how_far_it_is_and_can_be_stopped(place: Place) -> None:
    progress = JobProgress(
        phase="index", fraction=0.31, files_done=12, files_total=240, speed=8.41, eta_seconds=151.0,
        current=("/films/one.mp4", f"/films/{HOSTILE}"),
    )  # fmt: skip
    state = place.put(progress=progress)
    page = typed(place.opened(), str(place.films))
    assert "12 of 240 videos · 31% · 8.4× real time · about 2:31 left" in words(page)
    assert "one.mp4" in words(page)
    assert "being indexed already" in words(page)
    assert page.button(key="index_start").disabled
    assert not {f"resume_{state.id}", f"forget_{state.id}"} & keys(page)
    click(page, f"stop_{state.id}")
    assert (place.jobs.folder / state.id / STOP_FILE).exists()
    assert page.button(key=f"stop_{state.id}").disabled
    assert "Stopping" in words(page)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Starting; the encoder is being loaded"),
        ({"kind": "export"}, "Starting"),
        ({"progress": JobProgress(phase="scan", files_done=3)}, "Looking for videos · 3 files"),
        ({"progress": JobProgress(phase="fingerprint", files_done=3, files_total=9)}, "Comparing contents · 3 of 9"),
        ({"progress": JobProgress(phase="index", files_total=1)}, "0 of 1 video"),
        ({"kind": "export", "progress": JobProgress(phase="cut", text="2 of 5 clips")}, "2 of 5 clips"),
        ({"stopping": True}, "Stopping; what is finished is kept"),
    ],
)
def test_facts_are_only_what_is_known(changes: dict[str, Any], said: str) -> None:
    assert progress_text(JobState(**{"id": "", "kind": "index", "title": "", **changes})) == said


@pytest.mark.parametrize("outcome", ["stopped", "failed"])
def test_a_run_that_did_not_end_well_can_be_resumed(place: Place, outcome: Any) -> None:
    state = place.put(outcome=outcome, message="the disk is full", order=to_json("/films", redo=True))
    page = place.opened()
    assert "The disk is full" in words(page)
    click(page, f"resume_{state.id}")
    assert place.started == [(IndexOrder(redo=True, paths=("/films",)), "Films", state.id)]


def test_a_killed_run_shows_as_interrupted(place: Place) -> None:
    state = place.put(create_time=1.0)
    page = place.opened()
    assert "Interrupted" in words(page)
    assert "What was finished is kept" in words(page)
    assert f"resume_{state.id}" in keys(page)


def test_failures_stand_in_a_table_and_can_be_tried_again(place: Place) -> None:
    failures = (JobFailure(f"/films/{HOSTILE}", "Not a video file."),)
    report = {
        "skipped_failed": [{"path": "/films/x.mp4"}],
        "problems": [{"path": "/films/closed", "reason": "may not be read: permission denied"}],
        "kept_missing": ["/usb/a.mp4", "/usb/b.mp4"],
        "notes": [{"path": f"/films/{number}.ts", "reason": "its clock jumps once"} for number in range(4)],
        "hidden": 1,
        "others": [["jpg", 1200], ["", 3]],
    }
    state = place.put(outcome="done", message="3 added, 1 failed", failures=failures, failed=1, report=report)
    page = place.opened()
    table = page.dataframe[0].value
    assert list(table["File"]) == [HOSTILE]
    assert list(table["Why"]) == ["Not a video file."]
    said = words(page)
    for part in ("Done · 1 failed", "3 added, 1 failed", "/films/closed may not be read", "1 file failed before",
                 "2 videos not found, and kept", "/films/2.ts: its clock jumps once", "and notes on 1 more",
                 "Not looked at: 1 hidden file, 1,203 other files"):  # fmt: skip
        assert part in said
    assert f"resume_{state.id}" not in keys(page)
    click(page, f"retry_{state.id}")
    assert place.started == [(IndexOrder(retry_failed=True, paths=(str(place.films),)), "Films", state.id)]


def test_retrying_keeps_what_shaped_the_run() -> None:
    order = IndexOrder(encoder="e", redo=True, exclude=("x",), paths=("/a", "/--redo"))
    assert order_to_retry(order) == IndexOrder(encoder="e", retry_failed=True, exclude=("x",), paths=("/a", "/--redo"))
    assert order_to_retry(RetryOrder(paths=("/a",))) == RetryOrder(paths=("/a",))


def test_a_journal_of_an_earlier_version_is_shown_and_cannot_be_started_again(place: Place) -> None:
    typed = ("index", "--encoder", "demo", "--", str(place.films))
    state = place.put(order=None, arguments=typed, outcome="interrupted", failed=1)
    page = place.opened()
    assert str(place.films) in words(page)
    assert "recent_0" in keys(page)
    assert not {f"resume_{state.id}", f"retry_{state.id}"} & keys(page)
    assert f"forget_{state.id}" in keys(page)


def test_hostile_names_are_shown_as_they_are(place: Place) -> None:
    place.put(outcome="done", title=HOSTILE, message=HOSTILE, order=to_json(f"/films/{HOSTILE}"))
    page = place.opened()
    assert words(page).count(HOSTILE) >= 3
    for each in [*page.markdown, *page.caption]:
        assert not each.allow_html
        if "script" in each.value:
            assert "<script>" not in each.value, "escaped where Markdown is read"
            assert "$x$" not in each.value
            assert "](b" not in each.value
    for button in page.button:
        assert "<script>" not in f"{button.label}{button.help}"


def test_forgetting_the_log_and_the_whole_list(place: Place) -> None:
    states = [place.put(outcome="done", started_at=float(number)) for number in range(9)]
    (place.jobs.folder / states[-1].id / LOG_FILE).write_text("28 added\n`x`\n")
    page = place.opened()
    assert sum(key.startswith("forget_") for key in keys(page)) == 6
    assert sum(key.startswith("forget_") for key in keys(click(page, "runs_all"))) == 9
    assert {key for key in keys(page) if key.startswith("log_")} == {f"log_{states[-1].id}"}
    assert [each.value for each in click(page, f"log_{states[-1].id}").code] == ["28 added\n`x`"]
    click(page, f"forget_{states[0].id}")
    assert len(place.jobs.all()) == 8
    click(page, "runs_clear")
    assert place.jobs.all() == []


def test_a_run_that_is_gone_when_its_button_is_pressed_is_no_trouble(place: Place) -> None:
    state = place.put(outcome="stopped")
    page = place.opened()
    place.jobs.forget(state.id)
    click(page, f"forget_{state.id}")
    assert [each.value for each in page.error] == []


def test_with_videos_in_it_the_page_is_about_adding_more(tmp_path: Path, place: Place) -> None:
    build(tmp_path, ColourEncoder())
    page = place.opened()
    assert [each.value for each in page.subheader] == ["Add videos"]
    assert "index_demo" not in keys(page)
    assert "a search looks at one encoder at a time" in words(page)


def test_any_journal_can_be_drawn(place: Place) -> None:
    report: dict[str, Any] = {"problems": [3], "left_out": 1}
    state = place.put(kind="unknown", title="", order=None, arguments=(), outcome="interrupted", report=report)
    lost = place.put(
        title="", order={"kind": "index", "paths": [3]}, outcome="failed", failures=(JobFailure("", ""),), failed=1
    )
    place.put(
        kind="export", title="Tray", order=None, arguments=("export",), outcome="failed", started_at=0.0, updated_at=0.0
    )
    place.put(
        outcome="done",
        report={"failed": {}, "left_out": {"problems": "x"}, "kept_missing": 7, "hidden": "x", "others": [3]},
        failed=10**9,
    )
    page = place.opened()
    assert f"resume_{state.id}" not in keys(page)
    assert f"retry_{lost.id}" not in keys(page)


def test_what_would_be_encoded_again_is_said_and_waits_for_a_yes(place: Place) -> None:
    build(place.root, ColourEncoder())
    films = place.root / "films"
    page = typed(place.opened(), str(films))
    assert "3 videos (" in words(page)
    assert "that did not change would be encoded again" in words(page)
    click(page, "index_start")
    page = typed(place.opened(), str(films))
    page.checkbox(key="index_again").check().run()
    click(page, "index_start")
    page = typed(place.opened(), str(place.films))
    assert "would be encoded again" not in words(page), "nothing of that folder is in the library"
    assert [order.yes for order, _, _ in place.started if isinstance(order, IndexOrder)] == [False, True]
