"""The page of indexing, driven by Streamlit's AppTest: every state is a journal written by hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from app import compose
from app.jobs.jobs import Jobs, new_id
from app.jobs.orders import IndexOrder, Order, RetryOrder, order_to_json
from app.jobs.process import own_process_id
from app.jobs.state import LOG_FILE, STATE_FILE, STOP_FILE, JobFailure, JobProgress, JobState, write_state
from app.web.pages.job_cards import order_to_retry
from app.web.pages.job_texts import progress_text
from encoder.checkpoints import hub

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


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def keys(page: AppTest) -> set[str]:
    return {button.key or "" for button in page.button}


def test_a_run_under_way_shows_how_far_it_is_and_can_be_stopped(place: Place) -> None:
    progress = JobProgress(
        phase="index", fraction=0.31, files_done=12, files_total=240, speed=8.41, eta_seconds=151.0,
        current=("/films/one.mp4", f"/films/{HOSTILE}"),
    )  # fmt: skip
    state = place.put(progress=progress)
    page = place.opened()
    assert "12 of 240 videos · 31% · 8.4× real time · about 2:31 left" in words(page)
    assert "one.mp4" in words(page)
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
