"""Errors of routes, each with an HTTP status and a sentence for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CANNOT_BE_FOUND = "The file cannot be found. Is its drive connected?"


class ApiError(Exception):
    """A request that cannot be fulfilled.

    Args:
        status: HTTP status of the response.
        sentence: Explanation for the user: the problem and its remedy.
        facts: Further members of the JSON response, for the page's code.
    """

    def __init__(self, status: int, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.facts = facts


@contextmanager
def not_found(what: str) -> Iterator[None]:
    """Turn a KeyError raised inside into a 404 response.

    Args:
        what: Noun for what was looked up, such as "collection".

    Raises:
        ApiError: 404, if the body raised KeyError.
    """
    try:
        yield
    except KeyError as error:
        raise ApiError(404, f"There is no such {what}; it may have been removed.") from error


@contextmanager
def bad_request() -> Iterator[None]:
    """Turn a ValueError raised inside into a 400 response with the error's own words as its sentence.

    Raises:
        ApiError: 400, if the body raised ValueError.
    """
    try:
        yield
    except ValueError as error:
        raise ApiError(400, as_sentence(str(error))) from error


def as_sentence(words: str) -> str:
    """Return `words` on one line, capitalised and with a full stop."""
    words = " ".join(words.split())
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
