"""Words of indexed videos on the Indexing page: what reading and transcribing would take, and the jobs they become."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit
from cli_library import FILMS, add
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest

from app import compose, word_engines
from app.jobs import recognition_cost
from app.jobs.jobs import Jobs, new_id
from app.jobs.orders import Order, ReadTextOrder, TranscribeOrder
from app.jobs.state import JobState
from app.web.services.word_work import reading_work, top_folders, transcribing_work
from db.library import Library
from db.timed_text import TextSource, TimedLine
from encoder import ModelNotFound
from encoder.checkpoints import hub

READER = "letters@1"


def script() -> None:
    from app.web.pages import indexing

    indexing.show()


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Order, str]]:
    """The jobs that the page starts. The library has the films of `cli_library`, of which green.mp4 is silent; both
    extras are installed, and every model is on this machine."""
    streamlit.cache_resource.clear()
    monkeypatch.setenv(compose.LIBRARY_VARIABLE, str(tmp_path / "library"))
    with Library.open(tmp_path / "library") as library:
        for name, parts in FILMS.items():
            add(library, ColourEncoder(), tmp_path / name, parts, has_audio="green" not in name)
    monkeypatch.setattr(hub, "fetch", lambda published, **_: tmp_path / published.file)
    monkeypatch.setattr(word_engines, "has_text_reader", lambda: True)
    monkeypatch.setattr(word_engines, "has_transcriber", lambda: True)
    monkeypatch.setattr(word_engines, "text_reader_id", lambda: READER)
    monkeypatch.setattr(recognition_cost, "cores", lambda: 2)
    orders: list[tuple[Order, str]] = []

    def start(self: Jobs, order: Order, settings: Any, *, title: str = "", in_place_of: str | None = None) -> str:
        orders.append((order, title))
        return new_id()

    monkeypatch.setattr(Jobs, "start", start)
    return orders


def opened() -> AppTest:
    page = AppTest.from_function(script, default_timeout=60).run()
    assert not page.exception
    return page


def line(page: AppTest, title: str) -> str:
    (found,) = (each.value for each in page.markdown if each.value.startswith(title))
    return str(found.partition(":gray[")[2].replace("\\", "").removesuffix("]"))


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def change(library: Path, source: Callable[[str], TextSource | None]) -> None:
    with Library.open(library) as opened_library:
        for video in opened_library.videos():
            made = source(video.path)
            if made is not None:
                opened_library.texts.replace(video.id or 0, made, [TimedLine(0, 500, "word")])


def test_each_job_says_what_it_takes_and_begins_at_a_press(started: list[tuple[Order, str]], tmp_path: Path) -> None:
    page = opened()
    assert line(page, "Text in the pictures") == "4 videos with 5 shots, roughly 2.5s."
    press(page, "read_text")
    assert started.pop() == (
        ReadTextOrder(paths=(str(tmp_path / "films"), str(tmp_path / "other"))), "films and 1 more"
    )  # fmt: skip
    assert line(page, "Speech") == "3 videos of 16s, roughly 10s. Left out: 1 without sound."
    assert page.button(key="transcribe").label == "Transcribe speech"
    press(page, "transcribe")
    assert started == [(TranscribeOrder(model="small"), "the library")]


def test_what_was_recognised_or_is_known_anyway_is_left_out(started: list[tuple[Order, str]], tmp_path: Path) -> None:
    change(tmp_path / "library", lambda path: TextSource(kind="screen", engine=READER) if "red" in path else None)
    change(tmp_path / "library", lambda path: TextSource(kind="subtitle") if "gone" in path else None)
    change(tmp_path / "library", lambda path: TextSource(kind="speech", engine="x") if "@" in path else None)
    page = opened()
    assert line(page, "Text in the pictures").startswith("2 videos with 2 shots")
    assert line(page, "Speech").startswith("1 video of 4.0s")
    assert "Left out: 1 with subtitles, 1 transcribed before, 1 without sound." in line(page, "Speech")
    change(tmp_path / "library", lambda path: TextSource(kind="screen", engine=READER))
    change(tmp_path / "library", lambda path: TextSource(kind="speech", engine="x"))
    page.run()
    assert line(page, "Text in the pictures") == "Every video has been read."
    assert line(page, "Speech").startswith("No video is left to transcribe. Left out: 1 with subtitles, 2 transcribed")
    assert page.button(key="read_text").disabled
    assert page.button(key="transcribe").disabled
    assert not started


def test_a_model_that_is_missing_is_announced_with_its_size(
    started: list[tuple[Order, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(published: Any, **options: Any) -> Path:
        assert options["offline"], "looking downloads nothing"
        raise ModelNotFound("not here")

    monkeypatch.setattr(hub, "fetch", missing)
    page = opened()
    assert page.button(key="transcribe").label == "Download small (486 MB) and transcribe"
    assert "downloaded once from the Hugging Face Hub; none of your data is sent" in line(page, "Speech")
    page.selectbox(key="speech_model").set_value("base").run()
    assert page.button(key="transcribe").label == "Download base (148 MB) and transcribe"
    press(page, "transcribe")
    assert started == [(TranscribeOrder(model="base", fetch=True), "the library")]


@pytest.mark.usefixtures("started")
def test_without_an_extra_one_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_engines, "has_text_reader", lambda: False)
    monkeypatch.setattr(word_engines, "has_transcriber", lambda: False)
    page = opened()
    assert line(page, "Text in the pictures") == "Needs the extra `ocr`: pip install 'prismsearch[ocr]'"
    assert line(page, "Speech") == "Needs the extra `speech`: pip install 'prismsearch[speech]'"
    assert page.button(key="read_text").disabled
    assert page.button(key="transcribe").disabled
    assert "speech_model" not in {each.key for each in page.selectbox}


def test_one_job_works_at_a_time(started: list[tuple[Order, str]], tmp_path: Path) -> None:
    page = opened()
    job = Jobs(tmp_path / "library").begin("transcribe", "films")
    press(page, "read_text")  # drawn before another tab began that
    assert started == []
    for title in ("Text in the pictures", "Speech"):
        assert line(page, title) == "Speech is being transcribed; see below."
    assert page.button(key="read_text").disabled
    assert page.button(key="transcribe").disabled
    job.finish("done")
    page.run()
    assert not page.button(key="read_text").disabled


def test_a_job_that_cannot_begin_says_why(started: list[tuple[Order, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Jobs, "start", full)
    page = press(opened(), "read_text")
    assert "No space left on device" in page.error[0].value
    assert started == []


def test_a_read_only_library_begins_nothing(
    started: list[tuple[Order, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Library, "read_only", True)
    with Library.open(tmp_path / "library") as library:
        for work in (reading_work(library, []), transcribing_work(library, [], "small")):
            assert work.barred == "This library is read-only; copy it to a writable disk first."
    assert started == []


@pytest.mark.usefixtures("started")
def test_an_earlier_job_says_how_fast_the_next_one_is(tmp_path: Path) -> None:
    def done(kind: str, model: str | None, seconds: object, elapsed: object) -> JobState:
        report = {"seconds": seconds, "elapsed_seconds": elapsed}
        return JobState(id="", kind=kind, title="", order=model and {"model": model}, report=report)  # type: ignore[arg-type]

    states = [
        done("transcribe", "base", 100, 2), done("transcribe", "small", 100, 50), done("read-text", None, "x", None),
        done("read-text", None, 10, 0.1), done("read-text", None, 100, 200),
    ]  # fmt: skip
    with Library.open(tmp_path / "library") as library:
        assert "roughly 38s." in reading_work(library, states).about
        assert "roughly 8.0s." in transcribing_work(library, states, "small").about
        assert "roughly 10s." in transcribing_work(library, states[:1], "small").about
        assert transcribing_work(library, [], "own").about.startswith("3 videos of 16s. Left out")


def test_folders_below_others_are_not_named_again() -> None:
    assert top_folders([]) == []
    assert top_folders(["/b/c", "/a", "/a/b", "/ab", "/a/b/c"]) == ["/a", "/ab", "/b/c"]
    assert top_folders(["/", "/a"]) == ["/"]
