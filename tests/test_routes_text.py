"""The words of a video, as the page's transcript asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from db_samples import add, make_video
from page_library import client_of
from starlette.testclient import TestClient

from app.web.api import text
from db.library import Library
from db.timed_text import TextSource, TimedLine

ENGLISH = TextSource(kind="subtitle", origin="track 2", language="en", title="English", default=True)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as library:
        add(library, make_video("/f/long.mp4", "aa", seconds=3 * 3600))
        add(library, make_video("/f/b.mp4", "bb"), seed=1)
        yield library


def all_lines(client: TestClient, video: int, *sources: int) -> list[dict[str, Any]]:
    """As the page does: stretch by stretch, each line once."""
    found: dict[int, dict[str, Any]] = {}
    start: float | None = 0
    for _ in range(100):
        page = client.get(f"/api/text/{video}/lines?sources={','.join(map(str, sources))}&from={start}").json()
        assert len(page["lines"]) <= text.MAX_LINES
        found.update((each["id"], each) for each in page["lines"])
        start = page["next"]
        if start is None:
            return list(found.values())
    raise AssertionError("the lines do not end")


def test_the_sources_and_lines_of_a_video(library: Library) -> None:
    client = client_of(library)
    lines = [TimedLine(3600_500, 3602_000, "Two rows\nhere"), TimedLine(1500, 2500, "First.")]
    source = library.texts.replace(1, ENGLISH, lines)
    library.texts.replace(1, TextSource(kind="tag", origin="title"), [TimedLine(0, 0, "A title")])
    assert client.get("/api/text/1").json() == {
        "sources": [
            {
                "id": source,
                "kind": "subtitle",
                "language": "en",
                "title": "English",
                "origin": "track 2",
                "engine": "",
                "default": True,
                "forced": False,
                "for_deaf": False,
                "lines": 2,
            }
        ]
    }
    segments = library.segments_of(1)
    first, second = all_lines(client, 1, source)
    assert (first["start"], first["end"], first["text"]) == (1.5, 2.5, "First.")
    assert (first["source"], first["segment"]) == (source, segments[0].id)
    assert (second["text"], second["segment"]) == ("Two rows\nhere", segments[1].id)


def test_only_a_video_with_timed_words_has_text(library: Library) -> None:
    client = client_of(library)
    library.texts.replace(1, ENGLISH, [TimedLine(0, 1000, "Hello")])
    library.texts.replace(2, TextSource(kind="tag", origin="title"), [TimedLine(0, 0, "A title")])
    library.texts.replace(2, ENGLISH, [])
    with_text, without = (client.get(f"/api/segment/{library.segments_of(video)[0].id}").json() for video in (1, 2))
    assert (with_text["has_text"], without["has_text"]) == (True, False)
    assert client.get("/api/text/2").json() == {"sources": []}


def test_a_long_film_comes_in_bounded_parts(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_LINES", 7)
    client = client_of(library)
    step = 3 * 3_600_000 // 300
    lines = [TimedLine(at * step + 1, at * step + 2 * step, f"line {at}") for at in range(300)]
    source = library.texts.replace(1, ENGLISH, lines)
    found = all_lines(client, 1, source)
    assert [each["text"] for each in found] == [line.text for line in lines]


def test_more_lines_at_one_moment_than_are_sent_do_not_stop_the_rest(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "MAX_LINES", 5)
    crowd = [TimedLine(1001, 2000, f"crowd {at}") for at in range(20)]
    source = library.texts.replace(1, ENGLISH, [*crowd, TimedLine(1002, 2000, "after")])
    found = [each["text"] for each in all_lines(client_of(library), 1, source)]
    assert (len(found), found[-1]) == (6, "after")


def test_sources_are_merged_by_time_and_others_left_out(library: Library) -> None:
    client = client_of(library)
    english = library.texts.replace(1, ENGLISH, [TimedLine(2000, 3000, "two"), TimedLine(0, 1000, "nought")])
    chapters = library.texts.replace(1, TextSource(kind="chapter"), [TimedLine(0, 9000, "Arrival")])
    library.texts.replace(1, TextSource(kind="speech", engine="e"), [TimedLine(1000, 2000, "one")])
    other = library.texts.replace(2, ENGLISH, [TimedLine(0, 1000, "of another video")])
    found = all_lines(client, 1, english, chapters, other)
    assert [each["text"] for each in found] == ["Arrival", "nought", "two"]


def test_hostile_lines_stay_text_and_are_cut(library: Library) -> None:
    hostile = '<img src=x onerror="alert(1)"> \u202egpj.exe'
    source = library.texts.replace(1, ENGLISH, [TimedLine(0, 1, hostile), TimedLine(5, 6, "x" * 1_000_000)])
    response = client_of(library).get(f"/api/text/1/lines?sources={source}")
    assert response.headers["content-type"].startswith("application/json")
    first, second = response.json()["lines"]
    assert first["text"] == hostile
    assert (len(second["text"]), second["text"][-2:]) == (text.MAX_CHARACTERS, "x…")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/text/99", 404),
        ("/api/text/x", 404),
        ("/api/text/99/lines?sources=1", 404),
        ("/api/text/1/lines", 400),
        ("/api/text/1/lines?sources=1,x", 400),
        ("/api/text/1/lines?sources=1&from=nan", 400),
        (f"/api/text/1/lines?sources={','.join(map(str, range(1, 200)))}", 400),
        ("/api/text/1/lines?sources=99&from=-5", 200),
        ("/api/text/1/lines?sources=99&from=99999999999", 200),
    ],
)
def test_wrong_requests(library: Library, address: str, status: int) -> None:
    answer = client_of(library).get(address)
    assert answer.status_code == status, answer.text
    assert status != 200 or answer.json()["lines"] == []
