"""The parts of a subtitle file's name beyond that of its video: language, title, and what it is for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from indexer.text.languages import language_tag

_FOR_DEAF = frozenset(("sdh", "cc", "hoh"))
_FORCED = frozenset(("forced", "foreign"))
_PARTS = re.compile(r"[.\s_()\[\]{}]+")
_REGION = re.compile(r"\b(en|es|fr|pt|zh)_(br|ca|cn|es|fr|gb|hans|hant|hk|mx|pt|tw|us)\b", re.IGNORECASE)
_MOST_PARTS = 8
_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class NameParts:
    """What a name says."""

    language: str = ""
    title: str = ""
    default: bool = False
    forced: bool = False
    for_deaf: bool = False


def folded(name: str) -> str:
    """Return a name as names are compared: in NFC, without capitals."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def read_name(rest: str) -> NameParts:
    """Return what the part of a name says that follows the name of the video, without the ending of the file.

    Args:
        rest: ".en.forced", "_German", "2_English", "".
    """
    parts = [part.strip("-") for part in _PARTS.split(_REGION.sub(r"\1-\2", rest)) if part.strip("-")][:_MOST_PARTS]
    languages = [tag for part in parts if (tag := language_tag(part)) and part.lower() != "hi"]
    said = {part.lower() for part in parts}
    # Hindi, or "for the hearing impaired" if there is another language.
    is_hindi = "hi" in said and not languages
    known = _FOR_DEAF | _FORCED | {"default", "hi"}
    title = [part for part in parts if not language_tag(part) and part.lower() not in known and not part.isdigit()]
    return NameParts(
        language="hi" if is_hindi else _finest(languages),
        title=" ".join(title)[:_LONGEST_TITLE],
        default="default" in said,
        forced=bool(said & _FORCED),
        for_deaf=bool(said & _FOR_DEAF) or ("hi" in said and not is_hindi),
    )


def belongs(rest: str) -> bool:
    """Return whether a file whose name goes on after that of a video is its own: `film.x.srt`, or `film_en.srt`.

    After a point anything may follow, after other marks only what a name can say of subtitles: `clip_2.srt` is no
    subtitle of `clip.mp4`.
    """
    if not rest or rest.startswith("."):
        return True
    parts = [part.strip("-") for part in _PARTS.split(rest.lstrip("-")) if part.strip("-")]
    flags = _FOR_DEAF | _FORCED | {"default"}
    return rest[0] in "_- ([" and bool(parts) and all(language_tag(part) or part.lower() in flags for part in parts)


def _finest(languages: list[str]) -> str:
    """Return the first language, or a later one that says more of it: `zh` and `zh-Hans`."""
    return next((tag for tag in languages if "-" in tag and tag.startswith(languages[0])), "".join(languages[:1]))
