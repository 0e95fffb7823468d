"""Negations in a sentence are found and taken apart, and what only sounds like one is left alone."""

from __future__ import annotations

import pytest

from search.negation import Negation, find_negation


@pytest.mark.parametrize(
    ("text", "kept", "excluded"),
    [
        ("a dog without people", "a dog", ["people"]),
        ("Without any people: a beach", "a beach", ["people"]),
        ("a street, no cars, at night", "a street at night", ["cars"]),
        ("a room with no chairs and no tables", "a room", ["chairs", "tables"]),
        ("a street without cars or people", "a street", ["cars", "people"]),
        ("a car that is not red", "a car", ["red"]),
        ("the dog doesn't jump", "the dog", ["jump"]),
        ("a beach without people but with dogs", "a beach with dogs", ["people"]),
        ("a man not wearing a hat", "a man", ["wearing a hat"]),
    ],
)
def test_negations_are_taken_apart(text: str, kept: str, excluded: list[str]) -> None:
    assert find_negation(text) == Negation(kept, tuple(excluded))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a dog on the beach",
        "a note on a knot",
        "no people",
        "not a dog",
        "no one on the beach",
        "do not enter",
        "not only dogs",
        "without",
        "a dog without",
        "and " * 500 + "no ",
    ],
)
def test_without_a_negation_or_anything_else_there_is_no_offer(text: str) -> None:
    assert find_negation(text) is None
