"""Words that belong to a stretch of a video, and where they come from. Standard library only.

Times are integer milliseconds from the first frame shown, unlike those of pictures: words come with times of other
clocks (subtitle files, speech recognition), none of which is finer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

TextKind = Literal["subtitle", "speech", "screen", "chapter", "tag"]
"""What words are: subtitle (subtitles, captions and transcripts that files hold), speech (recognised in the sound),
screen (read in the pictures), chapter (names of chapters and markers), tag (titles, descriptions and keywords, which
hold for the whole video)."""

Box = tuple[float, float, float, float]
"""Left, top, width and height as shares of the picture as shown, 0 to 1."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """One word of a line."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None  # 0 to 1; None if nothing states it

    def __post_init__(self) -> None:
        _check(self.start_ms, self.end_ms, self.text, self.confidence)


@dataclass(frozen=True, slots=True)
class TimedLine:
    """Words that are said or shown together: a subtitle, a sentence, a caption in the picture, a chapter's name."""

    start_ms: int
    end_ms: int  # exclusive; the start of what has no length, such as a marker
    text: str  # without markup; rows are separated by line feeds
    confidence: float | None = None  # 0 to 1; None if nothing states it
    words: tuple[TimedWord, ...] = ()  # with times of their own, where these are known; not always within the line
    box: Box | None = None  # where it is in the picture

    def __post_init__(self) -> None:
        _check(self.start_ms, self.end_ms, self.text, self.confidence)
        if self.box is not None and not all(0 <= side <= 1 for side in self.box):
            raise ValueError(f"a box has shares of the picture between 0 and 1, got {self.box}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """Where lines of a video come from: one of its subtitle tracks, a file beside it, an engine that recognised them.

    A video has at most one source of a kind and origin. Of a file beside it, the state is kept: another state is a
    reason to read it again.
    """

    kind: TextKind
    origin: str = ""  # which of the video's sources: "track 3", "Film.en.srt", "CC1", "title"; "" if there is but one
    language: str = ""  # BCP 47, such as "en" or "pt-BR"; "" if it is not known
    title: str = ""  # for a person: the name of a track, "title" or "keywords" for a tag
    engine: str = ""  # what recognised the lines, with its model; "" for words that a file holds
    default: bool = False  # the file says that players show it unless told otherwise
    forced: bool = False  # it has only what must be read in any case, such as signs and other languages
    for_deaf: bool = False  # it describes sounds, too (SDH, captions)
    file: str = ""  # beside the video, below its folder: "Subs/2_English.srt"; "": in the video; never a path to open
    size_bytes: int = 0  # of that file, when it was read
    modified_ns: int = 0  # likewise, Unix nanoseconds
    content_hash: str = ""  # likewise, BLAKE2b-256 of its content, hexadecimal; "" if it was too large to be read
    lines: int = 0  # stored; filled in by the library
    video_id: int | None = None  # likewise
    id: int | None = None  # likewise

    def __post_init__(self) -> None:
        if self.kind not in get_args(TextKind):
            raise ValueError(f"kind must be one of {', '.join(get_args(TextKind))}, got {self.kind!r}")


def _check(start_ms: int, end_ms: int, text: str, confidence: float | None) -> None:
    if not 0 <= start_ms <= end_ms:
        raise ValueError(f"times must not be negative, and the end not before the start: {start_ms}..{end_ms}")
    if not text.strip():
        raise ValueError("a line or word needs a text")
    if confidence is not None and not 0 <= confidence <= 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
