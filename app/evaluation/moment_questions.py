"""Questions for moments of videos: what is asked for in which video, and when it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.evaluation.datasets.captioned import video_id
from app.text_files import read_table, wrong
from app.times import parse_seconds


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


def read_moment_table(path: Path) -> MomentSet:
    """Read a table with the columns question, file, start and end, as `bench mine` reads it.

    Several lines with one question about one file are several true moments. Lines without a file or times are left out.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is no such table, or a time is none.
    """
    moments: dict[tuple[str, str], list[tuple[float, float]]] = {}
    left_out = 0
    for row in read_table(path, required=("question",)):
        question, file = " ".join(row.cells["question"].split()), row.cells.get("file", "")
        if not question:
            continue
        try:
            times = [float(parse_seconds(row.cells[name])) for name in ("start", "end") if row.cells.get(name)]
        except ValueError as error:
            raise wrong(path, row.line, str(error)) from error
        if not file or len(times) < 2 or not has_length(*times):
            left_out += 1
            continue
        moments.setdefault((video_id(file), question), []).append((times[0], times[1]))
    return moment_set(path, (MomentQuestion(*key, tuple(each)) for key, each in moments.items()), left_out)


def has_length(start: float, end: float) -> bool:
    """Return whether a range is one: finite, from 0 or later, and longer than nothing."""
    return math.isfinite(start) and math.isfinite(end) and 0 <= start < end


def moment_set(path: Path, questions: Iterable[MomentQuestion], left_out: int) -> MomentSet:
    """Return the set of a file. Raise TextFileError if there is no question in it."""
    found = tuple(questions)
    if not found:
        raise wrong(path, None, "there is no question with a video, a start and an end in it")
    return MomentSet(found, left_out)
