"""Jobs that recognise words, before they begin: their videos, how long they take, and why one cannot begin now."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import word_engines
from app.jobs.recognition_cost import reading_seconds, transcribing_seconds
from app.shell.terminal import count_text
from app.times import format_duration
from app.unrecognized import shots_of, unheard_videos, unread_videos
from indexer.missing_files import is_below

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from db.library import Library
    from db.records import Video

_IN_THE_WAY = {
    "index": "Indexing is in progress; wait until it has ended.",
    "download": "A download is in progress; wait until it has ended.",
    "read-text": "Text is being read; see below.",
    "transcribe": "Speech is being transcribed; see below.",
}
"""By kind of job: engines that recognise words take every core, so that one job works at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordWork:
    """A job that could begin.

    Attributes:
        about: A line on what it would do and how long that takes, or why there is nothing to do.
        ready: Whether there is anything to do.
        barred: A line on why it cannot begin now; "" if it can.
    """

    about: str
    ready: bool
    barred: str = ""

    @property
    def can_begin(self) -> bool:
        """Return whether there is anything to do, and nothing in the way."""
        return self.ready and not self.barred


def reading_work(library: Library, states: Sequence[JobState]) -> WordWork:
    """Return what reading the text on screen would take. states: the jobs of the library, the newest first."""
    if not word_engines.has_text_reader():
        return _missing("ocr")
    videos = unread_videos(library, library.videos(), word_engines.text_reader_id())
    if not videos:
        return WordWork(about="Every video has been read.", ready=False)
    count = shots_of(library, videos)
    took = reading_seconds(states, video_seconds=_length(videos), shots=count)
    about = f"{count_text(len(videos), 'video')} with {count_text(count, 'shot')}, roughly {format_duration(took)}."
    return WordWork(about=about, ready=True, barred=barred_from(library, states, _IN_THE_WAY))


def transcribing_work(library: Library, states: Sequence[JobState], model: str) -> WordWork:
    """Return what transcribing speech would take.

    Args:
        library: The library.
        states: Its jobs, the newest first.
        model: A name of `recognition.speech.models.SPEECH_MODELS`.
    """
    if not word_engines.has_transcriber():
        return _missing("speech")
    found = unheard_videos(library, library.videos())
    left = [
        f"{count:,} {why}"
        for count, why in (
            (found.subtitled, "with subtitles"),
            (found.transcribed, "transcribed before"),
            (found.silent, "without sound"),
        )
        if count
    ]
    rest = f" Left out: {', '.join(left)}." if left else ""
    if not found.videos:
        return WordWork(about=f"No video is left to transcribe.{rest}", ready=False)
    length = _length(found.videos)
    took = transcribing_seconds(states, video_seconds=length, model=model)
    time = "" if took is None else f", roughly {format_duration(took)}"
    about = f"{count_text(len(found.videos), 'video')} of {format_duration(length)}{time}.{rest}"
    return WordWork(about=about, ready=True, barred=barred_from(library, states, _IN_THE_WAY))


def top_folders(folders: Iterable[str]) -> list[str]:
    """Return the folders that are below no other one."""
    top: list[str] = []
    for folder in sorted(folders, key=lambda each: each.count(os.sep)):
        if not any(is_below(folder, each) for each in top):
            top.append(folder)
    return sorted(top)


def _missing(extra: str) -> WordWork:
    return WordWork(about=f"Needs the extra `{extra}`: pip install 'prismsearch[{extra}]'", ready=False)


def barred_from(library: Library, states: Iterable[JobState], in_the_way: Mapping[str, str]) -> str:
    """Return a line on why a job cannot begin now; "" if it can.

    Args:
        library: The library that it would change.
        states: Its jobs.
        in_the_way: By kind of job: the line while one of that kind is running.
    """
    if library.read_only:
        return "This library is read-only; copy it to a writable disk first."
    return next((in_the_way[each.kind] for each in states if each.running and each.kind in in_the_way), "")


def _length(videos: Iterable[Video]) -> float:
    return sum(video.duration_seconds for video in videos)
