"""Records of what was read from a video and the files beside it: sources with their lines, and problems."""

from __future__ import annotations

from dataclasses import dataclass

from db.timed_text import TextSource, TimedLine


@dataclass(frozen=True, slots=True)
class ReadText:
    """A source and its lines, by ascending start. A source without lines is a file that holds no words."""

    source: TextSource
    lines: tuple[TimedLine, ...] = ()


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Something that was left out or could not be read."""

    origin: str  # as in TextSource
    reason: str  # a clause for a person: "2 of 10 cues were left out: line 7 (it ends before it begins), ..."

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}"


@dataclass(frozen=True, slots=True)
class TextFound:
    """Everything that was found."""

    texts: tuple[ReadText, ...] = ()
    problems: tuple[TextProblem, ...] = ()

    def __add__(self, other: TextFound) -> TextFound:
        return TextFound(self.texts + other.texts, self.problems + other.problems)
