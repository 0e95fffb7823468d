"""What is at a path that a person typed, said before anything is indexed: quick, bounded, and never raising."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit

from app.jobs.command_line import paths_in
from app.shell.terminal import counted, size_text
from app.web.services.folder_count import VideoCount
from app.web.services.folder_guess import alike, is_drive, nearest
from indexer.media.containers import may_be_video
from indexer.scan import LIBRARY_FILE

if TYPE_CHECKING:
    from app.jobs.jobs import JobState

MOST_SECONDS = 2.0
MOST_ENTRIES = 100_000
ANSWER_SECONDS = 6.0
"""How long a drive may take to answer at all."""

Level = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCheck:
    """The answer. `level`: good, it can be indexed; note, it can, and there is something to know; bad, it cannot."""

    path: str  # absolute; empty where what was typed is no path
    level: Level
    sentence: str
    videos: int = 0
    size_bytes: int = 0  # of the videos counted
    counted_all: bool = True  # False: there are more; counting was cut short
    suggestions: tuple[str, ...] = ()  # paths that are there and may have been meant

    @property
    def usable(self) -> bool:
        return self.level != "bad"


def check_folder(
    typed: str,
    library_directory: str | os.PathLike[str],
    *,
    answer_seconds: float = ANSWER_SECONDS,
    most_seconds: float = MOST_SECONDS,
    most_entries: int = MOST_ENTRIES,
) -> FolderCheck:
    """Look at what was typed: `~`, quotes and file:// are understood. Nothing is opened but folders and unnamed files.

    A drive that does not answer within `answer_seconds` is said to be so; counting ends after `most_seconds` or
    `most_entries` and then gives a lower bound.
    """
    path = typed_path(typed)
    if not path:
        return FolderCheck(path="", level="bad", sentence="Type the path of a folder of videos.")
    if "\0" in path:
        return FolderCheck(path="", level="bad", sentence="This is not a path: it holds a character that no name has.")
    if not os.path.isabs(path):
        return _relative(path)
    path = os.path.normpath(path)
    answers: list[FolderCheck] = []

    def look() -> None:
        answers.append(_looked(path, os.fspath(library_directory), most_seconds, most_entries))

    # A dead network drive answers nobody, not even an interrupt: the thread is left to it.
    thread = threading.Thread(target=look, name="folder check", daemon=True)
    thread.start()
    thread.join(answer_seconds)
    if answers:
        return answers[0]
    return FolderCheck(
        path=path,
        level="bad",
        sentence="The drive does not answer. Is it connected, and is its network there? Try again in a moment.",
    )


def typed_path(typed: str) -> str:
    """The path that was meant: `~` expanded, quotes, file:// and blanks around it taken off. Not made absolute."""
    text = typed.strip("\r\n")
    if not os.path.lexists(text):  # names may begin or end with a blank, but rarely do
        text = text.strip()
    for quote in ("'", '"'):
        if len(text) > 1 and text.startswith(quote) and text.endswith(quote):
            text = text[1:-1]
    if text.lower().startswith("file://"):
        text = unquote(urlsplit(text).path, errors="surrogateescape")
        if os.name == "nt":
            text = text.lstrip("/")
    return os.path.expanduser(text)


def recent_folders(states: Iterable[JobState], most: int = 6) -> list[str]:
    """Folders and files that were indexed, the last one first. They need not be there any more."""
    found: dict[str, None] = {}
    for state in states:
        if state.arguments[:1] == ("index",):
            found.update(dict.fromkeys(paths_in(state.arguments)))
    return list(found)[:most]


def usual_folders() -> list[str]:
    """Where people keep videos, as far as it is there."""
    home = os.path.expanduser("~")
    return [path for name in ("Videos", "Movies") if os.path.isdir(path := os.path.join(home, name))]


