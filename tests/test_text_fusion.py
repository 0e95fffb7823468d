"""Shots found by pictures, by words, and by both: one ranking, on a small library of colours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cli_library
import pytest
from fakes import ColourEncoder, ExactIndex

from db.library import Library
from db.records import Filters
from db.timed_text import TextKind, TextSource, TimedLine, TimedWord
from search.engine import SearchEngine
from search.fused import TEXT_WEIGHT, FusedHit, FusedQuery
from search.fusion import find_fused
from search.query import Query, QueryError, SegmentTerm, TextTerm
from search.strength import Strength
from search.text.matches import TextPart, match_segments, text_values
from search.text.terms import TextQueryError

SAID: tuple[TextKind, ...] = ("subtitle", "speech")
WRITTEN: tuple[TextKind, ...] = ("screen",)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    directory = cli_library.build(tmp_path, ColourEncoder())
    with Library.open(directory) as library:
        put(
            library, "red", "subtitle", (1000, 2600, "start the engine")
        )  # over both shots; the words begin in the first
        put(library, "green", "subtitle", (500, 900, "the motor"))
        put(library, "green", "screen", (0, 3000, "ENGINE ROOM"))
        put(library, "gone", "tag", (0, 10_000, "Snow"))
        yield library


def put(library: Library, name: str, kind: TextKind, *lines: tuple[int, int, str]) -> None:
    (video,) = [each for each in library.videos() if os.path.basename(each.path) == f"{name}.mp4"]
    assert video.id is not None
    library.texts.replace(video.id, TextSource(kind=kind, origin=name), [TimedLine(*each) for each in lines])


def engine_of(library: Library, *, judge: bool = True) -> SearchEngine:
    encoder = ColourEncoder()
    engine = SearchEngine(library, encoder, ExactIndex.of(library, encoder.id))
    return engine if not judge else _Judged(engine.library, engine.encoder, engine.index)


class _Judged(SearchEngine):
    """Strengths that one can work out: 10 times the score above 0.7."""

    def _with_strength(self, hits: list[Any]) -> list[Any]:
        return [
            replace(hit, strength=Strength(value=value, chance=0.001 if value > 1 else 0.5))
            for hit in hits
            for value in [10 * (hit.score - 0.7)]
        ]

    def search(self, query: Query) -> list[Any]:
        return self._with_strength(super().search(query))

    def described(self, query: Query, ids: Any) -> list[Any]:
        return self._with_strength(super().described(query, ids))


def find(library: Library, *texts: TextPart, shown: str = "", judge: bool = True, **options: Any) -> list[FusedHit]:
    filters = options.get("filters", Filters())
    picture = Query((TextTerm(shown),), filters=filters) if shown else None
    engine = engine_of(library, judge=judge) if shown else None
    return find_fused(library, FusedQuery(texts=texts, picture=picture, **options), engine).hits


def names(hits: list[FusedHit]) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(os.path.basename(hit.video.path)[:-4], hit.hit.segment.number, hit.channels) for hit in hits]


def test_words_alone_find_the_shot_where_they_are_said(library: Library) -> None:
    assert names(find(library, TextPart("engine", SAID))) == [("red", 0, ("said",))], "a line over two shots comes once"
    assert names(find(library, TextPart("engine", WRITTEN))) == [("green", 0, ("written",))]
    assert {name for name, _, _ in names(find(library, TextPart("engine")))} == {"red", "green"}
    assert names(find(library, TextPart("/mot.r/", SAID))) == [("green", 0, ("said",))]
    assert names(find(library, TextPart("snow"))) == [("gone", 0, ("tag",))]
    assert find(library, TextPart("zebra")) == []
    both = find(library, TextPart("motor", SAID), TextPart("engine"))
    assert names(both)[0] == ("green", 0, ("said", "written")), "a shot with both comes first"


def test_a_shot_with_both_comes_before_shots_with_one(library: Library) -> None:
    hits = find(library, TextPart("engine"), shown="green")
    assert names(hits)[0] == ("green", 0, ("picture", "written"))
    assert names(find(library, TextPart("engine", SAID), shown="green", k=2)) == [
        ("red", 0, ("said",)),
        ("green", 0, ("picture",)),
    ], "a word of one shot counts as much as the surest picture"
    hits = find(library, TextPart("engine", SAID), shown="blue")
    assert names(hits)[0] == ("red", 1, ("picture", "said")), "the rest of the line is said there"


def test_an_example_is_no_hit_of_its_own_search_whatever_is_said_in_it(library: Library) -> None:
    (red,) = [each for each in library.videos() if each.path.endswith("red.mp4")]
    first = library.segments_of(red.id or 0)[0]
    picture = Query((SegmentTerm(first.id or 0),), k=10)
    query = FusedQuery(texts=[TextPart("engine", SAID)], picture=picture)
    hits = find_fused(library, query, engine_of(library)).hits
    assert ("red", 0) not in {each[:2] for each in names(hits)}
    assert "said" in next(hit.channels for hit in hits if hit.hit.segment.number == 1), "the rest of the line"


def test_words_are_found_where_the_picture_is_not(library: Library) -> None:
    hits = find(library, TextPart("snow"), shown="magenta", text_weight=0.5)
    assert names(hits)[0] == ("gone", 0, ("tag",))
    assert hits[0].strength is None, "words are no matter of chance"
    assert names(find(library, TextPart("snow"), shown="green", text_weight=0.1))[0][0] == "green"
    assert names(find(library, TextPart("snow"), shown="green", text_weight=1))[0][0] == "gone"


def test_without_strengths_ranks_are_fused(library: Library) -> None:
    hits = find(library, TextPart("engine"), shown="green", judge=False)
    assert names(hits)[0] == ("green", 0, ("picture", "written"))
    assert hits[0].score == pytest.approx((1 - TEXT_WEIGHT) / 61 + TEXT_WEIGHT / 62, rel=0.02)


def test_limits_hold_for_words(library: Library) -> None:
    films = os.path.dirname(next(video.path for video in library.videos() if video.path.endswith("green.mp4")))
    for shown in ("", "green"):
        for filters in (Filters(min_seconds=2.5), Filters(folder=films, name="green")):
            hits = find(library, TextPart("engine OR snow"), shown=shown, filters=filters)
            assert ("red", 0) not in {each[:2] for each in names(hits)}
            assert "green" in {each[0] for each in names(hits)}
        hits = find(library, TextPart("engine OR motor"), shown=shown, per_video=1)
        assert len({hit.video.id for hit in hits}) == len(hits)
        assert len(find(library, TextPart("engine OR motor OR snow"), shown=shown, k=2)) == 2
    assert [hit.rank for hit in find(library, TextPart("engine OR snow"))] == [1, 2, 3]


def test_weak_pictures_without_words_can_be_left_out(library: Library) -> None:
    picture = Query((TextTerm("green"),), least_level="likely")
    query = FusedQuery(texts=[TextPart("engine", SAID)], picture=picture)
    assert {hit.channels for hit in find_fused(library, query, engine_of(library)).hits} == {("picture",), ("said",)}


def test_a_hit_of_words_is_played_from_the_word_to_the_end_of_its_line(library: Library) -> None:
    words = (TimedWord(1000, 1200, "start"), TimedWord(1200, 1500, "the"), TimedWord(1600, 2600, "engine"))
    (video,) = [each for each in library.videos() if each.path.endswith("red.mp4")]
    assert video.id is not None
    library.texts.replace(
        video.id, TextSource(kind="subtitle", origin="red"), [TimedLine(1000, 2600, "start the engine", None, words)]
    )
    (hit,) = find(library, TextPart("engine", SAID))
    played = hit.played.segment
    assert (played.start_pts, played.end_pts) == (cli_library.START + 1600, cli_library.START + 2600)
    assert hit.hit.segment.start_pts == cli_library.START, "the hit is the whole shot"
    (tag,) = find(library, TextPart("snow"))
    assert tag.played.segment == tag.hit.segment
    both = find(library, TextPart("engine", SAID), shown="red", k=1)[0]
    assert both.channels == ("picture", "said")
    assert both.played.segment == both.hit.segment


def test_wrong_queries_are_one_line(library: Library) -> None:
    for typed in ("", "  ", "-x", "/(/", "//"):
        with pytest.raises(TextQueryError):
            find(library, TextPart(typed))
    for wrong in ({"text_weight": 1.1}, {"text_weight": float("nan")}, {"k": 0}, {"per_video": 0}):
        with pytest.raises(QueryError):
            FusedQuery(texts=[TextPart("x")], **wrong)
    with pytest.raises(QueryError):
        FusedQuery(texts=[])


def test_of_two_sure_pictures_the_one_with_the_words_comes_first_however_strong_the_other_is(library: Library) -> None:
    for name in ("red@home", "green", "gone"):
        put(library, name, "speech", (0, 1900, "a crane"))
    assert names(find(library, TextPart("crane"), shown="red", k=2)) == [
        ("red@home", 0, ("picture", "said")),
        ("red", 0, ("picture",)),
    ]


def test_words_that_several_shots_have_come_after_a_sure_picture(library: Library) -> None:
    for name in ("red@home", "green", "gone"):
        put(library, name, "speech", (0, 1900, "a crane"))
    hits = find(library, TextPart("crane"), shown="blue")
    assert names(hits)[0] == ("red", 1, ("picture",))
    assert {name for name, _, _ in names(hits)[1:4]} == {"red@home", "green", "gone"}


def test_words_of_few_shots_say_more_than_common_ones_which_still_say_something(library: Library) -> None:
    def values(*typed: str) -> list[float]:
        found = text_values([match_segments(library, TextPart(each), Filters()) for each in typed])
        return sorted((round(each, 4) for each in found.values()), reverse=True)

    assert values("snow") == [1.0]
    assert values("engine") == [0.65, 0.65, 0.585], "the rest of a line says a little less, and is no other shot"
    assert values("engine OR motor OR snow") == [0.5333, 0.5333, 0.5333, 0.48]
    assert values("engine", "motor") == [1.3, 0.65, 0.585], "the only shot with both"
    assert values("zebra") == values("zebra", "yak") == []
