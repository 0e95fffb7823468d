"""Text on a server is searched as in a folder: the same lines, in the same order."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from db_samples import add, make_video
from postgres import needs_postgres, new_place

from db.library import Library
from db.text.full_text_tokens import tokens_of, words_of
from db.text.server.expressions import Pair, Phrase, parse, trigrams_query, wanted_phrases, words_query
from db.timed_text import TextSource, TimedLine
from search.text.finding import TextQuery, find_text
from search.text.terms import TextQueryError

VOCABULARY = [
    "red", "Rëd", "blue", "kite", "kites", "hill", "42", "猫が", "好き", "犬", "NHK", "天気", "l'école", "Straße",
    "мой", "ёж", "ΣΟΦΟΣ", "ﬁre", "don't", "a_b", "it\\s", "100%", "'quoted'", "ไทย", "서울에서", "x" * 300,
]  # fmt: skip


@pytest.fixture(scope="module")
def both(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, Library]]:
    """A library in a folder and one on a server, with the same lines."""
    folder = tmp_path_factory.mktemp("both")
    with Library.open(folder / "library") as one, Library.open(new_place(postgres, folder)) as other:
        for library in (one, other):
            draw = random.Random(3)
            for video in (1, 2):
                add(library, make_video(f"/f/{video}.mp4", f"a{video}"))
                texts = [" ".join(draw.choices(VOCABULARY, k=draw.randint(1, 7))) for _ in range(120)]
                lines = [TimedLine(at * 1000, at * 1000 + 900, text) for at, text in enumerate(texts)]
                library.texts.replace(video, TextSource(kind="subtitle" if video == 1 else "screen"), lines)
        yield one, other


@needs_postgres
def test_random_searches_have_the_same_answers_in_the_same_order(both: tuple[Library, Library]) -> None:
    draw = random.Random(5)
    answers = 0
    for _ in range(250):
        parts = [*VOCABULARY, "ki*", '"red kite"', '"kite red blue"', '"hill ki"*', "(red OR 猫)", "-blue", "-犬", "気"]
        typed = draw.choice([" ", " ", " OR "]).join(draw.choices(parts, k=draw.randint(1, 4)))
        query = TextQuery(words=typed, k=60) if draw.random() < 0.8 else TextQuery(words=typed, kinds=["screen"], k=60)
        try:
            expected, found = (find_text(library, query) for library in both)
        except TextQueryError:
            continue
        assert found == expected, typed
        answers += bool(found.hits)
    assert answers > 100


@needs_postgres
@pytest.mark.parametrize("pattern", [r"k.te", r"red (kite|hill)", r"[猫犬]", r"it\\s", r"^42", r"天気.*NHK"])
def test_patterns_have_the_same_answers(both: tuple[Library, Library], pattern: str) -> None:
    expected, found = (find_text(each, TextQuery(words=pattern, is_pattern=True, k=99)) for each in both)
    assert found == expected
    assert found.hits


@needs_postgres
def test_bm25_is_that_of_fts5(both: tuple[Library, Library]) -> None:
    from db.text import matching

    for expression in ('{text} : "kite"', '{joined} : "red" AND {joined} : "blue"', '{text} : ("hill" OR "ki"*)'):
        ranks = []
        for library in both:
            ranges = library.texts._ranges.ranges(None, None)
            with library._database.reading() as connection:
                found = matching.match(connection, "text_words", expression, ranges, 1000)
                ranks.append(matching.relevance(connection, expression, ['"kite"'], ranges, found))
        assert ranks[0].size > 5
        assert np.ptp(ranks[0]) > 0
        np.testing.assert_allclose(ranks[1], ranks[0], rtol=1e-9)


def test_expressions_are_read_as_fts5_reads_them() -> None:
    one, two, three = (Phrase(text, False, False) for text in ("one", "two", "three"))
    assert parse('"one" OR "two" AND "three"') == Pair("OR", one, Pair("AND", two, three))
    assert parse('"one" AND "two" NOT "three"') == Pair("AND", one, Pair("NOT", two, three))
    assert parse('("one" OR "two") NOT "three"') == Pair("NOT", Pair("OR", one, two), three)
    assert parse('{text} : "say ""it"""*') == Phrase('say "it"', True, True)
    own = parse('{text} : ("one" OR "two") AND {joined} : "three"')
    assert own == Pair("AND", Pair("OR", Phrase("one", True, False), Phrase("two", True, False)), three)
    assert [phrase.text for phrase in wanted_phrases(parse('"one" NOT "two"'))] == ["one"]
    for wrong in ("", '"one" "two"', '("one"', "one", '"one" OR', '"one")'):
        with pytest.raises(ValueError, match="FTS5"):
            parse(wrong)


def test_queries_quote_what_a_person_typed() -> None:
    assert words_query(parse('{text} : "L\'École !& \\"* NOT {joined} : "du | bien"')) == (
        "(('l':A <-> 'ecole':A*) & !('du' <-> 'bien'))"
    )
    assert words_query(parse('"!?" AND "kite"')) == "('kite')"
    assert words_query(parse('"!?"')) is None
    assert trigrams_query(parse('"\'a\\" AND "気"')) == "(('''a\\\\') & '気':*)"
    assert trigrams_query(parse('"ABC" OR "xyz"')) == "(('abc') | ('xyz'))"


def test_tokens_are_those_of_lines_and_of_what_they_are_joined_with() -> None:
    first, second = tokens_of([("L'École", " du Bien  "), ("今日天", "気がいい  ")])
    assert (first.text, first.joined) == (["l", "ecole"], ["l", "ecole", "du", "bien"])
    assert "l'é" in first.trigrams
    assert (second.text, second.joined) == (["今日天"], ["今日天気がいい"])
    assert words_of(["a b", "", "?!"]) == [["a", "b"], [], []]


@needs_postgres
def test_a_line_may_be_long(both: tuple[Library, Library]) -> None:
    text = " ".join(f"word{number}" for number in range(20_000))
    for library in both:
        library.texts.replace(2, TextSource(kind="tag"), [TimedLine(0, 0, text)])
        (hit,) = find_text(library, TextQuery(words="word19999", kinds=["tag"])).hits
        assert hit.ranges
        library.texts.remove([each.id or 0 for each in library.texts.sources(2) if each.kind == "tag"])
        assert library.check() == []
