"""Named roots of media: a library stores `nas:/films/a.mp4`, and each machine says in which folder it has `nas`.

Stored POSIX paths are absolute, so that `nas:/...` is never a plain path, and the name of a drive of Windows has one
letter. Everything above the columns of paths has paths of this machine. Standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote_to_bytes

NAME = re.compile(r"[a-z][a-z0-9_-]+")
_NAMED = re.compile(r"([a-z][a-z0-9_-]+):/(.*)", re.DOTALL)
_NOWHERE = os.path.abspath(os.sep + ".prismsearch-root") + os.sep
"""A folder that nobody has. Below it are, for Python, the files of roots that this machine does not know:
`/.prismsearch-root/nas/films/a.mp4` is `nas:/films/a.mp4`."""
_REFUSED = "%"
"""In place of a name: a stored path that leaves its root, or that no file can have, follows as one quoted name."""

Range = tuple[bytes, bytes]
"""Stored paths from the first one on, and before the second."""


@dataclass(frozen=True)
class MediaRoots:
    """The roots that a machine knows. Of nested ones, the innermost counts.

    Attributes:
        folders: Names with folders: absolute, without a separator at the end, each once. `checked_roots` makes them.
    """

    folders: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.folders)

    @cached_property
    def _inner_first(self) -> list[tuple[str, str]]:
        """Return names with the beginnings of their paths, as `_compared` has them."""
        found = [(name, _compared(folder + os.sep)) for name, folder in self.folders]
        return sorted(found, key=lambda each: (-len(each[1]), each))

    @cached_property
    def _folder_of(self) -> dict[str, str]:
        return dict(self.folders)

    @cached_property
    def _real(self) -> MediaRoots:
        """The roots in the folders that links lead to; each is looked at once."""
        return MediaRoots(tuple((name, os.path.realpath(folder)) for name, folder in self.folders))

    def folder(self, name: str) -> str | None:
        """Return the folder of a root; None if this machine does not know it."""
        return self._folder_of.get(name)

    def stored(self, path: str) -> bytes:
        """Return an absolute path as it is stored: below a root if it is in the folder of one, else as it is."""
        if path.startswith(_NOWHERE):
            name, _, rest = path[len(_NOWHERE) :].partition(os.sep)
            if name == _REFUSED and rest:
                return unquote_to_bytes(rest)
            if NAME.fullmatch(name) and rest:
                return os.fsencode(f"{name}:/{_with_slashes(rest)}")
        elif self.folders:
            compared = _compared(path)
            for name, begin in self._inner_first:
                if compared.startswith(begin):
                    rest = _with_slashes(path[len(begin) :]).lstrip("/")
                    return os.fsencode(f"{name}:/{rest}" if _stays_inside(rest) else path)
        return os.fsencode(path)

    def shown(self, stored: bytes) -> str:
        """Return a stored path as one of this machine: always an absolute one, if it is below a root.

        One of a root that this machine does not know is of a file that cannot exist, and is stored as it was.
        """
        path = os.fsdecode(stored)
        name, colon, rest = path.partition(":/")
        folder = self._folder_of.get(name)
        if folder is None:
            if _NAMED.fullmatch(path) is None:
                return path
            folder = _NOWHERE + name
        if not (colon and _stays_inside(rest)):
            return f"{_NOWHERE}{_REFUSED}{os.sep}{quote(stored, safe='')}" if colon else path
        return f"{folder}{os.sep}{rest if os.sep == '/' else rest.replace('/', os.sep)}"

    def is_below(self, path: str) -> bool:
        """Return whether a path of this machine is stored below a root, known here or not."""
        return path.startswith(_NOWHERE) or (bool(self.folders) and self.stored(path) != os.fsencode(path))

    def root_of(self, path: str) -> str | None:
        """Return the root that a path of this machine, or a folder, belongs to; None if it is a plain one."""
        if (name := unset_root(path)) is not None:
            return name
        compared = _compared(path.rstrip(os.sep) + os.sep)
        return next((name for name, begin in self._inner_first if compared.startswith(begin)), None)

    def without_links(self, path: str) -> str:
        """Return an absolute path that links lead below a root as the path there; any other one as it is."""
        if not self.folders or self.root_of(path) is not None:
            return path
        for real in (path, os.path.realpath(path)):
            if (name := self._real.root_of(real)) is not None:
                return self._folder_of[name] + real[len(self._real._folder_of[name]) :]
        return path

    def named(self, path: str) -> str:
        """Return a path or folder as all machines know it, `nas:/films`; one of this machine alone as it is."""
        name = self.root_of(path)
        if name is None or path.startswith(_NOWHERE + _REFUSED):
            return path
        above = _NOWHERE + name if unset_root(path) else self._folder_of[name]
        return f"{name}:/{_with_slashes(path[len(above) :].strip(os.sep))}"

    def path_of(self, text: str) -> str:
        """Return the path of this machine that a person means by `nas:/films`; any other text as it is."""
        if not is_named(text):
            return text
        name, _, rest = text.partition(":/")
        if rest := rest.rstrip("/"):
            return self.shown(os.fsencode(f"{name}:/{rest}"))
        return self._folder_of.get(name, _NOWHERE + name)

    def ranges(self, folder: str) -> list[Range]:
        """Return where the files below an absolute folder, or of exactly that path, are among stored paths in order.

        Files that were stored with plain paths before a root was set are among them.
        """
        bare = folder.rstrip(os.sep)
        if folder.startswith(_NOWHERE + _REFUSED):
            stored = self.stored(bare)
            return [(stored, stored + b"\0")]
        found = _ranges(os.fsencode(bare), os.fsencode(os.sep))
        name = unset_root(folder)
        if name is not None:
            rest = _with_slashes(bare[len(_NOWHERE + name) :])
            return [*found, *_below_root(name, rest.strip("/"))]
        if not bare and os.sep == "/":
            return [*found, (b"a", b"{")]  # all roots, whatever their names
        for name, root in self.folders:
            if _compared(bare + os.sep).startswith(_compared(root + os.sep)):
                found += _below_root(name, _with_slashes(bare[len(root) :]).strip("/"))
            elif _compared(root + os.sep).startswith(_compared(bare + os.sep)):
                found += _below_root(name, "")
        return found

    def other_ranges(self, name: str) -> list[Range]:
        """Return where files below the folder of a root may be stored in another way: plain, or below an outer root.

        Plain ones also by the folder that a link of the root leads to.
        """
        folder = self._folder_of[name]
        places = sorted({folder, self._real._folder_of[name]})
        found = [_ranges(os.fsencode(place), os.fsencode(os.sep))[1] for place in places]
        for other, outer in self.folders:
            if other != name and _compared(folder).startswith(_compared(outer + os.sep)):
                found += _below_root(other, _with_slashes(folder[len(outer) :]).strip("/"))[1:]
        return found

    def as_stored_now(self, stored: bytes) -> bytes:
        """Return how the path of a file that was stored before a root was set is stored with these roots."""
        return self.stored(self.without_links(self.shown(stored)))


NO_ROOTS = MediaRoots()


def root_range(name: str) -> Range:
    """Return where the files of a root are among stored paths in order."""
    return f"{name}:/".encode(), f"{name}:0".encode()


def is_named(text: str) -> bool:
    """Return whether a text is a path below a root, `nas:/films`, and no address, `postgresql://db/films`."""
    match = _NAMED.fullmatch(text)
    return match is not None and not match[2].startswith("/")


def unset_root(path: str) -> str | None:
    """Return the name of the root that a machine lacks, if this is how it calls a file or folder of it; else None."""
    if not path.startswith(_NOWHERE):
        return None
    name = path[len(_NOWHERE) :].partition(os.sep)[0]
    return name if NAME.fullmatch(name) else None


def unset_text(name: str) -> str:
    """Return what to say of a root that this machine does not know, as a clause."""
    return (
        f"root {name!r} is not set on this machine: add it to [roots] in the settings file, or to PRISMSEARCH_ROOTS "
        f"({name}=FOLDER)"
    )


def absent_text(path: str, otherwise: str) -> str:
    """Return what to say of a file that is not there, as a sentence: of one whose root is not set, that it is not."""
    name = unset_root(path)
    return otherwise if name is None else f"R{unset_text(name)[1:]}."


def checked_roots(folders: Mapping[str, str]) -> MediaRoots:
    """Return roots by their names.

    Raises:
        ValueError: A name or a folder cannot be used, or two roots have one folder.
    """
    found: dict[str, str] = {}
    for name, named in folders.items():
        if not NAME.fullmatch(name):
            raise ValueError(
                f"a root is named by two or more of a-z, 0-9, - and _, and begins with a letter, not {name!r}"
            )
        folder = os.path.expanduser(named)
        if not os.path.isabs(folder) or "\0" in folder or ".." in _with_slashes(folder).split("/"):
            raise ValueError(f"the root {name} needs an absolute folder without '..', not {named!r}")
        folder = os.path.normpath(folder)
        if folder.startswith("//"):  # which POSIX leaves to the system
            folder = folder[1:]
        if os.path.dirname(folder) == folder:
            raise ValueError(f"the root {name} is the whole file system, {folder}; name a folder in it")
        if (folder + os.sep).startswith(_NOWHERE):
            raise ValueError(f"the root {name} cannot be in {folder}, the place of roots that are not set")
        for other, its_folder in found.items():
            if _compared(its_folder) == _compared(folder):
                raise ValueError(f"the roots {other} and {name} are the same folder, {folder}; keep one of them")
        found[name] = folder
    return MediaRoots(tuple(sorted(found.items())))


def _stays_inside(rest: str) -> bool:
    """Return whether the part of a stored path after the name of its root names something below it, on this system."""
    if rest[:1] in ("", "/") or "\0" in rest or (".." in rest and ".." in rest.split("/")):
        return False
    return os.sep == "/" or ("\\" not in rest and ":" not in rest)


def _compared(path: str) -> str:
    """Return a path as the system compares it, of the same length."""
    return os.path.normcase(path)


def _with_slashes(path: str) -> str:
    return path if os.sep == "/" else path.replace(os.sep, "/")


def _below_root(name: str, rest: str) -> list[Range]:
    """Return the ranges of what is below a root, or at or below a folder in it."""
    if not rest:
        return [root_range(name)]
    return _ranges(os.fsencode(f"{name}:/{rest}"), b"/")


def _ranges(bare: bytes, separator: bytes) -> list[Range]:
    """Return the ranges of a path itself, and of what is below it: '/a/b' and '/a/b/c', but not '/a/bc'."""
    return [(bare, bare + b"\0"), (bare + separator, bare + bytes([separator[0] + 1]))]
