"""What is typed into one box: quoted words are for text, plain words for pictures."""

from __future__ import annotations

import pytest

from search.text.box import BoxText, split_box
from search.text.matches import TextPart
from search.text.parsing import parse
from search.text.terms import TextQueryError


@pytest.mark.parametrize(
    ("typed", "picture", "words"),
    [
        ("a red car", "a red car", ""),
        ('"start the engine"', "", '"start the engine"'),
        ('a red car "start the engine"', "a red car", '"start the engine"'),
        ('"engine" a red car', "a red car", '"engine"'),
        ('a "engine" red "motor" car', "a red car", '"engine" "motor"'),
        ('a car "engine" OR "motor"', "a car", '"engine" OR "motor"'),
        ('a car "engine" AND NOT "radio"', "a car", '"engine" AND NOT "radio"'),
        ('a car NOT "radio" "engine"', "a car", 'NOT "radio" "engine"'),
        ('a car -"radio" "engin"*', "a car", '-"radio" "engin"*'),
        ("cats OR dogs", "cats OR dogs", ""),
        ('"cats" OR dogs', "OR dogs", '"cats"'),
        ("a dog's bone, don't", "a dog's bone, don't", ""),
        ('a 27" screen', 'a 27" screen', ""),
        ('a car "not closed', "a car", '"not closed"'),
        ("“curly” car «angled» „low“", "car", '"curly" "angled" "low"'),
        ('a "" car " "', "a car", ""),
        ("  a   red\tcar ", "a red car", ""),
        ('a car "/colou?r/"', "a car", '"/colou?r/"'),
        ('"天気" 赤い車', "赤い車", '"天気"'),
        ("", "", ""),
        ('"', "", ""),
        ("-", "-", ""),
    ],
)
def test_a_box_is_split(typed: str, picture: str, words: str) -> None:
    assert split_box(typed) == BoxText(picture, words)
    if words:
        parse(words)


def test_slashes_in_quotes_are_a_regular_expression_which_stands_alone() -> None:
    assert split_box('a car "/colou?r/"').part() == TextPart("/colou?r/")
    assert split_box('a car "/usr" "/"').part(("screen",)) == TextPart('"/usr" "/"', ("screen",))
    for typed in ('"/colou?r/" "red"', '-"/colou?r/"', 'NOT "/colou?r/"', '"/colou?r/" OR "/grey/"', '"/colou?r/"*'):
        with pytest.raises(TextQueryError, match="by itself"):
            split_box(typed).part()
