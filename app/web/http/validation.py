"""Request bodies as pydantic models, with pydantic's errors turned into sentences for the user.

A body is a subclass of `Body` whose members are annotated with the types below. Types are strict ("1" is not 1), and
unknown members are ignored.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from app.web.http.errors import ApiError

_LARGEST = 2**63 - 1  # largest integer in SQLite
_NUMBER_LIMIT = 1e300

_SENTENCES = {
    "missing": "`{name}` is missing.",
    "string_type": "`{name}` must be text.",
    "string_too_long": "`{name}` is longer than {max_length} characters; shorten it.",
    "string_unicode": "`{name}` contains characters that cannot be stored.",
    "blank": "`{name}` is blank; enter something.",
    "literal_error": "`{name}` must be one of {expected}.",
    "int_type": "`{name}` must be a whole number.",
    "greater_than_equal": "`{name}` must be a whole number.",
    "less_than_equal": "`{name}` must be a whole number.",
    "float_type": "`{name}` must be a number.",
    "finite_number": "`{name}` must be a number.",
    "number_too_large": "`{name}` must be a number.",
    "list_type": "`{name}` must be a list.",
    "too_long": "`{name}` has more than {max_length}; send fewer at a time.",
    "model_type": "A JSON object is needed.",
}
"""Sentences by pydantic's error type; its documentation lists the types."""


class Body(BaseModel):
    """A JSON object sent to a route."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def _without_null(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("string_unicode", "null character")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "blank")
    return text


def _below_limit(number: float) -> float:
    if not abs(number) < _NUMBER_LIMIT:
        raise PydanticCustomError("number_too_large", "number too large")
    return number


def at_most(characters: int) -> AfterValidator:
    """Return a limit for texts that may have lone surrogates, as paths have: pydantic's own limit rejects those."""

    def checked(text: str) -> str:
        if len(text) > characters:
            raise PydanticCustomError("string_too_long", "too long", {"max_length": characters})
        return text

    return AfterValidator(checked)


NO_NULL = AfterValidator(_without_null)
"""Text that SQLite and file systems can store; pydantic itself rejects lone surrogates."""
NOT_BLANK = AfterValidator(_not_blank)
Integer = Annotated[int, Field(ge=-_LARGEST, le=_LARGEST)]
Number = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_below_limit)]


AnyBody = TypeVar("AnyBody", bound=Body)


def validated(model: type[AnyBody], body: Any) -> AnyBody:
    """Return parsed JSON as an instance of `model`.

    Raises:
        ApiError: 400 with a sentence about the first member that does not fit.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise ApiError(400, _sentence(error.errors(include_url=False, include_input=False)[0])) from error


def _sentence(details: ErrorDetails) -> str:
    names = [each for each in details["loc"] if isinstance(each, str)]
    name = names[-1] if names else ""
    context = dict(details.get("ctx", {}))
    if details["type"] == "literal_error":  # pydantic writes 'a', 'b' or 'c'
        context["expected"] = ", ".join(re.findall("'([^']*)'", context["expected"]))
    return _SENTENCES.get(details["type"], "`{name}` is not valid.").format(name=name, **context)
