"""Names of clips from a person's own pattern: `{collection}_{rank}_{name}`. Whatever is in it, the name is safe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from string import Formatter
from types import MappingProxyType

from app.exporting.clip_names import MOST_BYTES, moment, portable

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "rank": "the place among the clips: 007",
        "number": "the same as rank",
        "name": "what you called the clip, else the name of its file",
        "source": "the name of the file it comes from",
        "start": "where it begins: 00h00m12.480s",
        "end": "where it ends",
        "score": "how well it matched the search: 0.873",
        "label": "what you called the clip, else nothing",
        "collection": "the collection it is in",
    }
)
"""What a pattern may name, and what that is."""

_TEXTS = ("collection", "label", "name", "source")  # those that are as long as people like
_RESERVED = re.compile(r"CON|PRN|AUX|NUL|(COM|LPT)[0-9¹²³]", re.IGNORECASE)
_MOST_PATTERN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What a name can be made of. rank: from 1, of `total`. Seconds count from the first frame shown."""

    rank: int
    total: int
    source: str
    start_seconds: Fraction
    end_seconds: Fraction
    label: str = ""
    collection: str = ""
    score: float | None = None


def check_pattern(pattern: str) -> None:
    """Raise ValueError, with the fields there are, for a pattern that names others or cannot be read."""
    _parts(pattern)


def named(pattern: str, facts: ClipFacts, suffix: str) -> str:
    """The file name, at most MOST_BYTES long with `suffix`; what Windows refuses becomes `_`. Raises ValueError."""
    digits = max(3, len(str(facts.total)))
    values = {
        "rank": f"{facts.rank:0{digits}d}",
        "number": f"{facts.rank:0{digits}d}",
        "name": facts.label or facts.source,
        "source": facts.source,
        "start": moment(facts.start_seconds),
        "end": moment(facts.end_seconds),
        "score": "" if facts.score is None else f"{facts.score:.3f}",
        "label": facts.label,
        "collection": facts.collection,
    }
    parts = _parts(pattern)
    room = MOST_BYTES - len(suffix.encode()) - len("_9999")
    for field in _TEXTS:
        values[field] = portable(values[field], room) if values[field] else ""
    while (over := len(_filled(parts, values).encode()) - room) > 0:
        # The longest text gives way, so that numbers and times which tell clips apart stay.
        longest = max(_used(parts), key=lambda field: len(values[field].encode()), default=None)
        if longest is None or len(values[longest].encode()) <= 1:
            break
        cut = values[longest].encode()
        values[longest] = cut[: max(1, len(cut) - over)].decode(errors="ignore")
        if len(values[longest].encode()) == len(cut):
            break
    stem = portable(_filled(parts, values), room)
    if stem.startswith("-") or _RESERVED.fullmatch(stem.partition(".")[0].strip()):
        stem = f"_{stem}"  # a dash makes an option of it to many programs; Windows keeps some names to itself
    return stem + suffix


def _parts(pattern: str) -> list[tuple[str, str | None]]:
    """(text, field after it) one after the other."""
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    if not pattern.strip() or len(pattern) > _MOST_PATTERN:
        raise ValueError(f"a pattern for names has 1 to {_MOST_PATTERN} characters; it may hold {known}")
    parts: list[tuple[str, str | None]] = []
    try:
        for text, field, form, conversion in Formatter().parse(pattern):
            if field is not None and (field not in FIELDS or form or conversion):
                written = field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
                raise ValueError(f"there is no {{{written}}}")
            parts.append((text, field))
    except ValueError as error:
        raise ValueError(
            f"the pattern {pattern!r} cannot be used ({error}); it may hold {known}, and {{{{ for a brace"
        ) from error
    return parts


def _used(parts: list[tuple[str, str | None]]) -> list[str]:
    return [field for _, field in parts if field in _TEXTS]


def _filled(parts: list[tuple[str, str | None]], values: Mapping[str, str]) -> str:
    """The pattern with its values. Where one is empty, what stands between it and the one before goes too."""
    filled = ""
    for text, field in parts:
        value = "" if field is None else values[field]
        if field is not None and not value and filled:
            text = text.rstrip("_-. ")
        filled += text + value
    return unicodedata.normalize("NFC", filled)
