"""A first look at a new file: its fingerprint, and whether it is left out because it is no footage of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.camera_proxies import Originals, is_small_copy
from indexer.fingerprint import fingerprint
from indexer.own_exports import is_own_export
from indexer.scan import FoundFile

LeftOut = Literal["", "own_exports", "camera_proxies"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to look at."""

    file: FoundFile
    may_be_export: bool = False
    original: str | None = None  # the film that it may be a camera's small copy of

    def look(self) -> tuple[LeftOut, str]:
        """Return why it is left out, or "" and its fingerprint.

        Raises:
            OSError: It cannot be read.
        """
        if self.original is not None and is_small_copy(self.file.path, self.original):
            return "camera_proxies", ""
        if self.may_be_export and is_own_export(self.file.path):
            return "own_exports", ""
        return "", fingerprint(self.file.path)


def new_files(
    files: Iterable[FoundFile],
    *,
    known: Mapping[str, object],
    named: Iterable[str],
    present: Iterable[str],
    include_exports: bool,
) -> list[NewFile]:
    """Return which new and changed files to read.

    Args:
        files: The files.
        known: The library's files, by path: they stay.
        named: Files that the person named: they are indexed whatever they are.
        present: All files of the run that may be originals.
        include_exports: Take clips that prismsearch exported for footage.
    """
    originals, named = Originals(present), frozenset(named)
    looked_at = []
    for file in files:
        if file.path in known or file.path in named:
            looked_at.append(NewFile(file))
        else:
            looked_at.append(NewFile(file, not include_exports, originals.of(file.path)))
    return looked_at
