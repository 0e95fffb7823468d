"""Questions for moments of videos: what is asked for in which video, and when it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.text_files import wrong


@dataclass(frozen=True, slots=True)
class MomentQuestion:
    """A sentence about a part of a video.

    Attributes:
        video: Id of the video, as `captioned.video_id` makes it.
        sentence: What is asked for; never blank.
        moments: Start and end of each true moment, in seconds; at least one, each with a length.
    """

    video: str
    sentence: str
    moments: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class MomentSet:
    """The questions of a file.

    Attributes:
        questions: In the order of the file.
        left_out: How many lines state a moment without a length, which nothing can overlap.
    """

    questions: tuple[MomentQuestion, ...]
    left_out: int

    @property
    def videos(self) -> list[str]:
        """The ids of their videos, each once, in order."""
        return list(dict.fromkeys(each.video for each in self.questions))


def has_length(start: float, end: float) -> bool:
    """Return whether a range is one: finite, from 0 or later, and longer than nothing."""
    return math.isfinite(start) and math.isfinite(end) and 0 <= start < end


def moment_set(path: Path, questions: Iterable[MomentQuestion], left_out: int) -> MomentSet:
    """Return the set of a file. Raise TextFileError if there is no question in it."""
    found = tuple(questions)
    if not found:
        raise wrong(path, None, "there is no question with a video, a start and an end in it")
    return MomentSet(found, left_out)
