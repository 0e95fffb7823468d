"""Check of a typed path before indexing: fast, bounded, and never raising."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from app.root_paths import local_path
from app.shell.terminal import count_text, size_text
from app.web.services.drive_calls import ANSWER_SECONDS, DriveCalls, NoAnswer
from app.web.services.folder_count import VideoCount
from app.web.services.folder_suggestions import is_missing_drive, nearest_folder, similar_paths
from indexer.media.containers import may_be_video
from indexer.scan import LIBRARY_FILE

MAX_SECONDS = 2.0
MAX_ENTRIES = 100_000

NO_ANSWER = "The drive is not responding. Check that the drive and its network are connected, then try again."

Level = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCheck:
    """Result of a check. good: can be indexed; note: can be indexed, with a caveat; bad: cannot be indexed."""

    path: str  # absolute; empty if the text is not a path
    level: Level
    sentence: str
    videos: int = 0
    size_bytes: int = 0  # total of the counted videos
    counted_all: bool = True  # False: counting was cut short, so there are more
    suggestions: tuple[str, ...] = ()  # existing paths that may have been meant

    @property
    def usable(self) -> bool:
        return self.level != "bad"


def check_folder(
    typed: str,
    library_directory: str | os.PathLike[str],
    *,
    drives: DriveCalls | None = None,
    answer_seconds: float = ANSWER_SECONDS,
    max_seconds: float = MAX_SECONDS,
    max_entries: int = MAX_ENTRIES,
) -> FolderCheck:
    """Check a typed path. Opens only folders, and files without a conclusive extension.

    Args:
        typed: A path; `~`, quotes and file:// are understood.
        library_directory: Folder of the library, which is never indexed.
        drives: Calls that wait for drives; by default, only for this check.
        answer_seconds: Time after which a drive is reported as unresponsive.
        max_seconds: Time after which counting videos ends with a lower bound.
        max_entries: Number of files and folders after which counting ends with a lower bound.
    """
    path = typed_path(typed)
    if not path:
        return FolderCheck(path="", level="bad", sentence="Enter the path of a folder of videos.")
    if "\0" in path:
        return FolderCheck(
            path="", level="bad", sentence="This is not a valid path: it contains a character that no name can have."
        )
    if not os.path.isabs(path):
        return _check_relative(path)
    path = os.path.normpath(path)

    def look() -> FolderCheck:
        return _check_path(path, os.fspath(library_directory), max_seconds, max_entries)

    try:
        return (drives or DriveCalls())(path, look, answer_seconds)
    except NoAnswer:
        return FolderCheck(path=path, level="bad", sentence=NO_ANSWER)


def typed_path(typed: str) -> str:
    """Return the intended path: `~` and roots expanded, without quotes, file:// and blanks around it. Not absolute."""
    text = typed.strip("\r\n")
    if text != text.strip() and not os.path.lexists(text):  # names may begin or end with a blank, but rarely do
        text = text.strip()
    for quote in ("'", '"'):
        if len(text) > 1 and text.startswith(quote) and text.endswith(quote):
            text = text[1:-1]
    if text.lower().startswith("file://"):
        text = unquote(urlsplit(text).path, errors="surrogateescape")
        if os.name == "nt":
            text = text.lstrip("/")
    return os.path.expanduser(local_path(text))


def _check_relative(path: str) -> FolderCheck:
    below_home = os.path.join(os.path.expanduser("~"), path)
    example = r"C:\Users\me\Videos" if os.name == "nt" else "/home/me/Videos or ~/Videos"
    return FolderCheck(
        path="",
        level="bad",
        sentence=f"Enter the full path, such as {example}.",
        suggestions=(below_home,) if os.path.exists(below_home) else (),
    )


def _check_path(path: str, library: str, max_seconds: float, max_entries: int) -> FolderCheck:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return _check_missing(path)
    except (OSError, ValueError) as error:
        return _unreadable(path, error)
    if _is_inside(path, library):
        return FolderCheck(
            path=path, level="bad", sentence="This is the library's own folder, which is never indexed. Choose another."
        )
    if stat.S_ISREG(status.st_mode):
        return _check_file(path, status.st_size)
    if not stat.S_ISDIR(status.st_mode):
        return FolderCheck(path=path, level="bad", sentence="This is neither a folder nor a file.")
    if os.path.lexists(os.path.join(path, LIBRARY_FILE)):
        return FolderCheck(path=path, level="bad", sentence="This is a prismsearch library, not a folder of videos.")
    try:
        os.scandir(path).close()
    except OSError as error:
        return _unreadable(path, error)
    return _check_folder(path, VideoCount(max_seconds, max_entries).of(path))


def _check_missing(path: str) -> FolderCheck:
    if os.path.islink(path):
        return FolderCheck(path=path, level="bad", sentence="This link points to something that does not exist.")
    parent = nearest_folder(path)
    if is_missing_drive(path, parent):
        return FolderCheck(
            path=path,
            level="bad",
            sentence="This folder cannot be found. Is its drive connected? Anything indexed from it is kept.",
            suggestions=similar_paths(path, parent),
        )
    return FolderCheck(
        path=path,
        level="bad",
        sentence=f"There is no such folder; {parent} exists." if parent else "There is no such folder.",
        suggestions=similar_paths(path, parent),
    )


def _unreadable(path: str, error: OSError | ValueError) -> FolderCheck:
    return FolderCheck(path=path, level="bad", sentence=unreadable_sentence(error))


def unreadable_sentence(error: OSError | ValueError) -> str:
    """Return why a file or folder cannot be read, as a sentence for the user."""
    if isinstance(error, PermissionError):
        return "You do not have permission to read this. Give access to the user that runs prismsearch."
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return "This path is longer than the system allows."
    if isinstance(error, OSError) and error.strerror:
        return f"This cannot be read: {error.strerror}. If it is on a drive, check that it is connected."
    return "This is not a valid path."


def _check_file(path: str, size: int) -> FolderCheck:
    try:
        video = may_be_video(path)
        with open(path, "rb"):
            pass
    except OSError as error:
        return _unreadable(path, error)
    if video:
        return FolderCheck(
            path=path, level="good", sentence=f"One video file, {size_text(size)}.", videos=1, size_bytes=size
        )
    return FolderCheck(
        path=path,
        level="bad",
        sentence="This file does not look like a video.",
        suggestions=(os.path.dirname(path),),
    )


def _check_folder(path: str, count: VideoCount) -> FolderCheck:
    files = count_text(count.videos, "video file")
    closed = f" {count_text(count.closed, 'folder')} in it cannot be read." if count.closed else ""
    if not count.videos and count.complete:
        empty = not count.entries
        drive = " If it is a drive, is it connected?" if empty and is_missing_drive(path, path) else ""
        sentence = f"This folder is empty.{drive}" if empty else "There are no videos in this folder or below it."
        return FolderCheck(path=path, level="bad", sentence=sentence + closed)
    if count.complete:
        sentence = f"{files}, {size_text(count.size_bytes)}."
    elif count.videos:
        sentence = f"More than {files} (more than {size_text(count.size_bytes)}); there are too many to count quickly."
    else:
        sentence = "A large folder: a quick look found no videos, but there may be some."
    return FolderCheck(
        path=path,
        level="good" if count.complete and not closed else "note",
        sentence=sentence + closed,
        videos=count.videos,
        size_bytes=count.size_bytes,
        counted_all=count.complete,
    )


def _is_inside(path: str, folder: str) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)
