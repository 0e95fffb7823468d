"""Scan of folders for files that may be videos. Errors never end the walk. Standard library only."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from files.filesystems import keeps_inodes
from indexer.media.containers import VIDEO_EXTENSIONS, extension_of, may_be_video
from indexer.media.errors import Cancelled
from indexer.same_file import as_on_disk, inode_key
from indexer.sequences import sequences_in

SKIPPED_NAMES = frozenset(
    {
        "$recycle.bin",
        "system volume information",
        "@eadir",
        "#recycle",
        "#snapshot",
        "lost+found",
        "found.000",
        "thumbs",
    }
)
"""Lower-case names of folders where systems store deleted, damaged or derived files. Names with a leading dot are
skipped as well."""


LIBRARY_FILE = "library.sqlite3"
"""Marks a folder as a library. Equals `db.library.FILE_NAME`, which would import SQLAlchemy; a test compares them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that may be a video."""

    path: str  # absolute, links not resolved; bytes that are not UTF-8 as surrogates
    size_bytes: int
    modified_ns: int
    file_id: str = ""  # `device:inode`; "" where files have no lasting number


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A path that could not be scanned; the walk continued."""

    path: str
    reason: str  # one sentence for the user


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The result of a walk, sorted by path. A file has one entry, even if several links point to it."""

    files: tuple[FoundFile, ...]
    problems: tuple[Problem, ...]
    present: tuple[str, ...]  # roots that exist, absolute
    missing: tuple[str, ...]  # roots that do not
    hidden: int = 0  # hidden files with the ending of a video
    others: tuple[tuple[str, int], ...] = ()  # endings of the files that are no videos, with their numbers, most first
    sequences: tuple[Problem, ...] = ()  # folders that hold the frames of a video as pictures


def find_videos(
    roots: Iterable[str | os.PathLike[str]],
    *,
    extensions: Iterable[str] = VIDEO_EXTENSIONS,
    exclude: Sequence[str] = (),
    avoid: Iterable[str | os.PathLike[str]] = (),
    on_found: Callable[[int], None] | None = None,
    on_look: Callable[[str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Scan:
    """Find the files below folders that may be videos.

    Links to folders are followed once and after all real folders, so that loops end and a file keeps its real path if
    that lies below the roots. A path that cannot be read becomes a Problem.

    Args:
        roots: Folders to walk, and files to include regardless of their names.
        extensions: Extensions of files to include, without the dot, in upper or lower case. A file without an extension
            is included if its first bytes are those of a video.
        exclude: Shell patterns of files and folders to leave out with everything below. A pattern without a slash is
            matched against each name below a root, one with a slash against the whole path and the path from the root
            (`*` matches slashes as well).
        avoid: Folders that are never entered, such as the library's own.
        on_found: Called after each folder with the number of files found so far.
        on_look: Called with each root, folder and link before the drive is asked about it.
        cancelled: Polled at each folder and file.

    Returns:
        The files, the problems, and the roots that exist or do not.

    Raises:
        Cancelled: If `cancelled()` returns True.
    """
    walk = _Walk(
        frozenset(extension.lower().lstrip(".") for extension in extensions),
        [_matcher(pattern) for pattern in exclude if pattern.strip("/" + os.sep)],
        {key for key in (_identity_or_none(os.fspath(path)) for path in avoid) if key is not None},
        on_found or (lambda count: None),
        on_look or (lambda path: None),
        cancelled or (lambda: False),
    )
    absolute = sorted({as_on_disk(os.path.abspath(os.fspath(root))) for root in roots})
    present = [root for root in absolute if walk.root(root)]
    walk.follow_links()
    return Scan(
        files=tuple(walk.files[path] for path in sorted(walk.files)),
        problems=tuple(sorted(walk.problems, key=lambda problem: (problem.path, problem.reason))),
        present=tuple(present),
        missing=tuple(root for root in absolute if root not in present),
        hidden=walk.hidden,
        others=tuple(walk.others.most_common()),
        sequences=tuple(walk.sequences),
    )


class _Walk:
    """The state of one walk."""

    def __init__(
        self,
        extensions: frozenset[str],
        excluded: list[Callable[[str, str, str], bool]],
        avoid: set[object],
        on_found: Callable[[int], None],
        on_look: Callable[[str], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.files: dict[str, FoundFile] = {}
        self.problems: list[Problem] = []
        self.hidden = 0
        self.others: Counter[str] = Counter()
        self.sequences: list[Problem] = []
        self._extensions = extensions
        self._excluded = excluded
        self._avoid = avoid  # identities of folders
        self._entered = set(avoid)
        self._real: set[object] = set()  # keys of the files found
        self._lasting: dict[int, bool] = {}  # by device number, whether its files have lasting numbers
        self._named: list[tuple[str, os.stat_result]] = []  # roots that are files
        self._links: list[tuple[str, str]] = []  # path, root
        self._on_found = on_found
        self._on_look = on_look
        self._cancelled = cancelled

    def root(self, path: str) -> bool:
        """Walk a folder, or take a file. Return False if the path does not exist."""
        self._on_look(path)
        try:
            status = os.stat(path)
        except OSError as error:
            self._problem(path, error, "does not exist; is its drive connected?")
            return False
        if stat.S_ISDIR(status.st_mode):
            if _identity_or_none(path) in self._avoid:
                self.problems.append(Problem(path=path, reason="is the library's own folder, which is never indexed"))
            self._folder(path, os.path.realpath(path), path)
        elif stat.S_ISREG(status.st_mode):
            self._named.append((path, status))
        else:
            self.problems.append(Problem(path=path, reason="is neither a file nor a folder"))
        return True

    def follow_links(self) -> None:
        """Take named files and follow links, after everything else, when their real paths below the roots are known."""
        for path, status in self._named:
            self._take(path, os.path.realpath(path), status)
        while self._links:
            links, self._links = sorted(self._links), []
            for path, root in links:
                self._link(path, root)

    def _link(self, path: str, root: str) -> None:
        self._on_look(path)
        by_name = extension_of(path)
        try:
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                self._folder(path, os.path.realpath(path), root)
            elif stat.S_ISREG(status.st_mode) and may_be_video(path, self._extensions):
                self._take(path, os.path.realpath(path), status)
        except OSError as error:
            if not by_name or by_name in self._extensions:  # a dangling link to another kind of file does not matter
                self._problem(path, error, "is a broken link")

    def _folder(self, path: str, real: str, root: str) -> None:
        """Walk a folder without its links. Not recursive, because folders may be nested thousands deep."""
        waiting = [(path, real)]
        while waiting:
            path, real = waiting.pop()
            if self._cancelled():
                raise Cancelled
            self._on_look(path)
            try:
                key = _identity(path)
                if key in self._entered:
                    continue
                self._entered.add(key)
                with os.scandir(path) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self._problem(path, error, "disappeared while it was being scanned")
                continue
            if any(entry.name == LIBRARY_FILE for entry in entries):
                continue  # a library: its previews are videos, but not footage
            self.sequences += [
                Problem(path=path, reason=each) for each in sequences_in(entry.name for entry in entries)
            ]
            for entry in entries:
                if not self._is_excluded(entry, root):
                    deeper = self._entry(entry, os.path.join(real, entry.name), root)
                    waiting.extend([deeper] if deeper else [])
            self._on_found(len(self.files))

    def _entry(self, entry: os.DirEntry[str], real: str, root: str) -> tuple[str, str] | None:
        """Record a file or a link; return the path and real path of a folder."""
        if self._cancelled():
            raise Cancelled
        try:
            if entry.is_symlink():
                self._links.append((entry.path, root))
            elif entry.is_dir(follow_symlinks=False):
                return entry.path, real
            elif entry.is_file(follow_symlinks=False):
                if may_be_video(entry.path, self._extensions):
                    self._take(entry.path, real, entry.stat(follow_symlinks=False))
                else:
                    self.others[extension_of(entry.path)] += 1
        except FileNotFoundError:
            return None  # deleted since the folder was listed
        except OSError as error:
            self._problem(entry.path, error, "cannot be looked at")
        return None

    def _take(self, path: str, real: str, status: os.stat_result) -> None:
        """Record a file, unless it was found under another name."""
        keys = {real, *inode_key(real, status)}
        if self._real & keys:
            return
        self._real |= keys
        self.files[path] = FoundFile(
            path=path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns, file_id=self._file_id(path, status)
        )

    def _file_id(self, path: str, status: os.stat_result) -> str:
        if status.st_dev not in self._lasting:
            self._lasting[status.st_dev] = keeps_inodes(path)
        return f"{status.st_dev}:{status.st_ino}" if status.st_ino and self._lasting[status.st_dev] else ""

    def _is_excluded(self, entry: os.DirEntry[str], root: str) -> bool:
        name = entry.name
        if name.startswith("."):
            # Those that begin with ._ are what macOS keeps beside each file on foreign drives.
            self.hidden += extension_of(name) in self._extensions and not name.startswith("._")
            return True
        if name.lower() in SKIPPED_NAMES:
            return True
        return any(matches(name, entry.path, root) for matches in self._excluded)

    def _problem(self, path: str, error: OSError, otherwise: str) -> None:
        if isinstance(error, PermissionError):
            reason = "cannot be read: permission denied"
        elif isinstance(error, FileNotFoundError | NotADirectoryError):
            reason = otherwise
        else:
            reason = f"cannot be read: {error.strerror or error}"
        self.problems.append(Problem(path=path, reason=reason))


def _identity(path: str) -> object:
    """Return a key equal for all paths of a folder: the inode or, on file systems without inodes, the real path."""
    status = os.stat(path)
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)


def _identity_or_none(path: str) -> object | None:
    try:
        return _identity(path)
    except OSError:
        return None


def _matcher(pattern: str) -> Callable[[str, str, str], bool]:
    """Return a function (name, path, root) -> bool that matches the pattern, in any Unicode form (macOS mixes them)."""
    ends = "/" + os.sep
    bare = re.compile(fnmatch.translate(_normalized(pattern.rstrip(ends)))).match
    whole = re.compile(fnmatch.translate(_normalized(pattern))).match

    def by_name(name: str, path: str, root: str) -> bool:
        return bare(_normalized(name)) is not None

    def by_path(name: str, path: str, root: str) -> bool:
        spellings = _normalized(path), _normalized(path.removeprefix(root).lstrip(ends))
        # With a trailing slash as well, so that */raw/* excludes the folder at once and not each file in it.
        return any(bare(each) or whole(each + os.sep) for each in spellings)

    return by_path if any(mark in pattern.rstrip(ends) for mark in ends) else by_name


def _normalized(text: str) -> str:
    return unicodedata.normalize("NFC", os.path.normcase(text))
