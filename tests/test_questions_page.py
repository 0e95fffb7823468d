"""The Questions page: what it hands to its view, and what it shows while there is nothing to watch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import ColourEncoder
from page_library import small_library
from streamlit.testing.v1 import AppTest

from app import compose
from db.library import Library


def script() -> None:
    from app.web.pages import questions

    questions.show()


def opened(monkeypatch: pytest.MonkeyPatch, directory: Path) -> AppTest:
    import streamlit

    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(directory))
    monkeypatch.setattr(compose, "open_encoder", lambda *_, **__: ColourEncoder())
    page = AppTest.from_function(script, default_timeout=60)
    page.run()
    assert not page.exception
    return page


def views(page: AppTest) -> dict[str, object]:
    found = [element.proto for element in page.get("bidi_component")]
    return {proto.component_name: json.loads(proto.json) if proto.json else None for proto in found}


def test_the_view_is_told_of_which_library_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_library(tmp_path) as library:
        page = opened(monkeypatch, library.directory)
        assert views(page) == {"prismsearch_questions_view": {"library": library.id}}


def test_without_shots_the_page_is_that_of_an_empty_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(tmp_path / "library") as library:
        page = opened(monkeypatch, library.directory)
    assert "prismsearch_questions_view" not in views(page)
    assert page.title[0].value == "Find the shot"
