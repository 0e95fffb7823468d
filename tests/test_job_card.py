"""Cards of long jobs: what they say of any journal, and what can be done with the job."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from app.jobs.orders import DownloadOrder, IndexOrder, ReadTextOrder, RetryOrder, TranscribeOrder, order_to_json
from app.jobs.state import JobFailure, JobProgress, JobState
from app.web.services.job_card import MAX_FAILURES, job_card, order_to_restart
from app.web.services.job_texts import progress_text

HOSTILE = "<script>alert(1)<b> **b** [a](b)\n\u202e.mp4"
SHOWN = "<script>alert(1)<b> **b** [a](b)"


def job(**changes: Any) -> JobState:
    fields: dict[str, Any] = {
        "id": "20260101-000000-abcdef", "kind": "index", "title": "Films", "started_at": time.time() - 62,
        "updated_at": time.time(), "order": order_to_json(IndexOrder(paths=("/films",))),
    }  # fmt: skip
    return JobState(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Loading the encoder"),
        ({"kind": "export"}, "Starting"),
        ({"progress": JobProgress(phase="scan", files_done=3)}, "Looking for videos · 3 files"),
        ({"progress": JobProgress(phase="fingerprint", files_done=3, files_total=9)}, "Comparing contents · 3 of 9"),
        ({"progress": JobProgress(phase="index", files_total=1)}, "0 of 1 video"),
        ({"kind": "export", "progress": JobProgress(phase="cut", text="2 of 5 clips")}, "2 of 5 clips"),
        ({"stopping": True}, "Stopping; finished work is kept"),
        ({"kind": "transcribe"}, "Loading the speech model"),
        (
            {
                "kind": "read-text",
                "progress": JobProgress(
                    phase="read-text", fraction=0.5, files_done=2, files_total=4, eta_seconds=61.0, text="in the shell"
                ),
            },
            "2 of 4 videos · 50% · about 1:01 left",
        ),
    ],
)
def test_facts_are_only_what_is_known(changes: dict[str, Any], said: str) -> None:
    assert progress_text(JobState(**{"id": "", "kind": "index", "title": "", **changes})) == said


def test_a_job_in_progress_says_how_far_it_is_and_can_be_stopped() -> None:
    progress = JobProgress(
        phase="index", fraction=0.31, files_done=12, files_total=240, speed=8.41, eta_seconds=151.0,
        current=("/films/one.mp4", f"/films/{HOSTILE}"),
    )  # fmt: skip
    card = job_card(job(progress=progress), has_log=True)
    assert (card["title"], card["where"], card["outcome"]) == ("Indexing Films", "/films", None)
    assert card["progress"] == "12 of 240 videos · 31% · 8.4× real time · about 2:31 left"
    assert card["share"] == 0.31
    assert card["current"].startswith(f"one.mp4 · {SHOWN}")
    assert card["actions"] == ["stop", "log"]
    assert job_card(job(progress=progress, stopping=True), has_log=False)["actions"] == []


@pytest.mark.parametrize("outcome", ["stopped", "failed", "interrupted"])
def test_one_that_did_not_end_well_can_be_resumed(outcome: Any) -> None:
    card = job_card(job(outcome=outcome, message="the disk is full"), has_log=False)
    assert (card["result"], card["lines"]) == (outcome.capitalize(), ["The disk is full"])
    assert card["actions"] == ["resume", "forget"]
    assert job_card(job(outcome="done"), has_log=False)["actions"] == ["forget"]


def test_failures_are_listed_with_reasons_and_can_be_tried_again() -> None:
    report = {
        "skipped_failed": [{"path": "/films/x.mp4"}],
        "problems": [{"path": "/films/closed", "reason": "cannot be read: permission denied"}],
        "kept_missing": ["/usb/a.mp4", "/usb/b.mp4"],
        "notes": [{"path": f"/films/{number}.ts", "reason": "its clock jumps once"} for number in range(4)],
        "hidden": 1,
        "others": [["jpg", 1200], ["", 3]],
    }
    failures = tuple(JobFailure(f"/films/{HOSTILE}", "Not a video file.") for _ in range(30))
    card = job_card(job(outcome="done", failures=failures, failed=30, report=report), has_log=False)
    assert len(card["failures"]) == MAX_FAILURES
    assert card["failures"][0]["file"].startswith(SHOWN)
    assert "\n" not in card["failures"][0]["file"]
    assert (card["failures"][0]["reason"], card["failures"][0]["folder"]) == ("Not a video file.", "/films")
    said = "\n".join([card["result"], *card["lines"]])
    for part in ("Done · 30 failed", "/films/closed cannot be read", "Not retried: 1 file that failed before",
                 "Offline: 2 videos, kept in the library", "/films/2.ts: its clock jumps once", "and notes on 1 more",
                 "Skipped: 1 hidden file, 1,203 other files"):  # fmt: skip
        assert part in said
    assert card["actions"] == ["retry", "forget"]


def test_retrying_keeps_what_shaped_the_run() -> None:
    order = IndexOrder(encoder="e", redo=True, exclude=("x",), paths=("/a", "/--redo"))
    state = job(order=order_to_json(order), outcome="done")
    assert order_to_restart(state, retry=False) == order
    again = IndexOrder(encoder="e", retry_failed=True, exclude=("x",), paths=("/a", "/--redo"))
    assert order_to_restart(state, retry=True) == again
    for same in (RetryOrder(paths=("/a",)), DownloadOrder(model="base")):
        assert order_to_restart(job(order=order_to_json(same)), retry=True) == same


@pytest.mark.parametrize("order", [ReadTextOrder(redo=True, paths=("/films",)), TranscribeOrder(redo=True, fetch=True)])
def test_recognition_goes_on_where_it_stopped_and_tries_again_what_failed(order: Any) -> None:
    state = job(kind=order.kind, order=order_to_json(order), outcome="stopped", failed=2)
    assert job_card(state, has_log=False)["actions"] == ["resume", "forget"]
    assert order_to_restart(state, retry=False) == order
    state = job(kind=order.kind, order=order_to_json(order), outcome="done", failed=2)
    assert job_card(state, has_log=False)["actions"] == ["retry", "forget"]
    assert order_to_restart(state, retry=True) == replace(order, redo=False)


def test_a_journal_of_an_earlier_version_is_shown_and_cannot_be_started_again() -> None:
    typed = ("index", "--encoder", "demo", "--", "/films")
    card = job_card(job(order=None, arguments=typed, outcome="interrupted", failed=1), has_log=True)
    assert (card["where"], card["actions"]) == ("/films", ["forget", "log"])


def test_any_journal_has_a_card() -> None:
    report: dict[str, Any] = {"problems": [3], "left_out": 1}
    for changes in (
        {"kind": "unknown", "title": "", "order": None, "outcome": "interrupted", "report": report},
        {"title": "", "order": {"kind": "index", "paths": [3]}, "outcome": "failed", "failures": (JobFailure("", ""),)},
        {"kind": "export", "order": None, "arguments": ("export",), "outcome": "failed", "started_at": 0.0},
        {"outcome": "done", "failed": 10**9, "report": {"failed": {}, "left_out": {"problems": "x"}, "hidden": "x",
                                                        "kept_missing": 7, "others": [3]}},
        {"progress": JobProgress(fraction=float("nan"))},
    ):  # fmt: skip
        card = job_card(job(**changes), has_log=False)
        assert "resume" not in card["actions"]
        assert 0 <= card.get("share", 0) <= 1
