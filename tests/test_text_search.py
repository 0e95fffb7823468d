"""Lines are found by words, phrases, prefixes, scripts without spaces and patterns, with what to highlight."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from db_samples import add, ids_of, make_video

from db.library import Library
from db.records import Filters
from db.timed_text import TextKind, TextSource, TimedLine, TimedWord
from search.text import patterns
from search.text.finding import TextAnswer, TextHit, TextQuery, find_text
from search.text.occurrences import Occurrences
from search.text.parsing import parse
from search.text.terms import TextQueryError


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as library:
        for number in range(3):
            add(library, make_video(f"/f/{number}.mp4", f"a{number}"), seed=number)
        yield library


SCREEN = (
    "L'ÉCOLE du bien-être", "A red kite is red", "Kitchen 1984", "今日は天気がいいですね", "สวัสดีครับ",
    "학교에서 NHK", "♪ la la ♪",
)  # fmt: skip
SAID = (
    "The Colours of it", "a color", "in 1984 and 2001", "cats and cars", "Hello World", "good night", "天気がいい"
)  # fmt: skip


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library that no test changes."""
    with Library.open(tmp_path_factory.mktemp("spoken")) as library:
        add(library)
        put(library, *SCREEN, kind="screen")
        put(library, *SAID)
        yield library


def put(library: Library, *texts: str, video: int = 1, kind: TextKind = "subtitle", gap: int = 0) -> None:
    lines = [TimedLine(at * 1000, at * 1000 + 1000 - gap, text) for at, text in enumerate(texts)]
    library.texts.replace(video, TextSource(kind=kind, origin=str(len(library.texts.sources(video)))), lines)


def find(library: Library, words: str, **options: object) -> TextAnswer:
    return find_text(library, TextQuery(words=words, **options))  # type: ignore[arg-type]


def marked(hit: TextHit) -> str:
    text = hit.text
    for start, end in reversed(hit.ranges):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


def found(library: Library, words: str, **options: object) -> list[str]:
    return sorted(marked(hit) for hit in find(library, words, **options).hits)


FAR = "." * 5  # a line without words, so that neighbours are not joined


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ecole", ["L'[ÉCOLE] du bien-être"]),
        ("ÉCOLE ETRE", ["L'[ÉCOLE] du bien-[être]"]),
        ("bien-être", ["L'École".replace("École", "ÉCOLE") + " du [bien-être]"]),
        ('"red kite"', ["A [red kite] is red"]),
        ("red", ["A [red] kite is [red]"]),
        ("kit*", ["A red [kite] is red", "[Kitchen] 1984"]),
        ("1984", ["Kitchen [1984]"]),
        ("kite OR 1984", ["A red [kite] is red", "Kitchen [1984]"]),
        ("kit* -1984", ["A red [kite] is red"]),
        ("kitch", []),
        ("天気", ["今日は[天気]がいいですね"]),
        ("気", ["今日は天[気]がいいですね"]),
        ("ですね", ["今日は天気がいい[ですね]"]),
        ('"天気 がいい"', ["今日は[天気がいい]ですね"]),
        ("雨", []),
        ("สวัสดี", ["[สวัสดี]ครับ"]),
        ("학교", ["[학교]에서 NHK"]),
        ("학교 nhk", ["[학교]에서 [NHK]"]),
        ("학교 -nhk", []),
        ("ครับ OR kite", ["A red [kite] is red", "สวัสดี[ครับ]"]),
        ("(ครับ OR kite) red", ["A [red] [kite] is [red]"]),
        ("♪", ["[♪] la la [♪]"]),
    ],
)
def test_lines_are_found_and_their_words_marked(spoken: Library, typed: str, expected: list[str]) -> None:
    assert found(spoken, typed, kinds=["screen"]) == expected
    assert find(spoken, typed).complete


def test_a_sentence_over_two_lines_is_found_where_it_begins(library: Library) -> None:
    put(library, "to be or", "not to be, that is", "the question")
    assert found(library, '"to be or not"') == ["[to be or] [not] to be, that is".replace("] [", " ")]
    assert found(library, "question that") == ["not to be, [that] is the [question]"]
    assert found(library, "question") == ["the [question]"], "not twice"
    assert found(library, "or -question") == ["to be [or]"]
    assert found(library, '"that is" -question') == ["not to be, [that is]"], "left out is looked for in the line alone"
    put(library, "今日天", "気がいい", video=2)
    assert found(library, "天気") == ["今日[天気]がいい"]
    put(library, "one far", "away two", video=3, kind="screen")
    assert found(library, '"far away"') == [], "writing on screen has no sentences"


def test_a_phrase_is_found_wherever_it_is_split(library: Library) -> None:
    sentence = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]
    for split in range(1, len(sentence)):
        put(library, "well", " ".join(sentence[:split]), " ".join(sentence[split:]), "yes", video=1)
        hits = find(library, f'"{" ".join(sentence)}"', kinds=["subtitle"]).hits
        assert [hit.line.line.start_ms for hit in hits] == [1000], split
        library.texts.remove([source.id or 0 for source in library.texts.sources(1)])


def test_kinds_filters_and_limits_of_a_video_hold(library: Library) -> None:
    for video in (1, 2, 3):
        put(library, *["a kite"] * 3, video=video)
        put(library, "a kite on screen", video=video, kind="screen")
    assert len(find(library, "kite").hits) == 12
    assert [hit.line.video_id for hit in find(library, "kite", kinds=["screen"]).hits] == [1, 2, 3]
    assert {hit.line.video_id for hit in find(library, "kite", filters=Filters(name="1.mp4")).hits} == {2}
    assert find(library, "kite", filters=Filters(name="nothing")).hits == ()
    each = find(library, "kite", per_video=1, kinds=["subtitle"])
    assert [hit.line.video_id for hit in each.hits] == [1, 2, 3]
    assert len(find(library, "kite", k=2).hits) == 2
    assert [hit.line.video_id for hit in find(library, "k.te", is_pattern=True, per_video=1, k=2).hits] == [1, 2]
    for wrong in ({"k": 0}, {"per_video": 0}):
        with pytest.raises(TextQueryError):
            find(library, "kite", **wrong)


