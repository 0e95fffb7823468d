"""The page, on a small library made with the fake encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest
from synthetic import make_video

import app
from app import compose
from db.library import Library
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings

PAGE = str(Path(app.__file__).parent / "browse" / "page.py")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    folder = tmp_path / "videos"
    folder.mkdir()
    make_video(folder / "a.mp4", [("red", 20), ("blue", 20)])
    library = Library.open(tmp_path / "library")
    report = index_folders(library, ColourEncoder(), [folder], IndexSettings())
    assert report.added == 1
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(library.directory))
    monkeypatch.setattr(compose, "open_encoder", lambda *_: ColourEncoder())
    return library


def test_words_give_cards_and_the_address_keeps_them(library: Library) -> None:
    page = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not page.exception
    assert not page.button
    page.text_input[0].set_value("blue").run()
    assert not page.exception
    assert page.query_params["q"] in ("blue", ["blue"])
    assert [button.label for button in page.button] == ["Play", "More like this"] * 2


def test_more_like_this_asks_by_example(library: Library) -> None:
    page = AppTest.from_file(PAGE, default_timeout=60)
    page.query_params["like"] = str(next(iter(library.segments(range(1, 100)))))
    page.run()
    assert not page.exception
    assert page.button[0].label == "Back to words"
    assert [button.label for button in page.button[1:]] == ["Play", "More like this"]
