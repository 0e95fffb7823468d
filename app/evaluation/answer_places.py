"""Places that answer a person's questions, found in their library: by path, by content, or by a name that is unique."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.own_questions import OwnQuestion, QuestionLine
from db.names import comparison_key

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Video

_SEPARATORS = re.compile(r"[\\/]+")


class NotThere(ValueError):
    """A place that the library does not have; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A range of a video.

    Attributes:
        content: Fingerprint of the video: copies of one file are one.
        path: One of its files.
        start_seconds, end_seconds: From the first frame shown.
    """

    content: str
    path: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class PlacedQuestion:
    """A question with the places that answer it, as far as the library has them."""

    question: OwnQuestion
    places: tuple[Place, ...]


class AnswerPlaces:
    """Finds the videos that lines name, in a library as it is now. No file is opened."""

    def __init__(self, library: Library) -> None:
        """Read the library's list of videos.

        Raises:
            LibraryError: The library cannot be read.
        """
        self._by_path: dict[str, Video] = {}
        self._by_content: dict[str, Video] = {}
        self._by_name: dict[str, list[Video]] = {}
        for video in library.videos():
            self._by_path[video.path] = video
            self._by_content.setdefault(video.fingerprint, video)
            self._by_name.setdefault(_parts(video.path)[-1], []).append(video)
        self._vanished = {each.path for each in library.vanished_videos()}

    def place(self, line: QuestionLine) -> Place:
        """Return the place that a line names.

        Raises:
            NotThere: The library has no such video, or several, or the video is shorter.
        """
        video = self._by_content.get(line.fingerprint) or self._by_path.get(line.file) or self._named(line.file.strip())
        span = line.range
        start = float(span.start_seconds or 0)
        end = video.duration_seconds if span.end_seconds is None else float(span.end_seconds)
        if start >= video.duration_seconds:
            raise NotThere(f"{line.file} has only {video.duration_seconds:.1f} s")
        return Place(video.fingerprint, video.path, start, min(end, video.duration_seconds))

    def video_at(self, path: str) -> Video:
        """Return the video at the path of a Place."""
        return self._by_path[path]

    def placed(self, question: OwnQuestion) -> tuple[PlacedQuestion, list[tuple[QuestionLine, str]]]:
        """Return a question with its places, and the lines that the library has no place for, each with the reason."""
        places, lacking = [], []
        for line in question.answers:
            try:
                places.append(self.place(line))
            except NotThere as error:
                lacking.append((line, str(error)))
        return PlacedQuestion(question, tuple(places)), lacking

    def _named(self, file: str) -> Video:
        """Return the one video whose path ends in these names."""
        wanted = _parts(file)
        same_name = self._by_name.get(wanted[-1], [])
        whole = not _SEPARATORS.match(file) and file[1:2] != ":"
        found = [video for video in same_name if whole and _parts(video.path)[-len(wanted) :] == wanted]
        if len({video.fingerprint for video in found}) == 1:
            return found[0]
        if found:
            raise NotThere(f"{file} is the name of {len(found)} videos; write more of its path")
        if file in self._vanished:
            raise NotThere(f"{file} has vanished; index its folder where it is now")
        elsewhere = f"; the library has {same_name[0].path}" if same_name else ""
        raise NotThere(f"{file} is not in the library{elsewhere}")


def _parts(path: str) -> list[str]:
    return [comparison_key(part) for part in _SEPARATORS.split(path)]