def test_a_hit_knows_its_segments_and_when_its_word_is_said(library: Library) -> None:
    """The video of 12 s begins at pts 900 and has three segments of 4 s."""
    words = tuple(TimedWord(start, start + 400, text) for start, text in ((3000, "The"), (3500, "red"), (4600, "kite")))
    lines = [
        TimedLine(3000, 5000, "The red kite", None, words),
        TimedLine(8000, 8000, "here"),
        TimedLine(4000, 8000, "the hill"),
    ]
    library.texts.replace(2, TextSource(kind="speech"), lines)
    segments = ids_of(library, 2)
    (kite,), (here,), (hill,) = (find(library, word).hits for word in ("kite", "here", "hill"))
    assert (kite.at_ms, kite.segment_ids) == (4600, (segments[0], segments[1]))
    assert (here.at_ms, here.segment_ids) == (8000, (segments[2],))
    assert (hill.at_ms, hill.segment_ids) == (4000, (segments[1],))


def test_a_thousand_matches_are_enough(library: Library) -> None:
    put(library, *(f"kite number {number}" for number in range(1100)), kind="screen")
    answer = find(library, "kite", k=3)
    assert not answer.complete
    assert [hit.line.line.text for hit in answer.hits] == ["kite number 0", "kite number 1", "kite number 2"]
    rare = find(library, "kite 1099")
    assert rare.complete
    assert [marked(hit) for hit in rare.hits] == ["[kite] number [1099]"]


def test_random_searches_find_what_a_plain_reading_of_all_lines_finds(library: Library) -> None:
    """Lines alone: the index of words, of trigrams, and the parser, against the definition of a match."""
    draw = random.Random(7)
    vocabulary = ["red", "Rëd", "blue", "kite", "kites", "hill", "42", "猫が", "好き", "犬", "NHK", "天気"]
    texts = [" ".join(draw.choices(vocabulary, k=draw.randint(1, 5))) for _ in range(150)]
    put(library, *texts, kind="screen")
    for _ in range(150):
        parts = draw.choices([*vocabulary, "ki*", '"red kite"', "(red OR 猫)", "-blue", "-犬"], k=draw.randint(1, 3))
        typed = draw.choice([" ", " ", " OR "]).join(parts)
        try:
            occurrences = Occurrences(parse(typed))
        except TextQueryError:
            continue
        expected = sorted(text for text in texts if occurrences.ranges(text) is not None)
        assert sorted(hit.text for hit in find(library, typed, k=500).hits) == expected, typed


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"colou?r\w*", ["The [Colours] of it", "a [color]"]),
        (r"\b\d{4}\b", ["in [1984] and [2001]"]),
        (r"(cat|car)s?", ["[cats] and [cars]"]),
        (r"(?:hello|good) (world|night)", ["[good night]", "[Hello World]"]),
        (r"^in", ["[in] 1984 and 2001"]),
        (r"天.がいい", ["[天気がいい]"]),
        (r"x*", []),
    ],
)
def test_patterns_are_found_with_and_without_trigrams(spoken: Library, pattern: str, expected: list[str]) -> None:
    assert found(spoken, pattern, is_pattern=True, kinds=["subtitle"]) == sorted(expected)


def test_trigrams_that_a_pattern_needs() -> None:
    needed = patterns.required_trigrams
    assert needed("abcd") == '("abc" AND "bcd")'
    assert needed("x(abc|abd)+y*") == '("abc" OR "abd")'
    assert needed("(abc|de)") == needed("ab.c") == needed("(abc)?") == ""
    assert needed("(abc)?(hello|world)") == '(("hel" AND "ell" AND "llo") OR ("wor" AND "orl" AND "rld"))'
    assert needed('say "it') == '("say" AND "ay " AND "y """ AND " ""i" AND """it")'
    assert needed("[Cc]olou?r") == '("col" AND "olo")'


@pytest.mark.parametrize(
    "pattern", ["(", "a{99999999999999999999}", "[", "", "(?P<a>x)(?P<a>y)", "x" * 2000, "(" * 900 + ")" * 900]
)
def test_a_pattern_that_is_none_is_one_clear_line(spoken: Library, pattern: str) -> None:
    with pytest.raises(TextQueryError, match="regular expression") as refusal:
        find(spoken, pattern, is_pattern=True)
    assert "\n" not in str(refusal.value)


def test_a_hostile_pattern_ends_when_its_time_is_over(library: Library) -> None:
    put(library, "kite", "a" * 60 + "b", "kite", kind="screen")
    answer = find(library, "(a|aa)+$|kite", is_pattern=True, seconds=2)
    assert not answer.complete
    assert {hit.text for hit in answer.hits} <= {"kite"}
    assert not find(library, "kite", is_pattern=True, seconds=0).complete
    assert find(library, "nothing like that", is_pattern=True).complete


def test_what_a_library_says_is_never_taken_for_a_pattern_or_an_expression(library: Library) -> None:
    put(library, 'say "猫', "(猫", "猫*", "猫\\", "[猫", '"*"猫"', kind="screen")
    assert len(find(library, "猫").hits) == 6
    for typed, text in itertools.product(["(猫", "猫*", "猫\\"], ["猫"]):
        assert all(text in hit.text for hit in find(library, typed).hits)
    assert len(find(library, "say 猫").hits) == 1
