"""Words that files hold, into the library: which videos to read them of, and what is stored.

That a video's own words were read is noted by a source without lines, `READ`, because many videos hold no words. The
files beside a video are compared with those of its sources, which is one listing of each folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.records import KnownFile
from db.timed_text import TextSource
from files.file_times import is_same_stamp
from indexer.scan import FoundFile, Problem
from indexer.text.found import TextFound, TextProblem
from indexer.text.sidecars import Sidecar, SidecarFolder, is_current

if TYPE_CHECKING:
    from db.claims import Claim
    from db.library import Library

READ = TextSource(kind="tag", origin="file 1")
"""Of a video whose own words were read. With another number, a version that finds more reads all videos again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsTask:
    """A video of which words are to be read."""

    video_id: int
    path: str
    in_video: bool  # those of the video itself
    sidecars: tuple[Sidecar, ...]  # the files beside it to read
    beside: frozenset[str] | None  # the names of all files beside it; None if its folder cannot be listed


@dataclass(frozen=True, slots=True)
class WordsDue:
    """What there is to read, and all files beside videos, by their paths."""

    tasks: tuple[WordsTask, ...]
    sidecars: frozenset[str]


@dataclass(frozen=True, slots=True)
class WordsRead:
    """What was read for a task."""

    found: TextFound
    in_video: bool  # whether this is all that the video itself holds, as far as it can be read


def words_due(
    files: Iterable[FoundFile],
    known: Mapping[str, KnownFile],
    sources: Mapping[int, Sequence[TextSource]],
    *,
    in_videos: bool,
    again: bool,
) -> WordsDue:
    """Return the videos of which words are to be read. It lists folders, which may hang; no video is opened.

    Args:
        files: The files of the run. Those that changed since they were indexed are passed over.
        known: The files of the library, by path.
        sources: What the library has of them, by video.
        in_videos: Whether videos can be opened, to read the words in them.
        again: Read all words again.
    """
    folders: dict[str, SidecarFolder | None] = {}
    tasks, paths = list[WordsTask](), set[str]()
    for file in files:
        stored = known.get(file.path)
        stamp = file.size_bytes, file.modified_ns
        if stored is None or not is_same_stamp((stored.size_bytes, stored.modified_ns), stamp):
            continue
        folder = os.path.dirname(file.path)
        if folder not in folders:
            folders[folder] = _listed(folder)
        listed, held = folders[folder], sources.get(stored.video_id, ())
        beside = () if listed is None else tuple(listed.of(file.path))
        paths.update(each.path for each in beside)
        never = all((source.kind, source.origin) != (READ.kind, READ.origin) for source in held)
        in_video = in_videos and (again or never)
        if not in_video and (listed is None or (is_current(beside, held) and not (again and beside))):
            continue
        states = set() if again else {(source.file, source.size_bytes, source.modified_ns) for source in held}
        tasks.append(
            WordsTask(
                video_id=stored.video_id,
                path=file.path,
                in_video=in_video,
                sidecars=tuple(each for each in beside if (each.name, each.size_bytes, each.modified_ns) not in states),
                beside=None if listed is None else frozenset(each.name for each in beside),
            )
        )
    return WordsDue(tuple(tasks), frozenset(paths))


def store_words(library: Library, task: WordsTask, read: WordsRead, claim: Claim | None = None) -> int:
    """Store what was read, remove the sources that are no more, and return the number of lines.

    Each source is replaced at once: if the process ends in between, it is as it was or as it is now, and what
    is lacking is read by the next run. What engines recognised stays.

    Args:
        library: The library.
        task: What was to be read.
        read: What was read.
        claim: The run's claim on it, if that may have lapsed.

    Raises:
        KeyError: The video was removed meanwhile.
        ClaimLost: Another run may have read it meanwhile.
        LibraryError: See `db.errors`.
    """
    kept = {(text.source.kind, text.source.origin) for text in read.found.texts}
    files = {text.source.file for text in read.found.texts if text.source.file}
    for text in read.found.texts:
        library.texts.replace(task.video_id, text.source, text.lines, claim=claim)

    def is_gone(source: TextSource) -> bool:
        if source.engine or (source.kind, source.origin) in kept:
            return False
        if not source.file:
            return read.in_video
        return source.file in files or (task.beside is not None and source.file not in task.beside)

    gone = [source.id for source in library.texts.sources(task.video_id) if source.id is not None and is_gone(source)]
    if gone:
        library.texts.remove(gone)
    if read.in_video:
        library.texts.replace(task.video_id, READ, (), claim=claim)
    return sum(len(text.lines) for text in read.found.texts)


def notes_of_words(task: WordsTask, problems: Iterable[TextProblem]) -> tuple[Problem, ...]:
    """Return what to tell of words that were left out, with what to do next."""

    def note(problem: TextProblem) -> Problem:
        if task.beside is not None and problem.origin in task.beside:
            path = os.path.join(os.path.dirname(task.path), *problem.origin.split("/"))
            return Problem(path=path, reason=f"{problem.reason}; index again once it is replaced or corrected")
        return Problem(path=task.path, reason=f"{problem}; a subtitle file beside the video would be read")

    return tuple(note(problem) for problem in problems)


def _listed(folder: str) -> SidecarFolder | None:
    try:
        return SidecarFolder(folder)
    except OSError:
        return None  # the scan says so
