"""The page of indexing, driven by Streamlit's AppTest: its cards of jobs. What they say is in test_job_card.py."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from app import compose
from app.jobs.jobs import Jobs
from encoder.checkpoints import hub


def script() -> None:
    from app.web.pages import indexing

    indexing.show()


def test_the_cards_know_which_jobs_the_script_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They run the script again when the server says that other ones run."""
    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    monkeypatch.setattr(hub, "fetch", lambda published, **_: tmp_path / published.file)
    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    jobs = Jobs(tmp_path / "library")
    jobs.begin("index", "ended").finish("done", {}, "")
    running = jobs.begin("index", f"films {time.time()}")
    page.run()
    assert not page.exception
    (data,) = (json.loads(each.proto.json) for each in page.get("bidi_component") if "running" in each.proto.json)
    assert data == {"running": [state.id for state in jobs.all() if state.running]}
    assert len(data["running"]) == 1
    running.finish("done", {}, "")
