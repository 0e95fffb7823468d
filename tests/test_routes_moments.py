"""The moment of a hit as the page asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fakes import ColourEncoder, ExactIndex
from page_library import client_of, segment_ids
from starlette.applications import Starlette
from starlette.testclient import TestClient
from synthetic import make_video

from app.media_workers import ReadMedia, read_here
from app.search_link import SearchLink
from app.web.api.moments import MAX_LINK_CHARACTERS, moment_routes, preview_part
from app.web.http.errors import ApiError
from app.web.services.moments import MOST_SECONDS, Moments
from app.web.services.segment_cache import SegmentCache
from db.library import Library
from db.records import Segment
from encoder import ModelNotFound
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from search.engine import SearchEngine
from search.moments.moment import Moment


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    root = tmp_path_factory.mktemp("routes")
    (root / "videos").mkdir()
    make_video(root / "videos" / "three.mp4", [("red", 30), ("blue", 25), ("green", 40)])
    library = Library.open(root / "library")
    one_shot = IndexSettings(detector="content", detector_options={"threshold": 1000.0})
    assert index_folders(library, ColourEncoder(), [root / "videos"], one_shot).added == 1
    return library


def engine_of(library: Library) -> SearchEngine:
    encoder = ColourEncoder()
    return SearchEngine(library, encoder, ExactIndex.of(library, encoder.id))


def client(library: Library, read: ReadMedia = read_here, **options: Any) -> TestClient:
    engine = engine_of(library)
    moments = Moments(lambda: engine, read, **options)
    return TestClient(Starlette(routes=moment_routes(SegmentCache(library), moments)), raise_server_exceptions=False)


def test_the_moment_of_a_hit_by_its_search(library: Library) -> None:
    (segment,) = segment_ids(library)
    found = client(library).get(f"/api/moment/{segment}?link={quote('?q=blue&in=/films')}")
    assert found.status_code == 200, found.text
    moment = found.json()
    assert (moment["segment"], moment["note"], moment["is_whole"]) == (segment, None, False)
    assert (moment["start_seconds"], moment["end_seconds"]) == pytest.approx((1.2, 2.2), abs=0.2)
    assert moment["curve"][0][0] < moment["curve"][-1][0]
    assert moment["start_pts"] < moment["end_pts"]
    assert moment["seconds"] > 0
    assert (moment["preview"]["from"], moment["preview"]["to"]) == pytest.approx((1.2 / 3.8, 2.2 / 3.8), abs=0.05)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "?in=/films",
        "?q=red&then=blue",
        "?q=red+%22start%22",
        "x" * (MAX_LINK_CHARACTERS + 1),
        "?term=1:segment:4711",
    ],
)
def test_what_is_no_search_for_single_shots_is_refused(library: Library, link: str) -> None:
    (segment,) = segment_ids(library)
    answer = client(library).get(f"/api/moment/{segment}?link={quote(link)}")
    assert answer.status_code == 400
    assert answer.json()["error"].endswith((".", "!"))


def test_the_part_of_a_preview_that_shows_a_moment() -> None:
    segment = Segment(number=0, shot_number=0, start_pts=1000, end_pts=2000)

    def part(start: int, end: int) -> dict[str, float] | None:
        moment = Moment(
            start_pts=start, end_pts=end, is_whole=False, score=0, whole_score=0, curve=(), backwards=None, seconds=1
        )
        return preview_part(moment, segment)

    assert part(1250, 1500) == {"from": 0.25, "to": 0.5}
    assert part(500, 1100) == {"from": 0.0, "to": 0.1}  # it begins in the part before
    assert part(2000, 2500) is None


def test_unknown_segments_are_not_found(library: Library) -> None:
    for segment in ("4711", "x", "-1", "9" * 30):
        assert client(library).get(f"/api/moment/{segment}?link=%3Fq%3Dblue").status_code == 404


def test_it_is_given_up_after_a_while(library: Library) -> None:
    (segment,) = segment_ids(library)
    times = iter([0.0, 0.0, MOST_SECONDS + 1])
    answer = client(library, clock=lambda: next(times)).get(f"/api/moment/{segment}?link={quote('?q=purple')}")
    assert answer.status_code == 503
    assert "given up" in answer.json()["error"]


def test_it_is_given_up_when_nobody_waits(library: Library) -> None:
    engine = engine_of(library)
    (segment,) = segment_ids(library)
    asked: list[bool] = []

    def gone() -> bool:
        asked.append(True)
        return len(asked) > 2

    ((found, video),) = library.segments([segment]).values()
    with pytest.raises(ApiError, match="Nobody waits"):
        Moments(lambda: engine, read_here).find(found, video, SearchLink(words="cyan"), gone)
    assert len(asked) == 3


def test_without_a_model_or_a_file_the_answer_says_so(library: Library) -> None:
    (segment,) = segment_ids(library)

    def no_model() -> SearchEngine:
        raise ModelNotFound("The weights are not here.")

    routes = moment_routes(SegmentCache(library), Moments(no_model, read_here))
    answer = TestClient(Starlette(routes=routes)).get(f"/api/moment/{segment}?link={quote('?q=blue')}")
    assert (answer.status_code, answer.json()["error"]) == (503, "The weights are not here.")
    path = Path(library.videos()[0].path)
    away = path.rename(path.with_suffix(".away"))
    try:
        gone = client(library).get(f"/api/moment/{segment}?link={quote('?q=orange')}")
    finally:
        away.rename(path)
    assert gone.status_code == 404
    assert "drive" in gone.json()["error"]


def test_the_page_has_the_route(library: Library) -> None:
    (segment,) = segment_ids(library)
    assert client_of(library).get(f"/api/moment/{segment}").status_code == 400
