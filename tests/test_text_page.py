"""The search page with words in quotes: what its box asks, what it says of hits, and what the grid is given of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import cli_library
import pytest
from fakes import ColourEncoder
from streamlit.testing.v1 import AppTest
from test_search_page import grid, link_of, opened, said, settle

from app.search_link import LinkStep, LinkTerm, SearchLink
from app.shell.link_query import fused_query_of, query_of
from app.web.pages import fused_results, result_line, session
from app.web.pages.fused_results import NO_WORDS, line_of_fused, wider_texts
from app.web.pages.search_state import TEXT_ELSEWHERE
from app.web.services.shot_cards import fused_card
from db.library import Library
from db.records import Filters
from db.timed_text import TextKind, TextSource, TimedLine, TimedWord
from search.fused import TEXT_WEIGHT, FusedAnswer, FusedHit, FusedQuery
from search.fusion import find_fused
from search.negation import find_negation
from search.strength import Strength
from search.text.matches import TextPart

WORDS = (TimedWord(200, 400, "start"), TimedWord(700, 1500, "engine"))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library.open(cli_library.build(tmp_path, ColourEncoder()))
    put(library, "red.mp4", "subtitle", TimedLine(100, 2600, "start the engine\nnow", None, WORDS))
    put(library, "green.mp4", "screen", TimedLine(500, 2000, "<b>Engine</b> room", 0.9))
    put(library, "gone.mp4", "tag", TimedLine(0, 10_000, "Snow"))
    settle(monkeypatch, library.directory)
    return library


def put(library: Library, name: str, kind: TextKind, *lines: TimedLine) -> None:
    (video,) = [each for each in library.videos() if os.path.basename(each.path) == name]
    assert video.id is not None
    library.texts.replace(video.id, TextSource(kind=kind), lines)


def without_words(library: Library) -> None:
    library.texts.remove(source.id or 0 for each in library.texts.sources_of().values() for source in each)


def no_clip(term: LinkTerm) -> Any:
    raise AssertionError(f"{term} is not read")


def hits_of(library: Library, words: str) -> list[FusedHit]:
    return find_fused(library, FusedQuery(texts=[TextPart(words)])).hits


def names(page: AppTest) -> list[str]:
    return [card["name"] for card in grid(page)]


def notes(page: AppTest) -> str:
    return " ".join([said(page), *(each.value.replace("\\", "") for each in (*page.info, *page.warning))])


# From the link to the query


def test_a_link_asks_for_words_and_a_picture() -> None:
    link = SearchLink(words='red "engine"', text_in="said", text_weight=0.25, limit=7, one_per_video=True, name="a")
    query = fused_query_of(link, {"any": no_clip})
    assert query.texts == (TextPart('"engine"', ("subtitle", "speech")),)
    assert (query.text_weight, query.k, query.per_video, query.filters) == (0.25, 7, 1, Filters(name="a"))
    assert query.picture == query_of(replace(link, words="red"), {"any": no_clip})


def test_a_link_with_nothing_but_quotes_asks_for_no_picture() -> None:
    query = fused_query_of(SearchLink(words='"/eng.ne/"'), {"any": no_clip})
    assert (query.texts, query.picture) == ((TextPart("/eng.ne/", None),), None)
    assert query.text_weight == TEXT_WEIGHT
    example = fused_query_of(SearchLink(words='"engine"', terms=(LinkTerm("segment", "4"),)), {"any": no_clip})
    assert example.picture is not None


# Cards


def test_a_card_has_the_line_with_its_words_marked_and_the_time_to_play_from(library: Library) -> None:
    (hit,) = hits_of(library, '"start the engine"')
    card = fused_card(hit, 0.0, {})
    assert (card["score"], card["share"], card["strength"]) == (None, None, None), "the picture did not find it"
    assert card["found"] == {
        "channels": ["said"],
        "line": {"time": 0.2, "from": 0.2, "source": 1, "pieces": [["start the engine", True], ["\nnow", False]]},
        "lines": 1,
    }


def test_markup_of_a_file_stays_text(library: Library) -> None:
    (hit,) = hits_of(library, "room")
    assert fused_card(hit, 0.0, {})["found"]["line"]["pieces"] == [["<b>Engine</b> ", False], ["room", True]]


def test_a_tag_has_no_time(library: Library) -> None:
    (hit,) = hits_of(library, "snow")
    line = fused_card(hit, 0.0, {})["found"]["line"]
    assert (line["time"], line["from"]) == (None, None)


def test_a_shot_with_the_rest_of_a_line_is_played_from_its_start(library: Library) -> None:
    (first,) = hits_of(library, "engine now")
    second = library.segments_of(first.video.id or 0)[1]
    rest = replace(first, hit=replace(first.hit, segment=second))
    line = fused_card(rest, 0.0, {})["found"]["line"]
    assert (line["time"], line["from"]) == (0.7, None)


def test_a_hit_of_both_has_the_score_of_its_picture(library: Library) -> None:
    (hit,) = hits_of(library, "room")
    strong = replace(hit.hit, score=0.5, strength=Strength(value=5.0, chance=0.001))
    card = fused_card(replace(hit, hit=strong, channels=("picture", "written")), 1.0, {})
    assert (card["score"], card["share"], card["strength"]["level"]) == (0.5, 0.5, "strong")
    alone = fused_card(replace(hit, hit=strong, channels=("picture",), lines=()), 1.0, {})
    assert alone["found"] == {"channels": ["picture"], "line": None, "lines": 0}


# The line above the hits


def answer(library: Library, *strengths: Strength | None, words: str = "") -> FusedAnswer:
    """Hits with a picture of these strengths; after those with words, if there are some to look for."""
    found = hits_of(library, words) if words else []
    (some, *_) = hits_of(library, "snow")
    pictures = [
        replace(some, lines=(), hit=replace(some.hit, strength=each), channels=("picture",)) for each in strengths
    ]
    return FusedAnswer(hits=[*found, *pictures], matched=len(found), complete=True)


GOOD, WEAK = Strength(value=5.0, chance=0.001), Strength(value=0.1, chance=0.9)


def test_the_line_counts_shots_with_the_words_and_good_matches(library: Library) -> None:
    link = SearchLink(words='red "engine"')
    line = line_of_fused(answer(library, GOOD, WEAK, words="engine"), link, 3.2, 30)
    assert line.text == "2 shots with these words · 1 good match of the picture alone · 4 of 30 shots"
    assert line.details[0] == "Searched 30 shots and their words in 3 ms."
    assert not line.folded
    line = line_of_fused(answer(library, WEAK, words="room"), link, 3.2, 30)
    assert line.text == "1 shot with these words · 2 of 30 shots"
    alone = line_of_fused(answer(library, words="room"), SearchLink(words='"room"'), 3.2, 30)
    assert alone.text == "1 shot with these words · among 30 shots"


def test_hits_of_the_picture_alone_are_folded_if_none_is_good(library: Library) -> None:
    link = SearchLink(words='red "zebra"')
    assert line_of_fused(answer(library, WEAK), link, 1, 30).folded
    assert line_of_fused(answer(library, GOOD), link, 1, 30).text == "1 good match · 1 of 30 shots"


def test_nothing_found_says_why_and_what_to_change() -> None:
    nothing = FusedAnswer(hits=[], matched=0, complete=True)
    assert line_of_fused(nothing, SearchLink(words='"a"'), 1, 30).text == "No shot has these words."
    assert line_of_fused(nothing, SearchLink(words='"a"'), 1, 0).text == "No shots match these filters."
    link = SearchLink(words='"a"', text_in="said", least_level="strong", name="b")
    offers = {offer.label: offer.apply for offer in wider_texts(link)}
    assert list(offers) == ["Search in any words", "Clear filters"], "the strength of pictures holds nothing back"
    assert offers["Search in any words"](link) == replace(link, text_in="text")
    assert "Show weaker matches" in {offer.label for offer in wider_texts(replace(link, words='red "a"'))}


def test_offers_are_about_the_words_for_pictures() -> None:
    assert result_line.offers_for(SearchLink(words='"without sound"')) == []
    negated = SearchLink(words='red without blue "no radio"')
    negation = find_negation(negated.box.picture)
    assert negation is not None
    changed = result_line.excluding(negation)(negated)
    assert (changed.words, [term.value for term in changed.terms]) == ('red "no radio"', ["blue"])
    both = SearchLink(words='red "engine"', terms=(LinkTerm("segment", "4"),))
    assert result_line.without_words(both).words == '"engine"'
    assert not result_line.has_both(replace(both, words='"engine"'))


# The page


def test_quotes_find_words_and_the_address_keeps_what_was_chosen(library: Library) -> None:
    page = opened(SearchLink(words="red"))
    assert not [each for each in page.slider if each.key == "text_weight"]
    page.text_input(key="words").set_value('green "engine"').run()
    assert not page.exception
    first = grid(page)[0]
    assert (first["name"], first["found"]["channels"]) == ("green.mp4", ["picture", "written"])
    assert "2 shots with these words" in said(page)
    page.slider(key="text_weight").set_value(1.0).run()
    page.button_group(key="text_in").set_value("said").run()
    assert link_of(page) == SearchLink(words='green "engine"', text_in="said", text_weight=1.0)
    assert names(page)[0] == "red.mp4"
    page.text_input(key="words").set_value("green").run()
    assert link_of(page) == SearchLink(words="green"), "what was chosen for quotes is forgotten with them"


def test_a_link_with_quotes_opens_as_it_was_sent(library: Library) -> None:
    link = SearchLink(words='green "engine"', text_in="written", text_weight=0.8)
    page = opened(link)
    assert link_of(page) == link
    assert page.slider(key="text_weight").value == 0.8
    assert page.button_group(key="text_in").value == "written"


def test_words_alone_have_no_weight_and_filters_of_pictures_are_off(library: Library) -> None:
    page = opened(SearchLink(words='"engine"', text_weight=0.8, least_level="strong", one_per_video=True))
    assert sorted(names(page)) == ["green.mp4", "red.mp4"]
    assert not [each for each in page.slider if each.key == "text_weight"]
    assert page.selectbox(key="least_level").disabled
    assert page.number_input(key="least_score").disabled
    assert page.selectbox(key="duplicates").disabled
    assert "Not used now" in page.button(key="chip_least_level").help
    page.text_input(key="words").set_value('red "engine"').run()
    assert not page.selectbox(key="least_level").disabled


def test_filters_hold_for_words(library: Library) -> None:
    assert names(opened(SearchLink(words='"engine"', name="green"))) == ["green.mp4"]
    page = opened(SearchLink(words='"engine"', min_seconds=100.0))
    assert "No shots match these filters." in notes(page)
    assert "Clear filters" in [button.label for button in page.button]


def test_words_that_are_nowhere_are_said_to_be(library: Library) -> None:
    page = opened(SearchLink(words='"zebra"'))
    assert "No shot has these words." in notes(page)
    assert "No line has these words" in notes(page)
    page = opened(SearchLink(words='red "zebra"'))
    assert "By the picture alone: no line has these words" in notes(page)
    assert len(grid(page)) == 5


@pytest.mark.parametrize(
    ("words", "why"),
    [('red "/(/"', "regular expression is not valid"), ('-"engine"', "only words to leave out"), ('"…"', "no word")],
)
def test_what_cannot_be_searched_for_is_one_line(library: Library, words: str, why: str) -> None:
    page = opened(SearchLink(words=words))
    assert [why in each.value.replace("\\", "") for each in page.warning] == [True]


def test_without_words_in_the_library_the_page_does_not_speak_of_quotes_until_they_are_used(library: Library) -> None:
    assert "quotes" in opened().text_input(key="words").placeholder
    assert "Words in quotes" in said(opened())
    without_words(library)
    page = opened()
    assert "quotes" not in page.text_input(key="words").placeholder + said(page)
    page = opened(SearchLink(words='red "engine"'))
    assert len(grid(page)) == 5
    assert NO_WORDS in said(page)
    assert "Open Indexing" in [element.proto.label for element in page.get("page_link")]


def test_quotes_in_a_sequence_are_refused(library: Library) -> None:
    page = opened(SearchLink(words='red "engine"', then=(LinkStep("blue"),)))
    assert ["in a sequence yet" in each.value for each in page.warning] == [True]


def test_a_weight_of_words_and_of_an_example_are_two_things(library: Library) -> None:
    (green,) = [each for each in library.videos() if each.path.endswith("green.mp4")]
    example = LinkTerm("segment", str(library.segments_of(green.id or 0)[0].id))
    page = opened(SearchLink(words='"engine"', terms=(example,)))
    assert page.slider(key="text_weight").value == TEXT_WEIGHT
    assert not [each for each in page.slider if each.key == "weight_words"], "there are none for the picture"
    assert "green.mp4" not in names(page), "the example itself"


def test_an_ordinary_search_asks_nothing_of_texts(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused_results, "draw_fused", lambda *_: pytest.fail("text is searched"))
    page = opened(SearchLink(words='red without any 27" screen'))
    assert {card.get("found") for card in grid(page)} == {None}


def test_whether_there_are_words_is_asked_once_for_each_state_of_the_library(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = type(library.texts).counts
    asked: list[int] = []

    def counted(texts: Any) -> Any:
        asked.append(1)
        return counts(texts)

    monkeypatch.setattr(type(library.texts), "counts", counted)
    page = opened(SearchLink(words="red"))
    page.run()
    assert len(asked) == 1
    without_words(library)
    assert not session.has_words()


def test_the_map_and_a_video_say_that_only_the_picture_counts_there(library: Library) -> None:
    def show_map() -> None:
        from app.web.pages import map as page

        page.show()

    def show_video() -> None:
        from app.web.pages import library as page

        page.show()

    for view, words, video in ((show_map, 'red "engine"', ""), (show_video, '"engine"', str(library.videos()[0].id))):
        page = AppTest.from_function(view, default_timeout=60)
        page.query_params["q"] = words
        if video:
            page.query_params["video"] = video
        page.run()
        assert not page.exception
        assert TEXT_ELSEWHERE in said(page)
        assert not page.warning
