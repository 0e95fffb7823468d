"""Query parameters of a search link: their names, and how each value is parsed and formatted."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import quote, unquote_to_bytes

from app.root_paths import local_path, shared_name
from app.times import MAX_SECONDS
from db.records import Orientation
from search.strength import LEVELS, Level

if TYPE_CHECKING:
    from search.query import Duplicates, TakesOf

TextScope = Literal["text", "said", "written"]
"""Which words of videos are searched: any, those said, or those written in the picture. As the shell's options."""

MAX_HITS = 2000
MAX_TEXT_CHARACTERS = 2000
_RAW_BYTES = "bytes:"  # prefix of a path that is not UTF-8, which no URL can carry as text


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter: the field of SearchLink that it carries, and the conversion of its value.

    `parse` raises ValueError, with a sentence for the user, for an invalid value.
    """

    field: str
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str


def encode_path(path: str) -> str:
    """Return a path as text for any URL and any page; bytes that are not UTF-8 are percent-encoded."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return _RAW_BYTES + quote(os.fsencode(path))
    return path


def _encode_name(name: str) -> str:
    """Return a part of a file's name as `encode_path` does. Unlike a path, it may begin as encoded bytes do."""
    return _RAW_BYTES + quote(os.fsencode(name)) if name.startswith(_RAW_BYTES) else encode_path(name)


def _decode(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text[len(_RAW_BYTES) :])) if text.startswith(_RAW_BYTES) else text


def _encode_folder(path: str) -> str:
    return encode_path(shared_name(path))  # another machine may have it elsewhere


def _decode_path(text: str) -> str:
    path = local_path(_decode(text))
    if not os.path.isabs(path) or "\0" in path:
        raise ValueError("give the full path of a folder or file")
    return path


def _parse_text(text: str) -> str:
    return text[:MAX_TEXT_CHARACTERS]


def format_words(words: str) -> str:
    """Return words as text that any URL can carry: bytes that are not UTF-8 become question marks."""
    return words.encode("utf-8", "replace").decode("utf-8")


def _parse_name(text: str) -> str:
    return _decode(text)[:MAX_TEXT_CHARACTERS]


def _parse_number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("that is not a number")
    return value


def _parse_length(text: str) -> float:
    value = _parse_number(text)
    if value < 0:
        raise ValueError("a length cannot be negative")
    if value > MAX_SECONDS:
        raise ValueError("that is longer than any video")
    return value


def _parse_count(maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not 1 <= value <= maximum:
            raise ValueError(f"it must be between 1 and {maximum}")
        return value

    return parse


def _parse_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("write a date as 2025-03-01") from None


def _parse_rate(text: str) -> float:
    value = _parse_number(text)
    if value <= 0:
        raise ValueError("a frame rate must be above 0")
    return value


def _parse_level(text: str) -> Level | None:
    if text not in LEVELS:
        raise ValueError(f"there are {', '.join(LEVELS)}")
    return None if text == LEVELS[-1] else text  # the weakest leaves nothing out


def _parse_share(text: str) -> float:
    value = _parse_number(text)
    if not 0 <= value <= 1:
        raise ValueError("it must be from 0 to 1")
    return value


def _parse_scope(text: str) -> TextScope:
    if text not in get_args(TextScope):
        raise ValueError(f"there are {', '.join(get_args(TextScope))}")
    return cast("TextScope", text)


def _parse_sound(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("it must be yes or no")
    return text == "yes"


def _format_sound(value: bool) -> str:
    return "yes" if value else "no"


def _parse_orientation(text: str) -> Orientation:
    if text not in get_args(Orientation):
        raise ValueError(f"there are {', '.join(get_args(Orientation))}")
    return cast("Orientation", text)


def _parse_duplicates(text: str) -> Duplicates:
    from search.query import Duplicates

    text = {"1": "hide", "0": "stack"}.get(text, text)  # in links of before there were stacks
    if text not in get_args(Duplicates):
        raise ValueError(f"there are {', '.join(get_args(Duplicates))}")
    return cast("Duplicates", text)


def _parse_takes(text: str) -> TakesOf:
    from search.query import TakesOf

    if text not in get_args(TakesOf):
        raise ValueError(f"there are {', '.join(get_args(TakesOf))}")
    return cast("TakesOf", text)


def _parse_flag(text: str) -> bool:
    if text not in ("1", "0"):
        raise ValueError("it must be 1 or 0")
    return text == "1"


def _parse_order(text: str) -> bool:
    if text not in ("any", "given"):
        raise ValueError("it must be any or given")
    return text == "any"


def _format_order(any_order: bool) -> str:
    return "any" if any_order else "given"


def format_number(value: float) -> str:
    """Return the shortest text that stands for exactly this number."""
    return repr(float(value)).removesuffix(".0")


def _format_flag(value: bool) -> str:
    return "1" if value else "0"


PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "q": Parameter("words", _parse_text, format_words),
        "w": Parameter("words_weight", _parse_number, format_number),
        "words": Parameter("text_in", _parse_scope),
        "tw": Parameter("text_weight", _parse_share, format_number),
        "within": Parameter("within_seconds", _parse_length, format_number),
        "order": Parameter("any_order", _parse_order, _format_order),
        "in": Parameter("folder", _decode_path, _encode_folder),
        "name": Parameter("name", _parse_name, _encode_name),
        "since": Parameter("since", _parse_day),
        "until": Parameter("until", _parse_day),
        "rsince": Parameter("recorded_since", _parse_day),
        "runtil": Parameter("recorded_until", _parse_day),
        "min": Parameter("min_seconds", _parse_length, format_number),
        "max": Parameter("max_seconds", _parse_length, format_number),
        "res": Parameter("min_short_side", _parse_count(100_000)),
        "shape": Parameter("orientation", _parse_orientation),
        "codec": Parameter("codec", _parse_text, format_words),
        "fps": Parameter("frame_rate", _parse_rate, format_number),
        "camera": Parameter("camera", _parse_text, format_words),
        "sound": Parameter("has_sound", _parse_sound, _format_sound),
        "strength": Parameter("least_level", _parse_level),
        "score": Parameter("threshold", _parse_number, format_number),
        "one": Parameter("one_per_video", _parse_flag, _format_flag),
        "dups": Parameter("duplicates", _parse_duplicates),
        "takes": Parameter("takes", _parse_takes),
        "sum": Parameter("plain_sum", _parse_flag, _format_flag),
        "k": Parameter("limit", _parse_count(MAX_HITS)),
    }
)
"""All parameters but `term`, `then` and `then_term`, which may be repeated: see LinkTerm and LinkStep."""
