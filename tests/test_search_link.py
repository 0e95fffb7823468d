"""A search as a link: what goes in comes out, and what cannot be understood is named, not raised."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest

from app.search_link import FILTERS, MAX_STEPS, MAX_TERMS, LinkStep, LinkTerm, SearchLink, parse_address, parse_link
from app.web.pages.escape import escape_markdown
from search import chain_query
from search.query import TextTerm

FULL = SearchLink(
    words='a dog & a "cat"? 100 % + ünïcödé 犬',
    words_weight=0.5,
    text_in="written",
    text_weight=0.25,
    terms=(
        LinkTerm("text", "in the rain: at night", 1.0),
        LinkTerm("segment", "42", -0.5),
        LinkTerm("range", "7:-512-1024", 2.0),
        LinkTerm("file", "a1B2c3", 0.25),
    ),
    folder="/footage/with spaces & signs/ü",
    name="take #2",
    since="2025-01-01",
    until="2025-12-31",
    recorded_since="2024-02-29",
    recorded_until="2024-03-01",
    min_seconds=1.5,
    max_seconds=60.0,
    min_short_side=1080,
    orientation="portrait",
    codec="H.265",
    frame_rate=29.97,
    camera="Apple iPhone 15 & ü",
    has_sound=False,
    least_level="strong",
    threshold=-0.05,
    one_per_video=True,
    duplicates="hide",
    takes="show",
    plain_sum=True,
    limit=400,
)


def through_address(link: SearchLink) -> tuple[SearchLink, list[str]]:
    return parse_link(parse_qs(link.query_string(), keep_blank_values=True, errors="strict"))


def test_everything_survives_the_address() -> None:
    assert through_address(FULL) == (FULL, [])
    assert FULL.filter_count == len(FILTERS) == 19
    assert FULL.active_filters == FILTERS
    cleared = FULL.without(*FILTERS)
    assert cleared.filter_count == 0
    assert replace(cleared, **{name: getattr(FULL, name) for name in FILTERS}) == FULL
    assert FULL.without("codec").filter_count == FULL.filter_count - 1
    assert parse_link({"q": ["x"], "strength": ["weak"]}) == (SearchLink(words="x"), []), "which leaves nothing out"
    assert SearchLink(has_sound=False).filters().has_sound is False
    assert through_address(SearchLink()) == (SearchLink(), [])
    assert SearchLink().query_string() == ""
    assert not SearchLink(words="   ").has_query


def test_links_of_before_there_were_stacks_still_hide_near_duplicates() -> None:
    assert parse_link({"q": ["a"], "dups": ["1"]}) == (SearchLink(words="a", duplicates="hide"), [])
    assert parse_link({"q": ["a"], "dups": ["0"]}) == (SearchLink(words="a"), [])
    assert parse_link({"q": ["a"], "dups": ["show"]}) == (SearchLink(words="a", duplicates="show"), [])
    link, problems = parse_link({"q": ["a"], "dups": ["pile"]})
    assert link == SearchLink(words="a")
    assert "stack, hide, show" in problems[0]


def test_random_links_survive_the_address() -> None:
    chance = random.Random(3)
    letters = "ab :;&=%#?+-<>\"'\\/\u00e9\u4e2d\U0001f600\n\t"
    for _ in range(200):
        text = "".join(chance.choices(letters, k=chance.randint(1, 40))) + "x"
        weight = round(chance.uniform(-2, 2), 1)
        link = SearchLink(words=text, terms=(LinkTerm("text", text, weight),), name=text, folder="/" + text)
        assert through_address(link) == (link, [])


@pytest.mark.skipif(os.name == "nt", reason="names there are text, not bytes")
@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, 0.123456789012, 1e-7, 1234567.25, 3.0])
def test_numbers_keep_every_digit(number: float) -> None:
    link = SearchLink(
        threshold=number, min_seconds=number, max_seconds=number, words_weight=number,
        terms=(LinkTerm("text", "a dog", min(number, 100.0)),),
    )  # fmt: skip
    assert through_address(link) == (link, [])
    assert SearchLink(threshold=3.0).query_string() == "score=3"


@pytest.mark.parametrize("name", [os.fsdecode(b"caf\xe9"), "bytes:%41", "bytes:", "%ff", "a\u202eb"])
def test_any_name_survives_the_address(name: str) -> None:
    link = SearchLink(name=name)
    assert through_address(link) == (link, [])


def test_words_that_are_not_utf8_make_a_link_all_the_same() -> None:
    link = SearchLink(words="caf\udce9", terms=(LinkTerm("text", "\udce9", 1.0),))
    assert through_address(link)[0] == SearchLink(words="caf?", terms=(LinkTerm("text", "?", 1.0),))


def test_a_path_that_is_not_utf8_survives_the_address() -> None:
    link = SearchLink(folder=os.fsdecode(b"/footage/\xff\xfe raw"))
    assert through_address(link) == (link, [])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("w", "heavy"),
        ("w", "nan"),
        ("in", "relative/folder"),
        ("in", "/nul\0byte"),
        ("since", "yesterday-ish"),
        ("min", "-1"),
        ("min", "1e999"),
        ("res", "0"),
        ("res", "big"),
        ("shape", "round"),
        ("score", "inf"),
        ("fps", "0"),
        ("fps", "-25"),
        ("fps", "fast"),
        ("sound", "1"),
        ("strength", "weird"),
        ("one", "true"),
        ("k", "1000000000"),
        ("term", "1:segment:-4"),
        ("term", "1:segment:../../etc/passwd"),
        ("term", "x:text:words"),
        ("term", "1:bytes:words"),
        ("term", "1:range:5:20-10"),
        ("term", "1:range:5"),
        ("term", "1:file:../../x"),
        ("term", "1:text: "),
        ("term", ""),
    ],
)
def test_what_cannot_be_understood_is_left_out_and_named(name: str, text: str) -> None:
    link, problems = parse_link({"q": ["a dog"], name: [text]})
    assert link == SearchLink(words="a dog")
    assert len(problems) == 1
    assert f"{name}=" in problems[0]


def test_a_link_is_bounded() -> None:
    link, _ = parse_link({"q": ["x" * 100_000], "term": [f"1:text:{n}" for n in range(1000)]})
    assert len(link.words) == 2000
    assert len(link.terms) == MAX_TERMS


def test_the_same_example_again_only_changes_its_weight() -> None:
    link = SearchLink(terms=(LinkTerm("segment", "4"), LinkTerm("text", "4")))
    changed = link.with_term(LinkTerm("segment", "4", -1.0))
    assert changed.terms == (LinkTerm("text", "4"), LinkTerm("segment", "4", -1.0))


def test_filters_keep_the_last_day_in() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC).astimezone()
    filters = SearchLink(since="2025-03-01", until="2025-03-01", folder="/a").filters(now)
    assert filters.since_ns is not None
    assert filters.until_ns is not None
    assert filters.until_ns - filters.since_ns in (86_400 * 10**9 - 1, 82_800 * 10**9 - 1, 90_000 * 10**9 - 1)
    assert filters.folder == "/a"
    recorded = SearchLink(recorded_since="2025-03-01", recorded_until="2025-03-01").filters(now)
    assert recorded.recorded_since is not None
    assert recorded.recorded_until is not None
    assert recorded.recorded_until - recorded.recorded_since in (86_399, 82_799, 89_999)


def test_names_are_shown_as_they_are() -> None:
    assert escape_markdown("a\u202egpj\u2069") == "a\ufffdgpj\ufffd", "characters that show what follows backwards"
    assert escape_markdown("<script>alert(1)</script> [x](javascript:1) **b** `c` $x$ :red[a] :smile:") == (
        "\\<script\\>alert\\(1\\)\\</script\\> \\[x\\]\\(javascript\\:1\\) \\*\\*b\\*\\* \\`c\\` \\$x\\$ "
        "\\:red\\[a\\] \\:smile\\:"
    )
    assert escape_markdown("a\nb \udcff") == "a b ?"


CHAIN = SearchLink(
    words="a dog",
    then=(
        LinkStep("a cat & 100 %", (LinkTerm("segment", "42", 0.5), LinkTerm("file", "a1B2c3"))),
        LinkStep(terms=(LinkTerm("range", "7:-512-1024", -1.0), LinkTerm("text", "in: the rain"))),
        LinkStep("then"),
    ),
    within_seconds=2.5,
    any_order=True,
)


def test_a_chain_survives_the_address() -> None:
    assert through_address(CHAIN) == (CHAIN, [])
    assert CHAIN.is_chain
    assert not FULL.is_chain
    assert SearchLink(words="a", then=(LinkStep("b"),)).query_string() == "q=a&then=b"
    assert SearchLink(then=(LinkStep("b"),)).has_query


@pytest.mark.parametrize(
    "term", ["1:1:text:a", "9:1:text:a", "x:1:text:a", "2:text:a", "2:1:odd:a", "2", "-2:1:text:a", "²:1:text:a"]
)
def test_a_term_of_no_step_is_named_and_left_out(term: str) -> None:
    link, problems = parse_link({"then": ["b"], "then_term": [term]})
    assert link.then == (LinkStep("b"),)
    assert len(problems) == 1
    assert "then_term" in problems[0]


def test_blank_steps_are_left_out_and_too_many_cut_off() -> None:
    assert parse_link({"then": ["", "b", " "], "then_term": ["4:1:segment:3"]})[0].then == (
        LinkStep("b"), LinkStep(" ", (LinkTerm("segment", "3"),)),
    )  # fmt: skip
    assert len(parse_link({"then": ["b"] * 50})[0].then) == MAX_STEPS - 1


def test_limits_and_defaults_of_links_are_those_of_chain_queries() -> None:
    """They are stated twice, because `--help` must not import numpy."""
    assert MAX_STEPS == chain_query.MAX_STEPS
    steps = [chain_query.Step([TextTerm("a")]), chain_query.Step([TextTerm("b")])]
    assert SearchLink().within_seconds == chain_query.ChainQuery(steps).within_seconds


@pytest.mark.parametrize("before", ["", "?", "http://127.0.0.1:8501/?", " https://films.example/search/?"])
def test_an_address_copied_from_a_browser_is_read(before: str) -> None:
    link, problems = parse_address(f"{before}{CHAIN.query_string()}")
    assert (link, problems) == (CHAIN, [])
    assert parse_address(f"{before}q=is it http://a?b")[0].words == "is it http://a?b"


def test_what_stands_in_quotes_is_for_text_and_the_rest_for_pictures() -> None:
    link = SearchLink(words='a red car "start the engine"')
    assert (link.box.picture, link.box.words) == ("a red car", '"start the engine"')
    assert link.has_text
    assert link.has_query
    assert not link.is_text_alone
    assert link.texts == ["a red car"], "which the encoder reads"
    assert link.with_picture_words("a blue car").words == 'a blue car "start the engine"'
    alone = link.with_picture_words("")
    assert (alone.words, alone.is_text_alone, alone.texts) == ('"start the engine"', True, [])
    assert not SearchLink(words='"engine"', terms=(LinkTerm("segment", "4"),)).is_text_alone
    assert not SearchLink(words='"engine"', then=(LinkStep("b"),)).is_text_alone


@pytest.mark.parametrize(
    ("address", "has"),
    [("?q=a+dog", True), ("?term=1:segment:7", True), ("", False), ("?q=a&then=b", False), ("?q=a+%22b%22", False)],
)
def test_hits_of_pictures_alone_have_moments(address: str, has: bool) -> None:
    assert parse_address(address)[0].has_moments == has


@pytest.mark.parametrize("words", ["  a  red\tcar ", 'a 27" screen', 'a "" car', '"', "cats OR dogs"])
def test_words_without_anything_in_quotes_stay_as_typed(words: str) -> None:
    link = SearchLink(words=words)
    assert not link.has_text
    assert link.box.picture == words


def test_a_wrong_weight_or_kind_of_text_is_left_out() -> None:
    link, problems = parse_link({"q": ['"a"'], "tw": ["1.5"], "words": ["sung"]})
    assert link == SearchLink(words='"a"')
    assert len(problems) == 2
    assert "text, said, written" in problems[0]
    assert "from 0 to 1" in problems[1]
