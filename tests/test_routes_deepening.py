"""Quick hits that are looked at: encoded in full while the page goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from fakes import ColourEncoder
from page_library import client_of, segment_ids
from starlette.testclient import TestClient
from synthetic import make_video

from app import asked_encoders, compose
from app.media_workers import read_here
from app.web.services.deepening import Deepening
from db.library import Library
from encoder.quick import quick_encoder
from indexer.media.errors import UnreadableVideo
from indexer.pipeline import index_folders
from indexer.quick_pass import QuickPass
from indexer.settings import IndexSettings, RunOptions
from search.query import Query, TextTerm

if TYPE_CHECKING:
    from search.engines import Engine

FULL = ColourEncoder(frames=8)
SPACES = [SimpleNamespace(encoder=FULL, is_quick=False), SimpleNamespace(encoder=quick_encoder(FULL), is_quick=True)]
ENGINE = cast("Engine", SimpleNamespace(spaces=SPACES))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    (tmp_path / "videos").mkdir()
    for name, colour in (("a", "red"), ("b", "green"), ("c", "blue")):
        make_video(tmp_path / "videos" / f"{name}.mp4", [(colour, 12)])
    with Library.open(tmp_path / "library") as library:
        report = index_folders(
            library,
            quick_encoder(FULL),
            [tmp_path / "videos"],
            IndexSettings(),
            RunOptions(isolated=False),
            quick=QuickPass(full_id=FULL.id),
        )
        assert report.quick == 3
        yield library


class Reader:
    """Reads nothing before it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.paths: list[str] = []

    def __call__(self, function: Callable[..., Any], *arguments: Any, path: str, **keywords: Any) -> Any:
        del keywords["most_seconds"]
        self.paths.append(Path(path).name)
        assert self.let.wait(240)
        return function(*arguments, **keywords)


def until(true: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def shots(library: Library) -> list[int]:
    """The segments of a.mp4, b.mp4 and c.mp4, whichever was stored first."""
    return sorted(segment_ids(library), key=lambda each: library.segments([each])[each][1].path)


def full_rows(library: Library) -> int:
    return sum(row.segments for row in library.encoders() if row.id == FULL.id)


def ended(deepening: Deepening) -> bool:
    return not deepening.state()[0]


def test_the_latest_that_are_looked_at_are_deepened_one_after_the_other(library: Library) -> None:
    first, second, third = shots(library)
    read = Reader()
    deepening = Deepening(library, lambda: ENGINE, read)
    deepening.look_at([first, second])
    until(lambda: read.paths == ["a.mp4"])
    assert deepening.state() == ([first, second], [])
    deepening.look_at([third, first])  # another search: nobody looks at the second one now
    assert deepening.state() == ([first, third], [])
    read.let.set()
    until(lambda: ended(deepening))
    assert deepening.state() == ([], sorted([first, third]))
    assert read.paths == ["a.mp4", "c.mp4"]
    assert full_rows(library) == 2
    assert library.check() == []
    deepening.look_at([third])  # it has its row already
    until(lambda: ended(deepening))
    assert deepening.state() == ([], [third])
    assert len(read.paths) == 2


def test_what_fails_is_left_to_the_full_pass(library: Library) -> None:
    first, second, third = shots(library)

    def read(function: Callable[..., Any], *arguments: Any, path: str, most_seconds: float, **keywords: Any) -> Any:
        if path.endswith("a.mp4"):
            raise UnreadableVideo(path, "crashed", "it crashed")
        return function(*arguments, **keywords)

    Path(library.segments([second])[second][1].path).unlink()
    deepening = Deepening(library, lambda: ENGINE, read)
    deepening.look_at([first, second, third, 9999])
    until(lambda: ended(deepening))
    assert deepening.state() == ([], [third])
    assert library.quick.count() == 3


def test_nothing_is_deepened_after_the_end_or_in_a_library_that_can_only_be_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = shots(library)
    read = Reader()
    deepening = Deepening(library, lambda: ENGINE, read)
    deepening.look_at(shots(library))
    until(lambda: bool(read.paths))
    threading.Timer(0.05, read.let.set).start()
    deepening.stop()
    assert deepening.state() == ([], [first])
    deepening.look_at(shots(library))
    assert deepening.state() == ([], [first])
    monkeypatch.setattr(Library, "read_only", property(lambda self: True))
    of_others = Deepening(library, lambda: pytest.fail("none is needed"), read)
    of_others.look_at(shots(library))
    assert of_others.state() == ([], [])


def test_the_page_says_what_is_looked_at_and_asks_how_far_it_is(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: FULL)
    client: TestClient = client_of(library)
    first, second, _ = shots(library)
    assert client.get("/api/deepening").json() == {"waiting": [], "deepened": []}
    answer = client.post("/api/deepening", json={"segments": [second, first]})
    assert answer.status_code == 200
    until(lambda: not client.get("/api/deepening").json()["waiting"])
    assert client.get("/api/deepening").json()["deepened"] == sorted([first, second])
    for body in ({}, {"segments": ["x"]}, {"segments": list(range(101))}):
        assert client.post("/api/deepening", json=body).status_code == 400


def test_a_search_takes_the_rows_of_hits_that_were_looked_at(library: Library) -> None:
    def search() -> dict[int, bool]:
        """Segments of hits, and whether their row is a quick one."""
        engine = asked_encoders.open_engine(library, asked_encoders.with_quick(library, (FULL,)))
        engine.refresh()
        hits = engine.search(Query(terms=[TextTerm("green")]))
        assert len({hit.segment.id for hit in hits}) == len(hits) == 3, "one row a shot"
        return {hit.segment.id or 0: hit.is_quick for hit in hits}

    first = search()
    assert list(first.values()) == [True, True, True]
    best = next(iter(first))
    deepening = Deepening(library, lambda: ENGINE, read_here)
    deepening.look_at([best])
    until(lambda: ended(deepening))
    second = search()
    assert second == {**first, best: False}
    assert next(iter(second)) == best