def _relative(path: str) -> FolderCheck:
    below_home = os.path.join(os.path.expanduser("~"), path)
    example = r"C:\Users\me\Videos" if os.name == "nt" else "/home/me/Videos or ~/Videos"
    return FolderCheck(
        path="",
        level="bad",
        sentence=f"Write the whole path, such as {example}.",
        suggestions=(below_home,) if os.path.exists(below_home) else (),
    )


def _looked(path: str, library: str, most_seconds: float, most_entries: int) -> FolderCheck:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return _missing(path)
    except (OSError, ValueError) as error:
        return _refused(path, error)
    if _is_inside(path, library):
        return FolderCheck(
            path=path, level="bad", sentence="This is the library's own folder, which is never indexed. Choose another."
        )
    if stat.S_ISREG(status.st_mode):
        return _file(path, status.st_size)
    if not stat.S_ISDIR(status.st_mode):
        return FolderCheck(path=path, level="bad", sentence="This is neither a folder nor a file.")
    if os.path.lexists(os.path.join(path, LIBRARY_FILE)):
        return FolderCheck(path=path, level="bad", sentence="This is a library of prismsearch, not a folder of videos.")
    try:
        os.scandir(path).close()
    except OSError as error:
        return _refused(path, error)
    return _folder(path, VideoCount(most_seconds, most_entries).of(path))


def _missing(path: str) -> FolderCheck:
    if os.path.islink(path):
        return FolderCheck(path=path, level="bad", sentence="This is a link to something that is not there.")
    parent = nearest(path)
    if is_drive(path, parent):
        return FolderCheck(
            path=path,
            level="bad",
            sentence="This is not there now. Is its drive connected? What the library has of it is kept.",
            suggestions=alike(path, parent),
        )
    return FolderCheck(
        path=path,
        level="bad",
        sentence=f"There is no such folder; {parent} is there." if parent else "There is no such folder.",
        suggestions=alike(path, parent),
    )


def _refused(path: str, error: OSError | ValueError) -> FolderCheck:
    if isinstance(error, PermissionError):
        said = "This may not be read: the system denies it. Allow it for the user that runs prismsearch."
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        said = "This path is longer than the system allows."
    elif isinstance(error, OSError) and error.strerror:
        said = f"This cannot be read: {error.strerror}. If it is on a drive, is that connected?"
    else:
        said = "This is not a path that the system knows."
    return FolderCheck(path=path, level="bad", sentence=said)


def _file(path: str, size: int) -> FolderCheck:
    try:
        video = may_be_video(path)
        with open(path, "rb"):
            pass
    except OSError as error:
        return _refused(path, error)
    if video:
        return FolderCheck(
            path=path, level="good", sentence=f"One video file, {size_text(size)}.", videos=1, size_bytes=size
        )
    return FolderCheck(
        path=path,
        level="bad",
        sentence="This is a file, and not one that looks like a video.",
        suggestions=(os.path.dirname(path),),
    )


def _folder(path: str, count: VideoCount) -> FolderCheck:
    files = counted(count.videos, "video file")
    closed = f" {counted(count.closed, 'folder')} in it may not be read." if count.closed else ""
    if not count.videos and count.complete:
        empty = not count.entries
        drive = " If it is a drive, is that connected?" if empty and is_drive(path, path) else ""
        said = f"This folder is empty.{drive}" if empty else "There are no videos in this folder or below it."
        return FolderCheck(path=path, level="bad", sentence=said + closed)
    if count.complete:
        said = f"{files}, {size_text(count.size_bytes)}."
    elif count.videos:
        said = f"More than {files} (more than {size_text(count.size_bytes)}); there was not time to count them all."
    else:
        said = "A large folder: no videos in what could be looked at so quickly, but there may be some."
    return FolderCheck(
        path=path,
        level="good" if count.complete and not closed else "note",
        sentence=said + closed,
        videos=count.videos,
        size_bytes=count.size_bytes,
        counted_all=count.complete,
    )


def _is_inside(path: str, folder: str) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)
