"""Which files there are: a walk over folders that survives whatever it meets. Standard library only."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from indexer.media.containers import VIDEO_EXTENSIONS, extension_of, worth_trying
from indexer.media.errors import Cancelled

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
"""Folders, in lower case, in which systems keep what is deleted, damaged or derived. A dot first means hidden."""


LIBRARY_FILE = "library.sqlite3"
"""Marks a folder as a library: `db.library.FILE_NAME`, which costs SQLAlchemy to import; a test holds them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that may be a video."""

    path: str  # absolute, not resolved: as a person reaches it; bytes that are not UTF-8 as surrogates
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that could not be looked into; the walk went on."""

    path: str
    reason: str  # one sentence for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a walk found. Everything is in order of path; one file has one entry, however many links lead to it."""

    files: tuple[FoundFile, ...]
    problems: tuple[Problem, ...]
    present: tuple[str, ...]  # roots that are there, absolute
    missing: tuple[str, ...]  # roots that are not


def find_videos(
    roots: Iterable[str | os.PathLike[str]],
    *,
    extensions: Iterable[str] = VIDEO_EXTENSIONS,
    exclude: Sequence[str] = (),
    avoid: Iterable[str | os.PathLike[str]] = (),
    found: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Scan:
    """Walk the folders among `roots`; take the files among them as they are, whatever their names.

    extensions: without the dot, in any case; a file without one is tried if its first bytes are those of a video.
    exclude: shell patterns; without a slash against each name below a root, with one against the whole path and
    the path from the root (`*` crosses slashes); what matches is left out with everything below it.
    avoid: folders that are never entered, such as the library's own. found: told now and then how many files there are.
    Links to folders are followed once, after all real folders, so a loop ends and a file keeps its real path where it
    has one below the roots. Raises Cancelled, and nothing else: what cannot be read is a Problem.
    """
    walk = _Walk(
        frozenset(extension.lower().lstrip(".") for extension in extensions),
        [_matcher(pattern) for pattern in exclude if pattern.strip("/" + os.sep)],
        {key for key in (_identity_or_none(os.fspath(path)) for path in avoid) if key is not None},
        found or (lambda count: None),
        cancelled or (lambda: False),
    )
    absolute = sorted({os.path.abspath(os.fspath(root)) for root in roots})
    present = [root for root in absolute if walk.root(root)]
    walk.follow_links()
    return Scan(
        files=tuple(walk.files[path] for path in sorted(walk.files)),
        problems=tuple(sorted(walk.problems, key=lambda problem: (problem.path, problem.reason))),
        present=tuple(present),
        missing=tuple(root for root in absolute if root not in present),
    )


class _Walk:
    """The state of one walk."""

    def __init__(
        self,
        extensions: frozenset[str],
        excluded: list[Callable[[str, str, str], bool]],
        avoid: set[object],
        found: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.files: dict[str, FoundFile] = {}
        self.problems: list[Problem] = []
        self._extensions = extensions
        self._excluded = excluded
        self._avoid = avoid  # identities of folders
        self._entered = set(avoid)
        self._real: set[str] = set()  # resolved paths of the files found
        self._links: list[tuple[str, str]] = []  # path, root
        self._found = found
        self._cancelled = cancelled

    def root(self, path: str) -> bool:
        """Walk a folder, or take a file. False if there is nothing."""
        try:
            status = os.stat(path)
        except OSError as error:
            self._problem(path, error, "is not there; is its drive connected?")
            return False
        if stat.S_ISDIR(status.st_mode):
            if _identity_or_none(path) in self._avoid:
                self.problems.append(Problem(path=path, reason="is the library's own folder, which is never indexed"))
            self._folder(path, os.path.realpath(path), path)
        elif stat.S_ISREG(status.st_mode):
            self._take(path, os.path.realpath(path), status)
        else:
            self.problems.append(Problem(path=path, reason="is neither a file nor a folder"))
        return True

    def follow_links(self) -> None:
        """Links come last, so that what they lead to is known by its real path if it has one below the roots."""
        while self._links:
            links, self._links = sorted(self._links), []
            for path, root in links:
                self._link(path, root)

    def _link(self, path: str, root: str) -> None:
        by_name = extension_of(path)
        try:
            status = os.stat(path)
            if stat.S_ISDIR(status.st_mode):
                self._folder(path, os.path.realpath(path), root)
            elif stat.S_ISREG(status.st_mode) and worth_trying(path, self._extensions):
                real = os.path.realpath(path)
                if real not in self._real:
                    self._take(path, real, status)
        except OSError as error:
            if not by_name or by_name in self._extensions:  # a dangling link to a text is nothing to us
                self._problem(path, error, "is a link to something that is not there")

    def _folder(self, path: str, real: str, root: str) -> None:
        """Everything below a folder but what links lead to, without recursion: folders may be thousands deep."""
        waiting = [(path, real)]
        while waiting:
            path, real = waiting.pop()
            if self._cancelled():
                raise Cancelled
            try:
                key = _identity(path)
                if key in self._entered:
                    continue
                self._entered.add(key)
                with os.scandir(path) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self._problem(path, error, "went away while it was looked into")
                continue
            if any(entry.name == LIBRARY_FILE for entry in entries):
                continue  # a library, perhaps not the one at hand: its previews are videos, but nobody's footage
            for entry in entries:
                if not self._is_left_out(entry, root):
                    deeper = self._entry(entry, os.path.join(real, entry.name), root)
                    waiting.extend([deeper] if deeper else [])
            self._found(len(self.files))

    def _entry(self, entry: os.DirEntry[str], real: str, root: str) -> tuple[str, str] | None:
        """Take a file, remember a link, give back a folder."""
        try:
            if entry.is_symlink():
                self._links.append((entry.path, root))
            elif entry.is_dir(follow_symlinks=False):
                return entry.path, real
            elif entry.is_file(follow_symlinks=False) and worth_trying(entry.path, self._extensions):
                self._take(entry.path, real, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            return None  # deleted between listing and looking: it is not there, and that is all
        except OSError as error:
            self._problem(entry.path, error, "cannot be looked at")
        return None

    def _take(self, path: str, real: str, status: os.stat_result) -> None:
        self._real.add(real)
        self.files[path] = FoundFile(path=path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)

    def _is_left_out(self, entry: os.DirEntry[str], root: str) -> bool:
        name = entry.name
        if name.startswith(".") or name.lower() in SKIPPED_NAMES:
            return True
        return any(matches(name, entry.path, root) for matches in self._excluded)

    def _problem(self, path: str, error: OSError, otherwise: str) -> None:
        if isinstance(error, PermissionError):
            reason = "may not be read: permission denied"
        elif isinstance(error, FileNotFoundError | NotADirectoryError):
            reason = otherwise
        else:
            reason = f"cannot be read: {error.strerror or error}"
        self.problems.append(Problem(path=path, reason=reason))


def _identity(path: str) -> object:
    """What two paths of one folder have in common. Some network file systems have no inodes: then the resolved path."""
    status = os.stat(path)
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)


def _identity_or_none(path: str) -> object | None:
    try:
        return _identity(path)
    except OSError:
        return None


def _matcher(pattern: str) -> Callable[[str, str, str], bool]:
    """(name, path, root) -> whether the pattern means it. Accents match in both unicode forms, as macOS mixes them."""
    ends = "/" + os.sep
    bare = re.compile(fnmatch.translate(_plain(pattern.rstrip(ends)))).match
    whole = re.compile(fnmatch.translate(_plain(pattern))).match

    def by_name(name: str, path: str, root: str) -> bool:
        return bare(_plain(name)) is not None

    def by_path(name: str, path: str, root: str) -> bool:
        places = _plain(path), _plain(path.removeprefix(root).lstrip(ends))
        # With a slash at its end as well, so that */raw/* leaves out the folder at once, not each file in it.
        return any(bare(place) or whole(place + os.sep) for place in places)

    return by_path if any(mark in pattern.rstrip(ends) for mark in ends) else by_name


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", os.path.normcase(text))
