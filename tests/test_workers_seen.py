"""Workers of a library on a server, as `stats` and the page tell of them."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from postgres import needs_postgres, new_place
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.cli import main
from app.jobs.index_journal import journal_progress
from app.jobs.jobs import Jobs
from app.shell.progress_line import progress_text
from app.shell.worker_text import place_text, waiting_text, work_text
from app.web.api.workers import worker_routes
from app.web.pages import job_cards
from app.web.services.job_texts import progress_text as card_text
from db.library import Library
from db.records import Worker
from indexer.progress import Progress


def worker(*paths: str, doing: str = "index", seconds: float = 200.0, version: str = "1.0") -> Worker:
    return Worker(machine="render", process=42, version=version, doing=doing, seconds=seconds, paths=paths)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (worker("/films/a.mp4"), "indexing a.mp4"),
        (worker("/a", "/b", "/c"), "indexing a, b, c"),
        (worker("/a", "/b", "/c", "/d", "/e"), "indexing a, b, c and 2 more"),
        (worker(), "indexing: no video at the moment"),
        (worker("/a\x1b[31m.mp4", doing="transcribe"), "transcribing a\\x1b[31m.mp4"),
        (worker("/a", doing="something newer"), "something newer a"),
    ],
)
def test_what_a_worker_does_in_words(given: Worker, text: str) -> None:
    assert work_text(given) == text


def test_for_how_long_a_worker_has_a_video_if_that_is_long() -> None:
    given = dataclasses.replace(worker("/films/a.mp4", "/films/b.mp4"), path_seconds=(720.0, 59.0))
    assert work_text(given) == "indexing a.mp4 (for 12:00), b.mp4"


def test_for_whom_a_run_waits(tmp_path: Path) -> None:
    one = dataclasses.replace(worker("/films/a.mp4"), path_seconds=(30.0,))
    two = dataclasses.replace(worker("/films/b.mp4", "/films/c.mp4"), machine="old\x1b", path_seconds=(720.0, 90.0))
    assert waiting_text([one]) == "waiting for 1 video that render has in work: a.mp4"
    said = "waiting for 3 videos that old\\x1b (and 1 other worker) has in work: b.mp4 (for 12:00), c.mp4 (for 1:30)"
    assert waiting_text([one, two]) == said
    progress = Progress(phase="index", files_done=4, files_total=6, waits_for=(one,))
    assert progress_text(progress) == "indexing  4/6 videos  waiting for 1 video that render has in work: a.mp4"
    with Jobs(tmp_path).begin("index", "films") as job:
        journal_progress(job, progress)
        assert card_text(job._state) == "Indexing  4/6 videos  waiting for 1 video that render has in work: a.mp4"


def test_where_and_since_when() -> None:
    assert place_text(worker()) == "process 42 of prismsearch 1.0, for 3:20"
    assert place_text(worker(version="")) == "process 42 of prismsearch, for 3:20"


@needs_postgres
def test_workers_are_told_by_stats_and_the_page(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = new_place(postgres, tmp_path)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", place)
    with Library.open(place) as library, library.claims("index") as claims:
        client = TestClient(Starlette(routes=worker_routes(library)), base_url="http://127.0.0.1:8501")
        assert client.get("/api/workers").json() == {"workers": []}
        claims.take({"a": "/films/a.mp4"}, 1)
        result = CliRunner().invoke(main, ["stats"])
        assert ": indexing a.mp4 (process " in result.stdout
        [told] = json.loads(CliRunner().invoke(main, ["stats", "--json"]).stdout)["workers"]
        assert (told["doing"], told["paths"], told["process"]) == ("index", ["/films/a.mp4"], os.getpid())
        [shown] = client.get("/api/workers").json()["workers"]
        assert (shown["machine"], shown["work"]) == (told["machine"], "indexing a.mp4")
        assert shown["place"].startswith(f"process {os.getpid()} of prismsearch")
        assert mounted(library, monkeypatch) == ["indexing/workers"]
    with Library.open(tmp_path / "folder") as library:
        monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "folder"))
        assert json.loads(CliRunner().invoke(main, ["stats", "--json"]).stdout)["workers"] == []
        assert "\nworker" not in CliRunner().invoke(main, ["stats"]).stdout
        assert mounted(library, monkeypatch) == []


def mounted(library: Library, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def component(name: str) -> Callable[..., None]:
        return lambda **_: names.append(name)

    monkeypatch.setattr(job_cards, "component", component)
    job_cards.show_workers(library)
    return names
